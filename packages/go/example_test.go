package gatepass_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"

	"gatepass.dev/gatepass"
)

const (
	receiverURL  = "https://receiver-123.europe-west1.run.app"
	callersEmail = "orders@project.iam.gserviceaccount.com"
)

func ExampleNewClient() {
	client, err := gatepass.NewClient(context.Background(), receiverURL)
	if err != nil {
		log.Fatal(err)
	}
	response, err := client.Get(receiverURL + "/orders")
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
}

func ExampleNewTokenSource() {
	source, err := gatepass.NewTokenSource(context.Background(), receiverURL)
	if err != nil {
		log.Fatal(err)
	}
	token, err := source.Token()
	if err != nil {
		log.Fatal(err)
	}
	request, err := http.NewRequest(http.MethodGet, receiverURL, nil)
	if err != nil {
		log.Fatal(err)
	}
	token.SetAuthHeader(request)
}

func ExampleValidate() {
	handler := func(w http.ResponseWriter, r *http.Request) {
		payload, err := gatepass.Validate(r.Context(), r.FormValue("token"), receiverURL)
		if errors.Is(err, gatepass.ErrTokenExpired) {
			http.Error(w, "fetch a new token", http.StatusUnauthorized)
			return
		}
		if err != nil {
			http.Error(w, "no valid token", http.StatusUnauthorized)
			return
		}
		fmt.Fprintln(w, "hello,", payload.Claims["email"])
	}
	http.HandleFunc("/hello", handler)
}

func ExampleRequireIDToken() {
	verifier, err := gatepass.NewVerifier(
		gatepass.WithAudience(receiverURL),
		gatepass.WithAllowedEmails(callersEmail),
	)
	if err != nil {
		log.Fatal(err)
	}
	orders := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		payload, _ := gatepass.ClaimsFromContext(r.Context())
		fmt.Fprintln(w, "hello,", payload.Claims["email"])
	})
	http.Handle("/orders", gatepass.RequireIDToken(verifier)(orders))
}

func ExampleWithPreset() {
	verifier, err := gatepass.NewVerifier(
		gatepass.WithPreset(gatepass.PubSub),
		gatepass.WithAudience(receiverURL),
		gatepass.WithAllowedEmails("push@project.iam.gserviceaccount.com"),
	)
	if err != nil {
		log.Fatal(err)
	}
	push := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	http.Handle("/push", gatepass.RequireIDToken(verifier)(push))
}

func ExampleExplain() {
	explanation, err := gatepass.Explain("Bearer ya29.abc", gatepass.Call{URL: receiverURL})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(explanation.Kind, explanation.Findings[0].Level)
	// Output: access_token error
}

func ExampleAudienceForURL() {
	audience, err := gatepass.AudienceForURL("https://canary---receiver-123.europe-west1.run.app/orders?limit=1")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(audience)
	// Output: https://receiver-123.europe-west1.run.app
}
