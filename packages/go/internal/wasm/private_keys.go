//go:build !(cgo && !gatepass_wasm && linux && (amd64 || arm64))

package wasm

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
)

// A problem is what is wrong with a private key.
type problem byte

const (
	none problem = iota
	badKind
	badParts
	damaged
)

// output appends what the core is told.
func (p problem) output(out []byte) ([]byte, bool) {
	switch p {
	case none:
		return out, true
	case damaged:
		return out, false
	}
	return append(out, byte(p)), true
}

// parseRSA reads PKCS#8 or PKCS#1.
func parseRSA(isPKCS8 bool, der []byte) (*rsa.PrivateKey, problem) {
	if isPKCS8 {
		key, err := x509.ParsePKCS8PrivateKey(der)
		if err != nil {
			return nil, problemOfRSA(withinPKCS8(der))
		}
		if key, isRSA := key.(*rsa.PrivateKey); isRSA {
			return key, none
		}
		return nil, badKind
	}
	key, err := x509.ParsePKCS1PrivateKey(der)
	if err != nil {
		return nil, problemOfRSA(der)
	}
	return key, none
}

// problemOfRSA tells a key whose parts can be read, and so do not belong together, from one that is damaged.
func problemOfRSA(der []byte) problem {
	var key struct {
		Version             int
		N                   *big.Int
		E                   int
		D, P, Q, DP, DQ, QI *big.Int
	}
	if rest, err := asn1.Unmarshal(der, &key); err != nil || len(rest) > 0 {
		return damaged
	}
	return badParts
}

// withinPKCS8 returns the key in a document of PKCS#8, or nil.
func withinPKCS8(der []byte) []byte {
	var document struct {
		Version   int
		Algorithm struct {
			Algorithm  asn1.ObjectIdentifier
			Parameters asn1.RawValue `asn1:"optional"`
		}
		Key []byte
	}
	if _, err := asn1.Unmarshal(der, &document); err != nil {
		return nil
	}
	return document.Key
}

// parseP256 reads PKCS#8.
func parseP256(der []byte) (*ecdsa.PrivateKey, problem) {
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, damaged
	}
	if key, isECDSA := key.(*ecdsa.PrivateKey); isECDSA && key.Curve == elliptic.P256() {
		return key, none
	}
	return nil, badKind
}

// p256OfParts makes a key of its number and the point that belongs to it.
func p256OfParts(number, point []byte) (*ecdsa.PrivateKey, problem) {
	private, err := ecdh.P256().NewPrivateKey(number)
	if err != nil {
		return nil, damaged
	}
	if !bytes.Equal(private.PublicKey().Bytes(), point) {
		return nil, badParts
	}
	public, isOne := ecPublicKey(elliptic.P256(), point)
	if !isOne {
		return nil, damaged
	}
	return &ecdsa.PrivateKey{PublicKey: *public, D: new(big.Int).SetBytes(number)}, none
}

// signECDSA appends r and s side by side.
func signECDSA(key *ecdsa.PrivateKey, problem problem, message, out []byte) ([]byte, bool) {
	if problem != none {
		return out, false
	}
	digest := sha256.Sum256(message)
	r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
	if err != nil {
		return out, false
	}
	var signature [64]byte
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return append(out, signature[:]...), true
}
