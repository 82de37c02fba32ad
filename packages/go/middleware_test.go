package gatepass_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"gatepass.dev/gatepass"
)

// startReceiver is a service behind the middleware, which answers with its caller's e-mail.
func startReceiver(t *testing.T, options ...gatepass.VerifierOption) *httptest.Server {
	t.Helper()
	verifier := got(gatepass.NewVerifier(append(options, gatepass.WithAudience(audience))...))(t)
	server := httptest.NewServer(gatepass.RequireIDToken(verifier)(http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			payload, found := gatepass.ClaimsFromContext(r.Context())
			if !found {
				http.Error(w, "no claims", http.StatusInternalServerError)
				return
			}
			fmt.Fprint(w, payload.Claims["email"])
		})))
	t.Cleanup(server.Close)
	return server
}

func TestMiddleware(t *testing.T) {
	emulator := startEmulator(t)
	receiver := startReceiver(t, gatepass.WithKeysURL(emulator.keysURL()), gatepass.WithAllowedEmails(caller))
	good := emulator.mint(idToken{Audience: audience, Email: caller})
	bearer := func(token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }
	minted := func(order idToken) http.Header { return bearer(emulator.mint(order)) }

	cases := map[string]struct {
		header http.Header
		status int
		code   gatepass.Code
	}{
		"good":      {bearer(good), 200, ""},
		"missing":   {http.Header{}, 401, gatepass.ErrTokenMissing},
		"no token":  {bearer("hunter2"), 401, gatepass.ErrTokenMalformed},
		"not UTF-8": {bearer("\xff\xfe"), 401, gatepass.ErrTokenMalformed},
		"other audience": {minted(idToken{Audience: "https://another.example", Email: caller}),
			401, gatepass.ErrBadAudience},
		"expired": {minted(idToken{Audience: audience, Email: caller, IssuedAt: time.Unix(1_700_000_000, 0)}),
			401, gatepass.ErrTokenExpired},
		"tampered": {bearer(good[:len(good)-20] + strings.Repeat("A", 20)), 401, gatepass.ErrBadSignature},
		"stripped": {minted(idToken{Audience: audience, Email: caller, StripSignature: true}),
			401, gatepass.ErrSignatureStripped},
		"not allowed": {minted(idToken{Audience: audience, Email: "other@project.example"}),
			403, gatepass.ErrEmailNotAllowed},
		"not verified": {minted(idToken{Audience: audience, Email: caller, Claims: object{"email_verified": false}}),
			403, gatepass.ErrEmailNotVerified},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			answer := get(t, receiver.URL, c.header)
			if answer.status != c.status {
				t.Errorf("%d %s, expected %d", answer.status, answer.body, c.status)
			}
			if c.status == 200 {
				if answer.body != caller {
					t.Errorf("the caller is %s", answer.body)
				}
				return
			}
			answer.mustHold(t, c.code)
			challenge := answer.header.Get("WWW-Authenticate")
			expected := `Bearer error="invalid_token"`
			if c.code == gatepass.ErrTokenMissing {
				expected = "Bearer" // RFC 6750, section 3.1
			}
			if c.status == 401 && challenge != expected {
				t.Errorf("WWW-Authenticate is %q", challenge)
			}
		})
	}
}

func TestMiddlewareWithoutKeys(t *testing.T) {
	emulator := startEmulator(t)
	receiver := startReceiver(t, gatepass.WithKeysURL(emulator.ownKeysURL()))
	good := http.Header{"Authorization": {"Bearer " + emulator.mint(idToken{Audience: audience, Email: caller})}}
	emulator.fault("/oauth2/v3/certs", fault{Status: 404})
	answer := get(t, receiver.URL, good)
	if answer.status != 503 || answer.header.Get("Retry-After") == "" {
		t.Errorf("%d, Retry-After %q", answer.status, answer.header.Get("Retry-After"))
	}
	answer.mustHold(t, gatepass.ErrKeysUnavailable)
	if again := get(t, receiver.URL, good); again.status != 200 {
		t.Errorf("%d %s, expected that it works again", again.status, again.body)
	}
}

// A request that ends before there is a verdict is not let pass, and its token is not called wrong.
func TestMiddlewareWhenTheRequestEnds(t *testing.T) {
	verifier := got(gatepass.NewVerifier(
		gatepass.WithAudience(audience), gatepass.WithKeysURL("https://keys.example"),
		gatepass.WithTransport(transport(func(request *http.Request) (*http.Response, error) {
			<-request.Context().Done()
			return nil, request.Context().Err()
		}))))(t)
	handler := gatepass.RequireIDToken(verifier)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("it was let pass")
	}))
	ctx, cancel := context.WithCancel(deadline(t))
	cancel()
	request := httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil)
	header := `{"alg":"RS256","kid":"a"}`
	request.Header.Set("Authorization", "Bearer "+base64url(header)+"."+base64url("{}")+"."+base64url("x"))
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	if recorder.Code != http.StatusServiceUnavailable {
		t.Errorf("%d", recorder.Code)
	}
}

func TestNoClaimsOutsideTheMiddleware(t *testing.T) {
	if payload, found := gatepass.ClaimsFromContext(t.Context()); found || payload != nil {
		t.Error("claims from nowhere")
	}
}

type answer struct {
	status int
	header http.Header
	body   string
}

func get(t *testing.T, url string, header http.Header) answer {
	t.Helper()
	request := got(http.NewRequestWithContext(deadline(t), http.MethodGet, url, nil))(t)
	request.Header = header
	// The transport itself refuses some of the headers that a stranger may send.
	response := got(sendRaw(request))(t)
	defer response.Body.Close()
	body := got(io.ReadAll(response.Body))(t)
	return answer{response.StatusCode, response.Header, string(body)}
}

// mustHold wants an error's answer: the code, no word of the token.
func (a answer) mustHold(t *testing.T, code gatepass.Code) {
	t.Helper()
	var body struct{ Error gatepass.Code }
	if err := json.Unmarshal([]byte(a.body), &body); err != nil || body.Error != code {
		t.Errorf("the body is %s, expected %s", a.body, string(code))
	}
	if a.header.Get("Content-Type") != "application/json" || strings.Contains(a.body, "hunter2") {
		t.Errorf("%v %s", a.header, a.body)
	}
}

// A handler is tested without a token.
func TestContextWithClaims(t *testing.T) {
	payload := &gatepass.Payload{Subject: "1"}
	if found, isFound := gatepass.ClaimsFromContext(gatepass.ContextWithClaims(t.Context(), payload)); !isFound || found != payload {
		t.Errorf("%v %t", found, isFound)
	}
	if found, isFound := gatepass.ClaimsFromContext(t.Context()); isFound {
		t.Errorf("%v", found)
	}
}
