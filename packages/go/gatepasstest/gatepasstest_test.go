package gatepasstest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"gatepass.dev/gatepass"
	"gatepass.dev/gatepass/gatepasstest"
)

const (
	audience = "https://orders.example"
	caller   = "caller@shop.iam.gserviceaccount.com"
)

// With its environment, both sides take the emulator for Google, and so does whoever comes after another emulator.
func TestBothSidesFindTheEmulator(t *testing.T) {
	for _, name := range []string{"first", "second"} {
		t.Run(name, func(t *testing.T) {
			emulator := gatepasstest.Start(t, gatepasstest.WithArguments("--email", name+"@shop.example"))
			emulator.Setenv(t)
			token, err := gatepass.FetchIDToken(t.Context(), audience)
			if err != nil {
				t.Fatal(err)
			}
			payload, err := gatepass.Validate(t.Context(), token, audience)
			if err != nil || payload.Claims["email"] != name+"@shop.example" {
				t.Errorf("%+v, %v", payload, err)
			}
			if _, err := gatepass.Validate(t.Context(), emulator.Mint(t, gatepasstest.Token{Audience: "another"}), audience); !errors.Is(err, gatepass.ErrBadAudience) {
				t.Error(err)
			}
		})
	}
	if value, found := os.LookupEnv("GATEPASS_DANGEROUSLY_TRUST_EMULATOR"); found {
		t.Errorf("the emulator is trusted after the test: %s", value)
	}
}

// The credentials of this machine must not get into a test.
func TestThisMachinesCredentialsAreHidden(t *testing.T) {
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", "/no/such/file")
	emulator := gatepasstest.Start(t)
	emulator.Setenv(t)
	if _, err := gatepass.FetchIDToken(t.Context(), audience); err != nil {
		t.Error(err)
	}
}

func TestOrders(t *testing.T) {
	emulator := gatepasstest.Start(t)
	emulator.Setenv(t)
	verifier, err := gatepass.NewVerifier(gatepass.WithAudience(audience))
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Unix(1_700_000_000, 0)
	for name, c := range map[string]struct {
		order gatepasstest.Token
		err   error
	}{
		"good":     {gatepasstest.Token{Audience: audience, Email: caller}, nil},
		"expired":  {gatepasstest.Token{Audience: audience, IssuedAt: begin, Lifetime: time.Minute}, gatepass.ErrTokenExpired},
		"claims":   {gatepasstest.Token{Audience: audience, Claims: map[string]any{"iss": "https://a.example"}}, gatepass.ErrBadIssuer},
		"omit":     {gatepasstest.Token{Audience: audience, Omit: []string{"exp"}}, gatepass.ErrMissingClaim},
		"header":   {gatepasstest.Token{Audience: audience, Header: map[string]any{"kid": "a"}}, gatepass.ErrUnknownKey},
		"key":      {gatepasstest.Token{Audience: audience, Key: "iap"}, gatepass.ErrAlgNotAllowed},
		"stripped": {gatepasstest.Token{Audience: audience, StripSignature: true}, gatepass.ErrSignatureStripped},
	} {
		payload, err := verifier.Validate(t.Context(), emulator.Mint(t, c.order))
		if c.err == nil && (err != nil || payload.Claims["email"] != caller) || c.err != nil && !errors.Is(err, c.err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestKeysRotate(t *testing.T) {
	emulator := gatepasstest.Start(t)
	before := emulator.Mint(t, gatepasstest.Token{Audience: audience})
	for i, err := range []error{nil, nil, gatepass.ErrUnknownKey} {
		verifier, opened := gatepass.NewVerifier(gatepass.WithAudience(audience),
			gatepass.WithKeysURL(fmt.Sprint(emulator.KeysURL(t), "?", i))) // So that it fetches the keys of now.
		if opened != nil {
			t.Fatal(opened)
		}
		if _, failed := verifier.Validate(t.Context(), before); !errors.Is(failed, err) {
			t.Errorf("after %d rotations: %v", i, failed)
		}
		if _, failed := verifier.Validate(t.Context(), emulator.Mint(t, gatepasstest.Token{Audience: audience})); failed != nil {
			t.Errorf("after %d rotations: %v", i, failed)
		}
		emulator.RotateKeys(t)
	}
}

func TestFaultsClockAndCounts(t *testing.T) {
	emulator := gatepasstest.Start(t)
	source, err := gatepass.NewSource(
		gatepass.WithCredentialsFile(emulator.KeyFile(t, "--email", caller)), gatepass.WithTrustedEndpoints(emulator.Host()))
	if err != nil {
		t.Fatal(err)
	}
	emulator.Fault(t, "/token", gatepasstest.Fault{Status: 400, Body: map[string]string{"error": "invalid_grant"}})
	if _, err := source.AccessToken(t.Context(), "a"); !errors.Is(err, gatepass.ErrTokenRefused) {
		t.Error(err)
	}
	emulator.Fault(t, "/token", gatepasstest.Fault{Drop: true, Times: 100})
	if requests := emulator.Requests(t, "/token"); requests != 1 {
		t.Errorf("%d requests, expected 1", requests)
	}
	emulator.SetClock(t, time.Hour)
	emulator.Reset(t) // It drops no connection any more, and its clock is right.
	token, err := source.AccessToken(t.Context(), "b")
	if err != nil {
		t.Fatal(err)
	}
	if email := emulator.TokenInfo(t, token.AccessToken)["email"]; email != caller {
		t.Errorf("the token is of %s", email)
	}
	if requests := emulator.Requests(t, "/token"); requests != 1 {
		t.Errorf("%d requests, expected 1", requests)
	}
	emulator.SetClock(t, -2*time.Hour)
	verifier, err := gatepass.NewVerifier(gatepass.WithAudience(audience), gatepass.WithKeysURL(emulator.KeysURL(t)))
	if err != nil {
		t.Fatal(err)
	}
	late := emulator.Mint(t, gatepasstest.Token{Audience: audience})
	if _, err := verifier.Validate(context.Background(), late); !errors.Is(err, gatepass.ErrTokenExpired) {
		t.Error(err)
	}
}

func TestPush(t *testing.T) {
	emulator := gatepasstest.Start(t)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/taken" {
			w.WriteHeader(http.StatusTeapot)
		}
	}))
	defer receiver.Close()
	push := []string{"--as", "tasks", "--email", caller, "--audience", audience, "--to"}
	if err := emulator.Push(t, append(push, receiver.URL+"/taken")...); err != nil {
		t.Error(err)
	}
	if err := emulator.Push(t, append(push, receiver.URL)...); err == nil || !strings.Contains(err.Error(), "418") {
		t.Errorf("%v, expected a refusal", err)
	}
}

func TestNoProgram(t *testing.T) {
	if _, err := gatepasstest.Launch(gatepasstest.WithProgram("/no/such/program")); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	t.Setenv("GATEPASS_PROGRAM", "")
	t.Setenv("PATH", "")
	if _, err := gatepasstest.Launch(); err == nil || !strings.Contains(err.Error(), "set GATEPASS_PROGRAM") {
		t.Error(err)
	}
	if !strings.HasPrefix(authority(t), "-----BEGIN CERTIFICATE-----") {
		t.Error("no certificate")
	}
}

func authority(t *testing.T) string {
	t.Setenv("GATEPASS_PROGRAM", program)
	return gatepasstest.Start(t).Authority(t)
}

var program = os.Getenv("GATEPASS_PROGRAM")
