//go:build cgo && !gatepass_wasm && linux && (amd64 || arm64)

package native

/*
#include "gatepass.h"

#cgo nocallback gp_source_lookup
#cgo noescape gp_source_lookup
#cgo nocallback gp_verifier_check
#cgo noescape gp_verifier_check
#cgo nocallback gp_verifier_token_from_headers
#cgo noescape gp_verifier_token_from_headers
#cgo nocallback gp_buf_free
#cgo noescape gp_buf_free
#cgo nocallback recall
#cgo noescape recall
#cgo nocallback recall_headers
#cgo noescape recall_headers

// What is called for every request takes its bytes as a pointer and a length: at every call cgo looks up where the
// pointers within a struct lead to.

static uint64_t recall(
	const gp_verifier *verifier, const uint8_t *token, size_t token_len, uint64_t now_ms, uint64_t monotonic_ms) {
	gp_slice slice = {token, token_len};
	return gp_verifier_recall(verifier, slice, now_ms, monotonic_ms);
}

static uint64_t recall_headers(
	const gp_verifier *verifier, const uint8_t *authorization, size_t authorization_len,
	const uint8_t *serverless_authorization, size_t serverless_authorization_len, const uint8_t *iap_assertion,
	size_t iap_assertion_len, uint64_t now_ms, uint64_t monotonic_ms) {
	gp_slice slices[] = {
		{authorization, authorization_len},
		{serverless_authorization, serverless_authorization_len},
		{iap_assertion, iap_assertion_len},
	};
	gp_buf token;
	if (gp_verifier_token_from_headers(verifier, slices[0], slices[1], slices[2], &token, NULL) != GP_OK) return 0;
	uint64_t entry = recall(verifier, token.data, token.len, now_ms, monotonic_ms);
	gp_buf_free(token);
	return entry;
}
*/
import "C"

import (
	"runtime"
	"unsafe"
)

// The answers of the C ABI are this package's.
var _ = [1]struct{}{}[C.GP_FRESH-Fresh|C.GP_STALE-Stale|C.GP_FETCH-Fetch|C.GP_JOIN-Join|C.GP_ACCEPTED-Accepted|
	C.GP_NEEDS_KEYS-NeedsKeys]

// Source holds tokens of one principal. It is safe for concurrent use.
type Source struct{ handle *C.gp_source }

// Keys are those of issuers, for all verifiers that are opened with them. They are safe for concurrent use.
type Keys struct{ handle *C.gp_keys }

// Verifier checks received tokens. It is safe for concurrent use.
type Verifier struct{ handle *C.gp_verifier }

// Op is an operation under way, for one goroutine at a time.
type Op struct{ handle *C.gp_op }

// Version returns the version of the core.
func Version() string { return C.GoString(C.gp_version()) }

// ErrorCodes returns the list of error codes, as JSON.
func ErrorCodes() string { return forEver(C.gp_error_codes()) }

// Limits returns the bounds that hosts keep to, as JSON.
func Limits() string { return forEver(C.gp_limits()) }

// TokenHeaders returns the names of the headers that may carry a token, as JSON.
func TokenHeaders() string { return forEver(C.gp_token_headers()) }

// AudienceForURL returns the audience to ask for when calling url.
func AudienceForURL(url string) (string, error) {
	var audience, failure C.gp_buf
	if C.gp_audience_for_url(lend(url), &audience, &failure) != C.GP_OK {
		return "", failed(failure)
	}
	return take(audience), nil
}

// PlanCall says how a call carries its token; both are JSON.
func PlanCall(call string) (string, error) {
	var plan, failure C.gp_buf
	if C.gp_plan_call(lend(call), &plan, &failure) != C.GP_OK {
		return "", failed(failure)
	}
	return take(plan), nil
}

// RefusalLog returns what is noted of a refusal of a request for this path; it and the refusal are JSON.
func RefusalLog(refusal, path string) (string, error) {
	var line, failure C.gp_buf
	if C.gp_refusal_log(lend(refusal), lend(path), &line, &failure) != C.GP_OK {
		return "", failed(failure)
	}
	return take(line), nil
}

// SameAudienceSpellings returns the spellings of audience, as JSON.
func SameAudienceSpellings(audience string) (string, error) {
	var spellings, failure C.gp_buf
	if C.gp_same_audience_spellings(lend(audience), &spellings, &failure) != C.GP_OK {
		return "", failed(failure)
	}
	return take(spellings), nil
}

// OwnAudiences returns the operation that asks for the audiences of this service.
func OwnAudiences() (*Op, error) {
	var op *C.gp_op
	var failure C.gp_buf
	if C.gp_own_audiences(&op, &failure) != C.GP_OK {
		return nil, failed(failure)
	}
	return &Op{op}, nil
}

// Explain explains a token to the verifier of these options, as JSON; so is the explanation.
func Explain(options, token string, nowMS uint64) (string, error) {
	return explain(nil, options, token, nowMS)
}

