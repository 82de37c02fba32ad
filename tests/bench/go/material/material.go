// Package material makes the keys and tokens that every contender works with. It needs the standard library only, so
// that a process with one contender in it holds nothing of the others.
package material

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"time"
)

// Email is whom every token is about.
const Email = "caller@project.iam.gserviceaccount.com"

// Verify checks signature, exp, aud and iss of a token, and returns its e-mail. It is safe for concurrent use.
type Verify func(token string) (email string, err error)

// Policy is what every contender checks: the issuer's key, in the forms that they take it in, and the claims.
type Policy struct {
	Algorithm, Issuer, Audience string
	// JWKS is the key in a JWK set.
	JWKS json.RawMessage
}

// The policies of Google's ID tokens and of Identity-Aware Proxy.
const (
	googleIssuer = "https://accounts.google.com"
	iapIssuer    = "https://cloud.google.com/iap"
	audience     = "https://receiver-1234567890.europe-west1.run.app"
	iapAudience  = "/projects/1234567890/global/backendServices/12345678901234567"
)

// An Issuer has a key, made anew in every run, and signs with it.
type Issuer struct {
	Policy
	kid string
	key crypto.Signer
}

// Google returns an issuer of Google's ID tokens: RS256 with 2048 bits.
func Google() (*Issuer, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	jwk := map[string]string{
		"kty": "RSA", "alg": "RS256", "n": encode(key.N.Bytes()), "e": encode(big.NewInt(int64(key.E)).Bytes()),
	}
	return issuer(Policy{Algorithm: "RS256", Issuer: googleIssuer, Audience: audience}, key, jwk)
}

// IAP returns an issuer of Identity-Aware Proxy's assertions: ES256.
func IAP() (*Issuer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		return nil, err
	}
	jwk := map[string]string{"kty": "EC", "alg": "ES256", "crv": "P-256", "x": encode(point[1:33]), "y": encode(point[33:])}
	return issuer(Policy{Algorithm: "ES256", Issuer: iapIssuer, Audience: iapAudience}, key, jwk)
}

func issuer(policy Policy, key crypto.Signer, jwk map[string]string) (*Issuer, error) {
	kid := rand.Text()
	jwk["kid"], jwk["use"] = kid, "sig"
	set, err := json.Marshal(map[string]any{"keys": []any{jwk}})
	policy.JWKS = set
	return &Issuer{policy, kid, key}, err
}

// RSA returns the private key of an issuer that signs with one.
func (i *Issuer) RSA() *rsa.PrivateKey { return i.key.(*rsa.PrivateKey) }

// Tokens returns so many different tokens that are good for a day.
func (i *Issuer) Tokens(count int) ([]string, error) {
	now := time.Now().Unix()
	tokens := make([]string, count)
	err := InParallel(count, func(at int) (err error) {
		subject := fmt.Sprintf("1%020d", at)
		tokens[at], err = i.sign(map[string]any{
			"aud": i.Audience, "azp": subject, "email": Email, "email_verified": true, "exp": now + 24*3600,
			"iat": now, "iss": i.Issuer, "sub": subject,
		})
		return err
	})
	return tokens, err
}

// InParallel does something for each number below count, on all cores.
func InParallel(count int, do func(at int) error) error {
	errs := make([]error, runtime.GOMAXPROCS(0))
	var done sync.WaitGroup
	for part := range errs {
		done.Go(func() {
			for at := part; at < count && errs[part] == nil; at += len(errs) {
				errs[part] = do(at)
			}
		})
	}
	done.Wait()
	return errors.Join(errs...)
}

// Primitive names what CheckSignature calls.
func (i *Issuer) Primitive() string {
	if i.Algorithm == "ES256" {
		return "crypto/ecdsa"
	}
	return "crypto/rsa"
}

// CheckSignature checks the signature of one of the issuer's tokens and nothing else: what the standard library needs
// for that is the least that any check in Go can take.
func (i *Issuer) CheckSignature(token string) error {
	end := strings.LastIndexByte(token, '.')
	digest := sha256.Sum256([]byte(token[:end]))
	signature := decode(token[end+1:])
	if key, ok := i.key.Public().(*ecdsa.PublicKey); ok {
		r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
		if !ecdsa.Verify(key, digest[:], r, s) {
			return errors.New("another signature")
		}
		return nil
	}
	return rsa.VerifyPKCS1v15(&i.RSA().PublicKey, crypto.SHA256, digest[:], signature)
}

func (i *Issuer) sign(claims map[string]any) (string, error) {
	header, err := json.Marshal(map[string]string{"alg": i.Algorithm, "kid": i.kid, "typ": "JWT"})
	if err != nil {
		return "", err
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	signed := encode(header) + "." + encode(payload)
	digest := sha256.Sum256([]byte(signed))
	var signature []byte
	if key, ok := i.key.(*ecdsa.PrivateKey); ok {
		r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
		if err != nil {
			return "", err
		}
		signature = append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	} else if signature, err = i.key.Sign(rand.Reader, digest[:], crypto.SHA256); err != nil {
		return "", err
	}
	return signed + "." + encode(signature), nil
}

// KeyFile returns a service account's key file with the issuer's key.
func (i *Issuer) KeyFile() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(i.key)
	if err != nil {
		return nil, err
	}
	return json.Marshal(map[string]string{
		"type": "service_account", "project_id": "project", "private_key_id": i.kid, "client_email": Email,
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), "client_id": "1",
		"token_uri": "https://oauth2.googleapis.com/token",
	})
}

// PublicKey returns the policy's key and its kid, for contenders that read no JWK sets.
func (p Policy) PublicKey() (kid string, key crypto.PublicKey, err error) {
	var set struct {
		Keys []struct{ Kid, N, E, X, Y string }
	}
	if err := json.Unmarshal(p.JWKS, &set); err != nil {
		return "", nil, err
	}
	jwk := set.Keys[0]
	if p.Algorithm == "ES256" {
		point := append(append([]byte{4}, decode(jwk.X)...), decode(jwk.Y)...)
		key, err = ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
		return jwk.Kid, key, err
	}
	exponent := new(big.Int).SetBytes(decode(jwk.E))
	return jwk.Kid, &rsa.PublicKey{N: new(big.Int).SetBytes(decode(jwk.N)), E: int(exponent.Int64())}, nil
}

// Client answers every request with the policy's keys, from memory: for contenders that insist on fetching them. They
// may keep the answer for a day.
func (p Policy) Client() *http.Client {
	return &http.Client{Transport: keysInMemory(p.JWKS)}
}

type keysInMemory []byte

func (k keysInMemory) RoundTrip(request *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, ProtoMajor: 1, ProtoMinor: 1, Request: request, ContentLength: int64(len(k)),
		Header: http.Header{"Cache-Control": {"public, max-age=86400"}, "Content-Type": {"application/json"}},
		Body:   body{strings.NewReader(string(k))},
	}, nil
}

type body struct{ *strings.Reader }

func (body) Close() error { return nil }

// ErrIssuer is for contenders that leave the comparison of iss to their user.
var ErrIssuer = errors.New("another issuer")

func encode(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

func decode(text string) []byte {
	data, _ := base64.RawURLEncoding.DecodeString(text) // It was encoded here.
	return data
}
