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
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gatepass.dev/gatepass"
)

// A tokenExchange is a token endpoint behind TLS. Its tokens tell which certificate the client has presented.
type tokenExchange struct {
	*httptest.Server
	asked atomic.Int32
}

func startTokenExchange(t *testing.T) *tokenExchange {
	t.Helper()
	clearEnv(t)
	started := &tokenExchange{}
	started.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started.asked.Add(1)
		token := "token"
		for _, presented := range r.TLS.PeerCertificates {
			token += "-" + presented.Subject.CommonName
		}
		w.Write(asJSON(t, object{
			"access_token": token, "token_type": "Bearer", "expires_in": 3600,
			"issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
		}))
	}))
	started.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	started.EnableHTTP2 = true
	started.Config.ErrorLog = log.New(io.Discard, "", 0) // It complains about who goes away.
	started.StartTLS()
	t.Cleanup(started.Close)
	return started
}

// trustingTransport trusts the servers of httptest, and has spoken HTTP/2 with another server before.
func trustingTransport(t *testing.T) *http.Transport {
	t.Helper()
	other := httptest.NewUnstartedServer(http.NotFoundHandler())
	other.EnableHTTP2 = true
	other.StartTLS() // With the same certificate, as all of httptest.
	t.Cleanup(other.Close)
	transport := other.Client().Transport.(*http.Transport)
	response := got(other.Client().Get(other.URL))(t)
	response.Body.Close()
	if response.ProtoMajor != 2 {
		t.Fatalf("%s, expected HTTP/2", response.Proto)
	}
	// As the package's own transports, which speak HTTP/2 without being told: their clones would only say that they do.
	transport.ForceAttemptHTTP2 = false
	return transport
}

// source is one of workload identity federation by the certificate of these files.
func (e *tokenExchange) source(t *testing.T, files certificateFiles, transport http.RoundTripper) *gatepass.Source {
	t.Helper()
	workload := object{"cert_path": files.certificate, "key_path": files.key}
	config := asJSON(t, object{"cert_configs": object{"workload": workload}})
	must(t, os.WriteFile("certificate_config.json", config, 0o600))
	return e.sourceOf(t, transport, object{
		"type": "external_account", "audience": provider, "subject_token_type": "urn:ietf:params:oauth:token-type:mtls",
		"token_url":         e.URL + "/v1/token",
		"credential_source": object{"certificate": object{"certificate_config_location": "certificate_config.json"}},
	})
}

func (e *tokenExchange) sourceOf(
	t *testing.T, transport http.RoundTripper, file object, options ...gatepass.SourceOption,
) *gatepass.Source {
	t.Helper()
	return got(gatepass.NewSource(append(options,
		gatepass.WithCredentialsJSON(asJSON(t, file)), gatepass.WithTransport(transport),
		impatient(), gatepass.WithTrustedEndpoints(strings.TrimPrefix(e.URL, "https://")))...))(t)
}

func TestAClientCertificateIsPresented(t *testing.T) {
	server := startTokenExchange(t)
	files := newCertificateFiles(t)
	source := server.source(t, files, trustingTransport(t))
	// A certificate that has been replaced is presented from then on.
	for _, name := range []string{"first", "second"} {
		files.write(t, name)
		if token := got(source.AccessToken(deadline(t), "scope-"+name))(t); token.AccessToken != "token-"+name {
			t.Errorf("the token is %s, expected that of the %s certificate", token.AccessToken, name)
		}
	}
}

func TestCertificatesThatCannotBePresented(t *testing.T) {
	server := startTokenExchange(t)
	trusting := trustingTransport(t)
	cases := map[string]struct {
		spoil     func(certificateFiles)
		transport http.RoundTripper
		code      gatepass.Code
		names     string
	}{
		"no key": {func(f certificateFiles) { must(t, os.Remove(f.key)) }, trusting,
			gatepass.ErrClientCertificateUnusable, "key.pem: no such file"},
		"key that is none": {func(f certificateFiles) { must(t, os.WriteFile(f.key, []byte("hunter2"), 0o600)) }, trusting,
			gatepass.ErrClientCertificateUnusable, "key.pem"},
		"key of another": {func(f certificateFiles) { f.writeKey(t) }, trusting, gatepass.ErrClientCertificateUnusable,
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
			_, err := server.source(t, files, c.transport).AccessToken(deadline(t), "scope")
			if !errors.Is(err, c.code) || !strings.Contains(err.Error(), c.names) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%v, expected %s with %q in it", err, c.code, c.names)
			}
		})
	}
	if asked := server.asked.Load(); asked > 0 {
		t.Errorf("%d requests were sent", asked)
	}
}

// A credential file can name the authorities that its endpoint is to be trusted by. No others are.
func TestAuthoritiesOfACredentialFile(t *testing.T) {
	server := startTokenExchange(t)
	files := newCertificateFiles(t)
	key := files.write(t, "another")
	writePEM(t, "authority.pem", "CERTIFICATE", server.Certificate().Raw)
	must(t, os.WriteFile("text.pem", []byte("hunter2"), 0o600))
	for path, words := range map[string]string{
		"authority.pem":   "",
		files.certificate: "unknown authority",
		"text.pem":        "text.pem: there is no certificate",
		"missing.pem":     "missing.pem: no such file",
	} {
		source := server.sourceOf(t, trustingTransport(t), object{
			"type": "gdch_service_account", "format_version": "1", "project": "project", "name": "name",
			"private_key_id": "1", "private_key": string(key), "token_uri": server.URL, "ca_cert_path": path,
		}, gatepass.WithGDCHAudience("https://api.example"))
		_, err := source.AccessToken(deadline(t), "scope")
		switch {
		case words == "":
			must(t, err)
		case !errors.Is(err, gatepass.ErrConnectionFailed) || !strings.Contains(err.Error(), words):
			t.Errorf("%s: %v, expected %q in it", path, err, words)
		}
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
func (f certificateFiles) write(t *testing.T, name string) (keyPEM []byte) {
	t.Helper()
	key := f.writeKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der := got(x509.CreateCertificate(rand.Reader, template, template, key.Public(), key))(t)
	writePEM(t, f.certificate, "CERTIFICATE", der)
	return got(os.ReadFile(f.key))(t)
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
