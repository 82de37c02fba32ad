package driver

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
)

// clientCertificate names the PEM files of the certificate that a request presents.
type clientCertificate struct {
	CertPath string `json:"cert_path"`
	KeyPath  string `json:"key_path"`
}

// withCertificates makes a transport for one exchange, like base, which presents the step's certificate and trusts the
// step's authorities. Their files are read each time: certificates rotate.
func withCertificates(base http.RoundTripper, step *step) (*http.Transport, error) {
	transport, ok := base.(*http.Transport)
	if !ok {
		return nil, fmt.Errorf("a transport of the type %T brings no certificates along, expected an *http.Transport: %w",
			base, errors.ErrUnsupported)
	}
	transport = transport.Clone()
	transport.DisableKeepAlives = true // The connection would not be used again, nor closed.
	if transport.TLSClientConfig == nil {
		transport.TLSClientConfig = &tls.Config{}
	}
	config := transport.TLSClientConfig
	// The clone may offer HTTP/2 without supporting it. One exchange does not need it.
	config.NextProtos, transport.ForceAttemptHTTP2 = nil, false
	if files := step.ClientCertificate; files != nil {
		certificate, err := tls.LoadX509KeyPair(files.CertPath, files.KeyPath)
		if err != nil {
			return nil, fmt.Errorf("with the key %s: %v", files.KeyPath, err)
		}
		config.Certificates, config.GetClientCertificate = []tls.Certificate{certificate}, nil
	}
	if path := step.CACertificatePath; path != "" {
		authorities, err := readAuthorities(path)
		if err != nil {
			return nil, fmt.Errorf("the CA certificates %s: %v", path, err)
		}
		config.RootCAs = authorities
	}
	return transport, nil
}

func readAuthorities(path string) (*x509.CertPool, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	authorities := x509.NewCertPool()
	if !authorities.AppendCertsFromPEM(text) {
		return nil, errors.New("there is no certificate in PEM")
	}
	return authorities, nil
}
