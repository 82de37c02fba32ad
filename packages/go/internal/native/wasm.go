//go:build !(cgo && !gatepass_wasm && linux && (amd64 || arm64))

package native

import (
	"encoding/binary"
	"errors"
	"math"
	"runtime"

	"gatepass.dev/gatepass/internal/wasm"
)

// Source holds tokens of one principal. It is safe for concurrent use.
type Source struct{ within *resident }

// Keys are those of issuers, for all verifiers that are opened with them. They are safe for concurrent use.
type Keys struct{ within *resident }

// Verifier checks received tokens. It is safe for concurrent use.
type Verifier struct{ within *resident }

// Op is an operation under way, for one goroutine at a time.
type Op struct {
	within *resident
	// opens is nil unless it makes a verifier.
	opens *opening
}

// Version returns the version of the core.
func Version() string { return constant("version") }

// ErrorCodes returns the list of error codes, as JSON.
func ErrorCodes() string { return constant("error_codes") }

// Limits returns the bounds that hosts keep to, as JSON.
func Limits() string { return constant("limits") }

// TokenHeaders returns the names of the headers that may carry a token, as JSON.
func TokenHeaders() string { return constant("token_headers") }

// AudienceForURL returns the audience to ask for when calling url.
func AudienceForURL(url string) (string, error) { return common.text("audience_for_url", texts{url}) }

// PlanCall says how a call carries its token; both are JSON.
func PlanCall(call string) (string, error) { return common.text("plan_call", texts{call}) }

// RefusalLog returns what is noted of a refusal of a request for this path; it and the refusal are JSON.
func RefusalLog(refusal, path string) (string, error) {
	return common.text("refusal_log", texts{refusal, path})
}

// SameAudienceSpellings returns the spellings of audience, as JSON.
func SameAudienceSpellings(audience string) (string, error) {
	return common.text("same_audience_spellings", texts{audience})
}

// OwnAudiences returns the operation that asks for the audiences of this service.
func OwnAudiences() (*Op, error) { return common.op("own_audiences", nil) }

// Explain explains a token to the verifier of these options, as JSON; so is the explanation.
func Explain(options, token string, nowMS uint64) (string, error) {
	return common.text("explain", texts{options, token}, nowMS)
}

// NewSource makes a source from its options, as JSON.
func NewSource(options string) (*Source, error) {
	within := &resident{at: newPlace(), create: func(instance *wasm.Instance) (uint64, error) {
		return handle(instance, "source_new", texts{options}, uint64(len(options)))
	}}
	if err := within.enter(func(*wasm.Instance, uint64) error { return nil }); err != nil {
		return nil, err
	}
	return &Source{within}, nil
}

// Lookup asks for the token of this kind for target.
func (s *Source) Lookup(kind, target string, now Now) (found Lookup, err error) {
	err = s.within.output("source_lookup", texts{kind, target}, func(answer *reader) {
		found.Turn = s.within.turn(answer)
		if found.Answer == Fresh || found.Answer == Stale {
			found.ExpiresAtMS = answer.u64()
			found.FreshUntil = Now{answer.u64(), answer.u64()}
			found.Header = answer.rest()
		}
	}, now.Unix, now.Monotonic)
	runtime.KeepAlive(s)
	return found, err
}

// RetryAfterRefusal reports whether a call that was refused with this status is to be repeated with another token.
func (s *Source) RetryAfterRefusal(kind, target, header string, status int, now Now) (retry bool, err error) {
	err = s.within.output("source_retry_after_refusal", texts{kind, target, header}, func(answer *reader) {
		retry = answer.u32() != 0
	}, uint64(status), now.Unix, now.Monotonic)
	runtime.KeepAlive(s)
	return retry, err
}

// Invalidate reports whether a lookup now gives another token than that of this header.
func (s *Source) Invalidate(kind, target, header string, now Now) (changed bool, err error) {
	err = s.within.output("source_invalidate", texts{kind, target, header}, func(answer *reader) {
		changed = answer.u32() != 0
	}, now.Unix, now.Monotonic)
	runtime.KeepAlive(s)
	return changed, err
}

// Principal returns the operation that says who the credentials are.
func (s *Source) Principal() (*Op, error) {
	defer runtime.KeepAlive(s)
	return s.within.op("source_principal", nil)
}

