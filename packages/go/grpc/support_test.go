package gatepassgrpc_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"log/slog"
	"net"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"gatepass.dev/gatepass"
	"gatepass.dev/gatepass/gatepasstest"
	gatepassgrpc "gatepass.dev/gatepass/grpc"
)

const (
	// audience is what is derived from the authority of the calls of most tests.
	audience     = "https://orders.example"
	caller       = "caller@shop.iam.gserviceaccount.com"
	account      = "default@emulator.iam.gserviceaccount.com"
	identityPath = "/computeMetadata/v1/instance/service-accounts/default/identity"
)

// startEmulator gives a test the emulator, with no requests counted and no faults ordered. One serves all tests, since it
// takes a second to make its keys.
func startEmulator(t *testing.T) *gatepasstest.Emulator {
	t.Helper()
	emulator := got(running())(t)
	emulator.Reset(t)
	return emulator
}

var running = sync.OnceValues(func() (*gatepasstest.Emulator, error) { return gatepasstest.Launch() })

func TestMain(m *testing.M) {
	if err := gatepasstest.TrustAuthority(); err != nil {
		log.Print(err) // The tests that need it fail.
	}
	slog.SetDefault(slog.New(slog.DiscardHandler)) // Hundreds of refusals are expected.
	os.Exit(m.Run())
}

// kinds are the kinds of calls, by the name of the method that is of the kind.
var kinds = []string{"Unary", "ServerStreaming", "ClientStreaming", "Bidirectional"}

// orders is a service with a method of each kind. Each answer is an e-mail of who calls, or "nobody".
var orders = grpc.ServiceDesc{
	ServiceName: "shop.Orders", HandlerType: (*any)(nil),
	Methods: []grpc.MethodDesc{{MethodName: "Unary", Handler: unary}},
	Streams: []grpc.StreamDesc{
		{StreamName: "ServerStreaming", ServerStreams: true, Handler: func(_ any, stream grpc.ServerStream) error {
			asked := text("")
			if err := stream.RecvMsg(asked); err != nil {
				return err
			}
			count, err := strconv.Atoi(asked.Value)
			for range count {
				err = stream.SendMsg(email(stream.Context()))
			}
			return err
		}},
		{StreamName: "ClientStreaming", ClientStreams: true, Handler: func(_ any, stream grpc.ServerStream) error {
			err := stream.RecvMsg(text(""))
			for err == nil {
				err = stream.RecvMsg(text(""))
			}
			if err != io.EOF {
				return err
			}
			return stream.SendMsg(email(stream.Context()))
		}},
		{StreamName: "Bidirectional", ServerStreams: true, ClientStreams: true, Handler: func(_ any, stream grpc.ServerStream) error {
			for {
				if err := stream.RecvMsg(text("")); err == io.EOF {
					return nil
				} else if err != nil {
					return err
				}
				if err := stream.SendMsg(email(stream.Context())); err != nil {
					return err
				}
			}
		}},
	},
}

func unary(server any, ctx context.Context, decode func(any) error, interceptor grpc.UnaryServerInterceptor) (any, error) {
	request := text("")
	if err := decode(request); err != nil {
		return nil, err
	}
	handler := func(ctx context.Context, _ any) (any, error) { return email(ctx), nil }
	if interceptor == nil {
		return handler(ctx, request)
	}
	return interceptor(ctx, request, &grpc.UnaryServerInfo{Server: server, FullMethod: "/shop.Orders/Unary"}, handler)
}

func text(value string) *wrapperspb.StringValue { return wrapperspb.String(value) }

func email(ctx context.Context) *wrapperspb.StringValue {
	payload, found := gatepass.ClaimsFromContext(ctx)
	if !found {
		return text("nobody")
	}
	email, _ := payload.Claims["email"].(string)
	return text(email)
}

// call makes a call with two messages, or for two answers, and returns these.
func call(ctx context.Context, connection grpc.ClientConnInterface, kind string, options ...grpc.CallOption) ([]string, error) {
	method := "/shop.Orders/" + kind
	if kind == "Unary" {
		answer := text("")
		if err := connection.Invoke(ctx, method, text(""), answer, options...); err != nil {
			return nil, err
		}
		return []string{answer.Value}, nil
	}
	description := orders.Streams[slices.IndexFunc(orders.Streams, func(s grpc.StreamDesc) bool { return s.StreamName == kind })]
	stream, err := connection.NewStream(ctx, &description, method, options...)
	if err != nil {
		return nil, err
	}
	messages := []string{"2"}
	if description.ClientStreams {
		messages = []string{"a", "b"}
	}
	for _, message := range messages {
		if err := stream.SendMsg(text(message)); err != nil {
			break // What is wrong is found by RecvMsg.
		}
	}
	if err := stream.CloseSend(); err != nil {
		return nil, err
	}
	var answers []string
	for {
		answer := text("")
		if err := stream.RecvMsg(answer); err == io.EOF {
			return answers, nil
		} else if err != nil {
			return nil, err
		}
		answers = append(answers, answer.Value)
	}
}

