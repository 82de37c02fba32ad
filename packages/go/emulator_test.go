package gatepass_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

const audience = "https://receiver.example"

// An emulator is the running `gatepass emulator`, in the hands of one test.
type emulator struct {
	t   *testing.T
	url string
	// mtls is where it speaks TLS, and asks clients for a certificate.
	mtls string
	env  map[string]string
	// stdin is what it reads. It ends when this closes, with this process at the latest.
	stdin io.Closer
}

// startEmulator gives a test the emulator, with no requests counted and no faults ordered. One serves all tests,
// since it takes a second to make its keys.
func startEmulator(t *testing.T) *emulator {
	t.Helper()
	started := *got(running())(t)
	started.t = t
	started.control(http.MethodPost, "requests:reset", nil, &struct{}{})
	started.control(http.MethodPost, "fault:clear", nil, &struct{}{})
	return &started
}

var running = sync.OnceValues(func() (*emulator, error) {
	path, err := program()
	if err != nil {
		return nil, err
	}
	command := exec.Command(path, "emulator", "--port", "0", "--mtls-port", "0", "--exit-with-stdin")
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
	started := &emulator{env: map[string]string{}, stdin: stdin}
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if assignment, found := strings.CutPrefix(lines.Text(), "export "); found {
			name, value, _ := strings.Cut(assignment, "=")
			started.env[name] = strings.Trim(value, `"'`)
		}
		if url, found := strings.CutPrefix(lines.Text(), "# mTLS on "); found {
			started.mtls = url
		}
		if url, found := strings.CutPrefix(lines.Text(), "# listening on "); found {
			started.url = url
			return started, nil
		}
	}
	return nil, errors.New("the emulator said nowhere that it listens")
})

// TestMain comes before all tests, since Go looks only once for the authorities to trust.
func TestMain(m *testing.M) {
	if path, err := program(); err == nil { // Else the tests that need it say so.
		if err := trustAuthority(path); err != nil {
			log.Fatal(err)
		}
	}
	os.Exit(m.Run())
}

// trustAuthority makes this process trust the emulator's authority, as SSL_CERT_FILE does for any program.
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

// program returns the path of the `gatepass` program.
func program() (string, error) {
	path := os.Getenv("GATEPASS_CLI")
	if path == "" {
		return "", errors.New("GATEPASS_CLI is not set: run cargo xtask test, or build packages/cli and set it to the program's path")
	}
	return path, nil
}

// setEnv makes the emulator the metadata server of this process until the test ends.
func (e *emulator) setEnv() {
	clearEnv(e.t)
	for name, value := range e.env {
		e.t.Setenv(name, value)
	}
}

// clearEnv hides all credentials that this machine may have from the test.
func clearEnv(t *testing.T) {
	t.Helper()
	for _, name := range []string{
		"GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_CONFIG", "APPDATA", "NO_GCE_CHECK", "METADATA_SERVER_DETECTION",
		"GCE_METADATA_HOST", "GCE_METADATA_ROOT", "GCE_METADATA_IP", "K_SERVICE", "FUNCTION_NAME", "CLOUD_RUN_JOB",
		"CLOUD_RUN_WORKER_POOL", "GATEPASS_TRUSTED_ENDPOINTS", "GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES",
		"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
		"GOOGLE_API_CERTIFICATE_CONFIG",
	} {
		t.Setenv(name, "") // So that it comes back.
		os.Unsetenv(name)
	}
	t.Setenv("HOME", t.TempDir())
}

// keyFile writes a credential file, of the kind that the options of `gatepass emulator key` say, and returns its path.
func (e *emulator) keyFile(options ...string) string {
	e.t.Helper()
	path := filepath.Join(e.t.TempDir(), "key.json")
	options = append([]string{"emulator", "key", "--emulator", e.url, "--mtls", e.mtls, "--out", path}, options...)
	output, err := exec.Command(got(program())(e.t), options...).CombinedOutput()
	if err != nil {
		e.t.Fatalf("%v: %s", err, output)
	}
	return path
}

// host is the emulator's host:port.
func (e *emulator) host() string { return strings.TrimPrefix(e.url, "http://") }

func (e *emulator) keysURL() string { return e.url + "/oauth2/v3/certs" }

// ownKeysURL is another spelling each time, of which nobody in this process holds the keys.
func (e *emulator) ownKeysURL() string { return e.keysURL() + "?for=" + rand.Text() }

// requests is how often a path was asked for.
func (e *emulator) requests(path string) int {
	e.t.Helper()
	var answer struct{ Counts map[string]int }
	e.control(http.MethodGet, "requests", nil, &answer)
	return answer.Counts[path]
}

type object map[string]any

// mint orders a token as packages/emulator/README.md says.
func (e *emulator) mint(order object) string {
	e.t.Helper()
	var answer struct{ Token string }
	e.control(http.MethodPost, "mint", order, &answer)
	return answer.Token
}

func (e *emulator) fault(order object) {
	e.t.Helper()
	e.control(http.MethodPost, "fault", order, &struct{}{})
}

func (e *emulator) control(method, path string, body any, answer any) {
	e.t.Helper()
	text, err := json.Marshal(body)
	must(e.t, err)
	request, err := http.NewRequestWithContext(deadline(e.t), method, e.url+"/emulator/v1/"+path, bytes.NewReader(text))
	must(e.t, err)
	response, err := http.DefaultClient.Do(request)
	must(e.t, err)
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	must(e.t, err)
	if response.StatusCode != http.StatusOK {
		e.t.Fatalf("%s %s: %s: %s", method, path, response.Status, read)
	}
	if len(bytes.TrimSpace(read)) > 0 {
		must(e.t, json.Unmarshal(read, answer))
	}
}

// deadline is a context that ends before the test run hangs.
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

// got unwraps a result that is not expected to be an error.
func got[T any](value T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		must(t, err)
		return value
	}
}

const identityPath = "/computeMetadata/v1/instance/service-accounts/default/identity"

func asJSON(t *testing.T, value any) []byte {
	t.Helper()
	return got(json.Marshal(value))(t)
}