// NewSource makes a source from its options, as JSON.
func NewSource(options string) (*Source, error) {
	var handle *C.gp_source
	var failure C.gp_buf
	if C.gp_source_new(lend(options), &handle, &failure) != C.GP_OK {
		return nil, failed(failure)
	}
	source := &Source{handle}
	runtime.AddCleanup(source, func(handle *C.gp_source) { C.gp_source_free(handle) }, handle)
	return source, nil
}

// Lookup asks for the token of this kind for target.
func (s *Source) Lookup(kind, target string, now Now) (Lookup, error) {
	var found C.gp_lookup
	var failure C.gp_buf
	status := C.gp_source_lookup(
		s.handle, lend(kind), lend(target), C.uint64_t(now.Unix), C.uint64_t(now.Monotonic), &found,
		&failure)
	runtime.KeepAlive(s)
	if status != C.GP_OK {
		return Lookup{}, failed(failure)
	}
	return Lookup{
		Turn:        turn(found.answer, found.flight, found.op),
		Header:      take(found.header),
		ExpiresAtMS: uint64(found.expires_at_ms),
		FreshUntil:  Now{uint64(found.fresh_until_ms), uint64(found.fresh_until_monotonic_ms)},
	}, nil
}

// RetryAfterRefusal reports whether a call that was refused with this status is to be repeated with another token.
func (s *Source) RetryAfterRefusal(kind, target, header string, status int, now Now) (bool, error) {
	var retry C.bool
	var failure C.gp_buf
	outcome := C.gp_source_retry_after_refusal(
		s.handle, lend(kind), lend(target), lend(header), C.uint16_t(status), C.uint64_t(now.Unix),
		C.uint64_t(now.Monotonic), &retry, &failure)
	runtime.KeepAlive(s)
	if outcome != C.GP_OK {
		return false, failed(failure)
	}
	return bool(retry), nil
}

// Invalidate reports whether a lookup now gives another token than that of this header.
func (s *Source) Invalidate(kind, target, header string, now Now) (bool, error) {
	var changed C.bool
	var failure C.gp_buf
	status := C.gp_source_invalidate(
		s.handle, lend(kind), lend(target), lend(header), C.uint64_t(now.Unix), C.uint64_t(now.Monotonic), &changed,
		&failure)
	runtime.KeepAlive(s)
	if status != C.GP_OK {
		return false, failed(failure)
	}
	return bool(changed), nil
}

// Principal returns the operation that says who the credentials are.
func (s *Source) Principal() (*Op, error) {
	var op *C.gp_op
	var failure C.gp_buf
	status := C.gp_source_principal(s.handle, &op, &failure)
	runtime.KeepAlive(s)
	if status != C.GP_OK {
		return nil, failed(failure)
	}
	return &Op{op}, nil
}

// SignBytes returns the operation that signs bytes, which are given as a text.
func (s *Source) SignBytes(bytes string) (*Op, error) {
	var op *C.gp_op
	var failure C.gp_buf
	status := C.gp_source_sign_bytes(s.handle, lend(bytes), &op, &failure)
	runtime.KeepAlive(s)
	if status != C.GP_OK {
		return nil, failed(failure)
	}
	return &Op{op}, nil
}

// AccessTokenHeaders returns the headers that go with an access token besides Authorization, as JSON.
func (s *Source) AccessTokenHeaders() (string, error) {
	var headers, failure C.gp_buf
	status := C.gp_source_access_token_headers(s.handle, &headers, &failure)
	runtime.KeepAlive(s)
	if status != C.GP_OK {
		return "", failed(failure)
	}
	return take(headers), nil
}

// NewKeys makes an empty cache of keys.
func NewKeys() (*Keys, error) {
	var handle *C.gp_keys
	var failure C.gp_buf
	if C.gp_keys_new(&handle, &failure) != C.GP_OK {
		return nil, failed(failure)
	}
	keys := &Keys{handle}
	runtime.AddCleanup(keys, func(handle *C.gp_keys) { C.gp_keys_free(handle) }, handle)
	return keys, nil
}

// OpenVerifier returns the operation that makes a verifier from its options, as JSON.
func (k *Keys) OpenVerifier(options string) (*Op, error) {
	var op *C.gp_op
	var failure C.gp_buf
	status := C.gp_verifier_open(lend(options), k.handle, &op, &failure)
	runtime.KeepAlive(k)
	if status != C.GP_OK {
		return nil, failed(failure)
	}
	return &Op{op}, nil
}

// Verifier returns the verifier that the operation has made, once.
func (o *Op) Verifier() (*Verifier, error) {
	var handle *C.gp_verifier
	var failure C.gp_buf
	if C.gp_op_verifier(o.handle, &handle, &failure) != C.GP_OK {
		return nil, failed(failure)
	}
	verifier := &Verifier{handle}
	runtime.AddCleanup(verifier, func(handle *C.gp_verifier) { C.gp_verifier_free(handle) }, handle)
	return verifier, nil
}

