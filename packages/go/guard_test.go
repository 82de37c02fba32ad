package gatepass_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"gatepass.dev/gatepass"
)

// startGuarded is a service behind the middleware that answers with its caller's e-mail, or "nobody".
func startGuarded(t *testing.T, emulator *emulator, options ...gatepass.MiddlewareOption) *httptest.Server {
	t.Helper()
	verifier := got(gatepass.NewVerifier(gatepass.WithAudience(audience), gatepass.WithKeysURL(emulator.keysURL())))(t)
	server := httptest.NewUnstartedServer(gatepass.RequireIDToken(verifier, options...)(http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			if payload, found := gatepass.ClaimsFromContext(r.Context()); found {
				fmt.Fprint(w, payload.Claims["email"])
			} else {
				fmt.Fprint(w, "nobody")
			}
		})))
	t.Cleanup(server.Close)
	return server
}

func TestWhatTheMiddlewareLetsPassWithoutAToken(t *testing.T) {
	emulator := startEmulator(t)
	good := "Bearer " + emulator.mint(idToken{Audience: audience, Email: caller})
	preflight := http.Header{"Origin": {"https://a.example"}, "Access-Control-Request-Method": {"PUT"}}
	optional, open, cors := gatepass.WithOptionalToken(), gatepass.WithOpenPaths("/health", "/docs/"), gatepass.WithAllowCORSPreflight()
	for name, c := range map[string]struct {
		option       gatepass.MiddlewareOption
		method, path string
		header       http.Header
		status       int
		body         string
	}{
		"optional, none":        {optional, "GET", "/", nil, 200, "nobody"},
		"optional, good":        {optional, "GET", "/", http.Header{"Authorization": {good}}, 200, caller},
		"optional, bad":         {optional, "GET", "/", http.Header{"Authorization": {good + "x"}}, 401, "TOKEN_MALFORMED"},
		"optional, two":         {optional, "GET", "/", http.Header{"Authorization": {good, good}}, 401, "TOKEN_MALFORMED"},
		"open path":             {open, "GET", "/health", nil, 200, "nobody"},
		"open path, bad token":  {open, "GET", "/health?a=b", http.Header{"Authorization": {"Bearer x"}}, 200, "nobody"},
		"below an open path":    {open, "GET", "/docs/a", nil, 401, "TOKEN_MISSING"},
		"another path":          {open, "GET", "/healthy", nil, 401, "TOKEN_MISSING"},
		"through an open path":  {open, "GET", "/docs/../orders", nil, 401, "TOKEN_MISSING"},
		"in other spelling":     {open, "GET", "//health", nil, 401, "TOKEN_MISSING"},
		"with an escaped slash": {open, "GET", "/docs%2F", nil, 401, "TOKEN_MISSING"}, // A router may have it as {name}.
		"with escaped letters":  {open, "GET", "/%68ealth", nil, 401, "TOKEN_MISSING"},
		"preflight":             {cors, "OPTIONS", "/", preflight, 200, "nobody"},
		"preflight, not asked":  {open, "OPTIONS", "/", preflight, 401, "TOKEN_MISSING"},
		"OPTIONS, no preflight": {cors, "OPTIONS", "/", nil, 401, "TOKEN_MISSING"},
		"GET, no preflight":     {cors, "GET", "/", preflight, 401, "TOKEN_MISSING"},
	} {
		t.Run(name, func(t *testing.T) {
			server := startGuarded(t, emulator, c.option)
			recorder := httptest.NewRecorder()
			request := httptest.NewRequest(c.method, c.path, nil)
			for name, values := range c.header {
				request.Header[name] = values
			}
			server.Config.Handler.ServeHTTP(recorder, request)
			if recorder.Code != c.status || !strings.Contains(recorder.Body.String(), c.body) {
				t.Errorf("%d %s", recorder.Code, recorder.Body)
			}
		})
	}
}

