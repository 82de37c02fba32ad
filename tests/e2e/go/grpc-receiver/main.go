// Command grpc-receiver is the bookstore behind gatepass's interceptors; see tests/e2e/grpc/README.md.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"gatepass.dev/gatepass"
	"gatepass.dev/gatepass/e2e/bookstore"
	gatepassgrpc "gatepass.dev/gatepass/grpc"
)

func main() {
	verifierOptions := []gatepass.VerifierOption{
		gatepass.WithAudience(os.Getenv("AUDIENCE")),
		gatepass.WithKeysURL(os.Getenv("KEYS_URL")),
	}
	if emails := os.Getenv("ALLOWED_EMAILS"); emails != "" {
		verifierOptions = append(verifierOptions, gatepass.WithAllowedEmails(strings.Split(emails, ",")...))
	}
	verifier, err := gatepass.NewVerifier(verifierOptions...)
	if err != nil {
		log.Fatal(err)
	}
	noted := gatepassgrpc.WithOnRefusal(func(_ context.Context, _ string, refused *gatepass.Error) {
		fmt.Fprintf(os.Stderr, "refused %s\n", string(refused.Code))
	})
	options := []grpc.ServerOption{
		grpc.ChainUnaryInterceptor(gatepassgrpc.UnaryServerInterceptor(verifier, noted)),
		grpc.ChainStreamInterceptor(gatepassgrpc.StreamServerInterceptor(verifier, noted)),
	}
	if certificate := os.Getenv("TLS_CERTIFICATE"); certificate != "" {
		tls, err := credentials.NewServerTLSFromFile(certificate, os.Getenv("TLS_KEY"))
		if err != nil {
			log.Fatal(err)
		}
		options = append(options, grpc.Creds(tls))
	}
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Getenv("PORT"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("listening", listener.Addr().(*net.TCPAddr).Port)
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	server := grpc.NewServer(options...)
	bookstore.RegisterBookstoreServer(server, &shelves{})
	log.Fatal(server.Serve(listener))
}

type shelves struct {
	bookstore.UnimplementedBookstoreServer
}

func (*shelves) GetBook(ctx context.Context, _ *bookstore.GetBookRequest) (*bookstore.Answer, error) {
	return answer(ctx), nil
}

func (*shelves) ListBooks(request *bookstore.ListBooksRequest, stream grpc.ServerStreamingServer[bookstore.Answer]) error {
	for range request.Count {
		if err := stream.Send(answer(stream.Context())); err != nil {
			return err
		}
	}
	return nil
}

func (*shelves) AddBooks(stream grpc.ClientStreamingServer[bookstore.Book, bookstore.Answer]) error {
	for {
		if _, err := stream.Recv(); err == io.EOF {
			return stream.SendAndClose(answer(stream.Context()))
		} else if err != nil {
			return err
		}
	}
}

func (*shelves) Discuss(stream grpc.BidiStreamingServer[bookstore.Book, bookstore.Answer]) error {
	for {
		if _, err := stream.Recv(); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if err := stream.Send(answer(stream.Context())); err != nil {
			return err
		}
	}
}

func answer(ctx context.Context) *bookstore.Answer {
	payload, _ := gatepass.ClaimsFromContext(ctx)
	email, _ := payload.Claims["email"].(string)
	left := time.Until(time.Unix(payload.Expires, 0))
	return &bookstore.Answer{CallerEmail: email, TokenMillisLeft: left.Milliseconds()}
}
