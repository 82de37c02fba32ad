package gatepassgrpc

import (
	"context"
	"errors"
	"slices"
	"strings"

	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"gatepass.dev/gatepass"
)

// UnaryServerInterceptor returns an interceptor that lets a call pass only if verifier accepts its token. What the token
// says is then found by [gatepass.ClaimsFromContext]. Any other call is answered as [gatepass.Error.GRPC] says, with the
// error's code in google.rpc.ErrorInfo, and noted in the log of [log/slog.Default].
//
// A server needs [StreamServerInterceptor] too, or its streams are open to all.
func UnaryServerInterceptor(verifier *gatepass.Verifier, options ...ServerOption) grpc.UnaryServerInterceptor {
	guard := newGuard(verifier, options)
	return func(
		ctx context.Context, request any, call *grpc.UnaryServerInfo, handler grpc.UnaryHandler,
	) (any, error) {
		ctx, err := guard.admit(ctx, call.FullMethod)
		if err != nil {
			return nil, err
		}
		return handler(ctx, request)
	}
}

// StreamServerInterceptor is [UnaryServerInterceptor] for streams, of all three kinds. The token is looked at when the
// stream opens; the stream may outlive it.
func StreamServerInterceptor(verifier *gatepass.Verifier, options ...ServerOption) grpc.StreamServerInterceptor {
	guard := newGuard(verifier, options)
	return func(server any, stream grpc.ServerStream, call *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
		ctx, err := guard.admit(stream.Context(), call.FullMethod)
		if err != nil {
			return err
		}
		return handler(server, &admittedStream{stream, ctx})
	}
}

// ServerOption configures [UnaryServerInterceptor] and [StreamServerInterceptor].
type ServerOption func(*guard)

// WithOptionalToken lets calls without a token pass too, without claims. One with a bad token never passes.
func WithOptionalToken() ServerOption { return func(g *guard) { g.isOptional = true } }

// WithOpenServices lets calls of these services pass without a look at their token, each by its full name, such as
// "grpc.health.v1.Health" or "grpc.reflection.v1.ServerReflection".
func WithOpenServices(services ...string) ServerOption {
	return func(g *guard) { g.openServices = append(g.openServices, services...) }
}

// WithOnRefusal calls this function for every refusal, with the method that was called, instead of noting it in the log.
// The call is refused all the same.
func WithOnRefusal(onRefusal func(ctx context.Context, method string, refused *gatepass.Error)) ServerOption {
	return func(g *guard) { g.onRefusal = onRefusal }
}

// A guard decides which calls pass.
type guard struct {
	verifier     *gatepass.Verifier
	isOptional   bool
	openServices []string
	onRefusal    func(context.Context, string, *gatepass.Error)
}

func newGuard(verifier *gatepass.Verifier, options []ServerOption) *guard {
	guard := &guard{verifier: verifier, onRefusal: logRefusal}
	for _, option := range options {
		option(guard)
	}
	return guard
}

// admit returns the context of a call that passes, or the status of one that does not.
func (g *guard) admit(ctx context.Context, method string) (context.Context, error) {
	if slices.Contains(g.openServices, serviceOf(method)) {
		return ctx, nil
	}
	payload, err := g.verifier.ValidateHeaderFunc(ctx, func(name string) []string {
		return metadata.ValueFromIncomingContext(ctx, name) // In any case, and without a copy of all the others.
	})
	var refused *gatepass.Error
	switch {
	case err == nil:
		return gatepass.ContextWithClaims(ctx, payload), nil
	case g.isOptional && errors.Is(err, gatepass.ErrTokenMissing):
		return ctx, nil
	case errors.As(err, &refused):
		if g.onRefusal != nil {
			g.onRefusal(ctx, method, refused)
		}
		return nil, refusal(refused.GRPC())
	}
	// The call's context ended before there was a verdict.
	return nil, status.FromContextError(err).Err()
}

// serviceOf returns the service of "/package.Service/Method", as the server itself takes a method apart.
func serviceOf(method string) string {
	method = strings.TrimPrefix(method, "/")
	return method[:max(strings.LastIndex(method, "/"), 0)]
}

func refusal(answer gatepass.GRPCStatus) error {
	var details spb.Status
	if proto.Unmarshal(answer.Details, &details) != nil || details.Code == int32(codes.OK) {
		return status.Error(codes.Code(answer.Code), answer.Message)
	}
	return status.ErrorProto(&details)
}

func logRefusal(ctx context.Context, method string, refused *gatepass.Error) {
	refused.LogRefusal(ctx, method)
}

// An admittedStream is a stream with the context of its call.
type admittedStream struct {
	grpc.ServerStream
	ctx context.Context
}

func (s *admittedStream) Context() context.Context { return s.ctx }
