// Package gatepasstest starts and steers `gatepass emulator`, Google's endpoints on this machine, for tests.
//
//	func TestOrders(t *testing.T) {
//		emulator := gatepasstest.Start(t)
//		emulator.Setenv(t) // Now gatepass, and Google's libraries, take it for Google.
//		token := emulator.Mint(t, gatepasstest.Token{Audience: "https://orders.example", Email: "caller@shop.example"})
//		…
//	}
//
// It needs the program gatepass: the one that [WithProgram] names, else that of the environment variable
// GATEPASS_PROGRAM, else that in PATH.
//
// The emulator's keys are public. No service that others can reach may trust them.
package gatepasstest

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatepass.dev/gatepass/internal/shared"
)

// An Emulator is running. It is safe for concurrent use.
type Emulator struct {
	// URL is where it listens, without a slash at the end.
	URL string
	// TLSURL is the same over TLS. There it asks for a client certificate, and [Emulator.Authority] has signed its own.
	TLSURL string

	program     string
	environment map[string]string
	command     *exec.Cmd
	stdin       io.Closer
	client      http.Client
}

// patience is for an answer that takes milliseconds.
const patience = time.Minute

// An Option is one of [Start] and [Launch].
type Option func(*settings)

type settings struct {
	program   string
	arguments []string
}

// WithProgram names the program gatepass.
func WithProgram(path string) Option { return func(s *settings) { s.program = path } }

// WithArguments gives `gatepass emulator` these arguments, such as "--lifetime", "60". Its ports are free ones.
func WithArguments(arguments ...string) Option {
	return func(s *settings) { s.arguments = append(s.arguments, arguments...) }
}

// Start starts an emulator for a test. It ends with the test.
func Start(t testing.TB, options ...Option) *Emulator {
	t.Helper()
	emulator, err := Launch(options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := emulator.Close(); err != nil {
			t.Error(err)
		}
	})
	return emulator
}

// Launch starts an emulator that several tests may share. It ends with [Emulator.Close], and with this process at the
// latest.
func Launch(options ...Option) (*Emulator, error) {
	settings := settingsOf(options)
	program, err := settings.find()
	if err != nil {
		return nil, err
	}
	arguments := append([]string{"emulator", "--port", "0", "--mtls-port", "0", "--exit-with-stdin"}, settings.arguments...)
	command := exec.Command(program, arguments...)
	command.Stderr = os.Stderr
	stdin, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	emulator := &Emulator{
		program: program, environment: map[string]string{}, command: command, stdin: stdin,
		// Past every proxy, whatever the environment says.
		client: http.Client{Transport: &http.Transport{}, Timeout: patience},
	}
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if assignment, found := strings.CutPrefix(lines.Text(), "export "); found {
			name, value, _ := strings.Cut(assignment, "=")
			emulator.environment[name] = strings.Trim(value, `"'`)
		} else if url, found := strings.CutPrefix(lines.Text(), "# mTLS on "); found {
			emulator.TLSURL = url
		} else if url, found := strings.CutPrefix(lines.Text(), "# listening on "); found {
			emulator.URL = url
			return emulator, nil
		}
	}
	return nil, errors.Join(fmt.Errorf("%s emulator has ended without listening", program), emulator.Close())
}

// TrustAuthority makes this process trust the certificate of every emulator's [Emulator.TLSURL], as the variable
// SSL_CERT_FILE does for any program: instead of this machine's authorities. Go looks only once which authorities to
// trust, so it is for TestMain, before all tests.
func TrustAuthority(options ...Option) error {
	program, err := settingsOf(options).find()
	if err != nil {
		return err
	}
	authority, err := output(program, "emulator", "ca")
	if err != nil {
		return err
	}
	file, err := os.CreateTemp("", "gatepass-authority")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	if _, err := file.WriteString(authority); err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	before, wasSet := os.LookupEnv("SSL_CERT_FILE")
	os.Setenv("SSL_CERT_FILE", file.Name())
	_, err = x509.SystemCertPool()
	if os.Unsetenv("SSL_CERT_FILE"); wasSet {
		os.Setenv("SSL_CERT_FILE", before)
	}
	return err
}

// Close ends the emulator, and waits until it has ended.
func (e *Emulator) Close() error {
	e.client.CloseIdleConnections()
	e.stdin.Close()
	return e.command.Wait()
}

// Environment returns the variables by which a program finds the emulator where it would find Google's endpoints. With
// them gatepass's verifiers accept its tokens as Google's.
func (e *Emulator) Environment() map[string]string { return maps.Clone(e.environment) }

