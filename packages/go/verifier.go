package gatepass

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

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

// Validate checks one token: its form, signature, issuer, audience and times, and who it speaks for if that is limited.
//
// Beside the context's error, any [*Error] of [KindVerify] is possible. [ErrKeysUnavailable] is the only one that says
// nothing about the token.
func (v *Verifier) Validate(ctx context.Context, token string) (*Payload, error) {
	if payload := v.payloads.find(v.native.Recall(token, v.driver.Now())); payload != nil {
		return payload, nil
	}
	return v.check(ctx, token)
}

// ValidateRequest checks the token of a request, from the headers in which the issuer's tokens come. [RequireIDToken]
// does this for every request. Otherwise as [Verifier.Validate].
func (v *Verifier) ValidateRequest(request *http.Request) (*Payload, error) {
	headers := native.Headers{
		Authorization:           header(request, "Authorization"),
		ServerlessAuthorization: header(request, "X-Serverless-Authorization"),
		IAPAssertion:            header(request, "X-Goog-Iap-Jwt-Assertion"),
	}
	if payload := v.payloads.find(v.native.RecallHeaders(headers, v.driver.Now())); payload != nil {
		return payload, nil
	}
	token, err := v.native.TokenFromHeaders(headers)
	if err != nil {
		return nil, asError(err)
	}
	return v.check(request.Context(), token)
}

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
	v.payloads.keep(found.Entry, payload, len(found.Payload))
	return payload, nil
}

// Format prints that this is a verifier, whatever the verb: what it remembers is its callers' own.
func (v *Verifier) Format(f fmt.State, _ rune) { io.WriteString(f, "gatepass.Verifier") }

// header returns one of a request's headers, whose name is in its canonical form. One that stands twice is joined as
// RFC 9110, section 5.3 says: whoever reads the first only may see another token than whoever reads the last.
func header(request *http.Request, name string) native.Header {
	values := request.Header[name]
	return native.Header{Value: strings.Join(values, ", "), IsThere: len(values) > 0}
}

// verifiers are those behind Validate.
var verifiers table[verifierKey, *Verifier]

// A verifierKey tells verifiers apart: those without options by their audience, others by their settings.
type verifierKey struct{ audience, settings string }

func sharedVerifier(audience string, options []VerifierOption) (*Verifier, error) {
	if len(options) == 0 {
		return verifiers.get(verifierKey{audience: audience}, func() (*Verifier, error) {
			return NewVerifier(WithAudience(audience))
		})
	}
	settings := settingsOf(append(options[:len(options):len(options)], WithAudience(audience)))
	if settings.host.Clock != nil || settings.host.Transport != nil {
		return settings.verifier()
	}
	text, err := json.Marshal(settings)
	if err != nil {
		return nil, fault(err)
	}
	return verifiers.get(verifierKey{settings: string(text)}, settings.verifier)
}

func settingsOf(options []VerifierOption) *verifierSettings {
	settings := &verifierSettings{}
	for _, option := range options {
		option.applyToVerifier(settings)
	}
	if settings.Preset == "" && settings.Issuers == nil {
		settings.Preset = Google
	}
	return settings
}

func (s *verifierSettings) verifier() (*Verifier, error) {
	text, err := json.Marshal(s)
	if err != nil {
		return nil, fault(err)
	}
	verifier, err := native.NewVerifier(string(text))
	if err != nil {
		return nil, asError(err)
	}
	return &Verifier{native: verifier, driver: driver.New(s.host, &driver.Flights{})}, nil
}