// A refusal is one line in the log, or whatever the service makes of it, and says nothing of the token but whom it claims
// to be of.
func TestRefusalsAreNoted(t *testing.T) {
	emulator := startEmulator(t)
	token := emulator.mint(idToken{Audience: "https://another.example", Email: caller})
	request := httptest.NewRequest(http.MethodGet, "/orders?secret=hunter2", nil)
	request.Header.Set("Authorization", "Bearer "+token)

	var logged bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&logged, nil)))
	defer slog.SetDefault(before)
	startGuarded(t, emulator).Config.Handler.ServeHTTP(httptest.NewRecorder(), request)
	line := logged.String()
	for _, part := range []string{"level=WARN", "BAD_AUDIENCE", "/orders", caller, "unverified"} {
		if strings.Count(line, "\n") != 1 || !strings.Contains(line, part) {
			t.Errorf("%q, expected one line with %q", line, part)
		}
	}
	if strings.Contains(line, "hunter2") || strings.Contains(line, token[:20]) || strings.Contains(line, token[len(token)-20:]) {
		t.Errorf("the log shows a secret: %s", line)
	}

	logged.Reset()
	var told []string
	hook := gatepass.WithOnRefusal(func(r *http.Request, err *gatepass.Error) { told = append(told, r.URL.Path, string(err.Code)) })
	recorder := httptest.NewRecorder()
	startGuarded(t, emulator, hook).Config.Handler.ServeHTTP(recorder, request)
	if recorder.Code != 401 || fmt.Sprint(told) != "[/orders BAD_AUDIENCE]" || logged.Len() > 0 {
		t.Errorf("%d, %v, %s", recorder.Code, told, &logged)
	}
}

// A hook that panics does not let a request pass, and the service goes on.
func TestAHookThatPanics(t *testing.T) {
	emulator := startEmulator(t)
	server := startGuarded(t, emulator, gatepass.WithOnRefusal(func(*http.Request, *gatepass.Error) { panic("hunter2") }))
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.Start()
	if response, err := server.Client().Get(server.URL); err == nil {
		t.Errorf("%s, expected that the connection is closed", response.Status)
	}
	request := got(http.NewRequest(http.MethodGet, server.URL, nil))(t)
	request.Header.Set("Authorization", "Bearer "+emulator.mint(idToken{Audience: audience, Email: caller}))
	response := got(server.Client().Do(request))(t)
	response.Body.Close()
	if response.StatusCode != 200 {
		t.Error(response.Status)
	}
}

