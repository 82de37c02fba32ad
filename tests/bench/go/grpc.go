package main

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"

	"google.golang.org/api/idtoken"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/oauth"
	"google.golang.org/grpc/interop/grpc_testing"

	"gatepass.dev/gatepass/bench/material"
	ours "gatepass.dev/gatepass/bench/peers/gatepass"
	gatepassgrpc "gatepass.dev/gatepass/grpc"
)

// calling is R: unary calls of gRPC without content, over TLS, whose token is at hand. The processor time is that of both
// sides.
var calling = job{"R", []output{{"R", "op/s"}}, func() ([]contender, error) {
	issuer, err := material.Google()
	if err != nil {
		return nil, err
	}
	signed, err := issuer.Tokens(1)
	if err != nil {
		return nil, err
	}
	startMetadataServerOf(func(string) string { return signed[0] }, 0)
	tokens, err := gatepassgrpc.NewIDTokenCredentials(gatepassgrpc.WithAudience(issuer.Audience))
	if err != nil {
		return nil, err
	}
	theirs, err := idtoken.NewTokenSource(context.Background(), issuer.Audience)
	if err != nil {
		return nil, err
	}
	verifier, err := ours.Verifier(issuer.Policy)
	if err != nil {
		return nil, err
	}
	var contenders []contender
	for _, c := range []struct {
		name, module string
		client       []grpc.DialOption
		server       []grpc.ServerOption
	}{
		{noMiddleware, grpcModule, nil, nil},
		{"gatepass", gatepassModule, []grpc.DialOption{grpc.WithPerRPCCredentials(tokens)}, nil},
		{"gatepass, and its server", gatepassModule, []grpc.DialOption{grpc.WithPerRPCCredentials(tokens)},
			[]grpc.ServerOption{grpc.ChainUnaryInterceptor(gatepassgrpc.UnaryServerInterceptor(verifier))}},
		{"credentials/oauth", grpcModule,
			[]grpc.DialOption{grpc.WithPerRPCCredentials(oauth.TokenSource{TokenSource: theirs})}, nil},
	} {
		call, err := startEmptyService(c.client, c.server)
		if err != nil {
			return nil, err
		}
		contenders = append(contenders, rated(c.name, c.module, func(int) error { return call() }))
	}
	return contenders, nil
}}

// startEmptyService starts a server until the end of the job, and returns a call of it.
func startEmptyService(clientOptions []grpc.DialOption, serverOptions []grpc.ServerOption) (func() error, error) {
	certified := httptest.NewTLSServer(nil) // Whose certificate serves here.
	atEnd(certified.Close)
	serverOptions = append(serverOptions, grpc.Creds(credentials.NewServerTLSFromCert(&certified.TLS.Certificates[0])))
	server := grpc.NewServer(serverOptions...)
	grpc_testing.RegisterTestServiceServer(server, emptyService{})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	go server.Serve(listener)
	atEnd(server.Stop)

	trusting := credentials.NewTLS(tlsOf(certified))
	connection, err := grpc.NewClient(listener.Addr().String(), append(clientOptions, grpc.WithTransportCredentials(trusting))...)
	if err != nil {
		return nil, err
	}
	atEnd(func() { connection.Close() })
	client := grpc_testing.NewTestServiceClient(connection)
	return func() error {
		_, err := client.EmptyCall(context.Background(), &grpc_testing.Empty{})
		return err
	}, nil
}

type emptyService struct {
	grpc_testing.UnimplementedTestServiceServer
}

func (emptyService) EmptyCall(context.Context, *grpc_testing.Empty) (*grpc_testing.Empty, error) {
	return &grpc_testing.Empty{}, nil
}

// tlsOf is what a client needs to trust a server of httptest.
func tlsOf(server *httptest.Server) *tls.Config {
	return &tls.Config{RootCAs: server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs}
}
