package gatepass_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"gatepass.dev/gatepass"
)

// A recordingReceiver answers with its statuses, one after the other, and the last one for ever. It keeps what it saw.
type recordingReceiver struct {
	*httptest.Server
	mu       sync.Mutex
	statuses []int
	headers  []http.Header
	bodies   []string
}

func startRecording(t *testing.T, statuses ...int) *recordingReceiver {
	t.Helper()
	receiver := &recordingReceiver{statuses: statuses}
	receiver.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		receiver.mu.Lock()
		defer receiver.mu.Unlock()
		body := got(io.ReadAll(r.Body))(t)
		receiver.headers, receiver.bodies = append(receiver.headers, r.Header), append(receiver.bodies, string(body))
		w.WriteHeader(receiver.statuses[0])
		if len(receiver.statuses) > 1 {
			receiver.statuses = receiver.statuses[1:]
		}
	}))
	t.Cleanup(receiver.Close)
	return receiver
}

// tokens are those that were sent, as numbers in the order of their first use.
func (r *recordingReceiver) tokens() (numbers []int) {
	known := map[string]int{}
	for _, header := range r.headers {
		token := header.Get("Authorization")
		if known[token] == 0 {
			known[token] = len(known) + 1
		}
		numbers = append(numbers, known[token])
	}
	return numbers
}

// otherTokens is for a source that gets another token each time.
func otherTokens(t *testing.T) []gatepass.ClientOption {
	t.Helper()
	number := 0
	endpoint := transport(func(*http.Request) (*http.Response, error) {
		number++
		now := time.Now()
		recorder := httptest.NewRecorder()
		recorder.Write(asJSON(t, object{"id_token": unsignedToken(t, object{
			"aud": audience, "iss": "https://accounts.google.com", "iat": now.Unix(), "exp": now.Unix() + 3600, "number": number,
		})}))
		return recorder.Result(), nil
	})
	var corpus struct{ Cases []clientCase }
	readVectors(t, vectors+"/client/attack_corpus.json", &corpus)
	return []gatepass.ClientOption{
		gatepass.WithCredentialsJSON([]byte(corpus.Cases[0].Input)), gatepass.WithTransport(endpoint),
	}
}

// After a 401 the token is replaced and the request repeated: once, if its body can be, and once a minute at most.
func TestAClientRepeatsARefusedRequest(t *testing.T) {
	for name, c := range map[string]struct {
		statuses []int
		body     func() io.Reader
		status   int
		tokens   []int
	}{
		"no body":          {[]int{401, 200}, func() io.Reader { return nil }, 200, []int{1, 2}},
		"a text":           {[]int{401, 200}, func() io.Reader { return strings.NewReader("orders") }, 200, []int{1, 2}},
		"a stream":         {[]int{401, 200}, func() io.Reader { return io.MultiReader(strings.NewReader("orders")) }, 401, []int{1}},
		"refused again":    {[]int{401}, func() io.Reader { return nil }, 401, []int{1, 2}},
		"another status":   {[]int{403, 200}, func() io.Reader { return nil }, 403, []int{1}},
		"another status 2": {[]int{503, 200}, func() io.Reader { return nil }, 503, []int{1}},
	} {
		t.Run(name, func(t *testing.T) {
			clearEnv(t)
			receiver := startRecording(t, c.statuses...)
			client := got(gatepass.NewClient(deadline(t), audience, otherTokens(t)...))(t)
			request := got(http.NewRequestWithContext(deadline(t), http.MethodPost, receiver.URL, c.body()))(t)
			response := got(client.Do(request))(t)
			response.Body.Close()
			if response.StatusCode != c.status || !reflect.DeepEqual(receiver.tokens(), c.tokens) {
				t.Errorf("%s, tokens %v, expected %d, %v", response.Status, receiver.tokens(), c.status, c.tokens)
			}
			for _, body := range receiver.bodies {
				if body != receiver.bodies[0] {
					t.Errorf("it was sent %q", receiver.bodies)
				}
			}
		})
	}
}

