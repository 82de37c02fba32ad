package gatepass_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"log"
	"os"
	"sync"
	"testing"
	"time"

	"gatepass.dev/gatepass/gatepasstest"
)

const audience = "https://receiver.example"

// An emulator is the running `gatepass emulator`, in the hands of one test.
type emulator struct {
	*gatepasstest.Emulator
	t *testing.T
}

// startEmulator gives a test the emulator, with no requests counted and no faults ordered. One serves all tests,
// since it takes a second to make its keys.
func startEmulator(t *testing.T) *emulator {
	t.Helper()
	running := got(running())(t)
	running.Reset(t)
	return &emulator{running, t}
}

var running = sync.OnceValues(func() (*gatepasstest.Emulator, error) { return gatepasstest.Launch() })

// TestMain comes before all tests, since Go looks only once for the authorities to trust.
func TestMain(m *testing.M) {
	if err := gatepasstest.TrustAuthority(); err != nil {
		log.Print(err) // The tests that need it fail; go generate does not.
	}
	os.Exit(m.Run())
}

// setEnv makes the emulator the metadata server of this process until the test ends.
func (e *emulator) setEnv() {
	clearEnv(e.t)
	e.Setenv(e.t)
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

func (e *emulator) keyFile(options ...string) string {
	e.t.Helper()
	return e.KeyFile(e.t, options...)
}

func (e *emulator) keysURL() string { return e.URL + "/oauth2/v3/certs" }

// ownKeysURL is another spelling each time, of which nobody in this process holds the keys.
func (e *emulator) ownKeysURL() string { return e.keysURL() + "?for=" + rand.Text() }

func (e *emulator) requests(path string) int {
	e.t.Helper()
	return e.Requests(e.t, path)
}

type object map[string]any

// An idToken is an order for one.
type idToken = gatepasstest.Token

func (e *emulator) mint(order idToken) string {
	e.t.Helper()
	return e.Mint(e.t, order)
}

type fault = gatepasstest.Fault

func (e *emulator) fault(path string, order fault) {
	e.t.Helper()
	e.Fault(e.t, path, order)
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
