package gatepass_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"gatepass.dev/gatepass"
)

const (
	provider = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/provider"
	tokenJWT = "urn:ietf:params:oauth:token-type:jwt"
)

// federated is a credential file of workload identity federation that leads to the emulator.
func (e *emulator) federated(source object) []byte {
	e.t.Helper()
	return asJSON(e.t, object{
		"type": "external_account", "audience": provider, "subject_token_type": tokenJWT,
		"token_url": e.URL + "/v1/token", "credential_source": source,
		"service_account_impersonation_url": e.URL + "/v1/projects/-/serviceAccounts/" + caller + ":generateAccessToken",
	})
}

// script writes a shell script and returns its path.
func script(t *testing.T, lines ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "subject-token")
	must(t, os.WriteFile(path, []byte("#!/bin/sh\n"+strings.Join(lines, "\n")+"\n"), 0o700))
	return path
}

// printToken is the line of a script that has a subject token.
const printToken = `printf '{"version":1,"success":true,"token_type":"` + tokenJWT + `","id_token":"subject"}'`

func (e *emulator) executable(command string) *gatepass.Source {
	e.t.Helper()
	clearEnv(e.t)
	e.t.Setenv("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "1")
	file := e.federated(object{"executable": object{"command": command, "timeout_millis": 5000}})
	return got(gatepass.NewSource(gatepass.WithCredentialsJSON(file), gatepass.WithTrustedEndpoints(e.Host())))(e.t)
}

func TestAProgramGivesTheSubjectToken(t *testing.T) {
	emulator := startEmulator(t)
	t.Setenv("FROM_THE_HOST", "yes")
	path := script(t,
		// Nothing of these may be taken by a shell, and nothing comes from standard input.
		`[ "$1" = '$HOME;' ] && [ "$#" = 1 ] && [ -z "$(cat)" ] || exit 2`,
		`[ "$FROM_THE_HOST" = yes ] && [ "$GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE" = `+provider+` ] || exit 3`,
		`echo a complaint >&2`, printToken)
	token := got(emulator.executable(path+" $HOME;").IDToken(deadline(t), audience))(t)
	payload := got(gatepass.Validate(deadline(t), token.AccessToken, audience, gatepass.WithKeysURL(emulator.keysURL())))(t)
	if payload.Claims["email"] != caller {
		t.Errorf("%v, expected %s", payload.Claims["email"], caller)
	}
}

func TestProgramsThatGiveNoSubjectToken(t *testing.T) {
	emulator := startEmulator(t)
	plain := filepath.Join(t.TempDir(), "plain")
	must(t, os.WriteFile(plain, []byte("text"), 0o600))
	for name, c := range map[string]struct{ command, message string }{
		"status":         {script(t, "exit 7"), "status 7"},
		"killed":         {script(t, "kill -KILL $$"), "status -1"},
		"too much":       {script(t, "yes"), "1 MiB"},
		"missing":        {filepath.Join(t.TempDir(), "missing"), "no such file"},
		"not in PATH":    {"gatepass-there-is-no-such-program", "not found"},
		"not executable": {plain, "permission denied"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := emulator.executable(c.command).IDToken(deadline(t), audience)
			if !errors.Is(err, gatepass.ErrSubjectTokenFailed) || !strings.Contains(err.Error(), c.message) {
				t.Errorf("%v, expected %q in it", err, c.message)
			}
		})
	}
}

// What a program has left behind, and holds its output open, is not waited for, and ends.
func TestAProgramThatLeavesAChildBehind(t *testing.T) {
	emulator := startEmulator(t)
	gate := newGate(t)
	opened := make(chan *os.File, 1)
	go func() { opened <- gate.open(t) }()
	source := emulator.executable(script(t, "exec 3>"+gate.path, "sleep 600 &", "exec 3>&-", printToken))
	got(source.IDToken(deadline(t), audience))(t)
	// The gate closes when the child, who holds it open, has ended.
	if rest := got(io.ReadAll(<-opened))(t); len(rest) > 0 {
		t.Errorf("the program wrote %q", rest)
	}
}

// A gate is a named pipe: who opens it waits for who opens its other end.
type gate struct{ path string }

func newGate(t *testing.T) gate {
	t.Helper()
	gate := gate{filepath.Join(t.TempDir(), "gate")}
	must(t, syscall.Mkfifo(gate.path, 0o600))
	return gate
}

func (g gate) open(t *testing.T) *os.File {
	t.Helper()
	file := got(os.Open(g.path))(t)
	t.Cleanup(func() { file.Close() })
	return file
}
