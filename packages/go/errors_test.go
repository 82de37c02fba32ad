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
