package gatepass_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"gatepass.dev/gatepass"
)

func (e *emulator) supplied(options ...gatepass.SourceOption) *gatepass.Source {
	e.t.Helper()
	clearEnv(e.t)
	file := e.federated(object{"supplier": "platform"})
	options = append(options, gatepass.WithCredentialsJSON(file), gatepass.WithTrustedEndpoints(e.Host()))
	return got(gatepass.NewSource(options...))(e.t)
}

func TestASupplierGivesTheSubjectToken(t *testing.T) {
	emulator := startEmulator(t)
	type contextKey struct{}
	ctx := context.WithValue(deadline(t), contextKey{}, "the caller's")
	source := emulator.supplied(gatepass.WithSupplier("platform",
		func(ctx context.Context, wanted gatepass.SupplierContext) (string, error) {
			if (wanted != gatepass.SupplierContext{Audience: provider, TokenType: tokenJWT}) {
				t.Errorf("%+v is wanted", wanted)
			}
			if ctx.Value(contextKey{}) != "the caller's" {
				t.Error("another context than the caller's")
			}
			return "subject", nil
		}))
	token := got(source.IDToken(ctx, audience))(t)
	payload := got(gatepass.Validate(ctx, token.AccessToken, audience, gatepass.WithKeysURL(emulator.keysURL())))(t)
	if payload.Claims["email"] != caller {
		t.Errorf("%v, expected %s", payload.Claims["email"], caller)
	}
}

// platformError is an error that says more than it should.
type platformError struct{ text string }

func (e platformError) Error() string { return e.text }

// The supplier's own error can be found, and is not printed.
func TestASupplierThatFails(t *testing.T) {
	emulator := startEmulator(t)
	source := emulator.supplied(gatepass.WithSupplier("platform",
		func(context.Context, gatepass.SupplierContext) (string, error) { return "", platformError{"hunter2"} }))
	_, err := source.IDToken(deadline(t), audience)
	if !errors.Is(err, gatepass.ErrSubjectTokenFailed) || !strings.Contains(err.Error(), "gatepass_test.platformError") {
		t.Errorf("%v", err)
	}
	var own platformError
	if !errors.As(err, &own) || own.text != "hunter2" {
		t.Errorf("the supplier's own error is %+v", own)
	}
	var failed *gatepass.Error
	errors.As(err, &failed)
	for _, form := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if shown := fmt.Sprintf(form+" "+form, failed, *failed); strings.Contains(shown, "hunter2") {
			t.Errorf("%s shows what the supplier's error says", form)
		}
	}
}

func TestASupplierThatNobodyHasRegistered(t *testing.T) {
	emulator := startEmulator(t)
	another := func(context.Context, gatepass.SupplierContext) (string, error) { return "subject", nil }
	source := emulator.supplied(gatepass.WithSupplier("b", another), gatepass.WithSupplier("a", another))
	_, err := source.IDToken(deadline(t), audience)
	if !errors.Is(err, gatepass.ErrSubjectTokenFailed) || !strings.Contains(err.Error(), "registered are: a, b") {
		t.Errorf("%v", err)
	}
}

// A caller who goes away leaves the supplier to whoever needs the token next.
func TestACancelledCallerDoesNotEndTheSupplier(t *testing.T) {
	emulator := startEmulator(t)
	ctx, cancel := context.WithCancel(deadline(t))
	left := make(chan struct{})
	asked := 0
	source := emulator.supplied(gatepass.WithSupplier("platform",
		func(ctx context.Context, _ gatepass.SupplierContext) (string, error) {
			asked++
			cancel()
			<-left
			return "subject", ctx.Err()
		}))
	if _, err := source.IDToken(ctx, audience); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, expected that it was cancelled", err)
	}
	close(left)
	got(source.IDToken(deadline(t), audience))(t)
	if asked != 1 {
		t.Errorf("the supplier was asked %d times, expected 1", asked)
	}
}

// A supplier runs where nobody else would catch what it throws.
func TestASupplierThatPanics(t *testing.T) {
	emulator := startEmulator(t)
	source := emulator.supplied(gatepass.WithSupplier("platform",
		func(context.Context, gatepass.SupplierContext) (string, error) { panic("hunter2") }))
	_, err := source.IDToken(deadline(t), audience)
	if !errors.Is(err, gatepass.ErrSubjectTokenFailed) || !strings.Contains(err.Error(), "panic with a value of the type string") {
		t.Errorf("%v", err)
	}
	mustNotShow(t, []string{"hunter2"}, *err.(*gatepass.Error)) // Who unwraps it finds the value, and the stack.
	if cause := err.(*gatepass.Error).Unwrap()[1].Error(); !strings.Contains(cause, "hunter2") || !strings.Contains(cause, "supplier_test.go") {
		t.Errorf("the cause is %q", cause)
	}
}
