package gatepass_test

import (
	"errors"
	"reflect"
	"testing"

	"gatepass.dev/gatepass"
)

func TestSameAudienceSpellings(t *testing.T) {
	for given, expected := range map[string][]string{
		"https://receiver.example":      {"https://receiver.example", "https://receiver.example/"},
		"https://receiver.example/":     {"https://receiver.example", "https://receiver.example/"},
		"https://receiver.example/path": {"https://receiver.example/path"},
		"orders":                        {"orders"},
		"":                              {""},
		"\xff":                          {"\uFFFD"},
	} {
		if found := gatepass.SameAudienceSpellings(given); !reflect.DeepEqual(found, expected) {
			t.Errorf("%q: %q, expected %q", given, found, expected)
		}
	}
}

// What a Cloud Run service is told by its environment and the metadata server is enough to be its own receiver.
func TestOwnAudiences(t *testing.T) {
	emulator := startEmulator(t)
	emulator.setEnv()
	t.Setenv("K_SERVICE", "orders")
	own := got(gatepass.OwnAudiences(deadline(t)))(t)
	expected := []string{"https://orders-123456789012.us-central1.run.app", "https://orders-123456789012.us-central1.run.app/"}
	if !reflect.DeepEqual(own, expected) {
		t.Fatalf("%q, expected %q", own, expected)
	}
	verifier := got(gatepass.NewVerifier(gatepass.WithAudience(own...), gatepass.WithKeysURL(emulator.keysURL())))(t)
	token := got(gatepass.FetchIDToken(deadline(t), own[1]))(t)
	got(verifier.Validate(deadline(t), token))(t)
}

func TestOwnAudiencesElsewhere(t *testing.T) {
	startEmulator(t).setEnv()
	if own, err := gatepass.OwnAudiences(deadline(t)); !errors.Is(err, gatepass.ErrInvalidAudience) {
		t.Errorf("%v, %v", own, err)
	}
}