// SignBytes returns the operation that signs bytes, which are given as a text.
func (s *Source) SignBytes(bytes string) (*Op, error) {
	defer runtime.KeepAlive(s)
	return s.within.op("source_sign_bytes", texts{bytes})
}

// AccessTokenHeaders returns the headers that go with an access token besides Authorization, as JSON.
func (s *Source) AccessTokenHeaders() (string, error) {
	defer runtime.KeepAlive(s)
	return s.within.text("source_access_token_headers", nil)
}

// NewKeys makes an empty cache of keys.
func NewKeys() (*Keys, error) {
	return &Keys{&resident{at: newPlace(), create: func(instance *wasm.Instance) (uint64, error) {
		return handle(instance, "keys_new", nil)
	}}}, nil
}

// OpenVerifier returns the operation that makes a verifier from its options, as JSON.
func (k *Keys) OpenVerifier(options string) (*Op, error) {
	op, err := k.within.op("verifier_open", texts{options})
	if err != nil {
		return nil, err
	}
	op.opens = &opening{keys: k.within, options: options}
	return op, nil
}

// Verifier returns the verifier that the operation has made, once.
func (o *Op) Verifier() (*Verifier, error) {
	within := &resident{at: o.within.at}
	err := o.within.output("op_verifier", nil, func(answer *reader) {
		within.generation, within.handle = o.within.generation, uint64(answer.u32())
	})
	if err != nil {
		return nil, gone(err)
	}
	if o.opens != nil {
		within.create = o.opens.again
	}
	verifier := &Verifier{within}
	runtime.AddCleanup(verifier, func(within *resident) { within.leave("verifier_free") }, within)
	return verifier, nil
}

// An opening is how a verifier was made, so that it can be made again.
type opening struct {
	keys    *resident
	options string
	replies []string
	now     Now
}

// again makes the verifier in another instance, by the replies that it was made by at first.
func (o *opening) again(instance *wasm.Instance) (verifier uint64, err error) {
	keys, err := o.keys.here()
	if err != nil {
		return 0, err
	}
	op, err := handle(instance, "verifier_open", texts{o.options}, keys, uint64(len(o.options)))
	if err != nil {
		return 0, err
	}
	for _, reply := range o.replies {
		if _, err := invoke(
			instance, "op_resume", texts{reply}, op, uint64(len(reply)), o.now.Unix, o.now.Monotonic); err != nil {
			return 0, err
		}
	}
	if verifier, err = handle(instance, "op_verifier", nil, op); err != nil {
		return 0, err
	}
	_, err = instance.Number("op_free", op)
	return verifier, err
}

// handle calls a function that returns one.
func handle(instance *wasm.Instance, name string, texts texts, numbers ...uint64) (uint64, error) {
	output, err := invoke(instance, name, texts, numbers...)
	if err != nil {
		return 0, err
	}
	return uint64((&reader{output}).u32()), nil
}

// longest is how much of a stranger's text is handed over: more than any token or header has that the core accepts.
const longest = 1 << 20

func bounded(text string) string { return text[:min(len(text), longest)] }

// Recall returns the entry of a token that is remembered and to be accepted now; of any other, 0.
func (v *Verifier) Recall(token string, now Now) (entry uint64) {
	if len(token) > longest {
		return 0
	}
	_ = v.within.enter(func(instance *wasm.Instance, verifier uint64) (err error) {
		if err = instance.Write(token); err == nil {
			entry, err = instance.Number("verifier_recall", verifier, uint64(len(token)), now.Unix, now.Monotonic)
			entry = v.within.entry(entry)
		}
		return err
	})
	runtime.KeepAlive(v)
	return entry
}

// RecallHeaders is Recall for the token of a request with these headers.
func (v *Verifier) RecallHeaders(headers Headers, now Now) (entry uint64) {
	values, lengths := headers.bounded()
	_ = v.within.enter(func(instance *wasm.Instance, verifier uint64) (err error) {
		if err = instance.Write(values[:]...); err == nil {
			entry, err = instance.Number("verifier_recall_headers", verifier, lengths[0], lengths[1], lengths[2], now.Unix, now.Monotonic)
			entry = v.within.entry(entry)
		}
		return err
	})
	runtime.KeepAlive(v)
	return entry
}

// entryBits are those of an entry in the core, which each instance counts anew.
const entryBits = 54

