package gatepass

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"gatepass.dev/gatepass/internal/native"
)

// Verifier checks received tokens. It remembers the tokens that were valid and the issuer's keys, which it fetches once
// however many callers need them. It is safe for concurrent use; a program needs one for each policy.
type Verifier struct {
	native *native.Verifier
	driver driver
	claims claimsMemory
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
	found, err := v.check(ctx, token, false)
	if err != nil {
		return nil, err
	}
	if read := v.claims.find(found.Entry); read != nil {
		return read.copy(), nil
	}
	if found.Payload == "" {
		// The core remembers the token, and this package what others said that came after it.
		if found, err = v.check(ctx, token, true); err != nil {
			return nil, err
		}
	}
	read, err := readClaims(found)
	if err != nil {
		return nil, err
	}
	v.claims.keep(read)
	return read.copy(), nil
}

// check asks the core for its verdict until there is one. Of a token that it remembers it leaves the payload out, unless
// that is always wanted.
func (v *Verifier) check(ctx context.Context, token string, alwaysPayload bool) (native.Verdict, error) {
	var found native.Verdict
	_, err := v.driver.settle(ctx, func() (native.Turn, error) {
		var err error
		found, err = v.native.Check(token, v.driver.now(), alwaysPayload)
		return found.Turn, err
	})
	return found, err
}

// ValidateRequest checks the token of a request, from the headers in which the issuer's tokens come. [RequireIDToken]
// does this for every request. Otherwise as [Verifier.Validate].
func (v *Verifier) ValidateRequest(request *http.Request) (*Payload, error) {
	token, err := v.native.TokenFromHeaders(
		header(request, "Authorization"),
		header(request, "X-Serverless-Authorization"),
		header(request, "X-Goog-Iap-Jwt-Assertion"))
	if err != nil {
		return nil, asError(err)
	}
	return v.Validate(request.Context(), token)
}

// Format prints that this is a verifier, whatever the verb: what it remembers is its callers' own.
func (v *Verifier) Format(f fmt.State, _ rune) { io.WriteString(f, "gatepass.Verifier") }

// header returns nil for a header that the request does not have. One that stands twice is joined as RFC 9110,
// section 5.3 says: whoever reads the first only may see another token than whoever reads the last.
func header(request *http.Request, name string) *string {
	values := request.Header.Values(name)
	if len(values) == 0 {
		return nil
	}
	value := strings.Join(values, ", ")
	return &value
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
	if settings.host.clock != nil || settings.host.transport != nil {
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
	return &Verifier{native: verifier, driver: s.host.driver()}, nil
}
