package gatepass_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gatepass.dev/gatepass"
)

// heldRequests are requests whose answers the test holds back, one by one.
type heldRequests struct {
	asked   atomic.Int32
	arrived chan *heldRequest
}

type heldRequest struct {
	// answer takes the ID token to answer with.
	answer chan string
	// gone is closed when the asking side has left.
	gone <-chan struct{}
}

// take is the serving side: it waits for what the test answers.
func (h *heldRequests) take(ctx context.Context) (string, error) {
	h.asked.Add(1)
	held := &heldRequest{answer: make(chan string), gone: ctx.Done()}
	select {
	case h.arrived <- held:
	case <-held.gone:
		return "", ctx.Err()
	}
	select {
	case token := <-held.answer:
		return token, nil
	case <-held.gone:
		return "", ctx.Err()
	}
}

// next is the test's side: it waits for a request.
func (h *heldRequests) next(t *testing.T) *heldRequest {
	t.Helper()
	select {
	case held := <-h.arrived:
		return held
	case <-deadline(t).Done():
		t.Fatal("no request came")
		return nil
	}
}

// startMetadataServer starts a server and makes it the metadata server of this process until the test ends.
func startMetadataServer(t *testing.T) *heldRequests {
	t.Helper()
	held := &heldRequests{arrived: make(chan *heldRequest)}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if token, err := held.take(r.Context()); err == nil {
			w.Header().Set("Metadata-Flavor", "Google")
			io.WriteString(w, token)
		}
	}))
	// So that no request outlives the test, and the server can close.
	server.Config.BaseContext = func(net.Listener) context.Context { return t.Context() }
	server.Start()
	t.Cleanup(server.Close)
	clearEnv(t)
	t.Setenv("GCE_METADATA_HOST", strings.TrimPrefix(server.URL, "http://"))
	return held
}

// unsignedToken is a token as its caller sees it: the signature is the receiver's affair.
func unsignedToken(t *testing.T, claims object) string {
	t.Helper()
	part := func(value any) string {
		return base64.RawURLEncoding.EncodeToString(got(json.Marshal(value))(t))
	}
	return part(object{"alg": "RS256"}) + "." + part(claims) + "." + part("signature")
}

// issued is an unsigned token for the tests' audience that lives from now for so long.
func issued(t *testing.T, now time.Time, lifetime time.Duration) string {
	t.Helper()
	return unsignedToken(t, object{
		"aud": audience, "iss": "https://accounts.google.com", "iat": now.Unix(), "exp": now.Add(lifetime).Unix(),
	})
}

// A testClock stands still until it is moved.
type testClock struct{ at atomic.Int64 }

func clockAt(at time.Time) *testClock {
	clock := &testClock{}
	clock.at.Store(at.UnixMilli())
	return clock
}

func (c *testClock) now() time.Time { return time.UnixMilli(c.at.Load()) }

func (c *testClock) advance(by time.Duration) { c.at.Add(by.Milliseconds()) }

// impatient is for a source or verifier to which a minute passes whenever it looks, so that no wait is long.
func impatient() gatepass.Option {
	var passed atomic.Int64
	return gatepass.WithMonotonic(func() time.Duration { return time.Duration(passed.Add(1)) * time.Minute })
}