// Of all who have waited for one token, whoever is refused first has it replaced for the others as well.
func TestATokenThatManyHaveIsReplacedForAll(t *testing.T) {
	clearEnv(t)
	var mu sync.Mutex
	refused := ""
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if refused == "" {
			refused = r.Header.Get("Authorization")
		}
		if r.Header.Get("Authorization") == refused {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	t.Cleanup(receiver.Close)
	client := got(gatepass.NewClient(deadline(t), audience, otherTokens(t)...))(t)
	var callers sync.WaitGroup
	for range 16 {
		callers.Add(1)
		go func() {
			defer callers.Done()
			response, err := client.Get(receiver.URL)
			if err != nil {
				t.Error(err)
				return
			}
			response.Body.Close()
			if response.StatusCode != http.StatusOK {
				t.Error(response.Status)
			}
		}()
	}
	callers.Wait()
}

func TestAClientReplacesATokenOnceAMinute(t *testing.T) {
	clearEnv(t)
	receiver := startRecording(t, 401)
	client := got(gatepass.NewClient(deadline(t), audience, otherTokens(t)...))(t)
	for range 3 {
		got(client.Get(receiver.URL))(t).Body.Close()
	}
	if tokens := receiver.tokens(); !reflect.DeepEqual(tokens, []int{1, 2, 2, 2}) {
		t.Errorf("tokens %v", tokens)
	}
}

// For those who write their own client.
func TestInvalidate(t *testing.T) {
	clearEnv(t)
	var options []gatepass.SourceOption
	for _, option := range otherTokens(t) {
		options = append(options, option.(gatepass.SourceOption))
	}
	source := got(gatepass.NewSource(options...))(t)
	first := got(source.IDToken(deadline(t), audience))(t)
	if !source.Invalidate(first) {
		t.Error("the first token is not replaced")
	}
	second := got(source.IDToken(deadline(t), audience))(t)
	if second.AccessToken == first.AccessToken || !source.Invalidate(first) {
		t.Error("the second token is the first")
	}
	if source.Invalidate(second) || got(source.IDToken(deadline(t), audience))(t) != second {
		t.Error("the second token is replaced within a minute")
	}
	if !source.Invalidate(nil) {
		t.Error("no token is one that the source gives")
	}
}

func TestTheHeaderOfAToken(t *testing.T) {
	clearEnv(t)
	for header, c := range map[gatepass.TokenHeader]struct{ application, token, serverless bool }{
		gatepass.Authorization:           {false, true, false},
		gatepass.ServerlessAuthorization: {true, false, true},
		gatepass.BothHeaders:             {false, true, true},
	} {
		receiver := startRecording(t, 200)
		client := got(gatepass.NewClient(deadline(t), audience, append(otherTokens(t), gatepass.WithTokenHeader(header))...))(t)
		request := got(http.NewRequest(http.MethodGet, receiver.URL, nil))(t)
		request.Header.Set("Authorization", "Basic of the application")
		got(client.Do(request))(t).Body.Close()
		authorization, serverless := receiver.headers[0].Get("Authorization"), receiver.headers[0].Get("X-Serverless-Authorization")
		if (authorization == "Basic of the application") != c.application ||
			strings.HasPrefix(authorization, "Bearer ") != c.token || strings.HasPrefix(serverless, "Bearer ") != c.serverless {
			t.Errorf("%s: %t %t", header, strings.HasPrefix(authorization, "Bearer "), strings.HasPrefix(serverless, "Bearer "))
		}
	}
	if _, err := gatepass.NewClient(deadline(t), audience, gatepass.WithTokenHeader("cookie")); !errors.Is(err, gatepass.ErrInvalidOption) {
		t.Errorf("%v", err)
	}
}

// A token must not travel unprotected, whether its audience is given or derived.
func TestNoTokenOverPlainHTTP(t *testing.T) {
	clearEnv(t)
	sent := 0
	carrier := transport(func(request *http.Request) (*http.Response, error) {
		sent++
		return httptest.NewRecorder().Result(), nil
	})
	for _, given := range []string{audience, ""} {
		for _, url := range []string{"http://receiver.example/", "http://10.0.0.1", "http://localhost.example"} {
			client := got(gatepass.NewClient(deadline(t), given, otherTokens(t)...))(t)
			gatepass.SetCarrier(client, carrier)
			if _, err := client.Get(url); !errors.Is(err, gatepass.ErrInvalidAudience) && !errors.Is(err, gatepass.ErrInvalidOption) {
				t.Errorf("%s: %v", url, err)
			}
		}
	}
	if sent > 0 {
		t.Errorf("%d requests were sent", sent)
	}
	client := got(gatepass.NewClient(deadline(t), audience, append(otherTokens(t), gatepass.WithAllowPlainHTTP())...))(t)
	gatepass.SetCarrier(client, carrier)
	got(client.Get("http://receiver.example"))(t)
	if sent != 1 {
		t.Errorf("%d requests were sent, expected 1", sent)
	}
}

// The client's connections are those of the transport that carries its requests.
func TestCloseIdleConnections(t *testing.T) {
	clearEnv(t)
	closed := make(chan struct{}, 1)
	receiver := httptest.NewUnstartedServer(http.NotFoundHandler())
	receiver.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			closed <- struct{}{}
		}
	}
	receiver.Start()
	defer receiver.Close()
	base := &http.Client{Transport: &http.Transport{}}
	ctx := context.WithValue(deadline(t), oauth2.HTTPClient, base)
	client := got(gatepass.NewClient(ctx, audience, otherTokens(t)...))(t)
	response := got(client.Get(receiver.URL))(t)
	io.Copy(io.Discard, response.Body)
	response.Body.Close()
	client.CloseIdleConnections()
	select {
	case <-closed:
	case <-deadline(t).Done():
		t.Error("the connection is still there")
	}
	// One that cannot close connections is asked for nothing.
	gatepass.SetCarrier(client, transport(nil))
	client.CloseIdleConnections()
}