// However a request comes, a header that is there twice is refused.
func TestRawRequests(t *testing.T) {
	emulator := startEmulator(t)
	good := emulator.mint(idToken{Audience: audience, Email: caller})
	cases := map[string]struct {
		lines  []string
		status int
	}{
		"good":                {[]string{"Authorization: Bearer " + good}, 200},
		"lower case":          {[]string{"authorization: bearer " + good}, 200},
		"white space around":  {[]string{"Authorization: \t Bearer   " + good + " \t"}, 200},
		"twice the same":      {[]string{"Authorization: Bearer " + good, "Authorization: Bearer " + good}, 401},
		"another first":       {[]string{"Authorization: Bearer hunter2", "Authorization: Bearer " + good}, 401},
		"another last":        {[]string{"Authorization: Bearer " + good, "authorization: Bearer hunter2"}, 401},
		"with a comma":        {[]string{"Authorization: Bearer " + good + ", Bearer " + good}, 401},
		"an empty one":        {[]string{"Authorization:", "Authorization: Bearer " + good}, 401},
		"twice serverless":    {[]string{"X-Serverless-Authorization: Bearer " + good, "X-Serverless-Authorization: Bearer " + good}, 401},
		"serverless is empty": {[]string{"X-Serverless-Authorization:", "Authorization: Bearer " + good}, 200},
		"serverless wins":     {[]string{"X-Serverless-Authorization: Bearer hunter2", "Authorization: Bearer " + good}, 401},
		"two words":           {[]string{"Authorization: Bearer " + good + " " + good}, 401},
		"none":                {nil, 401},
	}
	http1 := startGuarded(t, emulator)
	http1.Start()
	http2 := startGuarded(t, emulator)
	http2.EnableHTTP2 = true
	http2.StartTLS()
	h2c := startGuarded(t, emulator)
	h2c.Config.Protocols = new(http.Protocols)
	h2c.Config.Protocols.SetUnencryptedHTTP2(true)
	h2c.Start()
	plain := &http.Transport{Protocols: new(http.Protocols)}
	plain.Protocols.SetUnencryptedHTTP2(true)
	defer plain.CloseIdleConnections()

	for name, c := range cases {
		if status := statusOfRaw(t, http1.Listener.Addr().String(), c.lines); status != c.status {
			t.Errorf("%s, HTTP/1.1: %d, expected %d", name, status, c.status)
		}
		for protocol, client := range map[string]struct {
			url     string
			carrier http.RoundTripper
		}{"HTTP/2": {http2.URL, http2.Client().Transport}, "h2c": {h2c.URL, plain}} {
			request := got(http.NewRequestWithContext(deadline(t), http.MethodGet, client.url, nil))(t)
			for _, line := range c.lines {
				name, value, _ := strings.Cut(line, ":")
				request.Header.Add(name, strings.Trim(value, " \t"))
			}
			response := got(client.carrier.RoundTrip(request))(t)
			response.Body.Close()
			if response.ProtoMajor != 2 || response.StatusCode != c.status {
				t.Errorf("%s, %s: %s %d, expected %d", name, protocol, response.Proto, response.StatusCode, c.status)
			}
		}
	}
}

