// Package native is the border to the core: it gives the core Go's strings and copies the core's bytes to Go. It decides
// nothing, and knows of JSON only that it is text.
//
// There are two ways across. With cgo, on platforms that there is a library for, the core is linked (cgo.go). Elsewhere, and
// with the build tag gatepass_wasm, it is a WebAssembly module (wasm.go). Both have the same functions.
package native

// Failure is an error of the core, as JSON.
type Failure string

func (f Failure) Error() string { return string(f) }

// Answer is what a lookup or a check has found; see bindings/c/include/gatepass.h.
type Answer uint32

// The answers of the core.
const (
	Fresh     Answer = 1
	Stale     Answer = 2
	Fetch     Answer = 3
	Join      Answer = 4
	Accepted  Answer = 5
	NeedsKeys Answer = 6
)

// Turn is what an answer says about operations.
type Turn struct {
	Answer Answer
	// Flight is that of Op, or the one to wait for; 0 is none.
	Flight uint64
	// Op is nil when there is nothing to drive. Who gets it must free it.
	Op *Op
}

// Now is the readings of two clocks, in milliseconds: of the one that people set, since 1970, and of one that nobody
// sets, since whenever.
type Now struct{ Unix, Monotonic uint64 }

// Lookup is the answer of a Source.
type Lookup struct {
	Turn
	Header      string
	ExpiresAtMS uint64
	// FreshUntil has come when either of its readings has.
	FreshUntil Now
}

// Verdict is the answer of a Verifier.
type Verdict struct {
	Turn
	Payload string
	// Entry names the token among all that this verifier remembers; 0 is none.
	Entry uint64
	// Unverified says that nothing proves the payload.
	Unverified bool
}

// Headers are those of a request that may carry a token, in the order of TokenHeaders.
type Headers [3]Header

// Header is the values of a header, if the request has it, with a line feed between each two.
type Header struct {
	Value   string
	IsThere bool
}
