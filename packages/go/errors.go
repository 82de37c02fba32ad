package gatepass

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"gatepass.dev/gatepass/internal/driver"
	"gatepass.dev/gatepass/internal/native"
)

//go:generate go test -run ^TestCodes$ -update .

// Code says what went wrong, stably: codes are never renamed and never reused, and are the same in every language.
// A code is an error, so that it can be given to [errors.Is].
type Code string

// Error returns the code's text.
func (c Code) Error() string { return "gatepass: " + string(c) }

// Kind is the family that an error's code belongs to.
type Kind string

// The families of error codes.
const (
	// KindUsage is for programs that call gatepass in a wrong way.
	KindUsage Kind = "usage"
	// KindCredentials is for credentials that cannot be found, read or used.
	KindCredentials Kind = "credentials"
	// KindTransport is for endpoints that cannot be reached or answer nothing useful.
	KindTransport Kind = "transport"
	// KindVerify is for received tokens that are refused.
	KindVerify Kind = "verify"
)

// Reason is what may be wrong with a claim.
type Reason string

// The reasons.
const (
	// ReasonMissing is for a claim that is not there.
	ReasonMissing Reason = "missing"
	// ReasonMismatch is for one that says something else than expected.
	ReasonMismatch Reason = "mismatch"
	// ReasonInvalid is for one that says nothing that makes sense.
	ReasonInvalid Reason = "invalid"
	// ReasonNotAllowed is for one that says what this verifier does not allow.
	ReasonNotAllowed Reason = "not_allowed"
)

// Error is any error of this package other than a context's own. It holds no token, key or assertion.
type Error struct {
	// Code is one of this package's codes; [errors.Is] finds it.
	Code Code `json:"code"`
	// Kind is the family of the code.
	Kind Kind `json:"kind"`
	// Message says what was found, what was expected and what to do.
	Message string `json:"message"`
	// Retryable says whether the same call may succeed later without a change.
	Retryable bool `json:"retryable"`
	// Claim is the claim or header parameter of the token that the error is about, or empty.
	Claim string `json:"claim"`
	// Reason says what is wrong with the claim; empty if the error is about none.
	Reason Reason `json:"reason"`
	// Found and Expected are what the token says and what it should say, where that is known. A single text is a list of
	// one.
	Found    []string `json:"found"`
	Expected []string `json:"expected"`

	refusal refusal
	grpc    GRPCStatus
	// grpcCall is how a client's call ends.
	grpcCall uint32
	// claimedEmail is whom a refused token is said to be of, which nothing proves.
	claimedEmail string
	// cause is behind a pointer so that no verb prints it: its text is not gatepass's.
	cause *error
}

// refusal is how a receiving service answers.
type refusal struct {
	Status  int         `json:"status"`
	Headers [][2]string `json:"headers"`
	Body    string      `json:"body"`
}

// A GRPCStatus is how a gRPC server answers a call whose token it refuses.
type GRPCStatus struct {
	// Code is the status code (gRPC documentation, "Status codes").
	Code uint32 `json:"code"`
	// Message is the error's code and what the caller can do.
	Message string `json:"message"`
	// Details is the value of the trailer grpc-status-details-bin: a serialized google.rpc.Status, whose ErrorInfo has the
	// error's code as its reason, with RetryInfo where the call may be repeated (AIP-193).
	Details []byte `json:"details"`
}

// Error returns the code and the message.
func (e *Error) Error() string { return e.Code.Error() + ": " + e.Message }

// Unwrap returns the code and, if a [Supplier] has failed, its error.
func (e *Error) Unwrap() []error {
	if e.cause == nil {
		return []error{e.Code}
	}
	return []error{e.Code, *e.cause}
}

// Refuse answers a request whose token was refused with this error: with 401 if the token is missing or invalid, 403
// if the caller is not on the list, 503 if the issuer's keys cannot be had, and with the code in the body. The message
// is left to the service's own log.
func (e *Error) Refuse(w http.ResponseWriter) {
	for _, header := range e.refusal.Headers {
		w.Header().Set(header[0], header[1])
	}
	w.WriteHeader(cmp.Or(e.refusal.Status, http.StatusInternalServerError))
	_, _ = w.Write([]byte(e.refusal.Body)) // Who has left needs no answer.
}