func statusOfRaw(t *testing.T, address string, lines []string) int {
	t.Helper()
	connection := got(new(net.Dialer).DialContext(deadline(t), "tcp", address))(t)
	defer connection.Close()
	fmt.Fprintf(connection, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n")
	for _, line := range lines {
		fmt.Fprintf(connection, "%s\r\n", line)
	}
	io.WriteString(connection, "\r\n")
	response := got(http.ReadResponse(bufio.NewReader(connection), nil))(t)
	response.Body.Close()
	return response.StatusCode
}

// The headers of an event are a map, in whatever case.
func TestHeadersOfAMap(t *testing.T) {
	emulator := startEmulator(t)
	verifier := got(gatepass.NewVerifier(gatepass.WithAudience(audience), gatepass.WithKeysURL(emulator.keysURL())))(t)
	good := "Bearer " + emulator.mint(idToken{Audience: audience, Email: caller})
	for name, c := range map[string]struct {
		headers map[string][]string
		err     error
	}{
		"lower case":                {map[string][]string{"authorization": {good}}, nil},
		"upper case":                {map[string][]string{"AUTHORIZATION": {good}}, nil},
		"http":                      {http.Header{"Authorization": {good}}, nil},
		"serverless":                {map[string][]string{"x-SERVERLESS-authorization": {good}}, nil},
		"two values":                {map[string][]string{"authorization": {good, good}}, gatepass.ErrTokenMalformed},
		"two cases":                 {map[string][]string{"authorization": {good}, "Authorization": {good}}, gatepass.ErrTokenMalformed},
		"two other cases":           {map[string][]string{"AUTHORIZATION": {good}, "aUTHORIZATION": {good}}, gatepass.ErrTokenMalformed},
		"no values":                 {map[string][]string{"authorization": {}}, gatepass.ErrTokenMissing},
		"letters that only look so": {map[string][]string{"x-\u017ferverless-authorization": {"Bearer x"}, "authorization": {good}}, nil},
		"nothing":                   {nil, gatepass.ErrTokenMissing},
	} {
		if payload, err := verifier.ValidateHeaders(deadline(t), c.headers); !errors.Is(err, c.err) || err == nil && payload.Claims["email"] != caller {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Headers that are asked for one by one.
func TestHeadersOfAFunction(t *testing.T) {
	emulator := startEmulator(t)
	verifier := got(gatepass.NewVerifier(gatepass.WithAudience(audience), gatepass.WithKeysURL(emulator.keysURL())))(t)
	good := "Bearer " + emulator.mint(idToken{Audience: audience, Email: caller})
	for name, c := range map[string]struct {
		values func(string) []string
		err    error
	}{
		"one value":   {http.Header{"Authorization": {good}}.Values, nil},
		"two values":  {http.Header{"Authorization": {good, good}}.Values, gatepass.ErrTokenMalformed},
		"no function": {nil, gatepass.ErrTokenMissing},
	} {
		if payload, err := verifier.ValidateHeaderFunc(deadline(t), c.values); !errors.Is(err, c.err) || err == nil && payload.Claims["email"] != caller {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What was made by nobody is an error, not the end of the process.
func TestZeroValues(t *testing.T) {
	ctx := deadline(t)
	request := httptest.NewRequest(http.MethodGet, "/", nil)
	for _, verifier := range []*gatepass.Verifier{nil, {}} {
		_, validate := verifier.Validate(ctx, "a")
		_, validateRequest := verifier.ValidateRequest(request)
		_, validateHeaders := verifier.ValidateHeaders(ctx, nil)
		_, validateHeaderFunc := verifier.ValidateHeaderFunc(ctx, nil)
		_, explain := verifier.Explain("a", gatepass.Call{})
		for _, err := range []error{validate, validateRequest, validateHeaders, validateHeaderFunc, explain} {
			if !errors.Is(err, gatepass.ErrInvalidOption) || !strings.Contains(err.Error(), "NewVerifier") {
				t.Errorf("%v", err)
			}
		}
		recorder := httptest.NewRecorder()
		gatepass.RequireIDToken(verifier)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			t.Error("it was let pass")
		})).ServeHTTP(recorder, request)
		if recorder.Code != http.StatusInternalServerError {
			t.Errorf("%d", recorder.Code)
		}
	}
	for _, source := range []*gatepass.Source{nil, {}} {
		_, idToken := source.IDToken(ctx, audience)
		_, header := source.IDTokenHeader(ctx, audience)
		_, accessToken := source.AccessToken(ctx)
		_, headers := source.AccessTokenHeaders(ctx)
		_, jwt := source.SelfSignedJWT(ctx, audience)
		_, principal := source.Principal(ctx)
		_, signature := source.SignBytes(ctx, nil)
		for _, err := range []error{idToken, header, accessToken, headers, jwt, principal, signature} {
			if !errors.Is(err, gatepass.ErrInvalidOption) || !strings.Contains(err.Error(), "NewSource") {
				t.Errorf("%v", err)
			}
		}
		source.Invalidate(nil)
	}
	tokens := gatepass.TokenSource{}
	_, token := tokens.Token()
	_, header := tokens.Header()
	for _, err := range []error{token, header} {
		if !errors.Is(err, gatepass.ErrInvalidOption) || !strings.Contains(err.Error(), "NewTokenSource") {
			t.Errorf("%v", err)
		}
	}
	tokens.Invalidate(nil)
}

// A context that is nil is the background, as for oauth2. Nobody waits for what was begun with one, either.
func TestANilContext(t *testing.T) {
	emulator := startEmulator(t)
	emulator.setEnv()
	var none context.Context
	token := got(gatepass.FetchIDToken(none, audience))(t)
	got(got(gatepass.NewSource())(t).AccessToken(none, "email"))(t)
	got(got(gatepass.NewTokenSource(none, audience))(t).Token())(t)
	got(gatepass.NewClient(none, audience))(t)
	verifier := got(gatepass.NewVerifier(gatepass.WithAudience(audience), gatepass.WithKeysURL(emulator.URL+"/oauth2/v3/certs")))(t)
	got(verifier.Validate(none, token))(t)
	got(verifier.Validate(deadline(t), token))(t)
}
