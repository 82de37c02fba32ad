package gatepass

import (
	"encoding/json"

	"gatepass.dev/gatepass/internal/driver"
	"gatepass.dev/gatepass/internal/native"
)

// An Explanation says what a token is, and all that is wrong with it. It does not show the token.
type Explanation struct {
	// Accepted says whether the receiver accepts the token. It is nil where something that decides it is not known:
	// the issuer's keys or the audience.
	Accepted *bool `json:"accepted"`
	// Kind names what the token is, such as google_id_token, access_token or not_a_token.
	Kind string `json:"kind"`
	// Claims are what the token says, proven or not.
	Claims ExplainedClaims `json:"claims"`
	// Findings are what was found: what surrounds the token, then the refusals in the order of the checks, then the rest.
	Findings []Finding `json:"findings"`
	// Text is all of it together, for people.
	Text string `json:"text"`
}

// ExplainedClaims are the claims of a token that an [Explanation] shows, shortened if need be. Nothing proves them.
type ExplainedClaims struct {
	// Issuer is the iss claim, Audiences the aud claim as a list, Email the email claim; empty if there is none.
	Issuer    string   `json:"iss"`
	Audiences []string `json:"aud"`
	Email     string   `json:"email"`
	// IssuedAt and Expires are the iat and exp claims, in seconds since 1970; 0 if there is none.
	IssuedAt int64 `json:"iat"`
	Expires  int64 `json:"exp"`
}

// A Finding is one thing that an [Explanation] found.
type Finding struct {
	// Level is error (the token is refused for it), warning or note.
	Level string `json:"level"`
	// Code is that of the refusal; empty if it is none.
	Code Code `json:"code"`
	// Cause names the reason for it, such as trailing_slash, for programs; empty if that is not known.
	Cause string `json:"cause"`
	// Title, Found and Todo say in words what it is, what was found and what to do about it.
	Title string `json:"title"`
	Found string `json:"found"`
	Todo  string `json:"todo"`
}

// String returns the text.
func (e Explanation) String() string { return e.Text }

// A Call is what is known about the call that brought a token. Either may be empty.
type Call struct {
	// URL is what was called.
	URL string `json:"url,omitempty"`
	// Header is the name of the header that carried the token.
	Header string `json:"header,omitempty"`
}

// Explain explains a token to a receiver with these options, of which none is required: what is not given is not
// compared, or taken from the call and the token. Keys are those of [WithKeys]; none are fetched.
//
// It fails with [ErrInvalidOption], and with [ErrInvalidAudience] if no audience can be derived from the call's URL.
func Explain(token string, call Call, options ...VerifierOption) (*Explanation, error) {
	settings := &verifierSettings{HostCost: costOfPayloads}
	for _, option := range options {
		option.applyToVerifier(settings)
	}
	text, err := json.Marshal(struct {
		*verifierSettings
		Call
	}{settings, call})
	if err != nil {
		return nil, fault(err)
	}
	clock := driver.New(settings.host, nil)
	return readExplanation(native.Explain(string(text), token, clock.Now().Unix))
}

// Explain explains a token to this verifier, with the keys that it holds. It fails only with a fault of gatepass's own.
func (v *Verifier) Explain(token string, call Call) (*Explanation, error) {
	if v.isZero() {
		return nil, unusable("Verifier", "NewVerifier")
	}
	text, err := json.Marshal(call)
	if err != nil {
		return nil, fault(err)
	}
	return readExplanation(v.native.Explain(string(text), token, v.driver.Now().Unix))
}

func readExplanation(text string, err error) (*Explanation, error) {
	if err != nil {
		return nil, asError(err)
	}
	explanation := &Explanation{}
	if err := json.Unmarshal([]byte(text), explanation); err != nil {
		return nil, fault(err)
	}
	return explanation, nil
}