// GRPC says how a gRPC server answers a call whose token was refused with this error: with UNAUTHENTICATED if the token is
// missing or invalid, PERMISSION_DENIED if the caller is not on the list, UNAVAILABLE if the issuer's keys cannot be had.
func (e *Error) GRPC() GRPCStatus {
	status := e.grpc
	status.Code = cmp.Or(status.Code, grpcInternal)
	status.Message = cmp.Or(status.Message, string(e.Code))
	return status
}

// GRPCCallCode returns the code of the status with which a client's call ends whose token cannot be had because of this
// error: UNAVAILABLE, which clients repeat, if the same call may succeed later, else UNAUTHENTICATED.
func (e *Error) GRPCCallCode() uint32 { return cmp.Or(e.grpcCall, grpcUnauthenticated) }

// INTERNAL and UNAUTHENTICATED, for errors that the core has not made.
const (
	grpcInternal        = 13
	grpcUnauthenticated = 16
)

// LogRefusal notes in the log of [slog.Default], in one line, that a request was refused with this error, as
// [RequireIDToken] does. What was requested is a path, or the method of a gRPC call.
func (e *Error) LogRefusal(ctx context.Context, requested string) {
	text, err := json.Marshal(struct {
		Code         Code   `json:"code"`
		Message      string `json:"message"`
		ClaimedEmail string `json:"claimed_email,omitempty"`
	}{e.Code, e.Message, e.claimedEmail})
	if err != nil {
		return // It is all texts.
	}
	var line struct{ Level, Message string }
	noted, err := native.RefusalLog(string(text), strings.ToValidUTF8(requested, "\uFFFD"))
	if err != nil || json.Unmarshal([]byte(noted), &line) != nil {
		line.Message = e.Error()
	}
	level := slog.LevelWarn
	if line.Level == "error" {
		level = slog.LevelError
	}
	slog.Log(ctx, level, "gatepass: "+line.Message)
}

// asError gives an error of the border or of the driver its form. That of a context stays what it is.
func asError(err error) error {
	var refused native.Failure
	var ended *driver.Failure
	switch {
	case errors.As(err, &refused):
		return newError([]byte(refused), nil)
	case errors.As(err, &ended):
		return newError(ended.JSON, ended.Cause)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	}
	return fault(err)
}

// newError reads an error of the border. The cause is what the user's own code has contributed, or nil.
func newError(text []byte, cause error) error {
	var parsed struct {
		Error
		Found        texts      `json:"found"`
		Expected     texts      `json:"expected"`
		ClaimedEmail string     `json:"claimed_email"`
		Refusal      refusal    `json:"refusal"`
		GRPC         GRPCStatus `json:"grpc"`
		GRPCCallCode uint32     `json:"grpc_call_code"`
	}
	if err := json.Unmarshal(text, &parsed); err != nil {
		return fault(err)
	}
	result := &parsed.Error
	result.Found, result.Expected = parsed.Found, parsed.Expected
	result.claimedEmail, result.refusal = parsed.ClaimedEmail, parsed.Refusal
	result.grpc, result.grpcCall = parsed.GRPC, parsed.GRPCCallCode
	if result.Code == ErrInvalidOption {
		result.Message = inGo(result.Message)
	}
	if cause != nil {
		result.cause = &cause
	}
	return result
}

// texts are a text or a list of them.
type texts []string

func (t *texts) UnmarshalJSON(text []byte) error {
	var one *string
	if json.Unmarshal(text, &one) != nil {
		return json.Unmarshal(text, (*[]string)(t))
	}
	if one != nil {
		*t = texts{*one}
	}
	return nil
}

// unusable is for a value that was not made by the function that makes such values.
func unusable(what, maker string) error {
	return &Error{Code: ErrInvalidOption, Kind: KindUsage, Message: "this " + what + " is a zero value, expected one from " + maker}
}

// fault is for what cannot happen.
func fault(err error) error {
	return &Error{Code: ErrInternal, Kind: KindUsage, Message: err.Error()}
}
