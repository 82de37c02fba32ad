package gatepass_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"sync"
	"testing"
	"time"

	"gatepass.dev/gatepass"
)

const caller = "caller@project.iam.gserviceaccount.com"

func TestValidateWithFetchedKeys(t *testing.T) {
	// Nobody has asked for this one: the verifiers behind Validate, and their keys, are the process's own.
	audience := audience + "/" + rand.Text()
	emulator := startEmulator(t)
	token := emulator.mint(idToken{
		Audience: audience, Email: caller, Claims: object{"list": []any{"a", object{"b": 1}}},
	})
	keys := gatepass.WithKeysURL(emulator.ownKeysURL())
	for range 3 {
		payload := got(gatepass.Validate(deadline(t), token, audience, keys))(t)
		if payload.Issuer != "https://accounts.google.com" || payload.Audience != audience || payload.Subject == "" ||
			payload.Expires-payload.IssuedAt != 3600 || payload.Claims["email"] != caller {
			t.Fatalf("%+v", payload)
		}
		// Whoever changes a clone changes it for nobody else.
		clone := payload.Clone()
		if !reflect.DeepEqual(clone, payload) {
			t.Fatalf("%+v is no clone", clone)
		}
		clone.Subject, clone.Claims["email"] = "someone else", "someone@else.example"
		clone.Claims["list"].([]any)[1].(map[string]any)["b"] = 2.0
		again := got(gatepass.Validate(deadline(t), token, audience, keys))(t)
		if again.Subject != payload.Subject || again.Claims["email"] != caller ||
			!reflect.DeepEqual(again.Claims["list"], []any{"a", map[string]any{"b": 1.0}}) {
			t.Fatalf("%+v", again)
		}
	}
	if requests := emulator.requests("/oauth2/v3/certs"); requests != 1 {
		t.Errorf("%d requests for the keys, expected 1", requests)
	}

	_, err := gatepass.Validate(deadline(t), token, "https://another.example", keys)
	var refused *gatepass.Error
	if !errors.As(err, &refused) || refused.Code != gatepass.ErrBadAudience || refused.Claim != "aud" ||
		refused.Kind != gatepass.KindVerify || refused.Retryable {
		t.Errorf("%+v", refused)
	}
	if _, err := gatepass.Validate(deadline(t), token, "", keys); !errors.Is(err, gatepass.ErrInvalidOption) {
		t.Errorf("%v: an empty audience must not pass", err)
	}
}

func TestAnAudienceInAList(t *testing.T) {
	emulator := startEmulator(t)
	token := emulator.mint(idToken{Claims: object{"aud": []string{"https://another.example", audience}}})
	payload := got(gatepass.Validate(deadline(t), token, audience, gatepass.WithKeysURL(emulator.keysURL())))(t)
	if payload.Audience != "" || !reflect.DeepEqual(payload.Claims["aud"], []any{"https://another.example", audience}) {
		t.Errorf("%+v", payload)
	}
}

