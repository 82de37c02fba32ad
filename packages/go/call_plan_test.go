package gatepass_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"gatepass.dev/gatepass"
)

func TestPlansOfGRPCCalls(t *testing.T) {
	authorization := []string{"authorization"}
	for name, c := range map[string]struct {
		call     gatepass.GRPCCall
		expected *gatepass.CallPlan
		message  string
	}{
		"derived": {gatepass.GRPCCall{URL: "https://tag---a-uc.a.run.app:443/shop.Orders", IsEncrypted: true},
			&gatepass.CallPlan{Audience: "https://a-uc.a.run.app", Headers: authorization}, ""},
		"given": {gatepass.GRPCCall{URL: "https://orders.example/shop.Orders", Audience: "custom", IsEncrypted: true},
			&gatepass.CallPlan{Audience: "custom", Headers: authorization}, ""},
		"both headers": {gatepass.GRPCCall{URL: "https://orders.example", TokenHeader: gatepass.BothHeaders, IsEncrypted: true},
			&gatepass.CallPlan{Audience: "https://orders.example", Headers: []string{"authorization", "x-serverless-authorization"}}, ""},
		"access token": {gatepass.GRPCCall{URL: "https://pubsub.googleapis.com", WithAccessToken: true, IsEncrypted: true},
			&gatepass.CallPlan{Headers: authorization}, ""},
		"loopback": {gatepass.GRPCCall{URL: "https://127.0.0.1:50051/shop.Orders", AllowPlaintextLoopback: true},
			&gatepass.CallPlan{Audience: "https://127.0.0.1", Headers: authorization}, ""},
		"loopback, not allowed": {gatepass.GRPCCall{URL: "https://127.0.0.1:50051/shop.Orders"}, nil, "WithAllowPlaintextLoopback"},
		"plaintext":             {gatepass.GRPCCall{URL: "https://10.0.0.1:50051", AllowPlaintextLoopback: true}, nil, "TLS"},
		"access token, both headers": {gatepass.GRPCCall{URL: "https://a.example", WithAccessToken: true,
			TokenHeader: gatepass.BothHeaders, IsEncrypted: true}, nil, "WithTokenHeader"},
	} {
		plan, err := c.call.Plan()
		if !reflect.DeepEqual(plan, c.expected) {
			t.Errorf("%s: %+v %v", name, plan, err)
		}
		if c.expected == nil && (!errors.Is(err, gatepass.ErrInvalidOption) || !strings.Contains(err.Error(), c.message)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
