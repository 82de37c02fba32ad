package gatepass_test

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"gatepass.dev/gatepass"
)

func TestClientAttachesAToken(t *testing.T) {
	emulator := startEmulator(t)
	emulator.setEnv()
	receiver := startReceiver(t, gatepass.WithKeysURL(emulator.keysURL()))
	client := got(gatepass.NewClient(deadline(t), audience, gatepass.WithTrustedEndpoints()))(t)
	for range 3 {
		request := got(http.NewRequestWithContext(deadline(t), http.MethodPost, receiver.URL, strings.NewReader("x")))(t)
		request.Header.Set("Authorization", "Bearer of nothing")
		response := got(client.Do(request))(t)
		body := got(io.ReadAll(response.Body))(t)
		response.Body.Close()
		if response.StatusCode != 200 || !strings.Contains(string(body), "@") {
			t.Errorf("%s %s", response.Status, body)
		}
		if request.Header.Get("Authorization") != "Bearer of nothing" {
			t.Error("the caller's own request was changed")
		}
	}
	if requests := emulator.requests(identityPath); requests != 1 {
		t.Errorf("%d requests, expected 1", requests)
	}
}

// Without an audience, each request's URL tells it.
func TestClientWithoutAnAudience(t *testing.T) {
	startEmulator(t).setEnv()
	var audiences []any
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		audiences = append(audiences, claimsIn(t, r.Header.Get("Authorization"))["aud"])
	}))
	defer receiver.Close()
	another := httptest.NewServer(receiver.Config.Handler)
	defer another.Close()
	client := got(gatepass.NewClient(deadline(t), "", gatepass.WithTrustedEndpoints()))(t)
	for _, url := range []string{receiver.URL + "/orders?limit=1", another.URL, receiver.URL} {
		got(client.Get(url))(t).Body.Close()
	}
	if expected := []any{receiver.URL, another.URL, receiver.URL}; !reflect.DeepEqual(audiences, expected) {
		t.Errorf("audiences %v, expected %v", audiences, expected)
	}
	if _, err := client.Get("http://receiver.example"); !errors.Is(err, gatepass.ErrInvalidAudience) {
		t.Errorf("%v: a token must not travel unprotected", err)
	}
}

// The token goes where the caller sends the request, and nowhere else.
func TestClientSendsNoTokenToAnotherOrigin(t *testing.T) {
	emulator := startEmulator(t)
	emulator.setEnv()
	seen := map[string]bool{}
	note := func(w http.ResponseWriter, r *http.Request) {
		seen[r.Host+r.URL.Path] = r.Header.Get("Authorization") != ""
	}
	var here, there *httptest.Server
	there = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		note(w, r)
		if r.URL.Path == "/back" {
			http.Redirect(w, r, here.URL+"/end", http.StatusTemporaryRedirect)
		}
	}))
	defer there.Close()
	here = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		note(w, r)
		switch r.URL.Path {
		case "/same":
			http.Redirect(w, r, "/end", http.StatusFound)
		case "/other":
			http.Redirect(w, r, there.URL+"/end", http.StatusFound)
		case "/there-and-back":
			http.Redirect(w, r, there.URL+"/back", http.StatusPermanentRedirect)
		}
	}))
	defer here.Close()
	hereHost, thereHost := strings.TrimPrefix(here.URL, "http://"), strings.TrimPrefix(there.URL, "http://")

	cases := []struct {
		path string
		seen map[string]bool
	}{
		{"/same", map[string]bool{hereHost + "/same": true, hereHost + "/end": true}},
		{"/other", map[string]bool{hereHost + "/other": true, thereHost + "/end": false}},
		{"/there-and-back", map[string]bool{
			hereHost + "/there-and-back": true, thereHost + "/back": false, hereHost + "/end": false}},
	}
	// With a transport that does not say which request a response answers, no redirect is to be trusted.
	forgetful := transport(func(request *http.Request) (*http.Response, error) {
		response, err := http.DefaultTransport.RoundTrip(request)
		if response != nil {
			response.Request = nil
		}
		return response, err
	})
	ctx := deadline(t)
	client := got(gatepass.NewClient(ctx, audience, gatepass.WithTrustedEndpoints()))(t)
	for _, c := range cases {
		clear(seen)
		got(client.Get(here.URL + c.path))(t).Body.Close()
		if fmt.Sprint(seen) != fmt.Sprint(c.seen) {
			t.Errorf("%s: tokens seen %v, expected %v", c.path, seen, c.seen)
		}
	}
	ctx = context.WithValue(ctx, oauth2.HTTPClient, &http.Client{Transport: forgetful})
	client = got(gatepass.NewClient(ctx, audience))(t)
	clear(seen)
	got(client.Get(here.URL + "/same"))(t).Body.Close()
	if seen[hereHost+"/end"] {
		t.Error("a token was sent after a redirect of unknown origin")
	}
}

