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
	if status := (&gatepass.Error{Code: gatepass.ErrInternal}).GRPC(); status.Code != 13 || status.Message != "INTERNAL" {
		t.Errorf("%+v", status)
	}
	if code := (&gatepass.Error{}).GRPCCallCode(); code != 16 {
		t.Errorf("%d", code)
	}
}

// The status of a refused call says what the caller can do, and nothing of the token.
func TestTheStatusOfGRPC(t *testing.T) {
	_, err := gatepass.Validate(deadline(t), "hunter2", audience)
	var refused *gatepass.Error
	if !errors.As(err, &refused) {
		t.Fatal(err)
	}
	status := refused.GRPC()
	if status.Code != 16 || !strings.HasPrefix(status.Message, "TOKEN_MALFORMED: ") || strings.Contains(status.Message, "1 part") {
		t.Errorf("%d %s", status.Code, status.Message)
	}
	for _, part := range []string{"type.googleapis.com/google.rpc.ErrorInfo", "TOKEN_MALFORMED", "gatepass.dev", status.Message} {
		if !strings.Contains(string(status.Details), part) {
			t.Errorf("the details are %q, expected %q in them", status.Details, part)
		}
	}
}
