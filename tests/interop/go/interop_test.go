// Package interop tests gatepass against Google's own libraries for Go, both through the emulator.
package interop

import (
	"context"
	"log"
	"net/http"
	"os"
	"testing"
	"time"

	cloudidtoken "cloud.google.com/go/auth/credentials/idtoken"
	"google.golang.org/api/idtoken"

	"gatepass.dev/gatepass"
	"gatepass.dev/gatepass/gatepasstest"
)

const (
	audience = "https://receiver.example/path?a=1&b=2"
	email    = "caller@project.iam.gserviceaccount.com"
)

// What gatepass fetches, Google's libraries accept, and they read the same in it.
func TestOurTokens(t *testing.T) {
	emulator := startEmulator(t)
	emulator.standInForGoogle(t)
	ways := map[string][]gatepass.SourceOption{
		"metadata": nil,
		"key file": {
			gatepass.WithCredentialsFile(emulator.KeyFile(t, "--email", email)),
			gatepass.WithTrustedEndpoints(emulator.Host()),
		},
	}
	for name, options := range ways {
		t.Run(name, func(t *testing.T) {
			source, err := gatepass.NewSource(options...)
			must(t, err)
			fetched, err := source.IDToken(deadline(t), audience)
			must(t, err)
			token := fetched.AccessToken
			ours, err := gatepass.Validate(deadline(t), token, audience, gatepass.WithKeysURL(emulator.URL+"/oauth2/v3/certs"))
			must(t, err)

			validator, err := idtoken.NewValidator(deadline(t))
			must(t, err)
			theirs, err := validator.Validate(deadline(t), token, audience)
			must(t, err)
			if theirs.Issuer != ours.Issuer || theirs.Audience != ours.Audience || theirs.Subject != ours.Subject ||
				theirs.Expires != ours.Expires || theirs.IssuedAt != ours.IssuedAt ||
				theirs.Claims["email"] != ours.Claims["email"] {
				t.Errorf("they read %+v, we read %+v", theirs, ours)
			}

			cloud, err := cloudidtoken.NewValidator(&cloudidtoken.ValidatorOptions{
				Client: http.DefaultClient, RS256CertsURL: emulator.URL + "/oauth2/v3/certs",
			})
			must(t, err)
			if _, err := cloud.Validate(deadline(t), token, audience); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestMain makes this process trust the emulator's authority, before anybody looks for the authorities to trust.
func TestMain(m *testing.M) {
	if err := gatepasstest.TrustAuthority(); err != nil {
		log.Fatal(err)
	}
	os.Exit(m.Run())
}

// An emulator replaces Google.
type emulator struct{ *gatepasstest.Emulator }

// startEmulator starts an emulator that ends with the test, and makes it this process's metadata server.
func startEmulator(t *testing.T) *emulator {
	t.Helper()
	// The first name is the one that it calls itself, the others those of the hosts that it replaces.
	names := gatepasstest.WithArguments("--san", "127.0.0.1", "--san", "iamcredentials.googleapis.com",
		"--san", "oauth2.googleapis.com", "--san", "sts.googleapis.com", "--san", "www.googleapis.com")
	emulator := &emulator{gatepasstest.Start(t, names)}
	emulator.Setenv(t)
	return emulator
}

func deadline(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
