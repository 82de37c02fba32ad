//go:build !(cgo && !gatepass_wasm && linux && (amd64 || arm64))

package wasm

import (
	"crypto"
	"crypto/ed25519"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/json"
	"sync"
	"sync/atomic"
)

// A Question is a signature that the core wants checked, outside of the instance. Which algorithm, key and signature that may
// be is decided already.
type Question struct {
	// Algorithm is its name in JOSE (RFC 7518, section 3.1).
	Algorithm string
	// Key is a JWK. The same key is the same text.
	Key string
	// Data is what is signed.
	Data string
	// Signature is in base64url.
	Signature string
}

// An Answer is what comes of a question, in the module's numbers.
type Answer uint64

// The answers.
const (
	Invalid Answer = 0
	Valid   Answer = 1
	// Unknown leaves it to the core, which has it computed in its own way.
	Unknown Answer = 2
)

var primitives = map[string]primitive{
	"RS256": verifyRSAPKCS1SHA256,
	"RS384": verifyRSAPKCS1SHA384,
	"RS512": verifyRSAPKCS1SHA512,
	"PS256": verifyRSAPSSSHA256,
	"ES256": verifyECDSAP256SHA256,
	"ES384": verifyECDSAP384SHA384,
	"EdDSA": verifyEd25519,
}

// Check answers the question.
func (q *Question) Check() Answer {
	primitive, isKnown := primitives[q.Algorithm]
	key := keys.of(q.Key)
	signature, err := base64.RawURLEncoding.DecodeString(q.Signature)
	switch {
	case !isKnown || key == nil || err != nil:
		return Unknown
	case verify(primitive, key, []byte(q.Data), signature):
		return Valid
	}
	return Invalid
}

// keys are those of the last questions, ready for use.
var keys keyMemory

// mostKeys are kept: issuers have a few each.
const mostKeys = 64

// A keyMemory is read all the time and written seldom. When it is full, it begins anew.
type keyMemory struct {
	mu    sync.Mutex
	byJWK atomic.Pointer[map[string]crypto.PublicKey]
}

func (m *keyMemory) of(jwk string) crypto.PublicKey {
	known := m.byJWK.Load()
	if known != nil {
		if key, isThere := (*known)[jwk]; isThere {
			return key
		}
	}
	key := parseJWK(jwk)
	if key == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	next := map[string]crypto.PublicKey{jwk: key}
	if known = m.byJWK.Load(); known != nil && len(*known) < mostKeys {
		for jwk, key := range *known {
			next[jwk] = key
		}
	}
	m.byJWK.Store(&next)
	return key
}

// parseJWK returns nil for a key that Go does not know.
func parseJWK(text string) crypto.PublicKey {
	var jwk struct{ Kty, Crv, N, E, X, Y string }
	if json.Unmarshal([]byte(text), &jwk) != nil {
		return nil
	}
	var parts [4][]byte
	for at, part := range []string{jwk.N, jwk.E, jwk.X, jwk.Y} {
		decoded, err := base64.RawURLEncoding.DecodeString(part)
		if err != nil {
			return nil
		}
		parts[at] = decoded
	}
	n, e, x, y := parts[0], parts[1], parts[2], parts[3]
	switch jwk.Kty + " " + jwk.Crv {
	case "RSA ":
		if key, isOne := rsaPublicKey(n, e); isOne {
			return key
		}
	case "EC P-256":
		return ecKey(elliptic.P256(), x, y)
	case "EC P-384":
		return ecKey(elliptic.P384(), x, y)
	case "OKP Ed25519":
		if len(x) == ed25519.PublicKeySize {
			return ed25519.PublicKey(x)
		}
	}
	return nil
}

func ecKey(curve elliptic.Curve, x, y []byte) crypto.PublicKey {
	point := append(append([]byte{4}, x...), y...)
	if key, isOne := ecPublicKey(curve, point); isOne {
		return key
	}
	return nil
}
