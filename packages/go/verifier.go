package gatepass

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync/atomic"

	"gatepass.dev/gatepass/internal/native"
)

// Payload is what a verified token says. Each caller gets one of its own.
type Payload struct {
	// Issuer is the iss claim.
	Issuer string
	// Audience is the aud claim if that is one string; if it is a list, this is empty and the list is in Claims.
	Audience string
	// Expires is the exp claim, in seconds since 1970.
	Expires int64
	// IssuedAt is the iat claim, in seconds since 1970.
	IssuedAt int64
	// Subject is the sub claim. Google's are numbers that are never given to anybody else.
	Subject string
	// Claims are all claims, as [encoding/json] reads them; "email" is among those of service accounts.
	Claims map[string]any
	// Unverified is true if nothing proves any of this: the token had no signature, and the verifier takes Cloud Run's
	// word for it. See [WithTrustCloudRunAndSkipSignature].
	Unverified bool
}

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
	var found native.Verdict
	_, err := v.driver.settle(ctx, func() (native.Turn, error) {
		var err error
		found, err = v.native.Check(token, v.driver.now())
		return found.Turn, err
	})
	if err != nil {
		return nil, err
	}
	payload, err := v.claims.payload(found.Payload)
	if err != nil {
		return nil, err
	}
	payload.Unverified = found.Unverified
	return payload, nil
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
	return &Verifier{native: verifier, driver: s.host.driver(), claims: claimsMemory{seed: maphash.MakeSeed()}}, nil
}

// A claimsMemory spares reading the same payload again: a service sends the same token for an hour. A payload has one
// place, found by its hash, and is forgotten when another one needs the place; so it is bounded, and nobody waits.
type claimsMemory struct {
	seed   maphash.Seed
	places [4096]atomic.Pointer[readPayload]
}

// longestRemembered is the size, in octets, of the largest payload that is worth its memory.
const longestRemembered = 4096

// readPayload is a payload and what it says. Nobody changes it.
type readPayload struct {
	text string
	said Payload
	// nested names the claims that hold a list or an object.
	nested []string
}

func (m *claimsMemory) payload(text string) (*Payload, error) {
	place := &m.places[maphash.String(m.seed, text)%uint64(len(m.places))]
	if read := place.Load(); read != nil && read.text == text {
		return read.copy(), nil
	}
	read, err := readClaims(text)
	if err != nil {
		return nil, err
	}
	if len(text) <= longestRemembered {
		place.Store(read)
	}
	return read.copy(), nil
}

func readClaims(text string) (*readPayload, error) {
	var claims map[string]any
	if err := json.Unmarshal([]byte(text), &claims); err != nil {
		return nil, fault(err)
	}
	read := &readPayload{text: text, said: Payload{Claims: claims}}
	read.said.Issuer, _ = claims["iss"].(string)
	read.said.Audience, _ = claims["aud"].(string)
	read.said.Subject, _ = claims["sub"].(string)
	expires, _ := claims["exp"].(float64)
	issuedAt, _ := claims["iat"].(float64)
	read.said.Expires, read.said.IssuedAt = int64(expires), int64(issuedAt)
	for name, claim := range claims {
		switch claim.(type) {
		case []any, map[string]any:
			read.nested = append(read.nested, name)
		}
	}
	return read, nil
}

// copy makes a payload that shares nothing with the memory: its owner may change it.
func (r *readPayload) copy() *Payload {
	payload := r.said
	payload.Claims = maps.Clone(payload.Claims)
	for _, name := range r.nested {
		payload.Claims[name] = copyClaim(payload.Claims[name])
	}
	return &payload
}

func copyClaim(claim any) any {
	switch claim := claim.(type) {
	case []any:
		made := make([]any, len(claim))
		for i, member := range claim {
			made[i] = copyClaim(member)
		}
		return made
	case map[string]any:
		made := make(map[string]any, len(claim))
		for name, member := range claim {
			made[name] = copyClaim(member)
		}
		return made
	}
	return claim
}
