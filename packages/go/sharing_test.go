//go:build go1.25

package gatepass_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"gatepass.dev/gatepass"
)

// inBubbleWithSource runs a test whose source asks nobody but the test. In the bubble, time passes only while all wait.
func inBubbleWithSource(t *testing.T, run func(*testing.T, *gatepass.Source, *heldRequests)) {
	t.Helper()
	var corpus struct{ Cases []clientCase }
	readVectors(t, vectors+"/client/attack_corpus.json", &corpus)
	clearEnv(t)
	synctest.Test(t, func(t *testing.T) {
		held := &heldRequests{arrived: make(chan *heldRequest)}
		endpoint := transport(func(request *http.Request) (*http.Response, error) {
			token, err := held.take(request.Context())
			if err != nil {
				return nil, err
			}
			recorder := httptest.NewRecorder()
			recorder.Write(asJSON(t, object{"id_token": token}))
			return recorder.Result(), nil
		})
		key := []byte(corpus.Cases[0].Input)
		source := got(gatepass.NewSource(gatepass.WithCredentialsJSON(key), gatepass.WithTransport(endpoint)))(t)
		run(t, source, held)
	})
}

// A caller who begins a fetch and goes away ends its own waiting only: the fetch goes on, for those who wait and for
// those who come later.
func TestACancelledCallerLeavesTheFetchToOthers(t *testing.T) {
	inBubbleWithSource(t, func(t *testing.T, source *gatepass.Source, held *heldRequests) {
		ctx, cancel := context.WithCancel(deadline(t))
		fetching := make(chan error, 1)
		go func() {
			_, err := source.IDToken(ctx, audience)
			fetching <- err
		}()
		request := held.next(t)

		const waiting = 20
		waited := make(chan error, waiting)
		for range waiting {
			go func() {
				_, err := source.IDToken(deadline(t), audience)
				waited <- err
			}()
		}
		synctest.Wait() // All of them wait now.
		cancel()
		if err := <-fetching; !errors.Is(err, context.Canceled) {
			t.Errorf("%v, expected that it was cancelled", err)
		}
		request.answer <- issued(t, time.Now(), time.Hour)
		for range waiting {
			must(t, <-waited)
		}
		if asked := held.asked.Load(); asked != 1 {
			t.Errorf("%d requests, expected 1", asked)
		}
	})
}

// Callers whose deadlines are shorter than the endpoint takes are served as soon as one of them has waited long enough.
func TestShortDeadlinesAreServedInTheEnd(t *testing.T) {
	inBubbleWithSource(t, func(t *testing.T, source *gatepass.Source, held *heldRequests) {
		go func() {
			request := held.next(t)
			time.Sleep(3 * time.Second)
			request.answer <- issued(t, time.Now(), time.Hour)
		}()
		failures := 0
		for range 10 {
			ctx, cancel := context.WithTimeout(deadline(t), time.Second)
			_, err := source.IDToken(ctx, audience)
			cancel()
			if err == nil {
				break
			}
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Fatal(err)
			}
			failures++
		}
		if asked := held.asked.Load(); asked != 1 || failures > 3 {
			t.Errorf("%d requests and %d failures, expected 1 and at most 3", asked, failures)
		}
	})
}

// A caller who waits and goes away disturbs nobody.
func TestACancelledWaiterLeavesAlone(t *testing.T) {
	inBubbleWithSource(t, func(t *testing.T, source *gatepass.Source, held *heldRequests) {
		fetching := make(chan error, 1)
		go func() {
			_, err := source.IDToken(deadline(t), audience)
			fetching <- err
		}()
		first := held.next(t)
		ctx, cancel := context.WithCancel(deadline(t))
		waiting := make(chan error, 1)
		go func() {
			_, err := source.IDToken(ctx, audience)
			waiting <- err
		}()
		synctest.Wait() // It waits now.
		cancel()
		if err := <-waiting; !errors.Is(err, context.Canceled) {
			t.Errorf("%v, expected that it was cancelled", err)
		}
		first.answer <- issued(t, time.Now(), time.Hour)
		must(t, <-fetching)
	})
}

// A stale token is handed out at once, and refreshed in the background.
func TestAStaleTokenIsRefreshedBehindTheCaller(t *testing.T) {
	inBubbleWithSource(t, func(t *testing.T, source *gatepass.Source, held *heldRequests) {
		mustGet := func(expected string) {
			t.Helper()
			if got(source.IDToken(deadline(t), audience))(t).AccessToken != expected {
				t.Fatal("another token")
			}
		}
		first := issued(t, time.Now(), time.Hour)
		go func() { held.next(t).answer <- first }()
		mustGet(first)

		time.Sleep(59 * time.Minute)
		for range 3 {
			mustGet(first)
		}
		refresh := held.next(t)
		second := issued(t, time.Now(), time.Hour)
		refresh.answer <- second
		synctest.Wait() // The refresh is over.
		mustGet(second)
		if asked := held.asked.Load(); asked != 2 {
			t.Errorf("%d requests, expected 2", asked)
		}

		// A refresh that fails is nobody's error while the token is good.
		time.Sleep(59 * time.Minute)
		mustGet(second)
		held.next(t).answer <- "no token"
		synctest.Wait()
		mustGet(second)
	})
}
