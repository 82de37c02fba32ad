package gatepass_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A metadataServer is one whose answers the test holds back, one by one.
type metadataServer struct {
	*httptest.Server
	asked atomic.Int32
	// arrived gets every request, if the test listens; each answers what it is told to.
	arrived chan *heldRequest
}

type heldRequest struct {
	// answer takes the ID token to answer with.
	answer chan string
	// gone is closed when the asking side has left.
	gone <-chan struct{}
}

// startMetadataServer starts a server and makes it the metadata server of this process until the test ends.
func startMetadataServer(t *testing.T) *metadataServer {
	t.Helper()
	started := &metadataServer{arrived: make(chan *heldRequest)}
	ended := make(chan struct{})
	started.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started.asked.Add(1)
		held := &heldRequest{answer: make(chan string), gone: r.Context().Done()}
		w.Header().Set("Metadata-Flavor", "Google")
		select {
		case started.arrived <- held:
		case <-ended:
			return
		}
		select {
		case token := <-held.answer:
			w.Write([]byte(token))
		case <-held.gone:
		case <-ended:
		}
	}))
	t.Cleanup(started.Close)
	t.Cleanup(func() { close(ended) })
	clearEnv(t)
	t.Setenv("GCE_METADATA_HOST", strings.TrimPrefix(started.URL, "http://"))
	return started
}

// next waits for a request.
func (s *metadataServer) next(t *testing.T) *heldRequest {
	t.Helper()
	select {
	case held := <-s.arrived:
		return held
	case <-deadline(t).Done():
		t.Fatal("no request came")
		return nil
	}
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

// impatientClock is a minute later whenever it is looked at, so that no wait is long.
func impatientClock() func() time.Time {
	clock := clockAt(time.Now())
	return func() time.Time {
		clock.advance(time.Minute)
		return clock.now()
	}
}
