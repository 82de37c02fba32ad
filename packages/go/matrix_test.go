package gatepass_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatepass.dev/gatepass"
)

// A matrixRow is a kind of credentials, and which tokens it gives; the matrix's own comment says how it is run.
type matrixRow struct {
	Name    string
	Key     []string
	Env     map[string]string
	Options struct {
		Impersonate  string
		Delegates    []string
		Subject      string
		GDCHAudience string `json:"gdch_audience"`
	}
	Supplier    string
	IDToken     map[string]string `json:"id_token"`
	AccessToken map[string]string `json:"access_token"`
}

// Every kind of credentials gives the tokens that it should give, and nothing shows what it is.
func TestCredentialsMatrix(t *testing.T) {
	var matrix struct {
		Comment         []string
		Audience, Scope string
		Rows            []matrixRow
	}
	decoder := json.NewDecoder(got(os.Open(vectors + "/credentials/matrix.json"))(t))
	decoder.DisallowUnknownFields() // A row that asks for what this runner does not know is not run.
	must(t, decoder.Decode(&matrix))
	if len(matrix.Rows) < 20 {
		t.Fatalf("only %d rows", len(matrix.Rows))
	}
	for _, row := range matrix.Rows {
		t.Run(row.Name, func(t *testing.T) {
			emulator := startEmulator(t)
			logged := captureLog(t)
			source, secrets := row.source(t, emulator)

			idToken, err := source.IDToken(deadline(t), matrix.Audience)
			if expected := row.IDToken["error"]; expected != "" {
				mustRefuse(t, err, gatepass.Code(expected))
			} else {
				must(t, err)
				payload := got(gatepass.Validate(
					deadline(t), idToken.AccessToken, matrix.Audience, gatepass.WithKeysURL(emulator.keysURL())))(t)
				if payload.Claims["email"] != row.IDToken["email"] {
					t.Errorf("the ID token is %v's", payload.Claims["email"])
				}
				secrets = append(secrets, secretsIn(idToken.AccessToken)...)
			}
			mustNotShow(t, secrets, err)

			accessToken, err := source.AccessToken(deadline(t), matrix.Scope)
			if expected := row.AccessToken["error"]; expected != "" {
				mustRefuse(t, err, gatepass.Code(expected))
			} else {
				must(t, err)
				said := emulator.TokenInfo(t, accessToken.AccessToken)
				for name, value := range row.AccessToken {
					if said[name] != value {
						t.Errorf("the access token's %s is %s, expected %s", name, said[name], value)
					}
				}
				secrets = append(secrets, secretsIn(accessToken.AccessToken)...)
			}
			mustNotShow(t, secrets, err, source, logged.String())
		})
	}
}

// source makes a source by the row's credentials, and collects what is secret in them.
func (r matrixRow) source(t *testing.T, emulator *emulator) (*gatepass.Source, []string) {
	t.Helper()
	emulator.setEnv()
	var secrets []string
	stem := ""
	if r.Key != nil {
		path := emulator.keyFile(r.Key...)
		folder := filepath.Dir(path)
		stem = strings.TrimSuffix(path, ".json")
		t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", path)
		must(t, fs.WalkDir(os.DirFS(folder), ".", func(name string, entry fs.DirEntry, err error) error {
			if err == nil && entry.Type().IsRegular() {
				secrets = append(secrets, secretsIn(string(got(os.ReadFile(filepath.Join(folder, name)))(t)))...)
			}
			return err
		}))
	}
	for name, value := range r.Env {
		value = strings.NewReplacer("{emulator}", emulator.URL, "{stem}", stem).Replace(value)
		t.Setenv(name, value)
		if strings.Contains(name, "SECRET") || strings.Contains(name, "TOKEN") {
			secrets = append(secrets, value)
		}
	}
	var options []gatepass.SourceOption
	if r.Options.Impersonate != "" {
		options = append(options, gatepass.WithImpersonation(r.Options.Impersonate, r.Options.Delegates...))
	}
	if r.Options.Subject != "" {
		options = append(options, gatepass.WithSubject(r.Options.Subject))
	}
	if r.Options.GDCHAudience != "" {
		options = append(options, gatepass.WithGDCHAudience(r.Options.GDCHAudience))
	}
	if r.Supplier != "" {
		options = append(options, gatepass.WithSupplier(r.Supplier,
			func(context.Context, gatepass.SupplierContext) (string, error) { return "supplied-subject-token", nil }))
		secrets = append(secrets, "supplied-subject-token")
	}
	return got(gatepass.NewSource(options...))(t), secrets
}

func mustRefuse(t *testing.T, err error, code gatepass.Code) {
	t.Helper()
	if !errors.Is(err, code) {
		t.Errorf("%v, expected %s", err, code)
	}
}

// captureLog collects what is logged until the test ends; log/slog writes there too.
func captureLog(t *testing.T) *bytes.Buffer {
	t.Helper()
	var logged bytes.Buffer
	before := log.Writer()
	log.SetOutput(&logged)
	t.Cleanup(func() { log.SetOutput(before) })
	return &logged
}