// The client is made like the one in the context.
func TestClientTakesAfterTheContextsOwn(t *testing.T) {
	emulator := startEmulator(t)
	emulator.setEnv()
	used := 0
	base := &http.Client{
		Timeout: 7 * time.Second,
		Transport: transport(func(request *http.Request) (*http.Response, error) {
			used++
			return http.DefaultTransport.RoundTrip(request)
		}),
	}
	receiver := startReceiver(t, gatepass.WithKeysURL(emulator.keysURL()))
	client := got(gatepass.NewClient(context.WithValue(deadline(t), oauth2.HTTPClient, base), audience))(t)
	got(client.Get(receiver.URL))(t).Body.Close()
	if client.Timeout != base.Timeout || used != 1 {
		t.Errorf("timeout %s, transport used %d times", client.Timeout, used)
	}
}

// A request whose token cannot be had fails with the error, ends with its own context, and closes its body.
func TestClientWithoutAToken(t *testing.T) {
	clearEnv(t)
	t.Setenv("NO_GCE_CHECK", "true")
	client := got(gatepass.NewClient(deadline(t), audience, gatepass.WithTrustedEndpoints()))(t)
	body := &closing{Reader: strings.NewReader("x")}
	request := got(http.NewRequestWithContext(deadline(t), http.MethodPost, "http://127.0.0.1:1", body))(t)
	if _, err := client.Do(request); !errors.Is(err, gatepass.ErrCredentialsNotFound) || !body.closed {
		t.Errorf("%v, body closed: %t", err, body.closed)
	}

	server := startMetadataServer(t)
	client = got(gatepass.NewClient(deadline(t), audience, gatepass.WithTrustedEndpoints()))(t)
	ctx, cancel := context.WithCancel(deadline(t))
	go func() {
		server.next(t)
		cancel()
	}()
	request = got(http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1:1", nil))(t)
	if _, err := client.Do(request); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

type closing struct {
	io.Reader
	closed bool
}

func (c *closing) Close() error {
	c.closed = true
	return nil
}

// sendRaw writes a request as it stands, with headers that net/http would not send.
func sendRaw(request *http.Request) (*http.Response, error) {
	connection, err := new(net.Dialer).DialContext(request.Context(), "tcp", request.URL.Host)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(request.Context(), func() { connection.Close() })
	fmt.Fprintf(connection, "GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n", request.URL.Host)
	for name, values := range request.Header {
		for _, value := range values {
			fmt.Fprintf(connection, "%s: %s\r\n", name, value)
		}
	}
	fmt.Fprint(connection, "\r\n")
	return http.ReadResponse(bufio.NewReader(connection), request)
}

// claimsIn reads the claims of a token as they stand.
func claimsIn(t *testing.T, token string) object {
	var claims object
	payload := strings.Split(token, ".")[1]
	must(t, json.Unmarshal(got(base64.RawURLEncoding.DecodeString(payload))(t), &claims))
	return claims
}

func base64url(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
