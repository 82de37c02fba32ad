package gatepassgrpc_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/reflection"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"

	"gatepass.dev/gatepass"
	"gatepass.dev/gatepass/gatepasstest"
	gatepassgrpc "gatepass.dev/gatepass/grpc"
)

// with is a context whose calls have this metadata, given as names and values.
func with(t *testing.T, pairs ...string) context.Context {
	return metadata.AppendToOutgoingContext(deadline(t), pairs...)
}

func TestCallsThatPass(t *testing.T) {
	emulator := startEmulator(t)
	connection := startServer(t, newVerifier(t, emulator)).connect(t)
	good := emulator.Mint(t, gatepasstest.Token{Audience: audience, Email: caller})
	for name, headers := range map[string][]string{
		"authorization": {"authorization", "Bearer " + good},
		"lower case":    {"authorization", "bearer " + good},
		"serverless":    {"authorization", "Basic hunter2", "x-serverless-authorization", "Bearer " + good},
	} {
		for _, kind := range kinds {
			answers, err := call(with(t, headers...), connection, kind)
			if err != nil || answers[0] != caller {
				t.Errorf("%s, %s: %v %v", name, kind, answers, err)
			}
		}
	}
}

func TestCallsThatAreRefused(t *testing.T) {
	emulator := startEmulator(t)
	connection := startServer(t, newVerifier(t, emulator)).connect(t)
	good := emulator.Mint(t, gatepasstest.Token{Audience: audience, Email: caller})
	minted := func(order gatepasstest.Token) []string {
		return []string{"authorization", "Bearer " + emulator.Mint(t, order)}
	}
	for name, c := range map[string]struct {
		headers []string
		status  codes.Code
		code    gatepass.Code
	}{
		"missing":          {nil, codes.Unauthenticated, gatepass.ErrTokenMissing},
		"empty":            {[]string{"authorization", ""}, codes.Unauthenticated, gatepass.ErrTokenMissing},
		"other scheme":     {[]string{"authorization", "Basic hunter2"}, codes.Unauthenticated, gatepass.ErrTokenMissing},
		"no token":         {[]string{"authorization", "Bearer hunter2"}, codes.Unauthenticated, gatepass.ErrTokenMalformed},
		"two values":       {[]string{"authorization", "Bearer " + good, "authorization", "Bearer " + good}, codes.Unauthenticated, gatepass.ErrTokenMalformed},
		"serverless wins":  {[]string{"authorization", "Bearer " + good, "x-serverless-authorization", "Bearer x"}, codes.Unauthenticated, gatepass.ErrTokenMalformed},
		"tampered":         {[]string{"authorization", "Bearer " + good[:len(good)-20] + strings.Repeat("A", 20)}, codes.Unauthenticated, gatepass.ErrBadSignature},
		"another audience": {minted(gatepasstest.Token{Audience: "https://another.example", Email: caller}), codes.Unauthenticated, gatepass.ErrBadAudience},
		"expired": {minted(gatepasstest.Token{Audience: audience, Email: caller, IssuedAt: time.Unix(1_700_000_000, 0)}),
			codes.Unauthenticated, gatepass.ErrTokenExpired},
		"stripped": {minted(gatepasstest.Token{Audience: audience, Email: caller, StripSignature: true}),
			codes.Unauthenticated, gatepass.ErrSignatureStripped},
		"not allowed": {minted(gatepasstest.Token{Audience: audience, Email: "other@shop.example"}),
			codes.PermissionDenied, gatepass.ErrEmailNotAllowed},
		"not verified": {minted(gatepasstest.Token{Audience: audience, Email: caller, Claims: map[string]any{"email_verified": false}}),
			codes.PermissionDenied, gatepass.ErrEmailNotVerified},
	} {
		t.Run(name, func(t *testing.T) {
			for _, kind := range kinds {
				_, err := call(with(t, c.headers...), connection, kind)
				mustBeRefused(t, err, c.status, c.code)
			}
		})
	}
}

