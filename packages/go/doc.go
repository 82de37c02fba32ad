// Package gatepass fetches, attaches and verifies the identity tokens with which services on Google Cloud call each
// other.
//
// # Calling a service
//
//	client, err := gatepass.NewClient(ctx, "https://receiver-123.europe-west1.run.app")
//	response, err := client.Get("https://receiver-123.europe-west1.run.app/orders")
//
// The client attaches an ID token to every request, always a fresh one. [NewTokenSource] gives the same token to
// whatever takes an [oauth2.TokenSource], and [Source] is for programs that call many receivers or need a deadline for
// each call. Access tokens for Google's APIs come from [NewAccessTokenSource]. For gRPC there is the module
// gatepass.dev/gatepass/grpc.
//
// Credentials are found as Application Default Credentials say (AIP-4110): in the file that
// GOOGLE_APPLICATION_CREDENTIALS names, in gcloud's own file, or from the metadata server.
//
// # Being called
//
//	verifier, err := gatepass.NewVerifier(gatepass.WithAudience("https://receiver-123.europe-west1.run.app"))
//	http.Handle("/orders", gatepass.RequireIDToken(verifier)(orders))
//
// The handler finds out who calls with [ClaimsFromContext]. [Validate] checks a single token. [WithPreset] is for what
// Pub/Sub, Cloud Tasks and other senders of Google's send, and for any OpenID Connect issuer. [Explain] says in plain
// words why a token is refused.
//
// # Contexts
//
// Every call that may need the network takes a [context.Context] and returns the context's error when it ends. Callers
// who need the same token or the same keys share one request; when the one who sends it goes away, another takes over.
//
// # Errors
//
// Every other error is an [*Error]. Its Code is one of the constants of this package, which are errors themselves:
//
//	if errors.Is(err, gatepass.ErrTokenExpired) { … }
//
// No error, and nothing that is printed of this package's types, holds a token or a key. The tokens themselves are in
// [oauth2.Token], which prints what it holds. Of the error of a [Supplier] only the type is printed; [errors.As] finds
// it.
//
// # Building
//
// The package decides nothing by itself: it carries out what gatepass's core, a native library that is linked
// statically, asks for. Without cgo the core is WebAssembly, which runs in this process. In a checkout of the repository,
// packages/go/build.sh makes the library, and cargo xtask test --only go the WebAssembly.
package gatepass