// entry names a token among those of all instances. When there are too many of those, no token is named any more.
func (r *resident) entry(number uint64) uint64 {
	if number == 0 || number>>entryBits != 0 || r.at.generation>>(64-entryBits) != 0 {
		return 0
	}
	return number | r.at.generation<<entryBits
}

// Check asks for the verdict on token. Its signature is checked while others have the instance; if one of them meets a fault
// meanwhile, it is checked once more while nobody else has it.
func (v *Verifier) Check(token string, now Now) (found Verdict, err error) {
	defer runtime.KeepAlive(v)
	var asked *wasm.Question
	var check *resident
	read := func(answer *reader) { found, asked, check = v.within.verdict(answer) }
	err = v.within.outputOf("verifier_check", texts{bounded(token)}, read, uint64(len(token)), now.Unix, now.Monotonic)
	for err == nil && asked != nil {
		err = check.output("check_answer", nil, read, uint64(asked.Check()), now.Unix, now.Monotonic)
	}
	if errors.Is(err, errGone) {
		return v.checkAlone(token, now)
	}
	return found, err
}

func (v *Verifier) checkAlone(token string, now Now) (found Verdict, err error) {
	err = v.within.enter(func(instance *wasm.Instance, verifier uint64) error {
		output, err := invoke(
			instance, "verifier_check", texts{bounded(token)}, verifier, uint64(len(token)), now.Unix, now.Monotonic)
		for err == nil {
			var asked *wasm.Question
			var check *resident
			if found, asked, check = v.within.verdict(&reader{output}); asked == nil {
				break
			}
			output, err = invoke(instance, "check_answer", nil, check.handle, uint64(asked.Check()), now.Unix, now.Monotonic)
		}
		return err
	})
	return found, gone(err)
}

// question is what the module calls an answer that is none yet.
const question = 7

// verdict reads a verdict; or a question, and the check that its answer is for.
func (r *resident) verdict(answer *reader) (found Verdict, asked *wasm.Question, check *resident) {
	if binary.LittleEndian.Uint32(answer.left) == question {
		answer.u32()
		check = &resident{at: r.at, generation: r.at.generation, handle: uint64(answer.u32())}
		asked = &wasm.Question{Algorithm: answer.text(), Key: answer.text(), Data: answer.text(), Signature: answer.text()}
		return found, asked, check
	}
	found.Turn = r.turn(answer)
	if found.Answer == Accepted {
		found.Entry = r.entry(answer.u64())
		found.Unverified = answer.u32() != 0
		found.Payload = answer.rest()
	}
	return found, nil, nil
}

// TokenFromHeaders returns the token of a request with these headers.
func (v *Verifier) TokenFromHeaders(headers Headers) (token string, err error) {
	values, lengths := headers.bounded()
	err = v.within.outputOf("verifier_token_from_headers", values[:], func(answer *reader) { token = answer.rest() }, lengths[:]...)
	runtime.KeepAlive(v)
	return token, err
}

// bounded returns the values, and their lengths as the module wants them.
func (h Headers) bounded() (values [len(Headers{})]string, lengths [len(Headers{})]uint64) {
	for at, header := range h {
		values[at] = bounded(header.Value)
		lengths[at] = math.MaxUint32 // The request does not have it.
		if header.IsThere {
			lengths[at] = uint64(len(values[at]))
		}
	}
	return values, lengths
}

// Explain explains a token to this verifier. Where it was seen, and the explanation, are JSON.
func (v *Verifier) Explain(place, token string, nowMS uint64) (string, error) {
	defer runtime.KeepAlive(v)
	return v.within.text("verifier_explain", texts{place, token}, nowMS)
}

// Resume takes the reply to the last step and returns the next, both JSON.
func (o *Op) Resume(now Now, reply string) (string, error) {
	if o.opens != nil {
		o.opens.replies, o.opens.now = append(o.opens.replies, reply), now
	}
	step, err := o.within.text("op_resume", texts{reply}, now.Unix, now.Monotonic)
	return step, gone(err)
}

// Free ends the operation, if it has not ended, and gives its flight up.
func (o *Op) Free() {
	o.within.leave("op_free")
	o.within = &resident{at: o.within.at}
}

// gone is the error for what was in an instance that is gone.
func gone(err error) error {
	if errors.Is(err, errGone) {
		return panicked("another call in the same instance has ended in a panic, and this one with it")
	}
	return err
}
