// Command caller calls every receiver that its first argument names, as a JSON array of objects with name, url and
// audience: 100 times each, one call after the other. It prints one line of JSON for each receiver, and exits with 0
// if all calls went well.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"gatepass.dev/gatepass"
)

const calls = 100

type receiver struct {
	Name     string `json:"name"`
	URL      string `json:"url"`
	Audience string `json:"audience"`
}

// A report is the line about one receiver.
type report struct {
	Receiver    string `json:"receiver"`
	Status      int    `json:"status"`
	Email       string `json:"email"`
	FirstUS     int64  `json:"first_us"`
	HundredthUS int64  `json:"hundredth_us"`
	Calls       int    `json:"calls"`
}

type trouble struct {
	Receiver string `json:"receiver"`
	Error    string `json:"error"`
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal(`usage: caller '[{"name": …, "url": …, "audience": …}, …]'`)
	}
	var receivers []receiver
	if err := json.Unmarshal([]byte(os.Args[1]), &receivers); err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	lines := json.NewEncoder(os.Stdout)
	failed := false
	for _, receiver := range receivers {
		report, err := call(ctx, receiver)
		if err != nil {
			failed = true
			lines.Encode(trouble{receiver.Name, err.Error()})
			continue
		}
		lines.Encode(report)
	}
	if failed {
		os.Exit(1)
	}
}

func call(ctx context.Context, receiver receiver) (*report, error) {
	client, err := gatepass.NewClient(ctx, receiver.Audience)
	if err != nil {
		return nil, err
	}
	report := &report{Receiver: receiver.Name, Calls: calls}
	for i := range calls {
		begin := time.Now()
		report.Status, report.Email, err = get(ctx, client, receiver.URL)
		if err != nil {
			return nil, fmt.Errorf("call %d: %w", i+1, err)
		}
		report.HundredthUS = time.Since(begin).Microseconds()
		if i == 0 {
			report.FirstUS = report.HundredthUS
		}
	}
	return report, nil
}

func get(ctx context.Context, client *http.Client, url string) (int, string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, "", err
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return 0, "", fmt.Errorf("%s", response.Status)
	}
	var body struct{ Email string }
	if err := json.NewDecoder(response.Body).Decode(&body); err != nil {
		return 0, "", err
	}
	return response.StatusCode, body.Email, nil
}
