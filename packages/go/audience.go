package gatepass

import (
	"context"
	"encoding/json"
	"strings"

	"gatepass.dev/gatepass/internal/driver"
	"gatepass.dev/gatepass/internal/native"
)

// AudienceForURL returns the audience to ask for when calling url, by the rules of Cloud Run: the service's own URL,
// without path, port and traffic tag. Any other host gets its origin, which is right only if the receiver expects it.
//
// It fails with [ErrInvalidAudience].
func AudienceForURL(url string) (string, error) {
	audience, err := native.AudienceForURL(url)
	if err != nil {
		return "", asError(err)
	}
	return audience, nil
}

// SameAudienceSpellings returns both spellings of a URL that is its own audience, without and with a slash at the end:
// receivers compare exactly, and callers who are given a URL by hand write either. Anything else comes back alone.
//
//	verifier, err := gatepass.NewVerifier(gatepass.WithAudience(gatepass.SameAudienceSpellings(url)...))
func SameAudienceSpellings(audience string) []string {
	var spellings []string
	text, err := native.SameAudienceSpellings(strings.ToValidUTF8(audience, "\uFFFD"))
	if err != nil || json.Unmarshal([]byte(text), &spellings) != nil {
		return []string{audience}
	}
	return spellings
}

// OwnAudiences asks the metadata server for the audiences of the Cloud Run service that this process is: both spellings
// of its URL with the project's number. The service's other URL, with a hash in it, and custom audiences cannot be known
// from inside.
//
// Elsewhere than on Cloud Run it fails with [ErrInvalidAudience]. Besides the context's error, any [*Error] of
// [KindTransport] is possible.
func OwnAudiences(ctx context.Context) ([]string, error) {
	op, err := native.OwnAudiences()
	if err != nil {
		return nil, asError(err)
	}
	defer op.Free()
	output, err := driver.New(driver.Host{}, &driver.Flights{}).Drive(ctx, op)
	if err != nil {
		return nil, asError(err)
	}
	var found struct {
		Audiences []string `json:"audiences"`
	}
	if err := json.Unmarshal(output, &found); err != nil {
		return nil, fault(err)
	}
	return found.Audiences, nil
}
