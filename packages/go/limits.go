package gatepass

import (
	"encoding/json"

	"gatepass.dev/gatepass/internal/native"
)

// limits are the core's: how many tokens it remembers as verified, and how many to send it holds.
var limits = func() (limits struct {
	Places     uint64 `json:"places"`
	HeldTokens int    `json:"held_tokens"`
}) {
	if err := json.Unmarshal([]byte(native.Limits()), &limits); err != nil {
		panic(err)
	}
	return limits
}()