// mustBeRefused looks at the answer to a call that was refused, which says what the caller can do, and nothing of the token.
func mustBeRefused(t *testing.T, err error, expected codes.Code, code gatepass.Code) *status.Status {
	t.Helper()
	answer := mustFail(t, err, expected)
	if !strings.HasPrefix(answer.Message(), string(code)+": ") || len(answer.Details()) == 0 {
		t.Fatalf("%q with %d details, expected %s", answer.Message(), len(answer.Details()), code)
	}
	info, isInfo := answer.Details()[0].(*errdetails.ErrorInfo)
	if !isInfo || info.Reason != string(code) || info.Domain != "gatepass.dev" {
		t.Errorf("the first detail is %v", answer.Details()[0])
	}
	return answer
}

func TestAServerThatCannotHaveItsKeys(t *testing.T) {
	emulator := startEmulator(t)
	// Of which nobody in this process holds the keys.
	keysURL := gatepass.WithKeysURL(emulator.KeysURL(t) + "?for=" + rand.Text())
	connection := startServer(t, newVerifier(t, emulator, keysURL)).connect(t)
	header := "Bearer " + emulator.Mint(t, gatepasstest.Token{Audience: audience, Email: caller})
	emulator.Fault(t, "/oauth2/v3/certs", gatepasstest.Fault{Status: 404})
	_, err := call(with(t, "authorization", header), connection, "Unary")
	answer := mustBeRefused(t, err, codes.Unavailable, gatepass.ErrKeysUnavailable)
	retry, isRetry := answer.Details()[1].(*errdetails.RetryInfo)
	if !isRetry || retry.RetryDelay.AsDuration() != 5*time.Second {
		t.Errorf("the second detail is %v", answer.Details()[1])
	}
	if answers, err := call(with(t, "authorization", header), connection, "Unary"); err != nil || answers[0] != caller {
		t.Errorf("%v %v, expected that it works again", answers, err)
	}
}

func TestCallsWithoutAToken(t *testing.T) {
	emulator := startEmulator(t)
	connection := startServer(t, newVerifier(t, emulator), gatepassgrpc.WithOptionalToken()).connect(t)
	mustBeSeenAs(t, connection, "nobody")
	for _, kind := range kinds {
		_, err := call(with(t, "authorization", "Bearer hunter2"), connection, kind)
		mustBeRefused(t, err, codes.Unauthenticated, gatepass.ErrTokenMalformed)
		header := "Bearer " + emulator.Mint(t, gatepasstest.Token{Audience: audience, Email: caller})
		if answers, err := call(with(t, "authorization", header), connection, kind); err != nil || answers[0] != caller {
			t.Errorf("%s: %v %v", kind, answers, err)
		}
	}
}

// Health checking and reflection may be left open, by name. What only looks like them is not.
func TestOpenServices(t *testing.T) {
	emulator := startEmulator(t)
	open := gatepassgrpc.WithOpenServices("grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection")
	verifier := newVerifier(t, emulator)
	server := &server{Server: grpc.NewServer(
		grpc.ChainUnaryInterceptor(gatepassgrpc.UnaryServerInterceptor(verifier, open)),
		grpc.ChainStreamInterceptor(gatepassgrpc.StreamServerInterceptor(verifier, open)),
		grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error { return stream.SendMsg(email(stream.Context())) }))}
	server.RegisterService(&orders, nil)
	healthpb.RegisterHealthServer(server, health.NewServer())
	reflection.Register(server)
	server.listen(t, "tcp", "127.0.0.1:0")
	connection := server.connect(t)

	if answer, err := healthpb.NewHealthClient(connection).Check(deadline(t), &healthpb.HealthCheckRequest{}); err != nil {
		t.Errorf("%v %v", answer, err)
	}
	stream := got(reflectionpb.NewServerReflectionClient(connection).ServerReflectionInfo(deadline(t)))(t)
	must(t, stream.Send(&reflectionpb.ServerReflectionRequest{
		MessageRequest: &reflectionpb.ServerReflectionRequest_ListServices{},
	}))
	must(t, stream.CloseSend())
	if answer, err := stream.Recv(); err != nil || len(answer.GetListServicesResponse().GetService()) < 3 {
		t.Errorf("%v %v", answer, err)
	}
	for _, kind := range kinds {
		_, err := call(deadline(t), connection, kind)
		mustBeRefused(t, err, codes.Unauthenticated, gatepass.ErrTokenMissing)
	}
	for _, method := range []string{
		"/grpc.health.v1.Health/a/Check", "/grpc.health.v1.healtH/Check", "//grpc.health.v1.Health/Check",
		"/grpc.health.v1.HealthCheck", "/grpc.health.v1.Health.Of/Check", "/shop.Orders/grpc.health.v1.Health/Unary",
	} {
		err := connection.Invoke(deadline(t), method, text(""), text(""))
		if code := status.Code(err); code != codes.Unauthenticated && code != codes.Unimplemented {
			t.Errorf("%s: %v", method, err)
		}
	}
}