// Recall returns the entry of a token that is remembered and to be accepted now; of any other, 0.
func (v *Verifier) Recall(token string, now Now) (entry uint64) {
	data, size := bytesOf(token)
	entry = uint64(C.recall(v.handle, data, size, C.uint64_t(now.Unix), C.uint64_t(now.Monotonic)))
	runtime.KeepAlive(v)
	return entry
}

// RecallHeaders is Recall for the token of a request with these headers.
func (v *Verifier) RecallHeaders(headers Headers, now Now) (entry uint64) {
	first, firstSize := headers[0].bytes()
	second, secondSize := headers[1].bytes()
	third, thirdSize := headers[2].bytes()
	entry = uint64(C.recall_headers(
		v.handle, first, firstSize, second, secondSize, third, thirdSize,
		C.uint64_t(now.Unix), C.uint64_t(now.Monotonic)))
	runtime.KeepAlive(v)
	return entry
}

// Check asks for the verdict on token.
func (v *Verifier) Check(token string, now Now) (Verdict, error) {
	var found C.gp_verdict
	var failure C.gp_buf
	status := C.gp_verifier_check(
		v.handle, lend(token), C.uint64_t(now.Unix), C.uint64_t(now.Monotonic), &found, &failure)
	runtime.KeepAlive(v)
	if status != C.GP_OK {
		return Verdict{}, failed(failure)
	}
	return Verdict{
		Turn:       turn(found.answer, found.flight, found.op),
		Payload:    take(found.payload),
		Entry:      uint64(found.entry),
		Unverified: bool(found.is_unverified),
	}, nil
}

// TokenFromHeaders returns the token of a request with these headers.
func (v *Verifier) TokenFromHeaders(headers Headers) (string, error) {
	var token, failure C.gp_buf
	status := C.gp_verifier_token_from_headers(
		v.handle, headers[0].lend(), headers[1].lend(), headers[2].lend(), &token, &failure)
	runtime.KeepAlive(v)
	if status != C.GP_OK {
		return "", failed(failure)
	}
	return take(token), nil
}

// Explain explains a token to this verifier. Where it was seen, and the explanation, are JSON.
func (v *Verifier) Explain(place, token string, nowMS uint64) (string, error) {
	explanation, err := explain(v.handle, place, token, nowMS)
	runtime.KeepAlive(v)
	return explanation, err
}

// Resume takes the reply to the last step and returns the next, both JSON.
func (o *Op) Resume(now Now, reply string) (string, error) {
	var step, failure C.gp_buf
	if C.gp_op_resume(
		o.handle, C.uint64_t(now.Unix), C.uint64_t(now.Monotonic), lend(reply), &step, &failure) != C.GP_OK {
		return "", failed(failure)
	}
	return take(step), nil
}

// Free ends the operation, if it has not ended, and gives its flight up.
func (o *Op) Free() {
	C.gp_op_free(o.handle)
	o.handle = nil
}

func explain(verifier *C.gp_verifier, options, token string, nowMS uint64) (string, error) {
	var explanation, failure C.gp_buf
	status := C.gp_explain(verifier, lend(options), lend(token), C.uint64_t(nowMS), &explanation, &failure)
	if status != C.GP_OK {
		return "", failed(failure)
	}
	return take(explanation), nil
}

func turn(answer C.gp_answer, flight C.uint64_t, op *C.gp_op) Turn {
	turn := Turn{Answer: Answer(answer), Flight: uint64(flight)}
	if op != nil {
		turn.Op = &Op{op}
	}
	return turn
}

// lend gives C the text for the length of a call, without copying it.
func lend(text string) C.gp_slice {
	data, size := bytesOf(text)
	return C.gp_slice{data: data, len: size}
}

func bytesOf(text string) (*C.uint8_t, C.size_t) {
	return (*C.uint8_t)(unsafe.StringData(text)), C.size_t(len(text))
}

// empty is for a header that is there and holds nothing: its address is not null.
var empty C.uint8_t

func (h Header) lend() C.gp_slice {
	data, size := h.bytes()
	return C.gp_slice{data: data, len: size}
}

// bytes are at a null pointer if the request does not have the header.
func (h Header) bytes() (*C.uint8_t, C.size_t) {
	switch {
	case !h.IsThere:
		return nil, 0
	case h.Value == "":
		return &empty, 0
	}
	return bytesOf(h.Value)
}

// forEver copies bytes that are never freed.
func forEver(slice C.gp_slice) string {
	return C.GoStringN((*C.char)(unsafe.Pointer(slice.data)), C.int(slice.len))
}

// take copies bytes that C has given away, and frees them.
func take(buf C.gp_buf) string {
	if buf.data == nil {
		return ""
	}
	text := string(unsafe.Slice((*byte)(buf.data), buf.len))
	C.gp_buf_free(buf)
	return text
}

func failed(failure C.gp_buf) error { return Failure(take(failure)) }
