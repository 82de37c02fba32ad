package interop

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"gatepass.dev/gatepass"
)

// gatepass verifies the tokens of a real OpenID Connect issuer, whose keys it finds by discovery.
func TestAnOpenIDConnectIssuer(t *testing.T) {
	provider := startProvider(t)
	var later atomic.Int64
	clock := gatepass.WithClock(func() time.Time { return time.Now().Add(time.Duration(later.Load())) })
	verifier, err := gatepass.NewVerifier(gatepass.WithPreset(gatepass.OIDC), gatepass.WithIssuers(provider.issuer),
		gatepass.WithAudience(audience), gatepass.WithAllowedEmails("person@issuer.example"), clock)
	must(t, err)

	accepted := func(algorithm string) {
		t.Helper()
		payload, err := verifier.Validate(deadline(t), provider.token(t, audience, algorithm))
		if err != nil {
			t.Fatalf("%s: %v", algorithm, err)
		}
		if payload.Issuer != provider.issuer || payload.Audience != audience || payload.Claims["email"] != "person@issuer.example" {
			t.Errorf("%s: %+v", algorithm, payload)
		}
	}
	for _, algorithm := range []string{"RS256", "PS256", "ES256", "EdDSA"} {
		accepted(algorithm)
	}

	refused := func(verifier *gatepass.Verifier, token string, code gatepass.Code) {
		t.Helper()
		if _, err := verifier.Validate(deadline(t), token); !errors.Is(err, code) {
			t.Errorf("%v, expected %s", err, string(code))
		}
	}
	refused(verifier, provider.token(t, "https://another.example", "RS256"), gatepass.ErrBadAudience)
	another := startProvider(t)
	elsewhere, err := gatepass.NewVerifier(gatepass.WithPreset(gatepass.OIDC), gatepass.WithIssuers(another.issuer),
		gatepass.WithAudience(audience))
	must(t, err)
	refused(elsewhere, provider.token(t, audience, "RS256"), gatepass.ErrUnknownKey)
	// Whoever publishes this issuer's keys as its own is not this issuer.
	pretended, err := gatepass.NewVerifier(gatepass.WithIssuers(another.issuer), gatepass.WithAlgorithms("RS256"),
		gatepass.WithKeysURL(provider.issuer+"/jwks"), gatepass.WithAudience(audience))
	must(t, err)
	refused(pretended, provider.token(t, audience, "RS256"), gatepass.ErrBadIssuer)

	before := provider.token(t, audience, "ES256")
	provider.rotate(t)
	// Strangers' key ids must not make a verifier ask again and again: it waits a while before it does.
	later.Store(int64(10 * time.Minute))
	for _, algorithm := range []string{"ES256", "RS256"} {
		accepted(algorithm)
	}
	refused(verifier, before, gatepass.ErrUnknownKey)
}

// A provider is an issuer in a process of its own.
type provider struct {
	issuer   string
	commands io.Writer
	answers  *bufio.Scanner
}

// startProvider starts an issuer that ends with the test.
func startProvider(t *testing.T) *provider {
	t.Helper()
	program, err := filepath.Abs("../node/oidc-provider.mjs")
	must(t, err)
	if _, err := os.Stat(filepath.Join(filepath.Dir(program), "node_modules", "oidc-provider")); err != nil {
		t.Fatalf("%v: run npm ci in tests/interop/node", err)
	}
	command := exec.CommandContext(deadline(t), "node", program)
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
	started := &provider{commands: stdin, answers: bufio.NewScanner(stdout)}
	started.issuer = started.answer(t)["issuer"].(string)
	return started
}

func (p *provider) token(t *testing.T, audience, algorithm string) string {
	t.Helper()
	order, err := json.Marshal(map[string]string{"audience": audience, "alg": algorithm})
	must(t, err)
	fmt.Fprintf(p.commands, "token %s\n", order)
	return p.answer(t)["token"].(string)
}

func (p *provider) rotate(t *testing.T) {
	t.Helper()
	fmt.Fprintln(p.commands, "rotate")
	if p.answer(t)["rotated"] != true {
		t.Fatal("the issuer has not rotated its keys")
	}
}

func (p *provider) answer(t *testing.T) map[string]any {
	t.Helper()
	if !p.answers.Scan() {
		t.Fatalf("the issuer has ended: %v", p.answers.Err())
	}
	var answer map[string]any
	must(t, json.Unmarshal(p.answers.Bytes(), &answer))
	if answer["error"] != nil {
		t.Fatalf("the issuer says: %v", answer["error"])
	}
	return answer
}
