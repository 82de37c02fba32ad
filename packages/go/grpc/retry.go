package gatepassgrpc

import (
	"context"
	"errors"
	"sync/atomic"

	"golang.org/x/oauth2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"gatepass.dev/gatepass"
)

// UnaryClientInterceptor returns an interceptor that replaces the token of a call that is answered with UNAUTHENTICATED,
// at most once a minute, and makes the call once more. It is for calls whose token is attached by [Credentials]; such an
// answer comes from a server whose clock is ahead, for one.
func UnaryClientInterceptor() grpc.UnaryClientInterceptor {
	return func(
		ctx context.Context, method string, request, reply any, connection *grpc.ClientConn, invoker grpc.UnaryInvoker,
		options ...grpc.CallOption,
	) error {
		var used use
		err := invoker(used.watched(ctx), method, request, reply, connection, options...)
		if !used.isReplaced(err) {
			return err
		}
		again := invoker(ctx, method, request, reply, connection, options...)
		if errors.As(again, new(*failure)) {
			return err // There is no other token: the server's refusal says more.
		}
		return again
	}
}

// StreamClientInterceptor returns an interceptor that replaces the token of a stream that ends with UNAUTHENTICATED, at
// most once a minute. The stream is not repeated, as messages may have gone either way: the next one carries another token.
func StreamClientInterceptor() grpc.StreamClientInterceptor {
	return func(
		ctx context.Context, description *grpc.StreamDesc, connection *grpc.ClientConn, method string,
		streamer grpc.Streamer, options ...grpc.CallOption,
	) (grpc.ClientStream, error) {
		used := &use{}
		stream, err := streamer(used.watched(ctx), description, connection, method, options...)
		if err != nil {
			return nil, err
		}
		return &watchedStream{stream, used}, nil
	}
}

// A watchedStream looks at the status that it ends with.
type watchedStream struct {
	grpc.ClientStream
	used *use
}

func (s *watchedStream) RecvMsg(message any) error {
	err := s.ClientStream.RecvMsg(message)
	s.used.isReplaced(err)
	return err
}

// A use is the last token that a call has carried.
type use struct{ last atomic.Pointer[usedToken] }

type usedToken struct {
	source *gatepass.Source
	token  *oauth2.Token
}

type useKey struct{}

// watched returns a context in which [noteUse] finds where to note.
func (u *use) watched(ctx context.Context) context.Context {
	return context.WithValue(ctx, useKey{}, u)
}

func noteUse(ctx context.Context, source *gatepass.Source, token *oauth2.Token) {
	if used, isWatched := ctx.Value(useKey{}).(*use); isWatched {
		used.last.Store(&usedToken{source, token})
	}
}

// isReplaced reports whether a call that has ended so would carry another token. That no token could be had says nothing
// of the last one.
func (u *use) isReplaced(err error) bool {
	last := u.last.Load()
	isRefused := status.Code(err) == codes.Unauthenticated && !errors.As(err, new(*failure))
	return isRefused && last != nil && last.source.Invalidate(last.token)
}
