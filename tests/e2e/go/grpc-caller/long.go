package main

import (
	"context"
	"math"
	"sync"
	"time"

	"google.golang.org/grpc/status"

	"gatepass.dev/gatepass/e2e/bookstore"
)

// tasks is how many call at the same time.
const tasks = 4

// A longRun is so many calls, spread evenly over so many seconds.
type longRun struct {
	Target    string  `json:"target"`
	Authority string  `json:"authority"`
	Seconds   float64 `json:"seconds"`
	Calls     int     `json:"calls"`
}

// A longReport is the line about a long run.
type longReport struct {
	mu              sync.Mutex
	Calls           int            `json:"calls"`
	Failed          int            `json:"failed"`
	Errors          map[string]int `json:"errors"`
	LeastMillisLeft int64          `json:"least_millis_left"`
}

func (r longRun) make() (*longReport, error) {
	tokens, err := withTokens()
	if err != nil {
		return nil, err
	}
	connection, err := connect(r.Target, r.Authority, tokens)
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	client := bookstore.NewBookstoreClient(connection)
	report := &longReport{Errors: map[string]int{}, LeastMillisLeft: math.MaxInt64}
	between := time.Duration(r.Seconds / float64(r.Calls/tasks) * float64(time.Second))
	start := time.Now()
	var running sync.WaitGroup
	for range tasks {
		running.Go(func() {
			for number := range r.Calls / tasks {
				time.Sleep(time.Until(start.Add(time.Duration(number) * between)))
				report.add(call(client))
			}
		})
	}
	running.Wait()
	return report, nil
}

func call(client bookstore.BookstoreClient) (*bookstore.Answer, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return client.GetBook(ctx, &bookstore.GetBookRequest{Title: "Dune"})
}

func (r *longReport) add(answer *bookstore.Answer, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Calls++
	if err != nil {
		r.Failed++
		r.Errors[status.Convert(err).String()]++
		return
	}
	r.LeastMillisLeft = min(r.LeastMillisLeft, answer.TokenMillisLeft)
}
