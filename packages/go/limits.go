package gatepass

import (
	"encoding/json"
	"sync"

	"gatepass.dev/gatepass/internal/native"
)

type coreLimits struct {
	Places     uint64 `json:"places"`
	HeldTokens int    `json:"held_tokens"`
}

// limits are the core's: how many tokens it remembers as verified, and how many to send it holds. They are asked for when
// they are needed first: a program that imports the package and never uses it starts no core.
var limits = sync.OnceValue(func() (limits coreLimits) {
	if err := json.Unmarshal([]byte(native.Limits()), &limits); err != nil {
		panic(err)
	}
	return limits
})
