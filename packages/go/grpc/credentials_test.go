package gatepassgrpc_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/credentials/local"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"gatepass.dev/gatepass"
	"gatepass.dev/gatepass/gatepasstest"
	gatepassgrpc "gatepass.dev/gatepass/grpc"
)

func TestEachKindOfCallCarriesAToken(t *testing.T) {
	emulator := startEmulator(t)
	emulator.Setenv(t)
	server := startServer(t, newVerifier(t, emulator))
	t.Run("of a connection", func(t *testing.T) {
		mustBeSeenAs(t, server.connect(t, idTokens(t)), account)
	})
	t.Run("of a single call", func(t *testing.T) {
		tokens := got(gatepassgrpc.NewIDTokenCredentials())(t)
		mustBeSeenAs(t, server.connect(t), account, grpc.PerRPCCredentials(tokens))
	})
	t.Run("for a given audience", func(t *testing.T) {
		mustBeSeenAs(t, server.connectAs(t, "billing.example", idTokens(t, gatepassgrpc.WithAudience(audience))), account)
	})
}

// One Credentials serves any number of services, each with a token of its own audience.
func TestTheAudienceIsThatOfTheAuthority(t *testing.T) {
	emulator := startEmulator(t)
	emulator.Setenv(t)
	tokens := idTokens(t)
	for authority, expected := range map[string]string{
		"orders.example":               audience,
		"orders.example:8443":          audience,
		"billing.example:443":          "https://billing.example",
		"tag---orders-uc.a.run.app":    "https://orders-uc.a.run.app",
		"tag---orders-uc.a.run.app:80": "https://orders-uc.a.run.app",
	} {
		server := startServer(t, newVerifier(t, emulator, gatepass.WithAudience(expected)))
		mustBeSeenAs(t, server.connectAs(t, authority, tokens), account)
		other := startServer(t, got(gatepass.NewVerifier(
			gatepass.WithAudience(expected+"/other"), gatepass.WithKeysURL(emulator.KeysURL(t))))(t))
		_, err := call(deadline(t), other.connectAs(t, authority, tokens), "Unary")
		mustBeRefused(t, err, codes.Unauthenticated, gatepass.ErrBadAudience)
	}
	// Each audience was asked for once.
	if asked := emulator.Requests(t, identityPath); asked != 3 {
		t.Errorf("%d requests for tokens, expected 3", asked)
	}
}

func TestTheHeaderOfAToken(t *testing.T) {
	emulator := startEmulator(t)
	emulator.Setenv(t)
	recording := startRecording(t, codes.OK)
	for header, expected := range map[gatepass.TokenHeader][]string{
		gatepass.Authorization:           {"Basic of the application", "Bearer"},
		gatepass.ServerlessAuthorization: {"Basic of the application"},
		gatepass.BothHeaders:             {"Basic of the application", "Bearer"},
	} {
		connection := recording.connect(t, idTokens(t, gatepassgrpc.WithTokenHeader(header), gatepassgrpc.WithAllowPlaintextLoopback()))
		got(call(with(t, "authorization", "Basic of the application"), connection, "Unary"))(t)
		headers := recording.headers[len(recording.headers)-1]
		var found []string
		for _, value := range headers.Get("authorization") {
			if strings.HasPrefix(value, "Bearer ey") {
				value = "Bearer"
			}
			found = append(found, value)
		}
		slices.Sort(found)
		isServerless := strings.HasPrefix(strings.Join(headers.Get("x-serverless-authorization"), ""), "Bearer ey")
		if !slices.Equal(found, expected) || isServerless != (header != gatepass.Authorization) {
			t.Errorf("%s: %v, %t", header, found, isServerless)
		}
	}
	server := startServer(t, newVerifier(t, emulator))
	tokens := idTokens(t, gatepassgrpc.WithTokenHeader(gatepass.ServerlessAuthorization))
	answers, err := call(with(t, "authorization", "Basic of the application"), server.connect(t, tokens), "Unary")
	if err != nil || answers[0] != account {
		t.Errorf("%v %v", answers, err)
	}
}

