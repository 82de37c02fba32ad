package gatepass_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"gatepass.dev/gatepass"
)

func TestAnExplanationSaysWhatIsWrong(t *testing.T) {
	emulator := startEmulator(t)
	token := emulator.mint(idToken{
		Audience: audience + "/", Email: caller, IssuedAt: time.Unix(1_700_000_000, 0), Lifetime: 10 * time.Minute,
	})
	explanation := got(gatepass.Explain(token, gatepass.Call{Header: "Cookie"},
		gatepass.WithAudience(audience), gatepass.WithClock(func() time.Time { return time.Unix(1_700_003_600, 0) })))(t)

	if explanation.Accepted == nil || *explanation.Accepted || explanation.Kind != "google_id_token" {
		t.Errorf("%+v", *explanation)
	}
	claims := explanation.Claims
	if claims.Issuer != "https://accounts.google.com" || len(claims.Audiences) != 1 || claims.Audiences[0] != audience+"/" ||
		claims.Email != caller || claims.IssuedAt != 1_700_000_000 || claims.Expires != 1_700_000_600 {
		t.Errorf("%+v", claims)
	}
	for _, expected := range []struct {
		code  gatepass.Code
		cause string
	}{{gatepass.ErrBadAudience, "trailing_slash"}, {gatepass.ErrTokenExpired, ""}, {gatepass.ErrTokenMissing, "wrong_header"}} {
		if finding := findingOf(explanation, expected.code); finding == nil || finding.Cause != expected.cause ||
			finding.Level != "error" || finding.Title == "" || finding.Found == "" || finding.Todo == "" {
			t.Errorf("%s: %+v", string(expected.code), finding)
		}
	}
	for _, printed := range []string{fmt.Sprint(explanation), fmt.Sprint(*explanation), fmt.Sprintf("%+v", explanation)} {
		if printed != explanation.Text || !strings.HasPrefix(printed, "This is a Google ID token") {
			t.Errorf("it prints %q", printed)
		}
	}
	mustNotShow(t, []string{token[:20], token[len(token)-20:]}, explanation, *explanation, explanation.Findings)
}

func TestAVerifierExplainsWithItsOwnKeys(t *testing.T) {
	emulator := startEmulator(t)
	token := emulator.mint(idToken{Audience: audience, Email: caller})
	verifier := got(gatepass.NewVerifier(
		gatepass.WithAudience(audience), gatepass.WithKeysURL(emulator.keysURL())))(t)
	if before := got(verifier.Explain(token, gatepass.Call{}))(t); before.Accepted != nil {
		t.Errorf("nothing decides about a signature without keys: %s", before)
	}
	got(verifier.Validate(deadline(t), token))(t)
	if after := got(verifier.Explain(token, gatepass.Call{}))(t); after.Accepted == nil || !*after.Accepted {
		t.Errorf("it was accepted: %s", after)
	}
	stranger := got(verifier.Explain(token, gatepass.Call{URL: "https://elsewhere.example/path"}))(t)
	if len(stranger.Findings) == 0 || stranger.Findings[0].Level != "warning" {
		t.Errorf("the URL has another audience: %s", stranger)
	}
}

func TestWithoutOptionsAnExplanationTellsTheKind(t *testing.T) {
	for token, kind := range map[string]string{
		"ya29.hunter2": "access_token", "hunter2": "not_a_token", "\xff\xfe": "not_a_token", "": "not_a_token",
	} {
		explanation := got(gatepass.Explain(token, gatepass.Call{}))(t)
		if explanation.Kind != kind || explanation.Accepted == nil || *explanation.Accepted ||
			strings.Contains(explanation.Text, "hunter2") {
			t.Errorf("%q: %s", token, explanation)
		}
	}
}

func TestExplanationsThatCannotBe(t *testing.T) {
	if _, err := gatepass.Explain("a", gatepass.Call{}, gatepass.WithPreset("gogle")); !errors.Is(err, gatepass.ErrInvalidOption) {
		t.Errorf("%v", err)
	}
	if _, err := gatepass.Explain("a", gatepass.Call{URL: "ftp://a"}); !errors.Is(err, gatepass.ErrInvalidAudience) {
		t.Errorf("%v", err)
	}
}

func findingOf(explanation *gatepass.Explanation, code gatepass.Code) *gatepass.Finding {
	for _, finding := range explanation.Findings {
		if finding.Code == code {
			return &finding
		}
	}
	return nil
}
