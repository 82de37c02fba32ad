package interop

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"testing"

	cloudidtoken "cloud.google.com/go/auth/credentials/idtoken"
	"cloud.google.com/go/auth/oauth2adapt"
	"google.golang.org/api/idtoken"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/oauth"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"gatepass.dev/gatepass"
	gatepassgrpc "gatepass.dev/gatepass/grpc"
)

// A gRPC server behind gatepass's interceptors accepts Google's own credentials for calls, as it does gatepass's.
func TestGoogleCredentialsOfGRPC(t *testing.T) {
	const audience = "https://orders.example"
	emulator := startEmulator(t)
	verifier, err := gatepass.NewVerifier(gatepass.WithAudience(audience), gatepass.WithKeysURL(emulator.URL+"/oauth2/v3/certs"))
	must(t, err)
	seen := make(chan any, 100)
	certificate := emulator.Certificate(t, "orders.example")
	server := grpc.NewServer(
		grpc.Creds(credentials.NewServerTLSFromCert(&certificate)),
		grpc.ChainUnaryInterceptor(gatepassgrpc.UnaryServerInterceptor(verifier), func(
			ctx context.Context, request any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler,
		) (any, error) {
			payload, _ := gatepass.ClaimsFromContext(ctx)
			seen <- payload.Claims["email"]
			return handler(ctx, request)
		}),
		grpc.ChainStreamInterceptor(gatepassgrpc.StreamServerInterceptor(verifier)))
	healthpb.RegisterHealthServer(server, health.NewServer())
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	defer func() {
		server.Stop()
		must(t, <-ended)
	}()

	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(emulator.Authority(t)))
	check := func(tokens credentials.PerRPCCredentials) (unary, stream error) {
		connection, err := grpc.NewClient(listener.Addr().String(), grpc.WithAuthority("orders.example"),
			grpc.WithPerRPCCredentials(tokens),
			grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{RootCAs: roots})))
		must(t, err)
		defer connection.Close()
		client := healthpb.NewHealthClient(connection)
		_, unary = client.Check(deadline(t), &healthpb.HealthCheckRequest{})
		watch, err := client.Watch(deadline(t), &healthpb.HealthCheckRequest{})
		must(t, err)
		_, stream = watch.Recv()
		return unary, stream
	}

	google, err := idtoken.NewTokenSource(deadline(t), audience)
	must(t, err)
	cloud, err := cloudidtoken.NewCredentials(&cloudidtoken.Options{Audience: audience})
	must(t, err)
	ours, err := gatepass.NewTokenSource(deadline(t), audience)
	must(t, err)
	own, err := gatepassgrpc.NewIDTokenCredentials()
	must(t, err)
	for name, tokens := range map[string]credentials.PerRPCCredentials{
		"api/idtoken":             oauth.TokenSource{TokenSource: google},
		"auth/credentials":        oauth.TokenSource{TokenSource: oauth2adapt.TokenSourceFromTokenProvider(cloud)},
		"gatepass.NewTokenSource": oauth.TokenSource{TokenSource: ours},
		"gatepassgrpc":            own,
	} {
		unary, stream := check(tokens)
		if unary != nil || stream != nil {
			t.Errorf("%s: %v, %v", name, unary, stream)
		} else if email := <-seen; email != "default@emulator.iam.gserviceaccount.com" {
			t.Errorf("%s: the caller is %v", name, email)
		}
	}

	other, err := idtoken.NewTokenSource(deadline(t), "https://other.example")
	must(t, err)
	unary, stream := check(oauth.TokenSource{TokenSource: other})
	if status.Code(unary) != codes.Unauthenticated || status.Code(stream) != codes.Unauthenticated {
		t.Errorf("%v, %v, expected that a token for another audience is refused", unary, stream)
	}
}
