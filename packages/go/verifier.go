package gatepass

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"

	"gatepass.dev/gatepass/internal/driver"
	"gatepass.dev/gatepass/internal/native"
)

// Verifier checks received tokens. It remembers the tokens that were valid and the issuer's keys, which it fetches once
// however many callers need them. It is safe for concurrent use; a program needs one for each policy.
type Verifier struct {
	native   *native.Verifier
	driver   *driver.Driver
	payloads payloadMemory
}

// NewVerifier makes a verifier. [WithAudience] is required; the issuer is [Google] unless an option says otherwise.
//
// It fails with [ErrInvalidOption], whose message says what is missing.
func NewVerifier(options ...VerifierOption) (*Verifier, error) {
	return settingsOf(options).verifier()
}

// Validate checks one token of [Google], or of whom the options name, for audience. The verifiers behind it are kept
// for the whole process, one for each audience and options; with [WithClock] or [WithTransport] make a [Verifier]
// instead. It fails as [Verifier.Validate] and [NewVerifier] do.
func Validate(ctx context.Context, token, audience string, options ...VerifierOption) (*Payload, error) {
	verifier, err := sharedVerifier(audience, options)
	if err != nil {
		return nil, err
	}
	return verifier.Validate(ctx, token)
}

// Validate checks one token: its form, signature, issuer, audience and times, and whom it is of if that is limited.
//
// Besides the context's error, any [*Error] of [KindVerify] is possible. [ErrKeysUnavailable] is the only one that says
// nothing about the token.
func (v *Verifier) Validate(ctx context.Context, token string) (*Payload, error) {
	if v.isZero() {
		return nil, unusable("Verifier", "NewVerifier")
	}
	if payload := v.payloads.find(v.native.Recall(token, v.driver.Now())); payload != nil {
		return payload, nil
	}
	return v.check(ctx, token)
}

// ValidateRequest checks the token of a request, from the headers in which the issuer's tokens come. [RequireIDToken]
// does this for every request. Otherwise as [Verifier.Validate].
func (v *Verifier) ValidateRequest(request *http.Request) (*Payload, error) {
	if v.isZero() {
		return nil, unusable("Verifier", "NewVerifier")
	}
	return v.validateHeaders(request.Context(), headersOf(func(name string) []string { return request.Header[name] }))
}

// ValidateHeaders checks the token among the headers of a request that is not net/http's, such as an event's in a function.
// Their names may be written in any case. Otherwise as [Verifier.ValidateRequest].
func (v *Verifier) ValidateHeaders(ctx context.Context, headers map[string][]string) (*Payload, error) {
	if v.isZero() {
		return nil, unusable("Verifier", "NewVerifier")
	}
	return v.validateHeaders(ctx, headersInAnyCase(headers))
}

// ValidateHeaderFunc is [Verifier.ValidateHeaders] where headers are asked for one by one: values returns all values of the
// header with this name, which is in net/http's form. Without a function there are no headers.
func (v *Verifier) ValidateHeaderFunc(ctx context.Context, values func(name string) []string) (*Payload, error) {
	if v.isZero() {
		return nil, unusable("Verifier", "NewVerifier")
	}
	if values == nil {
		values = http.Header(nil).Values
	}
	return v.validateHeaders(ctx, headersOf(values))
}

func (v *Verifier) validateHeaders(ctx context.Context, headers native.Headers) (*Payload, error) {
	if payload := v.payloads.find(v.native.RecallHeaders(headers, v.driver.Now())); payload != nil {
		return payload, nil
	}
	token, err := v.native.TokenFromHeaders(headers)
	if err != nil {
		return nil, asError(err)
	}
	return v.check(ctx, token)
}

func (v *Verifier) isZero() bool { return v == nil || v.native == nil }

// check asks the core for its verdict until there is one, and keeps what it makes of the payload.
func (v *Verifier) check(ctx context.Context, token string) (*Payload, error) {
	var found native.Verdict
	if _, err := v.driver.Settle(ctx, func() (native.Turn, error) {
		var err error
		found, err = v.native.Check(token, v.driver.Now())
		return found.Turn, err
	}); err != nil {
		return nil, asError(err)
	}
	payload, err := readPayload(found)
	if err != nil {
		return nil, err
	}
	v.payloads.keep(found, payload)
	return payload, nil
}