// Setenv sets [Emulator.Environment] in this process until the test ends, and hides the credentials that this machine
// may have. What gatepass holds for the whole process, such as the source of gatepass.FetchIDToken, begins anew.
func (e *Emulator) Setenv(t testing.TB) {
	t.Helper()
	t.Cleanup(func() { shared.Forget() }) // After the variables are what they were.
	for _, name := range []string{"GOOGLE_APPLICATION_CREDENTIALS", "K_SERVICE", "NO_GCE_CHECK"} {
		t.Setenv(name, "") // So that it comes back.
		os.Unsetenv(name)
	}
	t.Setenv("CLOUDSDK_CONFIG", t.TempDir())
	for name, value := range e.Environment() {
		t.Setenv(name, value)
	}
	shared.Forget()
}

// Host returns host and port of [Emulator.URL], for gatepass.WithTrustedEndpoints.
func (e *Emulator) Host() string { return strings.TrimPrefix(e.URL, "http://") }

// KeysURL returns where the keys of the emulator's ID tokens are, for gatepass.WithKeysURL.
func (e *Emulator) KeysURL(t testing.TB) string {
	t.Helper()
	var document struct {
		URL string `json:"jwks_uri"`
	}
	e.ask(t, http.MethodGet, "/.well-known/openid-configuration", nil, &document)
	return document.URL
}

// A Token is an order for an ID token of Google's, as good or as bad as it says. The zero value of a field changes
// nothing.
type Token struct {
	// Audience and Email are the claims aud, which there must be, and email, which sub and others follow.
	Audience, Email string
	// Claims are other claims to set or replace.
	Claims map[string]any
	// Omit names claims to leave out.
	Omit []string
	// Header has header parameters to set or replace. The signature is the right key's all the same.
	Header map[string]any
	// IssuedAt and Lifetime say when it begins and ends, in whole seconds.
	IssuedAt time.Time
	Lifetime time.Duration
	// Key is "google" or, for an assertion of Identity-Aware Proxy, "iap".
	Key string
	// StripSignature removes the signature as Cloud Run does.
	StripSignature bool
}

// Mint returns an ID token.
func (e *Emulator) Mint(t testing.TB, token Token) string {
	t.Helper()
	var answer struct{ Token string }
	e.control(t, http.MethodPost, "mint", token.order(), &answer)
	return answer.Token
}

func (k Token) order() map[string]any {
	claims := map[string]any{}
	if k.Audience != "" {
		claims["aud"] = k.Audience
	}
	if k.Email != "" {
		claims["email"] = k.Email
	}
	maps.Copy(claims, k.Claims)
	order := map[string]any{"claims": claims, "strip_signature": k.StripSignature}
	if k.Omit != nil {
		order["omit"] = k.Omit
	}
	if k.Header != nil {
		order["header"] = k.Header
	}
	if !k.IssuedAt.IsZero() {
		order["issued_at"] = k.IssuedAt.Unix()
	}
	if k.Lifetime != 0 {
		order["lifetime"] = int64(k.Lifetime.Seconds())
	}
	if k.Key != "" {
		order["key"] = k.Key
	}
	return order
}

// A Fault spoils an answer. One with nothing but a delay spoils nothing else.
type Fault struct {
	// Times is how many answers; 1 if it is 0.
	Times int `json:"times,omitempty"`
	// Delay is how long the answer takes, in whole milliseconds.
	Delay time.Duration `json:"-"`

	// Status, Headers and Body are another answer. A body that is no string is sent as JSON; instead of one, there may
	// be BodyBytes bytes.
	Status    int               `json:"status,omitempty"`
	Headers   map[string]string `json:"headers,omitempty"`
	Body      any               `json:"body,omitempty"`
	BodyBytes int               `json:"body_bytes,omitempty"`
	// Drop closes the connection without an answer.
	Drop bool `json:"drop,omitempty"`
	// SameAnswer gives all so many requests the answer of the first.
	SameAnswer bool `json:"same_answer,omitempty"`
	// Lifetime is how long the tokens in the answer live, in whole seconds.
	Lifetime time.Duration `json:"-"`
	// RotateRefreshToken gives a new refresh token; the old one is no longer good.
	RotateRefreshToken bool `json:"rotate_refresh_token,omitempty"`
}

// Fault spoils the next answer for a path, which is given without a query.
func (e *Emulator) Fault(t testing.TB, path string, fault Fault) {
	t.Helper()
	order := struct {
		Fault
		Path     string `json:"path"`
		Delay    int64  `json:"delay_ms,omitempty"`
		Lifetime int64  `json:"lifetime,omitempty"`
	}{fault, path, fault.Delay.Milliseconds(), int64(fault.Lifetime.Seconds())}
	e.control(t, http.MethodPost, "fault", order, nil)
}

// SetClock sets how far the emulator's clock is fast or, if negative, slow, in whole seconds.
func (e *Emulator) SetClock(t testing.TB, offset time.Duration) {
	t.Helper()
	e.control(t, http.MethodPost, "clock", map[string]int64{"offset_seconds": int64(offset.Seconds())}, nil)
}

