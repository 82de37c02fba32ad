package gatepass

import (
	"sync"
	"sync/atomic"

	"gatepass.dev/gatepass/internal/shared"
)

// process is what is kept for the whole process.
var process atomic.Pointer[belongings]

type belongings struct {
	// source is that of [FetchIDToken], and of all that is made without options.
	source func() (*Source, error)
	// keys are those of all verifiers that have neither a clock nor a transport of their own.
	keys func() (*keyCache, error)
	// verifiers are those of [Validate].
	verifiers table[verifierKey, *Verifier]
}

func init() {
	shared.Forget = func() {
		process.Store(&belongings{
			source: sync.OnceValues(func() (*Source, error) { return NewSource() }),
			keys:   sync.OnceValues(newKeyCache),
		})
	}
	shared.Forget()
}
