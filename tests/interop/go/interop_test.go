// Package interop tests gatepass against Google's own libraries for Go, both through the emulator.
package interop

import (
	"bufio"
	"context"
	"crypto/x509"
	"log"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	cloudidtoken "cloud.google.com/go/auth/credentials/idtoken"
	"google.golang.org/api/idtoken"

	"gatepass.dev/gatepass"
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
			gatepass.WithCredentialsFile(emulator.keyFile(t, "--email", email)),
			gatepass.WithTrustedEndpoints(strings.TrimPrefix(emulator.url, "http://")),
		},
	}
	for name, options := range ways {
		t.Run(name, func(t *testing.T) {
			source, err := gatepass.NewSource(options...)
			must(t, err)
			fetched, err := source.IDToken(deadline(t), audience)
			must(t, err)
			token := fetched.AccessToken
			ours, err := gatepass.Validate(deadline(t), token, audience, gatepass.WithKeysURL(emulator.url+"/oauth2/v3/certs"))
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
				Client: http.DefaultClient, RS256CertsURL: emulator.url + "/oauth2/v3/certs",
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
	if path := os.Getenv("GATEPASS_CLI"); path != "" { // Else the tests say that it is missing.
		if err := trustAuthority(path); err != nil {
			log.Fatal(err)
		}
	}
	os.Exit(m.Run())
}

func trustAuthority(program string) error {
	authority, err := os.CreateTemp("", "gatepass-authority")
	if err != nil {
		return err
	}
	defer os.Remove(authority.Name())
	command := exec.Command(program, "emulator", "ca")
	command.Stdout, command.Stderr = authority, os.Stderr
	if err := command.Run(); err != nil {
		return err
	}
	os.Setenv("SSL_CERT_FILE", authority.Name())
	defer os.Unsetenv("SSL_CERT_FILE")
	_, err = x509.SystemCertPool()
	return err
}

type emulator struct {
	url string
	// mtls is where it speaks TLS, and asks clients for a certificate.
	mtls string
}

// startEmulator starts an emulator that ends with the test, and makes it this process's metadata server.
func startEmulator(t *testing.T) *emulator {
	t.Helper()
	command := exec.Command(program(t), "emulator", "--port", "0", "--mtls-port", "0", "--exit-with-stdin")
	command.Stderr = os.Stderr
	stdin, err := command.StdinPipe()
	must(t, err)
	stdout, err := command.StdoutPipe()
	must(t, err)
	must(t, command.Start())
	t.Cleanup(func() {
		stdin.Close()
		command.Wait()
	})
	t.Setenv("HOME", t.TempDir())
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", "")
	started := &emulator{}
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if assignment, found := strings.CutPrefix(lines.Text(), "export "); found {
			name, value, _ := strings.Cut(assignment, "=")
			t.Setenv(name, strings.Trim(value, `"'`))
		}
		if url, found := strings.CutPrefix(lines.Text(), "# mTLS on "); found {
			started.mtls = url
		}
		if url, found := strings.CutPrefix(lines.Text(), "# listening on "); found {
			started.url = url
			return started
		}
	}
	t.Fatal("the emulator said nowhere that it listens")
	return nil
}

func program(t *testing.T) string {
	t.Helper()
	path := os.Getenv("GATEPASS_CLI")
	if path == "" {
		t.Fatal("GATEPASS_CLI is not set: run cargo xtask test, or build packages/cli and set it to the program's path")
	}
	return path
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