func TestOptionsThatMakeNoSense(t *testing.T) {
	for name, options := range map[string][]gatepassgrpc.CredentialsOption{
		"WithTokenHeader": {gatepassgrpc.WithTokenHeader("cookie")},
		"an ID token's":   nil,
	} {
		_, err := gatepassgrpc.NewIDTokenCredentials(options...)
		if (err == nil) != (options == nil) || err != nil && (!errors.Is(err, gatepass.ErrInvalidOption) || !strings.Contains(err.Error(), name)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, option := range []gatepassgrpc.CredentialsOption{
		gatepassgrpc.WithTokenHeader(gatepass.BothHeaders), gatepassgrpc.WithAudience(audience),
	} {
		if _, err := gatepassgrpc.NewAccessTokenCredentials(nil, option); !errors.Is(err, gatepass.ErrInvalidOption) {
			t.Errorf("%v", err)
		}
	}
	connection := startRecording(t, codes.OK).connect(t, grpc.WithPerRPCCredentials(&gatepassgrpc.Credentials{}))
	if _, err := call(deadline(t), connection, "Unary"); !errors.Is(err, gatepass.ErrInvalidOption) || !strings.Contains(err.Error(), "NewIDTokenCredentials") {
		t.Errorf("%v", err)
	}
}

func TestAccessTokens(t *testing.T) {
	emulator := startEmulator(t)
	emulator.Setenv(t)
	source := got(gatepass.NewSource(gatepass.WithQuotaProject("billed")))(t)
	recording := startRecording(t, codes.OK)
	tokens := got(gatepassgrpc.NewAccessTokenCredentials([]string{"https://www.googleapis.com/auth/pubsub"},
		gatepassgrpc.WithSource(source), gatepassgrpc.WithAllowPlaintextLoopback()))(t)
	connection := recording.connect(t, grpc.WithPerRPCCredentials(tokens))
	for range 2 {
		got(call(deadline(t), connection, "Unary"))(t)
	}
	for _, headers := range recording.headers {
		token, isBearer := strings.CutPrefix(strings.Join(headers.Get("authorization"), ""), "Bearer ")
		if !isBearer || emulator.TokenInfo(t, token)["scope"] != "https://www.googleapis.com/auth/pubsub" {
			t.Errorf("%v", emulator.TokenInfo(t, token))
		}
		if project := headers.Get("x-goog-user-project"); !slices.Equal(project, []string{"billed"}) {
			t.Errorf("x-goog-user-project is %v", project)
		}
	}
	if len(recording.headers) != 2 {
		t.Errorf("%d calls", len(recording.headers))
	}
}

// Without TLS a token goes to a loopback address only, and only if that is allowed. What counts is where the server is,
// not what it is called.
func TestNoTokenOverPlaintext(t *testing.T) {
	emulator := startEmulator(t)
	emulator.Setenv(t)
	recording := startRecording(t, codes.OK)
	elsewhere := grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
		connection, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		return elsewhere{connection}, err
	})
	allowed := gatepassgrpc.WithAllowPlaintextLoopback()
	for name, c := range map[string]struct {
		connection *grpc.ClientConn
		message    string
	}{
		"not allowed":           {recording.connect(t, idTokens(t)), "WithAllowPlaintextLoopback"},
		"an audience is given":  {recording.connect(t, idTokens(t, gatepassgrpc.WithAudience(audience))), "WithAllowPlaintextLoopback"},
		"elsewhere":             {recording.connect(t, idTokens(t, allowed), elsewhere), "TLS"},
		"elsewhere by any name": {recording.connectAs(t, "localhost", idTokens(t, allowed), elsewhere), "TLS"},
	} {
		for _, kind := range kinds {
			_, err := call(deadline(t), c.connection, kind)
			refused := mustFail(t, err, codes.Unauthenticated)
			if !errors.Is(err, gatepass.ErrInvalidOption) || !strings.Contains(refused.Message(), c.message) {
				t.Errorf("%s, %s: %v", name, kind, err)
			}
		}
	}
	if len(recording.headers) > 0 {
		t.Errorf("%d calls arrived", len(recording.headers))
	}
	mustBeSeenAs(t, recording.connect(t, idTokens(t, allowed)), "nobody")
	for _, headers := range recording.headers {
		if !strings.HasPrefix(headers.Get("authorization")[0], "Bearer ey") {
			t.Error("a call has come without a token")
		}
	}
}

