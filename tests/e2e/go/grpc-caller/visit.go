package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"gatepass.dev/gatepass/e2e/bookstore"
)

const calls = 100

type receiver struct {
	Name      string     `json:"name"`
	Target    string     `json:"target"`
	Authority string     `json:"authority"`
	BadTokens []badToken `json:"bad_tokens"`
}

type badToken struct {
	What  string  `json:"what"`
	Token *string `json:"token"`
}

// A report is the line about one receiver.
type report struct {
	Receiver    string                        `json:"receiver"`
	Calls       int                           `json:"calls"`
	FirstUS     int64                         `json:"first_us"`
	HundredthUS int64                         `json:"hundredth_us"`
	Seen        map[string]map[string]int     `json:"seen"`
	Refusals    map[string]map[string]refusal `json:"refusals"`
}

// A refusal is what a call has ended with.
type refusal struct {
	Code    uint32 `json:"code"`
	Message string `json:"message"`
	// Details is the trailer grpc-status-details-bin, which JSON has in base64; nil if there is none.
	Details []byte `json:"details"`
}

// methods make a call of each method, and return the answers.
var methods = map[string]func(context.Context, bookstore.BookstoreClient) ([]*bookstore.Answer, error){
	"GetBook": getBook, "ListBooks": listBooks, "AddBooks": addBooks, "Discuss": discuss,
}

func visit(receiver receiver) (*report, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	report := &report{
		Receiver: receiver.Name, Calls: calls,
		Seen: map[string]map[string]int{}, Refusals: map[string]map[string]refusal{},
	}
	if err := report.callWithTokens(ctx, receiver); err != nil {
		return nil, err
	}
	return report, report.callWithBadTokens(ctx, receiver)
}

func (r *report) callWithTokens(ctx context.Context, receiver receiver) error {
	tokens, err := withTokens()
	if err != nil {
		return err
	}
	connection, err := connect(receiver.Target, receiver.Authority, tokens)
	if err != nil {
		return err
	}
	defer connection.Close()
	client := bookstore.NewBookstoreClient(connection)
	for i := range calls {
		begin := time.Now()
		if err := r.see(ctx, client, "GetBook"); err != nil {
			return fmt.Errorf("call %d: %w", i+1, err)
		}
		r.HundredthUS = time.Since(begin).Microseconds()
		if i == 0 {
			r.FirstUS = r.HundredthUS
		}
	}
	for _, method := range []string{"ListBooks", "AddBooks", "Discuss"} {
		if err := r.see(ctx, client, method); err != nil {
			return fmt.Errorf("%s: %w", method, err)
		}
	}
	return nil
}

func (r *report) see(ctx context.Context, client bookstore.BookstoreClient, method string) error {
	answers, err := methods[method](ctx, client)
	if r.Seen[method] == nil {
		r.Seen[method] = map[string]int{}
	}
	for _, answer := range answers {
		r.Seen[method][answer.CallerEmail]++
	}
	return err
}

func (r *report) callWithBadTokens(ctx context.Context, receiver receiver) error {
	connection, err := connect(receiver.Target, receiver.Authority)
	if err != nil {
		return err
	}
	defer connection.Close()
	client := bookstore.NewBookstoreClient(connection)
	for _, bad := range receiver.BadTokens {
		ctx := ctx
		if bad.Token != nil {
			ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+*bad.Token)
		}
		r.Refusals[bad.What] = map[string]refusal{}
		for name, method := range methods {
			_, err := method(ctx, client)
			if r.Refusals[bad.What][name], err = refusalOf(err); err != nil {
				return err
			}
		}
	}
	return nil
}

func refusalOf(err error) (refusal, error) {
	ended := status.Convert(err)
	refusal := refusal{Code: uint32(ended.Code()), Message: ended.Message()}
	if len(ended.Details()) == 0 {
		return refusal, nil
	}
	// The status is made of the trailer.
	refusal.Details, err = proto.Marshal(ended.Proto())
	return refusal, err
}

func getBook(ctx context.Context, client bookstore.BookstoreClient) ([]*bookstore.Answer, error) {
	answer, err := client.GetBook(ctx, &bookstore.GetBookRequest{Title: "Dune"})
	return []*bookstore.Answer{answer}, err
}

func listBooks(ctx context.Context, client bookstore.BookstoreClient) ([]*bookstore.Answer, error) {
	stream, err := client.ListBooks(ctx, &bookstore.ListBooksRequest{Count: 3})
	if err != nil {
		return nil, err
	}
	return receive(stream)
}

func addBooks(ctx context.Context, client bookstore.BookstoreClient) ([]*bookstore.Answer, error) {
	stream, err := client.AddBooks(ctx)
	if err != nil {
		return nil, err
	}
	send(stream)
	answer, err := stream.CloseAndRecv()
	return []*bookstore.Answer{answer}, err
}

func discuss(ctx context.Context, client bookstore.BookstoreClient) ([]*bookstore.Answer, error) {
	stream, err := client.Discuss(ctx)
	if err != nil {
		return nil, err
	}
	send(stream)
	if err := stream.CloseSend(); err != nil {
		return nil, err
	}
	return receive(stream)
}

// send sends three books. If the stream has ended, whoever receives learns why.
func send(stream grpc.ClientStream) {
	for _, title := range []string{"Dune", "Emma", "Ulysses"} {
		if stream.SendMsg(&bookstore.Book{Title: title}) != nil {
			return
		}
	}
}

func receive(stream grpc.ServerStreamingClient[bookstore.Answer]) (answers []*bookstore.Answer, err error) {
	for {
		answer, err := stream.Recv()
		if err == io.EOF {
			return answers, nil
		}
		if err != nil {
			return nil, err
		}
		answers = append(answers, answer)
	}
}
