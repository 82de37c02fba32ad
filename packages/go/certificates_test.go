package gatepass_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gatepass.dev/gatepass"
)

// A tlsEmulator is the emulator behind TLS, for clients that present a certificate.
type tlsEmulator struct {
	*emulator
	server *httptest.Server

	mu sync.Mutex
	// presented are the names in the clients' certificates, one for each request.
	presented []string
}

func startTLSEmulator(t *testing.T) *tlsEmulator {
	t.Helper()
	started := &tlsEmulator{emulator: startEmulator(t)}
	proxy := httputil.NewSingleHostReverseProxy(got(url.Parse(started.url))(t))
	started.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started.mu.Lock()
		started.presented = append(started.presented, r.TLS.PeerCertificates[0].Subject.CommonName)
		started.mu.Unlock()
		proxy.ServeHTTP(w, r)
	}))
	started.server.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	started.server.EnableHTTP2 = true
	started.server.Config.ErrorLog = log.New(io.Discard, "", 0) // It complains about who goes away.
	started.server.StartTLS()
	t.Cleanup(started.server.Close)
	clearEnv(t)
	return started
}

// trusting is a transport that trusts the server's certificate, and has spoken HTTP/2 with another server before.
func (e *tlsEmulator) trusting() *http.Transport {
	e.t.Helper()
	authorities := x509.NewCertPool()
	authorities.AddCert(e.server.Certificate())
	other := httptest.NewUnstartedServer(http.NotFoundHandler())
	other.TLS = e.server.TLS.Clone()
	other.TLS.ClientAuth = tls.NoClientCert
	other.EnableHTTP2 = true
	other.StartTLS()
	e.t.Cleanup(other.Close)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: authorities}, ForceAttemptHTTP2: true}
	e.t.Cleanup(transport.CloseIdleConnections)
	response := got((&http.Client{Transport: transport}).Get(other.URL))(e.t)
	response.Body.Close()
	if response.ProtoMajor != 2 {
		e.t.Fatalf("%s, expected HTTP/2", response.Proto)
	}
	return transport
}

// source is one of workload identity federation by the certificate of these files.
func (e *tlsEmulator) source(files certificateFiles, transport http.RoundTripper) *gatepass.Source {
	e.t.Helper()
	config := filepath.Join(e.t.TempDir(), "certificate_config.json")
	workload := object{"cert_path": files.certificate, "key_path": files.key}
	must(e.t, os.WriteFile(config, asJSON(e.t, object{"cert_configs": object{"workload": workload}}), 0o600))
	file := asJSON(e.t, object{
		"type": "external_account", "audience": provider, "subject_token_type": "urn:ietf:params:oauth:token-type:mtls",
		"token_url":         e.server.URL + "/v1/token",
		"credential_source": object{"certificate": object{"certificate_config_location": config}},
		"service_account_impersonation_url": e.server.URL + "/v1/projects/-/serviceAccounts/" + caller +
			":generateAccessToken",
	})
	return got(gatepass.NewSource(
		gatepass.WithCredentialsJSON(file), gatepass.WithTransport(transport), gatepass.WithClock(impatientClock()),
		gatepass.WithTrustedEndpoints(strings.TrimPrefix(e.server.URL, "https://"))))(e.t)
}

func TestAClientCertificateIsPresented(t *testing.T) {
	emulator := startTLSEmulator(t)
	files := newCertificateFiles(t)
	files.write(t, "first")
	source := emulator.source(files, emulator.trusting())
	token := got(source.IDToken(deadline(t), audience))(t)
	payload := got(gatepass.Validate(deadline(t), token.AccessToken, audience, gatepass.WithKeysURL(emulator.keysURL())))(t)
	if payload.Claims["email"] != caller {
		t.Errorf("%v, expected %s", payload.Claims["email"], caller)
	}
	// A certificate that has been replaced is presented from then on.
	files.write(t, "second")
	got(source.AccessToken(deadline(t), "https://www.googleapis.com/auth/cloud-platform"))(t)
	if shown := strings.Join(emulator.presented, " "); !strings.HasPrefix(shown, "first ") ||
		!strings.HasSuffix(shown, " second") {
		t.Errorf("presented were %s", shown)
	}
}

func TestCertificatesThatCannotBePresented(t *testing.T) {
	emulator := startTLSEmulator(t)
	trusting := emulator.trusting()
	cases := map[string]struct {
		spoil     func(certificateFiles)
		transport http.RoundTripper
		code      gatepass.Code
		names     string
	}{
		"no key": {func(f certificateFiles) { must(t, os.Remove(f.key)) }, trusting, gatepass.ErrConnectionFailed,
			"key.pem: no such file"},
		"key that is none": {func(f certificateFiles) { must(t, os.WriteFile(f.key, []byte("hunter2"), 0o600)) }, trusting, gatepass.ErrConnectionFailed,
			"key.pem"},
		"key of another": {func(f certificateFiles) { f.writeKey(t) }, trusting, gatepass.ErrConnectionFailed,
			"key.pem"},
		"another transport": {func(certificateFiles) {}, transport(trusting.RoundTrip), gatepass.ErrUnsupported,
			"*http.Transport"},
		"unknown authority": {func(certificateFiles) {}, &http.Transport{}, gatepass.ErrConnectionFailed,
			"unknown authority"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			files := newCertificateFiles(t)
			files.write(t, "client")
			c.spoil(files)
			_, err := emulator.source(files, c.transport).IDToken(deadline(t), audience)
			if !errors.Is(err, c.code) || !strings.Contains(err.Error(), c.names) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%v, expected %s with %q in it", err, c.code, c.names)
			}
		})
	}
	if len(emulator.presented) > 0 {
		t.Errorf("requests were sent: %v", emulator.presented)
	}
}

// certificateFiles are the paths of a certificate and its key.
type certificateFiles struct{ certificate, key string }

func newCertificateFiles(t *testing.T) certificateFiles {
	t.Helper()
	t.Chdir(t.TempDir()) // For the core takes a long path in a host's words for a secret.
	return certificateFiles{"certificate.pem", "key.pem"}
}

// write makes a new key and a certificate for this name, signed by itself.
func (f certificateFiles) write(t *testing.T, name string) {
	t.Helper()
	key := f.writeKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der := got(x509.CreateCertificate(rand.Reader, template, template, key.Public(), key))(t)
	writePEM(t, f.certificate, "CERTIFICATE", der)
}

func (f certificateFiles) writeKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key := got(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
	writePEM(t, f.key, "PRIVATE KEY", got(x509.MarshalPKCS8PrivateKey(key))(t))
	return key
}

func writePEM(t *testing.T, path, kind string, der []byte) {
	t.Helper()
	must(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
}
