package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"time"

	"google.golang.org/api/idtoken"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/oauth"
	"google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"

	"gatepass.dev/gatepass/bench/material"
	ours "gatepass.dev/gatepass/bench/peers/gatepass"
	gatepassgrpc "gatepass.dev/gatepass/grpc"
)

// How many calls there are in a round of R, and rounds for each that was asked for. They are short, and many: what else
// the machine does changes a long one more than a token may.
const (
	callsInRound = 200
	shortRounds  = 10
)

// calling is R: unary calls of gRPC without content, over TLS, whose token is at hand, and the processor time that they
// take in the process of the client, and in that of the server.
var calling = job{"R", []output{{"R-client", "us"}, {"R-server", "us"}}, func() ([]contender, error) {
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
	servers, err := startEmptyServices(issuer.Policy)
	if err != nil {
		return nil, err
	}
	bare := context.Background()
	header := "Bearer " + signed[0]
	constant := metadata.AppendToOutgoingContext(bare, "authorization", header)
	empty := emptyCredentials{map[string]string{"authorization": header}}
	var contenders []contender
	for _, c := range []struct {
		name, module string
		server       string
		ctx          context.Context
		credentials  credentials.PerRPCCredentials
	}{
		{noMiddleware, grpcModule, noMiddleware, bare, nil},
		{"constant header", grpcModule, noMiddleware, constant, nil},
		{"empty credentials", grpcModule, noMiddleware, bare, empty},
		{"empty interceptor", grpcModule, emptyInterceptor, constant, nil},
		{"gatepass", gatepassModule, noMiddleware, bare, tokens},
		{"gatepass, its server", gatepassModule, "gatepass", constant, nil},
		{"credentials/oauth", grpcModule, noMiddleware, bare, oauth.TokenSource{TokenSource: theirs}},
	} {
		call, err := servers.connect(c.server, c.ctx, c.credentials)
		if err != nil {
			return nil, err
		}
		contenders = append(contenders, contender{c.name, c.module, func(time.Duration) ([]float64, error) {
			return servers.costOf(call)
		}})
	}
	return contenders, nil
}}

// emptyCredentials do nothing but attach what never changes: the least that credentials cost.
type emptyCredentials struct{ metadata map[string]string }

func (c emptyCredentials) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return c.metadata, nil
}

func (c emptyCredentials) RequireTransportSecurity() bool { return true }

// emptyServices are the servers of R, all in one process of their own.
type emptyServices struct {
	addresses map[string]string
	trusting  credentials.TransportCredentials
	ask       io.Writer
	answers   *bufio.Reader
}

func startEmptyServices(policy material.Policy) (*emptyServices, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	encoded, err := json.Marshal(policy)
	if err != nil {
		return nil, err
	}
	command := exec.Command(program, "--serve-grpc")
	command.Stderr = os.Stderr
	command.Env = append(os.Environ(), "POLICY="+string(encoded))
	stdin, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	atEnd(func() {
		stdin.Close()
		command.Wait()
	})
	// Its certificate is the same in every process.
	certified := httptest.NewTLSServer(nil)
	atEnd(certified.Close)
	trusting := credentials.NewTLS(&tls.Config{RootCAs: certified.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs})
	services := &emptyServices{trusting: trusting, ask: stdin, answers: bufio.NewReader(stdout)}
	line, err := services.answers.ReadBytes('\n')
	if err != nil {
		return nil, err
	}
	return services, json.Unmarshal(line, &services.addresses)
}

// connect returns a call of a server. The first ones find much that is not there yet, and are made here.
func (s *emptyServices) connect(
	server string, ctx context.Context, attached credentials.PerRPCCredentials,
) (func() error, error) {
	options := []grpc.DialOption{grpc.WithTransportCredentials(s.trusting)}
	if attached != nil {
		options = append(options, grpc.WithPerRPCCredentials(attached))
	}
	connection, err := grpc.NewClient(s.addresses[server], options...)
	if err != nil {
		return nil, err
	}
	atEnd(func() { connection.Close() })
	client := grpc_testing.NewTestServiceClient(connection)
	call := func() error {
		_, err := client.EmptyCall(ctx, &grpc_testing.Empty{})
		return err
	}
	_, err = s.costOf(call)
	return call, err
}

// costOf returns how many µs of processor time a call takes in this process, and in that of the servers.
func (s *emptyServices) costOf(call func() error) ([]float64, error) {
	client, server, err := s.used()
	if err != nil {
		return nil, err
	}
	for range callsInRound {
		if err := call(); err != nil {
			return nil, err
		}
	}
	clientAfter, serverAfter, err := s.used()
	perCall := func(took time.Duration) float64 { return took.Seconds() * 1e6 / callsInRound }
	return []float64{perCall(clientAfter - client), perCall(serverAfter - server)}, err
}

// used returns the processor time that both processes have used so far.
func (s *emptyServices) used() (client, server time.Duration, err error) {
	client = processorClock()
	if _, err = fmt.Fprintln(s.ask); err == nil {
		_, err = fmt.Fscanln(s.answers, &server)
	}
	return client, server, err
}

const emptyInterceptor = "empty interceptor"

// serveEmpty is the process of the servers: it prints their addresses, and then, for each line of standard input, the
// processor time that it has used, in ns.
func serveEmpty() error {
	var policy material.Policy
	if err := json.Unmarshal([]byte(os.Getenv("POLICY")), &policy); err != nil {
		return err
	}
	verifier, err := ours.Verifier(policy)
	if err != nil {
		return err
	}
	certified := httptest.NewTLSServer(nil) // Whose certificate serves here.
	defer certified.Close()
	identity := grpc.Creds(credentials.NewServerTLSFromCert(&certified.TLS.Certificates[0]))
	nothing := func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		return handler(ctx, request)
	}
	addresses := map[string]string{}
	for name, options := range map[string][]grpc.ServerOption{
		noMiddleware:     nil,
		emptyInterceptor: {grpc.ChainUnaryInterceptor(nothing)},
		"gatepass":       {grpc.ChainUnaryInterceptor(gatepassgrpc.UnaryServerInterceptor(verifier))},
	} {
		server := grpc.NewServer(append(options, identity)...)
		grpc_testing.RegisterTestServiceServer(server, emptyService{})
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		go server.Serve(listener)
		defer server.Stop()
		addresses[name] = listener.Addr().String()
	}
	if err := json.NewEncoder(os.Stdout).Encode(addresses); err != nil {
		return err
	}
	asked := bufio.NewReader(os.Stdin)
	for {
		if _, err := asked.ReadString('\n'); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		fmt.Println(int64(processorClock()))
	}
}

type emptyService struct {
	grpc_testing.UnimplementedTestServiceServer
}

func (emptyService) EmptyCall(context.Context, *grpc_testing.Empty) (*grpc_testing.Empty, error) {
	return &grpc_testing.Empty{}, nil
}
