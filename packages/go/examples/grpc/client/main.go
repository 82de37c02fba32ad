// Command client asks the bookstore for a book, again and again. Its connection is made once, a token lives for an hour, and
// no call has a word about tokens.
package main

import (
	"context"
	"flag"
	"log"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"gatepass.dev/gatepass/examples/grpc/bookstore"
	gatepassgrpc "gatepass.dev/gatepass/grpc"
)

func main() {
	target := flag.String("target", "bookstore-7f3kq2x4ca-uc.a.run.app:443", "host and port of the bookstore")
	every := flag.Duration("every", time.Minute, "how often to ask")
	flag.Parse()
	tokens, err := gatepassgrpc.NewIDTokenCredentials()
	if err != nil {
		log.Fatal(err)
	}
	channel := credentials.NewTLS(nil)
	connection, err := grpc.NewClient(*target, grpc.WithTransportCredentials(channel), grpc.WithPerRPCCredentials(tokens))
	if err != nil {
		log.Fatal(err)
	}
	store := bookstore.NewBookstoreClient(connection)
	for ; ; time.Sleep(*every) {
		book, err := store.GetBook(context.Background(), &bookstore.GetBookRequest{Title: "Dune"})
		if err != nil {
			log.Fatal(err)
		}
		log.Println(book.Title, "for", book.Reader)
	}
}