// A refusal is one line in the log, or whatever the service makes of it, and says nothing of the token but whom it claims
// to be of.
func TestRefusalsAreNoted(t *testing.T) {
	emulator := startEmulator(t)
	token := emulator.Mint(t, gatepasstest.Token{Audience: "https://another.example", Email: caller})
	ctx := with(t, "authorization", "Bearer "+token)

	var logged bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&logged, nil)))
	defer slog.SetDefault(before)
	connection := startServer(t, newVerifier(t, emulator)).connect(t)
	for _, kind := range kinds {
		logged.Reset()
		_, err := call(ctx, connection, kind)
		mustBeRefused(t, err, codes.Unauthenticated, gatepass.ErrBadAudience)
		for _, part := range []string{"level=WARN", "BAD_AUDIENCE", "/shop.Orders/" + kind, caller, "unverified"} {
			if strings.Count(logged.String(), "\n") != 1 || !strings.Contains(logged.String(), part) {
				t.Errorf("%q, expected one line with %q", &logged, part)
			}
		}
		if strings.Contains(logged.String(), token[:20]) || strings.Contains(logged.String(), token[len(token)-20:]) {
			t.Errorf("the log shows a token: %s", &logged)
		}
	}

	logged.Reset()
	var told []string
	hook := gatepassgrpc.WithOnRefusal(func(_ context.Context, method string, refused *gatepass.Error) {
		told = append(told, method, string(refused.Code))
	})
	_, err := call(ctx, startServer(t, newVerifier(t, emulator), hook).connect(t), "Unary")
	mustBeRefused(t, err, codes.Unauthenticated, gatepass.ErrBadAudience)
	if fmt.Sprint(told) != "[/shop.Orders/Unary BAD_AUDIENCE]" || logged.Len() > 0 {
		t.Errorf("%v, %s", told, &logged)
	}
}

// A call that ends before there is a verdict does not pass, and its token is not called wrong.
func TestACallThatEndsBeforeThereIsAVerdict(t *testing.T) {
	emulator := startEmulator(t)
	asked := make(chan struct{})
	hanging := transport(func(request *http.Request) (*http.Response, error) {
		close(asked)
		<-request.Context().Done()
		return nil, request.Context().Err()
	})
	verifier := newVerifier(t, emulator, gatepass.WithTransport(hanging), gatepass.WithKeysURL("https://keys.example"))
	interceptor := gatepassgrpc.UnaryServerInterceptor(verifier)
	token := emulator.Mint(t, gatepasstest.Token{Audience: audience, Email: caller})
	ctx, cancel := context.WithCancel(metadata.NewIncomingContext(deadline(t), metadata.Pairs("authorization", "Bearer "+token)))
	go func() {
		<-asked
		cancel()
	}()
	_, err := interceptor(ctx, nil, &grpc.UnaryServerInfo{FullMethod: "/shop.Orders/Unary"}, func(context.Context, any) (any, error) {
		t.Error("it was let pass")
		return nil, nil
	})
	mustFail(t, err, codes.Canceled)
}

// What was made by nobody is an error, not the end of the process.
func TestAVerifierOfNobodys(t *testing.T) {
	for _, verifier := range []*gatepass.Verifier{nil, {}} {
		_, err := call(deadline(t), startServer(t, verifier).connect(t), "Unary")
		mustFail(t, err, codes.Internal)
	}
}