func TestIAP(t *testing.T) {
	const backend = "/projects/1/global/backendServices/2"
	emulator := startEmulator(t)
	token := emulator.mint(idToken{Key: "iap", Audience: backend, Email: caller})
	verifier := got(gatepass.NewVerifier(
		gatepass.WithPreset(gatepass.IAP), gatepass.WithAudience(backend), gatepass.WithAllowedEmails(caller),
		gatepass.WithKeysURL(emulator.URL+"/iap/verify/public_key-jwk")))(t)
	request := httptest.NewRequest(http.MethodGet, "/", nil)
	request.Header.Set("X-Goog-IAP-JWT-Assertion", token)
	if got(verifier.ValidateRequest(request))(t).Claims["email"] != caller {
		t.Error("another caller")
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Del("X-Goog-IAP-JWT-Assertion")
	if _, err := verifier.ValidateRequest(request); !errors.Is(err, gatepass.ErrTokenMissing) {
		t.Errorf("%v", err)
	}
}

func TestAnyIssuer(t *testing.T) {
	emulator := startEmulator(t)
	token := emulator.mint(idToken{Audience: audience, Claims: object{"iss": "https://issuer.example"}})
	verifier := got(gatepass.NewVerifier(
		gatepass.WithIssuers("https://issuer.example"), gatepass.WithAlgorithms("RS256"), gatepass.WithAnyAudience(),
		gatepass.WithKeysURL(emulator.keysURL())))(t)
	if got(verifier.Validate(deadline(t), token))(t).Issuer != "https://issuer.example" {
		t.Error("another issuer")
	}
}

func TestVerifiersThatCannotBe(t *testing.T) {
	audience := gatepass.WithAudience(audience)
	cases := map[string][]gatepass.VerifierOption{
		"no audience":                 {},
		"any and an audience":         {audience, gatepass.WithAnyAudience()},
		"unknown preset":              {audience, gatepass.WithPreset("gogle")},
		"unknown algorithm":           {audience, gatepass.WithAlgorithms("none")},
		"an empty list of callers":    {audience, gatepass.WithAllowedEmails()},
		"an empty list of unique ids": {audience, gatepass.WithAllowedSubjects()},
		"any caller, and one":         {audience, gatepass.WithAnyCaller(), gatepass.WithAllowedSubjects("1")},
		"OIDC without an issuer":      {audience, gatepass.WithPreset(gatepass.OIDC)},
		"OIDC without TLS":            {audience, gatepass.WithPreset(gatepass.OIDC), gatepass.WithIssuers("http://a.example")},
		"an issuer and keys":          {audience, gatepass.WithIssuers("https://a.example"), gatepass.WithKeysURL("https://a.example")},
		"two kinds of keys":           {audience, gatepass.WithKeys([]byte("{}")), gatepass.WithKeysURL("https://a.example")},
		"keys without TLS":            {audience, gatepass.WithKeysURL("http://a.example")},
		"keys that are none":          {audience, gatepass.WithKeys([]byte("hunter2"))},
		"a leeway of a day":           {audience, gatepass.WithLeeway(24 * time.Hour)},
		"a negative leeway":           {audience, gatepass.WithLeeway(-time.Second)},
	}
	for name, options := range cases {
		if _, err := gatepass.NewVerifier(options...); !isUsage(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTimesFollowTheClock(t *testing.T) {
	emulator := startEmulator(t)
	clock := clockAt(time.Now())
	token := emulator.mint(idToken{Audience: audience, Lifetime: 10 * time.Minute})
	verifier := got(gatepass.NewVerifier(
		gatepass.WithAudience(audience), gatepass.WithKeysURL(emulator.keysURL()), gatepass.WithClock(clock.now)))(t)
	got(verifier.Validate(deadline(t), token))(t)
	clock.advance(11 * time.Minute)
	if _, err := verifier.Validate(deadline(t), token); !errors.Is(err, gatepass.ErrTokenExpired) {
		t.Errorf("%v", err)
	}
	clock.advance(-12 * time.Minute)
	if _, err := verifier.Validate(deadline(t), token); !errors.Is(err, gatepass.ErrTokenIssuedInFuture) {
		t.Errorf("%v", err)
	}
}

// Whoever needs the keys while they are fetched waits for that one request.
func TestHerdForKeys(t *testing.T) {
	emulator := startEmulator(t)
	emulator.fault("/oauth2/v3/certs", fault{Delay: 100 * time.Millisecond})
	token := emulator.mint(idToken{Audience: audience})
	verifier := got(gatepass.NewVerifier(
		gatepass.WithAudience(audience), gatepass.WithKeysURL(emulator.ownKeysURL())))(t)
	var done sync.WaitGroup
	for range 100 {
		done.Add(1)
		go func() {
			defer done.Done()
			if _, err := verifier.Validate(deadline(t), token); err != nil {
				t.Error(err)
			}
		}()
	}
	done.Wait()
	if requests := emulator.requests("/oauth2/v3/certs"); requests != 1 {
		t.Errorf("%d requests, expected 1", requests)
	}
}

// Verifiers with the same keys URL share the keys, and who fetches them, whatever else they want.
func TestVerifiersShareKeys(t *testing.T) {
	emulator := startEmulator(t)
	emulator.fault("/oauth2/v3/certs", fault{Delay: 100 * time.Millisecond})
	keys := gatepass.WithKeysURL(emulator.ownKeysURL())
	var done sync.WaitGroup
	for i := range 10 {
		audience := fmt.Sprintf("%s/%d", audience, i)
		token := emulator.mint(idToken{Audience: audience})
		verifier := got(gatepass.NewVerifier(gatepass.WithAudience(audience), keys))(t)
		done.Add(1)
		go func() {
			defer done.Done()
			if _, err := verifier.Validate(deadline(t), token); err != nil {
				t.Error(err)
			}
		}()
	}
	done.Wait()
	if requests := emulator.requests("/oauth2/v3/certs"); requests != 1 {
		t.Errorf("%d requests, expected 1", requests)
	}
}

// Tokens with unknown key ids, however many, make one request for keys besides the ordinary one.
func TestUnknownKeys(t *testing.T) {
	emulator := startEmulator(t)
	verifier := got(gatepass.NewVerifier(
		gatepass.WithAudience(audience), gatepass.WithKeysURL(emulator.ownKeysURL())))(t)
	for _, kid := range []string{"a", "b", "c"} {
		token := emulator.mint(idToken{Audience: audience, Header: object{"kid": kid}})
		if _, err := verifier.Validate(deadline(t), token); !errors.Is(err, gatepass.ErrUnknownKey) {
			t.Errorf("%v", err)
		}
	}
	if requests := emulator.requests("/oauth2/v3/certs"); requests != 2 {
		t.Errorf("%d requests, expected 2", requests)
	}
}

// A verification that is cancelled while it fetches keys leaves the fetch to others.
func TestACancelledVerificationLeavesTheKeysToOthers(t *testing.T) {
	emulator := startEmulator(t)
	token := emulator.mint(idToken{Audience: audience})
	arrived, goOn := make(chan struct{}), make(chan struct{})
	keys := transport(func(request *http.Request) (*http.Response, error) {
		close(arrived) // A second request would panic.
		<-goOn
		return http.DefaultTransport.RoundTrip(request)
	})
	verifier := got(gatepass.NewVerifier(
		gatepass.WithAudience(audience), gatepass.WithKeysURL(emulator.keysURL()), gatepass.WithTransport(keys)))(t)
	ctx, cancel := context.WithCancel(deadline(t))
	first := make(chan error, 1)
	go func() {
		_, err := verifier.Validate(ctx, token)
		first <- err
	}()
	<-arrived
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	second := make(chan error, 1)
	go func() {
		_, err := verifier.Validate(deadline(t), token)
		second <- err
	}()
	close(goOn)
	must(t, <-second)
}

// A transport is one of a function.
type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(request *http.Request) (*http.Response, error) { return t(request) }
