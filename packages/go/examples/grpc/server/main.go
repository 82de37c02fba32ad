// Command server is the bookstore.
package main

import (
	"context"
	"errors"
	"flag"
	"log"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"gatepass.dev/gatepass"
	"gatepass.dev/gatepass/examples/grpc/bookstore"
	gatepassgrpc "gatepass.dev/gatepass/grpc"
)

func main() {
	address := flag.String("listen", ":8443", "where to listen")
	audience := flag.String("audience", "", "what callers have their tokens made for: https:// and the name of this host")
	certificate, key := flag.String("cert", "", "a certificate, in PEM"), flag.String("key", "", "its key")
	flag.Parse()
	verifier, err := gatepass.NewVerifier(gatepass.WithAudience(*audience))
	tls, tlsErr := credentials.NewServerTLSFromFile(*certificate, *key)
	listener, listenErr := net.Listen("tcp", *address)
	if err := errors.Join(err, tlsErr, listenErr); err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer(grpc.Creds(tls),
		grpc.ChainUnaryInterceptor(gatepassgrpc.UnaryServerInterceptor(verifier)),
		grpc.ChainStreamInterceptor(gatepassgrpc.StreamServerInterceptor(verifier)))
	bookstore.RegisterBookstoreServer(server, &store{})
	log.Println("listening on", listener.Addr())
	log.Fatal(server.Serve(listener))
}

type store struct {
	bookstore.UnimplementedBookstoreServer
}

func (*store) GetBook(ctx context.Context, request *bookstore.GetBookRequest) (*bookstore.Book, error) {
	payload, _ := gatepass.ClaimsFromContext(ctx)
	reader, _ := payload.Claims["email"].(string)
	return &bookstore.Book{Title: request.Title, Reader: reader}, nil
}
