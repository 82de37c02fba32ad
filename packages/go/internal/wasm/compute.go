//go:build !(cgo && !gatepass_wasm && linux && (amd64 || arm64))

package wasm

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"math/big"
)

// A primitive is what the core has computed, by the numbers of core/src/crypto/host.rs, where its inputs and output are
// described. What may be computed with which key was decided there.
type primitive uint32

const (
	sha256Of primitive = 1 + iota
	hmacSHA256
	isOnP256
	isOnP384
	verifyRSAPKCS1SHA256
	verifyRSAPKCS1SHA384
	verifyRSAPKCS1SHA512
	verifyRSAPSSSHA256
	verifyECDSAP256SHA256
	verifyECDSAP384SHA384
	verifyEd25519
	rsaPKCS8
	rsaPKCS1
	signRSAPKCS8
	signRSAPKCS1
	p256PKCS8
	p256Parts
	signP256PKCS8
	signP256Parts
)

// compute appends the output to out, and reports whether there is one.
func compute(what primitive, in [][]byte, out []byte) ([]byte, bool) {
	switch {
	case what == sha256Of && len(in) == 1:
		digest := sha256.Sum256(in[0])
		return append(out, digest[:]...), true
	case what == hmacSHA256 && len(in) == 2:
		mac := hmac.New(sha256.New, in[0])
		mac.Write(in[1])
		return mac.Sum(out), true
	case what == isOnP256 && len(in) == 1:
		_, err := ecdh.P256().NewPublicKey(in[0])
		return out, err == nil
	case what == isOnP384 && len(in) == 1:
		_, err := ecdh.P384().NewPublicKey(in[0])
		return out, err == nil
	case what >= verifyRSAPKCS1SHA256 && what <= verifyRSAPSSSHA256 && len(in) == 4:
		key, isOne := rsaPublicKey(in[0], in[1])
		return out, isOne && verifyRSA(what, key, in[2], in[3])
	case what == verifyECDSAP256SHA256 && len(in) == 3:
		key, isOne := ecPublicKey(elliptic.P256(), in[0])
		return out, isOne && verify(what, key, in[1], in[2])
	case what == verifyECDSAP384SHA384 && len(in) == 3:
		key, isOne := ecPublicKey(elliptic.P384(), in[0])
		return out, isOne && verify(what, key, in[1], in[2])
	case what == verifyEd25519 && len(in) == 3:
		return out, len(in[0]) == ed25519.PublicKeySize && verify(what, ed25519.PublicKey(in[0]), in[1], in[2])
	case (what == rsaPKCS8 || what == rsaPKCS1) && len(in) == 1:
		key, problem := parseRSA(what == rsaPKCS8, in[0])
		if problem != none {
			return problem.output(out)
		}
		return binary.BigEndian.AppendUint32(out, uint32(key.N.BitLen())), true
	case (what == signRSAPKCS8 || what == signRSAPKCS1) && len(in) == 2:
		key, problem := parseRSA(what == signRSAPKCS8, in[0])
		if problem != none {
			return out, false
		}
		digest := sha256.Sum256(in[1])
		signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
		return append(out, signature...), err == nil
	case what == p256PKCS8 && len(in) == 1:
		_, problem := parseP256(in[0])
		return problem.output(out)
	case what == p256Parts && len(in) == 2:
		_, problem := p256OfParts(in[0], in[1])
		return problem.output(out)
	case what == signP256PKCS8 && len(in) == 2:
		key, problem := parseP256(in[0])
		return signECDSA(key, problem, in[1], out)
	case what == signP256Parts && len(in) == 3:
		key, problem := p256OfParts(in[0], in[1])
		return signECDSA(key, problem, in[2], out)
	}
	return out, false
}

// rsaPublicKey is an RSA key of big-endian numbers.
func rsaPublicKey(n, e []byte) (*rsa.PublicKey, bool) {
	exponent := new(big.Int).SetBytes(e)
	if !exponent.IsInt64() || int64(int(exponent.Int64())) != exponent.Int64() {
		return nil, false // Go has no such keys on this platform.
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(exponent.Int64())}, true
}

// ecPublicKey is a key whose point is given uncompressed.
func ecPublicKey(curve elliptic.Curve, point []byte) (*ecdsa.PublicKey, bool) {
	size := (curve.Params().BitSize + 7) / 8
	if len(point) != 1+2*size || point[0] != 4 {
		return nil, false
	}
	x, y := new(big.Int).SetBytes(point[1:1+size]), new(big.Int).SetBytes(point[1+size:])
	return &ecdsa.PublicKey{Curve: curve, X: x, Y: y}, true
}

// verify reports whether a signature is that of a key. A key of another kind than the primitive's has signed nothing.
func verify(what primitive, key crypto.PublicKey, message, signature []byte) bool {
	switch key := key.(type) {
	case *rsa.PublicKey:
		return verifyRSA(what, key, message, signature)
	case *ecdsa.PublicKey:
		var digest []byte
		switch what {
		case verifyECDSAP256SHA256:
			sum := sha256.Sum256(message)
			digest = sum[:]
		case verifyECDSAP384SHA384:
			sum := sha512.Sum384(message)
			digest = sum[:]
		default:
			return false
		}
		half := len(signature) / 2
		r, s := new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:])
		return ecdsa.Verify(key, digest, r, s)
	case ed25519.PublicKey:
		return what == verifyEd25519 && ed25519.Verify(key, message, signature)
	}
	return false
}

func verifyRSA(what primitive, key *rsa.PublicKey, message, signature []byte) bool {
	switch what {
	case verifyRSAPKCS1SHA256:
		digest := sha256.Sum256(message)
		return rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature) == nil
	case verifyRSAPKCS1SHA384:
		digest := sha512.Sum384(message)
		return rsa.VerifyPKCS1v15(key, crypto.SHA384, digest[:], signature) == nil
	case verifyRSAPKCS1SHA512:
		digest := sha512.Sum512(message)
		return rsa.VerifyPKCS1v15(key, crypto.SHA512, digest[:], signature) == nil
	case verifyRSAPSSSHA256:
		digest := sha256.Sum256(message)
		options := rsa.PSSOptions{SaltLength: sha256.Size}
		return rsa.VerifyPSS(key, crypto.SHA256, digest[:], signature, &options) == nil
	}
	return false
}