// On a Unix socket it is gRPC's own credentials that say that nobody listens.
func TestAUnixSocket(t *testing.T) {
	emulator := startEmulator(t)
	emulator.Setenv(t)
	verifier := newVerifier(t, emulator)
	server := &server{Server: grpc.NewServer(
		grpc.Creds(local.NewCredentials()),
		grpc.ChainUnaryInterceptor(gatepassgrpc.UnaryServerInterceptor(verifier)),
		grpc.ChainStreamInterceptor(gatepassgrpc.StreamServerInterceptor(verifier)))}
	server.RegisterService(&orders, nil)
	path := filepath.Join(t.TempDir(), "socket")
	server.listen(t, "unix", path)
	for channel, expected := range map[credentials.TransportCredentials]codes.Code{
		local.NewCredentials(): codes.OK, insecure.NewCredentials(): codes.Unauthenticated,
	} {
		connection := got(grpc.NewClient("unix:"+path, grpc.WithTransportCredentials(channel), grpc.WithAuthority("orders.example"),
			idTokens(t, gatepassgrpc.WithAllowPlaintextLoopback())))(t)
		defer connection.Close()
		if _, err := call(deadline(t), connection, "Unary"); status.Code(err) != expected {
			t.Errorf("%v, expected %s", err, expected)
		}
	}
}

// elsewhere is a connection to a machine on the network.
type elsewhere struct{ net.Conn }

func (elsewhere) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 50051} }

func TestManyColdCallsMakeOneRequest(t *testing.T) {
	emulator := startEmulator(t)
	emulator.Setenv(t)
	connection := startServer(t, newVerifier(t, emulator)).connect(t, idTokens(t))
	var calls sync.WaitGroup
	for range 16 {
		calls.Go(func() { mustBeSeenAs(t, connection, account) })
	}
	calls.Wait()
	if asked := emulator.Requests(t, identityPath); asked != 1 {
		t.Errorf("%d requests for tokens, expected 1", asked)
	}
}