// mustBeSeenAs makes a call of each kind.
func mustBeSeenAs(t *testing.T, connection grpc.ClientConnInterface, expected string, options ...grpc.CallOption) {
	t.Helper()
	for _, kind := range kinds {
		answers, err := call(deadline(t), connection, kind, options...)
		count := map[string]int{"ServerStreaming": 2, "Bidirectional": 2}[kind]
		if err != nil || !slices.Equal(answers, slices.Repeat([]string{expected}, max(count, 1))) {
			t.Errorf("%s: %v %v, expected %s", kind, answers, err, expected)
		}
	}
}

// A server listens on a loopback address.
type server struct {
	*grpc.Server
	address string
	roots   *x509.CertPool
}

// names are those of the servers of these tests.
var names = []string{"orders.example", "billing.example", "tag---orders-uc.a.run.app"}

// startServer starts a server of orders behind interceptors that check tokens, over TLS.
func startServer(t *testing.T, verifier *gatepass.Verifier, options ...gatepassgrpc.ServerOption) *server {
	t.Helper()
	emulator := got(running())(t)
	certificate, roots := emulator.Certificate(t, names...), x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(emulator.Authority(t)))
	server := serve(t,
		grpc.Creds(credentials.NewServerTLSFromCert(&certificate)),
		grpc.ChainUnaryInterceptor(gatepassgrpc.UnaryServerInterceptor(verifier, options...)),
		grpc.ChainStreamInterceptor(gatepassgrpc.StreamServerInterceptor(verifier, options...)))
	server.roots = roots
	return server
}

func serve(t *testing.T, options ...grpc.ServerOption) *server {
	t.Helper()
	server := &server{Server: grpc.NewServer(options...)}
	server.RegisterService(&orders, nil)
	server.listen(t, "tcp", "127.0.0.1:0")
	return server
}

func (s *server) listen(t *testing.T, network, address string) {
	t.Helper()
	listener := got(net.Listen(network, address))(t)
	s.address = listener.Addr().String()
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(listener) }()
	t.Cleanup(func() {
		s.Stop()
		must(t, <-ended)
	})
}

// connect makes a connection over TLS, as to orders.example.
func (s *server) connect(t *testing.T, options ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	return s.connectAs(t, "orders.example", options...)
}

func (s *server) connectAs(t *testing.T, authority string, options ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	channel := insecure.NewCredentials()
	if s.roots != nil {
		channel = credentials.NewTLS(&tls.Config{RootCAs: s.roots})
	}
	options = append(options, grpc.WithTransportCredentials(channel), grpc.WithAuthority(authority))
	connection := got(grpc.NewClient(s.address, options...))(t)
	t.Cleanup(func() { connection.Close() })
	return connection
}

// idTokens attaches ID tokens to the calls of a connection.
func idTokens(t *testing.T, options ...gatepassgrpc.CredentialsOption) grpc.DialOption {
	t.Helper()
	return grpc.WithPerRPCCredentials(got(gatepassgrpc.NewIDTokenCredentials(options...))(t))
}

func newVerifier(t *testing.T, emulator *gatepasstest.Emulator, options ...gatepass.VerifierOption) *gatepass.Verifier {
	t.Helper()
	options = append([]gatepass.VerifierOption{
		gatepass.WithAudience(audience), gatepass.WithKeysURL(emulator.KeysURL(t)),
		gatepass.WithAllowedEmails(caller, account),
	}, options...)
	return got(gatepass.NewVerifier(options...))(t)
}

// mustFail looks at the status of a call that has failed, and returns that.
func mustFail(t *testing.T, err error, code codes.Code) *status.Status {
	t.Helper()
	found, isStatus := status.FromError(err)
	if err == nil || !isStatus || found.Code() != code {
		t.Errorf("%v, expected %s", err, code)
	}
	return found
}

// deadline is a context that ends before the test run hangs.
func deadline(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// got unwraps a result that is not expected to be an error.
func got[T any](value T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		must(t, err)
		return value
	}
}
