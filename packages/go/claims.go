package gatepass

import (
	"encoding/json"
	"maps"
	"sync/atomic"

	"gatepass.dev/gatepass/internal/native"
)

// Payload is what a verified token says. Each caller gets one of its own.
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

// A claimsMemory spares reading the same payload again: a service is sent the same token for an hour. It has a place for
// each of the last tokens that the core has numbered, and one makes way when the next one needs the place; so it is
// bounded, and nobody waits.
type claimsMemory struct {
	places [4096]atomic.Pointer[readPayload]
}

// longestKept is the size, in octets, of the largest payload that is worth its memory.
const longestKept = 4096

// readPayload is a payload and what it says. Nobody changes it.
type readPayload struct {
	// entry is the core's number of the token; 0 is none.
	entry uint64
	size  int
	said  Payload
	// nested names the claims that hold a list or an object.
	nested []string
}

// find returns nil if the payload of this entry is not kept.
func (m *claimsMemory) find(entry uint64) *readPayload {
	if read := m.place(entry).Load(); read != nil && read.entry == entry {
		return read
	}
	return nil
}

// keep keeps a payload, unless the core has no number for it.
func (m *claimsMemory) keep(read *readPayload) {
	if read.entry != 0 && read.size <= longestKept {
		m.place(read.entry).Store(read)
	}
}

func (m *claimsMemory) place(entry uint64) *atomic.Pointer[readPayload] {
	return &m.places[entry%uint64(len(m.places))]
}

func readClaims(found native.Verdict) (*readPayload, error) {
	var claims map[string]any
	if err := json.Unmarshal([]byte(found.Payload), &claims); err != nil {
		return nil, fault(err)
	}
	read := &readPayload{
		entry: found.Entry, size: len(found.Payload), said: Payload{Claims: claims, Unverified: found.Unverified},
	}
	read.said.Issuer, _ = claims["iss"].(string)
	read.said.Audience, _ = claims["aud"].(string)
	read.said.Subject, _ = claims["sub"].(string)
	expires, _ := claims["exp"].(float64)
	issuedAt, _ := claims["iat"].(float64)
	read.said.Expires, read.said.IssuedAt = int64(expires), int64(issuedAt)
	for name, claim := range claims {
		switch claim.(type) {
		case []any, map[string]any:
			read.nested = append(read.nested, name)
		}
	}
	return read, nil
}

// copy makes a payload that shares nothing with the memory: its owner may change it.
func (r *readPayload) copy() *Payload {
	payload := r.said
	payload.Claims = maps.Clone(payload.Claims)
	for _, name := range r.nested {
		payload.Claims[name] = copyClaim(payload.Claims[name])
	}
	return &payload
}

func copyClaim(claim any) any {
	switch claim := claim.(type) {
	case []any:
		made := make([]any, len(claim))
		for i, member := range claim {
			made[i] = copyClaim(member)
		}
		return made
	case map[string]any:
		made := make(map[string]any, len(claim))
		for name, member := range claim {
			made[name] = copyClaim(member)
		}
		return made
	}
	return claim
}