// A call's deadline and its cancellation end its own waiting for a token, and nobody else's.
func TestACallThatEndsWhileItsTokenIsCold(t *testing.T) {
	asked, release := make(chan struct{}, 16), make(chan struct{})
	source := sourceOf(t, func(ctx context.Context) error {
		asked <- struct{}{}
		select {
		case <-release:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	recording := startRecording(t, codes.OK)
	connection := recording.connect(t, idTokens(t, gatepassgrpc.WithSource(source), gatepassgrpc.WithAllowPlaintextLoopback()))

	first, cancelFirst := context.WithCancel(deadline(t))
	ended := make(chan error, 1)
	go func() {
		_, err := call(first, connection, "Unary")
		ended <- err
	}()
	<-asked // The first one fetches, and the others wait for what it gets.
	patient := make(chan error, len(kinds))
	for _, kind := range kinds {
		go func() {
			_, err := call(deadline(t), connection, kind)
			patient <- err
		}()
		short, cancel := context.WithTimeout(deadline(t), time.Millisecond)
		defer cancel()
		_, err := call(short, connection, kind)
		mustFail(t, err, codes.DeadlineExceeded)
		cancelled, cancel := context.WithCancel(deadline(t))
		cancel()
		_, err = call(cancelled, connection, kind)
		mustFail(t, err, codes.Canceled)
	}
	cancelFirst()
	mustFail(t, <-ended, codes.Canceled)
	close(release)
	for range kinds {
		must(t, <-patient)
	}
	if len(recording.headers) != len(kinds) {
		t.Errorf("%d calls arrived, expected %d", len(recording.headers), len(kinds))
	}
}

func TestACallWhoseTokenCannotBeHad(t *testing.T) {
	emulator := startEmulator(t)
	emulator.Setenv(t)
	connection := startServer(t, newVerifier(t, emulator)).connect(t, idTokens(t))
	emulator.Fault(t, identityPath, gatepasstest.Fault{Status: 404, Body: "no such account", Times: 100})
	for _, kind := range kinds {
		_, err := call(deadline(t), connection, kind)
		var failed *gatepass.Error
		if !errors.As(err, &failed) || failed.Kind != gatepass.KindTransport && failed.Kind != gatepass.KindCredentials {
			t.Errorf("%s: %v", kind, err)
		}
	}
	t.Setenv("NO_GCE_CHECK", "true")
	source := gatepassgrpc.WithSource(got(gatepass.NewSource())(t))
	connection = startServer(t, newVerifier(t, emulator)).connect(t, idTokens(t, source))
	for _, kind := range kinds {
		_, err := call(deadline(t), connection, kind)
		mustFail(t, err, codes.Unauthenticated)
		if !errors.Is(err, gatepass.ErrCredentialsNotFound) {
			t.Errorf("%s: %v", kind, err)
		}
	}
	down := sourceOf(t, func(context.Context) error { return errors.New("connection refused") })
	connection = startServer(t, newVerifier(t, emulator)).connect(t, idTokens(t, gatepassgrpc.WithSource(down)))
	_, err := call(deadline(t), connection, "Unary")
	mustFail(t, err, codes.Unavailable)
}

// Made once, called for a day by several goroutines without a word about tokens: no call fails, and each hour has its token.
func TestAConnectionOutlivesItsTokens(t *testing.T) {
	emulator := startEmulator(t)
	emulator.Setenv(t)
	clock := newClock()
	source := got(gatepass.NewSource(gatepass.WithClock(clock.now)))(t)
	server := startServer(t, newVerifier(t, emulator, gatepass.WithClock(clock.now)))
	connection := server.connect(t, idTokens(t, gatepassgrpc.WithSource(source)))
	for hour := range 24 {
		var calls sync.WaitGroup
		for range 4 {
			calls.Go(func() { mustBeSeenAs(t, connection, account) })
		}
		calls.Wait()
		clock.advance(time.Hour)
		emulator.SetClock(t, time.Duration(hour+1)*time.Hour)
	}
	if asked := emulator.Requests(t, identityPath); asked != 24 {
		t.Errorf("%d requests for tokens, expected 24", asked)
	}
}

// While a token is good, calls carry it although no other can be had.
func TestATokenEndpointThatIsDownNowAndThen(t *testing.T) {
	emulator := startEmulator(t)
	emulator.Setenv(t)
	clock := newClock()
	source := got(gatepass.NewSource(gatepass.WithClock(clock.now)))(t)
	server := startServer(t, newVerifier(t, emulator, gatepass.WithClock(clock.now)))
	connection := server.connect(t, idTokens(t, gatepassgrpc.WithSource(source)))
	var passed time.Duration
	pass := func(some time.Duration) {
		passed += some
		// The clock is last: a refresh that has failed so far is forgotten by then.
		emulator.Reset(t)
		emulator.SetClock(t, passed)
		clock.advance(some)
	}
	for range 4 {
		mustBeSeenAs(t, connection, account)
		pass(57 * time.Minute) // The token is to be refreshed, and is not.
		emulator.Fault(t, identityPath, gatepasstest.Fault{Status: 503, Times: 1_000})
		var calls sync.WaitGroup
		for range 4 {
			calls.Go(func() { mustBeSeenAs(t, connection, account) })
		}
		calls.Wait()
		// A refresh that is under way may be given a token before the emulator's clock is set. It is over by then as well.
		pass(61 * time.Minute)
	}
	mustBeSeenAs(t, connection, account)
}

// A stream goes on after its token has ended; a new one does not begin with that.
func TestAStreamOutlivesItsToken(t *testing.T) {
	emulator := startEmulator(t)
	clock := newClock()
	connection := startServer(t, newVerifier(t, emulator, gatepass.WithClock(clock.now))).connect(t)
	ctx := with(t, "authorization", "Bearer "+emulator.Mint(t, gatepasstest.Token{Audience: audience, Email: caller}))
	stream := got(connection.NewStream(ctx, &orders.Streams[2], "/shop.Orders/Bidirectional"))(t)
	for range 3 {
		answer := text("")
		must(t, stream.SendMsg(text("a")))
		must(t, stream.RecvMsg(answer))
		if answer.Value != caller {
			t.Errorf("%q", answer.Value)
		}
		clock.advance(time.Hour)
	}
	must(t, stream.CloseSend())
	_, err := call(ctx, connection, "Bidirectional")
	mustBeRefused(t, err, codes.Unauthenticated, gatepass.ErrTokenExpired)
}

// gRPC's own retries look for the token anew.
func TestARetriedCallCarriesAFreshToken(t *testing.T) {
	clock := newClock()
	source := sourceOf(t, func(context.Context) error { return nil }, gatepass.WithClock(clock.now))
	recording := startRecording(t, codes.Unavailable, codes.OK)
	recording.onCall = func() { clock.advance(time.Hour) }
	policy := grpc.WithDefaultServiceConfig(`{"methodConfig": [{"name": [{}], "retryPolicy": {"maxAttempts": 3,
		"initialBackoff": "0.001s", "maxBackoff": "0.001s", "backoffMultiplier": 1, "retryableStatusCodes": ["UNAVAILABLE"]}}]}`)
	connection := recording.connect(t, policy, idTokens(t, gatepassgrpc.WithSource(source), gatepassgrpc.WithAllowPlaintextLoopback()))
	got(call(deadline(t), connection, "Unary"))(t)
	if tokens := recording.tokens(); !slices.Equal(tokens, []int{1, 2}) {
		t.Errorf("tokens %v", tokens)
	}
}

// After UNAUTHENTICATED the token is replaced and the call repeated, once a minute at most. Streams are not repeated.
func TestARefusedCallIsRepeated(t *testing.T) {
	for name, c := range map[string]struct {
		kind     string
		statuses []codes.Code
		calls    int
		status   codes.Code
		tokens   []int
	}{
		"refused once":      {"Unary", []codes.Code{codes.Unauthenticated, codes.OK}, 1, codes.OK, []int{1, 2}},
		"refused again":     {"Unary", []codes.Code{codes.Unauthenticated}, 3, codes.Unauthenticated, []int{1, 2, 2, 2}},
		"another status":    {"Unary", []codes.Code{codes.PermissionDenied}, 2, codes.PermissionDenied, []int{1, 1}},
		"server streaming":  {"ServerStreaming", []codes.Code{codes.Unauthenticated}, 3, codes.Unauthenticated, []int{1, 2, 2}},
		"client streaming":  {"ClientStreaming", []codes.Code{codes.Unauthenticated}, 3, codes.Unauthenticated, []int{1, 2, 2}},
		"bidirectional":     {"Bidirectional", []codes.Code{codes.Unauthenticated}, 3, codes.Unauthenticated, []int{1, 2, 2}},
		"streams that pass": {"Bidirectional", []codes.Code{codes.OK}, 2, codes.OK, []int{1, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			source := gatepassgrpc.WithSource(sourceOf(t, func(context.Context) error { return nil }))
			recording := startRecording(t, c.statuses...)
			connection := recording.connect(t, idTokens(t, source, gatepassgrpc.WithAllowPlaintextLoopback()),
				grpc.WithUnaryInterceptor(gatepassgrpc.UnaryClientInterceptor()),
				grpc.WithStreamInterceptor(gatepassgrpc.StreamClientInterceptor()))
			for range c.calls {
				if _, err := call(deadline(t), connection, c.kind); err != nil || c.status != codes.OK {
					mustFail(t, err, c.status)
				}
			}
			if tokens := recording.tokens(); !slices.Equal(tokens, c.tokens) {
				t.Errorf("tokens %v, expected %v", tokens, c.tokens)
			}
		})
	}
}

// If there is no other token, the server's refusal is what the caller sees.
func TestARefusedCallWithoutAnotherToken(t *testing.T) {
	var asked atomic.Int32
	source := sourceOf(t, func(context.Context) error {
		if asked.Add(1) > 1 {
			return errors.New("connection refused")
		}
		return nil
	})
	recording := startRecording(t, codes.Unauthenticated)
	connection := recording.connect(t, idTokens(t, gatepassgrpc.WithSource(source), gatepassgrpc.WithAllowPlaintextLoopback()),
		grpc.WithUnaryInterceptor(gatepassgrpc.UnaryClientInterceptor()))
	_, err := call(deadline(t), connection, "Unary")
	if refused := mustFail(t, err, codes.Unauthenticated); refused.Message() != "as ordered" || len(recording.headers) != 1 {
		t.Errorf("%v after %d calls", err, len(recording.headers))
	}
}

// After a connection has closed, whatever its calls came to, nothing of them goes on.
func TestNoGoroutineIsLeft(t *testing.T) {
	emulator := startEmulator(t)
	emulator.Setenv(t)
	hanging := sourceOf(t, func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	})
	server := startServer(t, newVerifier(t, emulator))
	round := func() {
		connection := server.connect(t, idTokens(t), grpc.WithUnaryInterceptor(gatepassgrpc.UnaryClientInterceptor()),
			grpc.WithStreamInterceptor(gatepassgrpc.StreamClientInterceptor()))
		mustBeSeenAs(t, connection, account)
		must(t, connection.Close())
		connection = server.connect(t, idTokens(t, gatepassgrpc.WithSource(hanging)))
		for _, kind := range kinds {
			short, cancel := context.WithTimeout(deadline(t), time.Millisecond)
			_, err := call(short, connection, kind)
			mustFail(t, err, codes.DeadlineExceeded)
			cancel()
		}
		must(t, connection.Close())
	}
	round() // Afterwards there are connections to the emulator, which are kept.
	before := runtime.NumGoroutine()
	for range 10 {
		round()
	}
	// Whatever ends does so within moments, but not at once.
	for until := time.Now().Add(time.Minute); runtime.NumGoroutine() > before && time.Now().Before(until); {
		time.Sleep(time.Millisecond)
	}
	if left := runtime.NumGoroutine(); left > before {
		stacks := make([]byte, 1<<20)
		t.Errorf("%d goroutines, %d before\n%s", left, before, stacks[:runtime.Stack(stacks, true)])
	}
}

func TestNothingShowsAToken(t *testing.T) {
	emulator := startEmulator(t)
	emulator.Setenv(t)
	tokens := got(gatepassgrpc.NewIDTokenCredentials())(t)
	got(call(deadline(t), startServer(t, newVerifier(t, emulator)).connect(t, grpc.WithPerRPCCredentials(tokens)), "Unary"))(t)
	token := got(gatepass.FetchIDToken(deadline(t), audience))(t)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d"} {
		if shown := fmt.Sprintf(verb, tokens); strings.Contains(shown, token[:20]) || !strings.Contains(shown, "gatepassgrpc.Credentials") {
			t.Errorf("%s shows %s", verb, shown)
		}
	}
}

// A recordingServer answers with its statuses, one after the other, and the last one for ever. It keeps the metadata that
// it saw, and looks at no token.
type recordingServer struct {
	*server
	mu       sync.Mutex
	statuses []codes.Code
	headers  []metadata.MD
	onCall   func()
}

func startRecording(t *testing.T, statuses ...codes.Code) *recordingServer {
	t.Helper()
	recording := &recordingServer{statuses: statuses, onCall: func() {}}
	recording.server = serve(t,
		grpc.UnaryInterceptor(func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
			if err := recording.answer(ctx); err != nil {
				return nil, err
			}
			return handler(ctx, request)
		}),
		grpc.StreamInterceptor(func(server any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
			if err := recording.answer(stream.Context()); err != nil {
				return err
			}
			return handler(server, stream)
		}))
	return recording
}

