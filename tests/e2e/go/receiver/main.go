// Command receiver is a service behind gatepass's middleware. It answers GET / with its caller's e-mail as JSON.
//
// Environment: PORT (0 picks one), AUDIENCE, KEYS_URL, and ALLOWED_EMAILS, separated by commas, if not all are welcome.
// It prints one line, `listening <port>`, and ends when its standard input closes.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"

	"gatepass.dev/gatepass"
)

func main() {
	options := []gatepass.VerifierOption{
		gatepass.WithAudience(os.Getenv("AUDIENCE")),
		gatepass.WithKeysURL(os.Getenv("KEYS_URL")),
	}
	if emails := os.Getenv("ALLOWED_EMAILS"); emails != "" {
		options = append(options, gatepass.WithAllowedEmails(strings.Split(emails, ",")...))
	}
	verifier, err := gatepass.NewVerifier(options...)
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Getenv("PORT"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("listening", listener.Addr().(*net.TCPAddr).Port)
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	handler := gatepass.RequireIDToken(verifier)(http.HandlerFunc(answer))
	log.Fatal(http.Serve(listener, handler))
}

func answer(w http.ResponseWriter, r *http.Request) {
	payload, _ := gatepass.ClaimsFromContext(r.Context())
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{"email": payload.Claims["email"]})
}
