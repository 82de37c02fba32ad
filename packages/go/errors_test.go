package gatepass_test

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"gatepass.dev/gatepass"
)

func TestErrorsAreFoundByTheirCode(t *testing.T) {
	_, err := gatepass.AudienceForURL("")
	err = fmt.Errorf("calling the orders service: %w", err)
	if !errors.Is(err, gatepass.ErrInvalidAudience) || errors.Is(err, gatepass.ErrTokenExpired) {
		t.Errorf("%v", err)
	}
	var failed *gatepass.Error
	if !errors.As(err, &failed) || failed.Code != gatepass.ErrInvalidAudience || failed.Kind != gatepass.KindUsage {
		t.Errorf("%+v", failed)
	}
	if !strings.Contains(err.Error(), "INVALID_AUDIENCE") || !strings.Contains(err.Error(), failed.Message) {
		t.Errorf("%v", err)
	}
}

func TestAnErrorOfNobodysMakingIsAFault(t *testing.T) {
	recorder := httptest.NewRecorder()
	(&gatepass.Error{}).Refuse(recorder)
	if recorder.Code != 500 {
		t.Errorf("%d", recorder.Code)
	}
}

// Whatever is printed of the package's types, no token and no key is in it.
func TestNothingShowsASecret(t *testing.T) {
	emulator := startEmulator(t)
	emulator.setEnv()
	file := gatepass.WithCredentialsJSON([]byte(`{"private_key":"hunter2"}`))
	keys := gatepass.WithKeys([]byte(`{"keys":[],"hunter2":1}`))
	source := got(gatepass.NewSource())(t)
	token := got(source.IDToken(deadline(t), audience))(t).AccessToken
	tokens := got(gatepass.NewTokenSource(deadline(t), audience, gatepass.WithTrustedEndpoints()))(t)
	got(tokens.Token())(t)
	client := got(gatepass.NewClient(deadline(t), audience, gatepass.WithTrustedEndpoints()))(t)
	verifier := got(gatepass.NewVerifier(
		gatepass.WithAudience(audience), gatepass.WithKeysURL(emulator.keysURL())))(t)
	payload := got(verifier.Validate(deadline(t), token))(t)
	_, refused := verifier.Validate(deadline(t), token+"x")
	_, invalid := gatepass.NewSource(file, gatepass.WithCredentialsFile("x"))

	for _, value := range []any{
		file, keys, source, tokens, client, client.Transport, verifier, payload, refused, invalid,
	} {
		for _, form := range []string{"%v", "%+v", "%#v", "%s"} {
			shown := fmt.Sprintf(form, value)
			if strings.Contains(shown, "hunter2") || strings.Contains(shown, token[:20]) {
				t.Errorf("%s of %T shows a secret", form, value)
			}
		}
	}
}
