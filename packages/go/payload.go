package gatepass

import (
	"strings"
	"sync/atomic"

	"gatepass.dev/gatepass/internal/native"
)

// Payload is what a verified token says. It is shared between all who validate the same token, and must not be modified;
// [Payload.Clone] gives one that may be. A service is sent the same token for an hour, and to copy its claims for each
// request would cost as much again as to find that it is the same token.
type Payload struct {
	// Issuer is the iss claim.
	Issuer string
	// Audience is the aud claim if that is one string; if it is a list, this is empty and the list is in Claims.
	Audience string
	// Expires is the exp claim, in seconds since 1970.
	Expires int64
	// IssuedAt is the iat claim, in seconds since 1970.
	IssuedAt int64
	// Subject is the sub claim. Google's are numbers that are never given to anybody else.
	Subject string
	// Claims are all claims, as [encoding/json] reads them; "email" is among those of service accounts.
	Claims map[string]any
	// Unverified is true if nothing proves any of this: the token had no signature, and the verifier takes Cloud Run's
	// word for it. See [WithTrustCloudRunAndSkipSignature].
	Unverified bool
}

// Clone returns a copy that shares nothing with this one.
func (p *Payload) Clone() *Payload {
	clone := *p
	clone.Claims, _ = cloneClaim(p.Claims).(map[string]any)
	return &clone
}

func cloneClaim(claim any) any {
	switch claim := claim.(type) {
	case []any:
		clone := make([]any, len(claim))
		for i, member := range claim {
			clone[i] = cloneClaim(member)
		}
		return clone
	case map[string]any:
		clone := make(map[string]any, len(claim))
		for name, member := range claim {
			clone[name] = cloneClaim(member)
		}
		return clone
	}
	return claim
}

// hostCost is what this package spends on a payload that it keeps, in bytes: for each one, for each member of its claims,
// nested ones included, and for each byte of its JSON. The core forgets tokens by it. A test measures it: a payload without
// members takes 464, a member at most 89, an object within another 340.
type hostCost struct {
	Token  int `json:"token"`
	Member int `json:"member"`
	Byte   int `json:"byte"`
}

var costOfPayloads = hostCost{Token: 1280, Member: 96, Byte: 1}

// mostObjects is how many objects a payload may have, itself included, for these costs to cover it.
const mostObjects = 3

// isKept reports whether a payload is kept. One that is not is read again for each request.
func isKept(payload string) bool { return strings.Count(payload, "{") <= mostObjects }

// A payloadMemory spares reading the same payload again. The low bits of an entry are a place, which the core gives to
// another token only after it has forgotten the one that had it, lowest places first. So this holds no more payloads than
// the core has tokens, and readers take no lock.
type payloadMemory struct {
	parts  []atomic.Pointer[payloadPart]
	places uint64
}

const placesOfPart = 1 << 9

func newPayloadMemory() payloadMemory {
	places := limits().Places
	return payloadMemory{make([]atomic.Pointer[payloadPart], (places+placesOfPart-1)/placesOfPart), places}
}

// A payloadPart is there when one of its places has been given.
type payloadPart [placesOfPart]atomic.Pointer[keptPayload]

// A keptPayload has the core's number of its token, which is not 0.
type keptPayload struct {
	entry   uint64
	payload *Payload
}

// find returns nil if the payload of this entry is not kept.
func (m *payloadMemory) find(entry uint64) *Payload {
	part := m.part(entry).Load()
	if part == nil {
		return nil
	}
	if kept := part.place(entry).Load(); kept != nil && kept.entry == entry {
		return kept.payload
	}
	return nil
}

// keep keeps what was made of a payload, unless the core has no number for it.
func (m *payloadMemory) keep(found native.Verdict, payload *Payload) {
	entry := found.Entry
	if entry == 0 || !isKept(found.Payload) {
		return
	}
	part := m.part(entry)
	if part.Load() == nil {
		part.CompareAndSwap(nil, &payloadPart{}) // If it fails, somebody else has just made it.
	}
	part.Load().place(entry).Store(&keptPayload{entry, payload})
}

func (m *payloadMemory) part(entry uint64) *atomic.Pointer[payloadPart] {
	return &m.parts[entry%m.places/placesOfPart]
}

func (p *payloadPart) place(entry uint64) *atomic.Pointer[keptPayload] {
	return &p[entry%placesOfPart]
}

func readPayload(found native.Verdict) (*Payload, error) {
	claims, err := readClaims(found.Payload)
	if err != nil {
		return nil, fault(err)
	}
	payload := &Payload{Claims: claims, Unverified: found.Unverified}
	payload.Issuer, _ = claims["iss"].(string)
	payload.Audience, _ = claims["aud"].(string)
	payload.Subject, _ = claims["sub"].(string)
	expires, _ := claims["exp"].(float64)
	issuedAt, _ := claims["iat"].(float64)
	payload.Expires, payload.IssuedAt = int64(expires), int64(issuedAt)
	return payload, nil
}