func (r *recordingServer) answer(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	headers, _ := metadata.FromIncomingContext(ctx)
	r.headers = append(r.headers, headers)
	r.onCall()
	code := r.statuses[0]
	if len(r.statuses) > 1 {
		r.statuses = r.statuses[1:]
	}
	return status.Error(code, "as ordered")
}

// tokens are those that came, as numbers in the order of their first use.
func (r *recordingServer) tokens() (numbers []int) {
	known := map[string]int{}
	for _, headers := range r.headers {
		token := strings.Join(headers.Get("authorization"), "")
		if known[token] == 0 {
			known[token] = len(known) + 1
		}
		numbers = append(numbers, known[token])
	}
	return numbers
}

// sourceOf gives another token each time, once before has returned: the first lives an hour, the next two, and so on.
func sourceOf(t *testing.T, before func(context.Context) error, options ...gatepass.SourceOption) *gatepass.Source {
	t.Helper()
	emulator := startEmulator(t)
	var number atomic.Int64
	endpoint := transport(func(request *http.Request) (*http.Response, error) {
		if err := before(request.Context()); err != nil {
			return nil, err
		}
		payload := got(json.Marshal(map[string]any{
			"aud": audience, "iss": "https://accounts.google.com", "exp": time.Now().Unix() + 3600*int64(number.Add(1)),
		}))(t)
		token := "e30." + base64.RawURLEncoding.EncodeToString(payload) + ".c2ln"
		recorder := httptest.NewRecorder()
		recorder.Write(got(json.Marshal(map[string]string{"id_token": token}))(t))
		return recorder.Result(), nil
	})
	options = append(options, gatepass.WithCredentialsJSON(keyFile(t, emulator)), gatepass.WithTransport(endpoint),
		gatepass.WithTrustedEndpoints(emulator.Host()))
	return got(gatepass.NewSource(options...))(t)
}

// keyFile is the text of one for all tests, since its key takes a while to make.
func keyFile(t *testing.T, emulator *gatepasstest.Emulator) []byte {
	t.Helper()
	madeKeyFile.Do(func() {
		madeKeyFileText = got(os.ReadFile(emulator.KeyFile(t, "--email", account)))(t)
	})
	return madeKeyFileText
}

var (
	madeKeyFile     sync.Once
	madeKeyFileText []byte
)

type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(request *http.Request) (*http.Response, error) { return t(request) }

// A clock is in the hands of a test.
type clock struct{ unix atomic.Int64 }

func newClock() *clock {
	clock := &clock{}
	clock.unix.Store(time.Now().Unix())
	return clock
}

func (c *clock) now() time.Time { return time.Unix(c.unix.Load(), 0) }

func (c *clock) advance(by time.Duration) { c.unix.Add(int64(by.Seconds())) }