// RotateKeys replaces the keys of the emulator's ID tokens. Those before stay published until the next time.
func (e *Emulator) RotateKeys(t testing.TB) {
	t.Helper()
	e.control(t, http.MethodPost, "keys:rotate", nil, nil)
}

// Requests returns how often a path was asked for since the last [Emulator.Reset], whatever the query.
func (e *Emulator) Requests(t testing.TB, path string) int {
	t.Helper()
	var answer struct{ Counts map[string]int }
	e.control(t, http.MethodGet, "requests", nil, &answer)
	return answer.Counts[path]
}

// Reset counts requests from zero, forgets the faults that wait and sets the clock right. Rotated keys stay.
func (e *Emulator) Reset(t testing.TB) {
	t.Helper()
	e.control(t, http.MethodPost, "requests:reset", nil, nil)
	e.control(t, http.MethodPost, "fault:clear", nil, nil)
	e.SetClock(t, 0)
}

// KeyFile writes a credential file that leads to the emulator, of the kind that the options of `gatepass emulator key`
// say, and the files that it names. It returns its path, in a folder that the test's end removes.
func (e *Emulator) KeyFile(t testing.TB, options ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key.json")
	e.run(t, append([]string{"key", "--emulator", e.URL, "--mtls", e.TLSURL, "--out", path}, options...)...)
	return path
}

// Authority returns the certificate of the authority that has signed the emulator's own, in PEM. It is the same for all.
func (e *Emulator) Authority(t testing.TB) string {
	t.Helper()
	return e.run(t, "ca")
}

// Certificate makes a certificate for a server under test, which [Emulator.Authority] has signed: for localhost, 127.0.0.1,
// ::1 and these names.
func (e *Emulator) Certificate(t testing.TB, names ...string) tls.Certificate {
	t.Helper()
	folder := t.TempDir()
	certificate, key := filepath.Join(folder, "server.pem"), filepath.Join(folder, "server-key.pem")
	arguments := []string{"certificate", "--cert", certificate, "--key", key}
	for _, name := range names {
		arguments = append(arguments, "--san", name)
	}
	e.run(t, arguments...)
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

// TokenInfo returns what one of the emulator's access tokens says of itself.
func (e *Emulator) TokenInfo(t testing.TB, accessToken string) map[string]string {
	t.Helper()
	var info map[string]string
	e.ask(t, http.MethodGet, "/tokeninfo?access_token="+url.QueryEscape(accessToken), nil, &info)
	return info
}

// Push sends a request as one of Google's senders does, by the options of `gatepass emulator push`. It fails if the
// request is not accepted.
func (e *Emulator) Push(t testing.TB, options ...string) error {
	t.Helper()
	_, err := output(e.program, append([]string{"emulator", "push", "--emulator", e.URL}, options...)...)
	return err
}

func (e *Emulator) run(t testing.TB, arguments ...string) string {
	t.Helper()
	text, err := output(e.program, append([]string{"emulator"}, arguments...)...)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func (e *Emulator) control(t testing.TB, method, path string, body, answer any) {
	t.Helper()
	e.ask(t, method, "/emulator/v1/"+path, body, answer)
}

func (e *Emulator) ask(t testing.TB, method, path string, body, answer any) {
	t.Helper()
	if err := e.request(method, path, body, answer); err != nil {
		t.Fatal(err)
	}
}

func (e *Emulator) request(method, path string, body, answer any) error {
	var sent []byte
	if body != nil {
		var err error
		if sent, err = json.Marshal(body); err != nil {
			return err
		}
	}
	request, err := http.NewRequest(method, e.URL+path, bytes.NewReader(sent))
	if err != nil {
		return err
	}
	response, err := e.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		path, _, _ := strings.Cut(path, "?")
		return fmt.Errorf("the emulator answers %s %s with %s: %s", method, path, response.Status, text)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(text, answer)
}

func settingsOf(options []Option) *settings {
	settings := &settings{}
	for _, option := range options {
		option(settings)
	}
	return settings
}

func (s *settings) find() (string, error) {
	if path := cmp.Or(s.program, os.Getenv("GATEPASS_PROGRAM")); path != "" {
		return path, nil
	}
	path, err := exec.LookPath("gatepass")
	if err != nil {
		return "", errors.New("no program gatepass in PATH: install it with `cargo install --path packages/cli`, " +
			"or set GATEPASS_PROGRAM to its path")
	}
	return path, nil
}

func output(program string, arguments ...string) (string, error) {
	var stdout, stderr bytes.Buffer
	command := exec.Command(program, arguments...)
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("gatepass %s: %w: %s", strings.Join(arguments[:2], " "), err, stdout.String()+stderr.String())
	}
	return stdout.String(), nil
}
