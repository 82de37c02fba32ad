// Command middlewares serves gatepass's middleware behind net/http's server: HTTP/1.1 and HTTP/2, with and without TLS.
//
// It answers any request that is let through with the caller's e-mail. Environment: AUDIENCE, KEYS_URL, CERTIFICATE and
// PRIVATE_KEY (PEM files, for TLS). It prints a line of JSON for each server, {"server", "protocol", "port"}, then ready,
// and ends when its standard input closes. A protocol is http/1.1, h2 (HTTP/2 by TLS) or h2c (HTTP/2 without).
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"

	"gatepass.dev/gatepass"
)

type line struct {
	Server   string `json:"server"`
	Protocol string `json:"protocol"`
	Port     int    `json:"port"`
}

func main() {
	verifier, err := gatepass.NewVerifier(
		gatepass.WithAudience(os.Getenv("AUDIENCE")), gatepass.WithKeysURL(os.Getenv("KEYS_URL")))
	if err != nil {
		log.Fatal(err)
	}
	handler := gatepass.RequireIDToken(verifier)(http.HandlerFunc(answer))

	plain := &http.Server{Handler: handler, Protocols: new(http.Protocols), ErrorLog: log.New(io.Discard, "", 0)}
	plain.Protocols.SetHTTP1(true)
	plain.Protocols.SetUnencryptedHTTP2(true)
	serve(plain.Serve, "http/1.1", "h2c")

	encrypted := &http.Server{Handler: handler, ErrorLog: plain.ErrorLog}
	serve(func(listener net.Listener) error {
		return encrypted.ServeTLS(listener, os.Getenv("CERTIFICATE"), os.Getenv("PRIVATE_KEY"))
	}, "h2")

	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin)
}

func serve(serve func(net.Listener) error, protocols ...string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(serve(listener)) }()
	for _, protocol := range protocols {
		json.NewEncoder(os.Stdout).Encode(line{"net/http", protocol, listener.Addr().(*net.TCPAddr).Port})
	}
}

func answer(w http.ResponseWriter, r *http.Request) {
	payload, _ := gatepass.ClaimsFromContext(r.Context())
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{"email": payload.Claims["email"]})
}
