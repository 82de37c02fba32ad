package gatepass_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"gatepass.dev/gatepass"
)

// The requests of Google's senders reach a service behind the middleware, and nobody else's do.
func TestSenders(t *testing.T) {
	emulator := startEmulator(t)
	const sender = "sender@project.iam.gserviceaccount.com"
	presets := map[string]gatepass.Preset{
		"pubsub": gatepass.PubSub, "tasks": gatepass.CloudTasks, "scheduler": gatepass.CloudScheduler,
		"eventarc": gatepass.Eventarc,
	}
	cases := map[string]struct {
		email, audience string
		status          int
		code            gatepass.Code
	}{
		"the sender":       {sender, audience, http.StatusOK, ""},
		"another account":  {"other@project.iam.gserviceaccount.com", audience, http.StatusForbidden, gatepass.ErrEmailNotAllowed},
		"another audience": {sender, audience + "/other", http.StatusUnauthorized, gatepass.ErrBadAudience},
	}
	for as, preset := range presets {
		for name, c := range cases {
			t.Run(as+" "+name, func(t *testing.T) {
				receiver := startReceiver(t, gatepass.WithPreset(preset), gatepass.WithAllowedEmails(sender),
					gatepass.WithKeysURL(emulator.keysURL()))
				received := make(chan answer, 1)
				// The sender does not show what it is answered.
				between := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					passed := get(t, receiver.URL, r.Header)
					received <- passed
					w.WriteHeader(passed.status)
				}))
				defer between.Close()
				err := emulator.Push(t, "--as", as, "--to", between.URL, "--email", c.email, "--audience", c.audience)
				if taken := err == nil; taken != (c.status == http.StatusOK) {
					t.Error(err)
				}
				answered := <-received
				if answered.status != c.status {
					t.Fatalf("%d %s, expected %d", answered.status, answered.body, c.status)
				}
				if c.code != "" {
					answered.mustHold(t, c.code)
				} else if answered.body != sender {
					t.Errorf("the caller is %s", answered.body)
				}
			})
		}
	}
}

// A preset whose tokens anybody can get does not let in whom nobody has named, unless told to.
func TestSendersMustBeNamed(t *testing.T) {
	emulator := startEmulator(t)
	keys := gatepass.WithKeysURL(emulator.keysURL())
	token := emulator.mint(idToken{Audience: audience, Email: caller, Claims: object{"sub": "42"}})
	cases := map[string]struct {
		option gatepass.VerifierOption
		code   gatepass.Code
	}{
		"any caller":        {gatepass.WithAnyCaller(), ""},
		"its unique id":     {gatepass.WithAllowedSubjects("41", "42"), ""},
		"another unique id": {gatepass.WithAllowedSubjects("41"), gatepass.ErrSubjectNotAllowed},
	}
	for _, preset := range []gatepass.Preset{
		gatepass.CloudRun, gatepass.PubSub, gatepass.CloudTasks, gatepass.CloudScheduler, gatepass.Eventarc,
	} {
		options := []gatepass.VerifierOption{gatepass.WithPreset(preset), gatepass.WithAudience(audience), keys}
		if _, err := gatepass.NewVerifier(options...); !errors.Is(err, gatepass.ErrInvalidOption) {
			t.Errorf("%s: %v, expected that somebody must be named", preset, err)
		}
		for name, c := range cases {
			verifier := got(gatepass.NewVerifier(append(options, c.option)...))(t)
			if _, err := verifier.Validate(deadline(t), token); c.code == "" && err != nil || c.code != "" && !errors.Is(err, c.code) {
				t.Errorf("%s, %s: %v, expected %q", preset, name, err, string(c.code))
			}
		}
	}
}

// The package's presets are the core's.
func TestPresets(t *testing.T) {
	_, err := gatepass.NewVerifier(gatepass.WithPreset("?"), gatepass.WithAudience(audience))
	var invalid *gatepass.Error
	if !errors.As(err, &invalid) {
		t.Fatal(err)
	}
	_, known, _ := strings.Cut(invalid.Message, "expected one of ")
	known, _, _ = strings.Cut(known, " (")
	names := strings.Split(known, ", ")
	presets := []gatepass.Preset{
		gatepass.Google, gatepass.CloudRun, gatepass.PubSub, gatepass.CloudTasks, gatepass.CloudScheduler,
		gatepass.Eventarc, gatepass.IAP, gatepass.Firebase, gatepass.OIDC,
	}
	if len(names) != len(presets) {
		t.Fatalf("the core knows %q: %s", names, invalid.Message)
	}
	for i, preset := range presets {
		if names[i] != string(preset) {
			t.Errorf("%q, expected %q", preset, names[i])
		}
	}
}

func TestFirebase(t *testing.T) {
	emulator := startEmulator(t)
	token := emulator.mint(idToken{Audience: "project", Claims: object{"iss": "https://securetoken.google.com/project"}})
	verifier := got(gatepass.NewVerifier(
		gatepass.WithPreset(gatepass.Firebase), gatepass.WithAudience("project"), gatepass.WithKeysURL(emulator.keysURL())))(t)
	if payload := got(verifier.Validate(deadline(t), token))(t); payload.Audience != "project" {
		t.Errorf("%+v", payload)
	}
	google := emulator.mint(idToken{Audience: "project"})
	if _, err := verifier.Validate(deadline(t), google); !errors.Is(err, gatepass.ErrBadIssuer) {
		t.Errorf("%v", err)
	}
}

// Without a signature there is no proof: only who takes Cloud Run's word accepts the token, and the payload says so.
func TestCloudRunsWord(t *testing.T) {
	emulator := startEmulator(t)
	stripped := emulator.mint(idToken{Audience: audience, Email: caller, StripSignature: true})
	whole := emulator.mint(idToken{Audience: audience, Email: caller})
	options := []gatepass.VerifierOption{
		gatepass.WithAudience(audience), gatepass.WithKeysURL(emulator.keysURL()), gatepass.WithAllowedEmails(caller),
	}
	strict := got(gatepass.NewVerifier(options...))(t)
	if _, err := strict.Validate(deadline(t), stripped); !errors.Is(err, gatepass.ErrSignatureStripped) {
		t.Errorf("%v", err)
	}

	clearEnv(t)
	if _, err := gatepass.NewVerifier(append(options, gatepass.WithTrustCloudRunAndSkipSignature())...); !errors.Is(err, gatepass.ErrInvalidOption) {
		t.Errorf("%v, expected that there is nobody to trust", err)
	}
	t.Setenv("K_SERVICE", "orders")
	trusting := got(gatepass.NewVerifier(append(options, gatepass.WithTrustCloudRunAndSkipSignature())...))(t)
	for range 2 {
		for token, unverified := range map[string]bool{stripped: true, whole: false} {
			payload := got(trusting.Validate(deadline(t), token))(t)
			if payload.Unverified != unverified || payload.Claims["email"] != caller {
				t.Errorf("%+v, expected Unverified to be %t", payload, unverified)
			}
		}
	}
}