// Format prints that this is a verifier, whatever the verb: what it remembers is its callers' own.
func (v *Verifier) Format(f fmt.State, _ rune) { io.WriteString(f, "gatepass.Verifier") }

// headersOf returns the headers that may carry a token, each with all its values.
func headersOf(valuesOf func(name string) []string) native.Headers {
	var headers native.Headers
	for i, name := range tokenHeaders() {
		values := valuesOf(name)
		headers[i] = native.Header{Value: strings.Join(values, "\n"), IsThere: len(values) > 0}
	}
	return headers
}

// headersInAnyCase does so too, whatever the case of their names.
func headersInAnyCase(header map[string][]string) native.Headers {
	var headers native.Headers
	for i, name := range tokenHeaders() {
		var values []string
		for found, more := range header {
			// Some letters that are not ASCII fold to ones that are, of another length.
			if len(found) == len(name) && strings.EqualFold(found, name) {
				values = append(values[:len(values):len(values)], more...)
			}
		}
		headers[i] = native.Header{Value: strings.Join(values, "\n"), IsThere: len(values) > 0}
	}
	return headers
}

// tokenHeaders are the names of these, as the core has them, in net/http's form.
var tokenHeaders = sync.OnceValue(func() (names [3]string) {
	if err := json.Unmarshal([]byte(native.TokenHeaders()), &names); err != nil {
		panic(err)
	}
	for i, name := range names {
		names[i] = http.CanonicalHeaderKey(name)
	}
	return names
})

// A verifierKey distinguishes verifiers: those without options by their audience, others by their settings.
type verifierKey struct{ audience, settings string }

func sharedVerifier(audience string, options []VerifierOption) (*Verifier, error) {
	if len(options) == 0 {
		return process.Load().verifiers.get(verifierKey{audience: audience}, func() (*Verifier, error) {
			return NewVerifier(WithAudience(audience))
		})
	}
	settings := settingsOf(append(options[:len(options):len(options)], WithAudience(audience)))
	if !settings.host.IsSystem() {
		return settings.verifier()
	}
	text, err := json.Marshal(settings)
	if err != nil {
		return nil, fault(err)
	}
	return process.Load().verifiers.get(verifierKey{settings: string(text)}, settings.verifier)
}

func settingsOf(options []VerifierOption) *verifierSettings {
	settings := &verifierSettings{HostCost: costOfPayloads}
	for _, option := range options {
		option.applyToVerifier(settings)
	}
	return settings
}

func (s *verifierSettings) verifier() (*Verifier, error) {
	keys, err := s.keys()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(s)
	if err != nil {
		return nil, fault(err)
	}
	op, err := keys.native.OpenVerifier(string(text))
	if err != nil {
		return nil, asError(err)
	}
	defer op.Free()
	driver := driver.New(s.host, &keys.flights)
	output, err := driver.Drive(context.Background(), op)
	if err != nil {
		return nil, asError(err)
	}
	var opened struct {
		Warnings []string `json:"warnings"`
	}
	if err := json.Unmarshal(output, &opened); err != nil {
		return nil, fault(err)
	}
	for _, warning := range opened.Warnings {
		slog.Warn("gatepass: " + warning)
	}
	verifier, err := op.Verifier()
	if err != nil {
		return nil, asError(err)
	}
	return &Verifier{native: verifier, driver: driver, payloads: newPayloadMemory()}, nil
}

// A keyCache holds the keys of issuers, and who fetches them, for verifiers that share both.
type keyCache struct {
	native  *native.Keys
	flights driver.Flights
}

func newKeyCache() (*keyCache, error) {
	keys, err := native.NewKeys()
	if err != nil {
		return nil, asError(err)
	}
	return &keyCache{native: keys}, nil
}

func (s *verifierSettings) keys() (*keyCache, error) {
	if s.host.IsSystem() {
		return process.Load().keys()
	}
	return newKeyCache()
}
