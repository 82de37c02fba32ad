package gatepass_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"gatepass.dev/gatepass"
)

// Of many tokens each says its own, the first time and later.
func TestManyTokens(t *testing.T) {
	const count = 4_000
	issuer := newIssuer(t)
	verifier := got(gatepass.NewVerifier(
		gatepass.WithIssuers(issuer.name), gatepass.WithAlgorithms("ES256"), gatepass.WithAudience(audience),
		gatepass.WithKeys(issuer.keys(t))))(t)
	tokens := make([]string, count)
	for at := range tokens {
		tokens[at] = issuer.token(t, strconv.Itoa(at))
	}
	ctx := deadline(t)
	for range 2 {
		var done sync.WaitGroup
		for part := range 4 {
			done.Add(1)
			go func() {
				defer done.Done()
				for at := part; at < count; at += 4 {
					payload, err := verifier.Validate(ctx, tokens[at])
					if err != nil || payload.Subject != strconv.Itoa(at) || payload.Claims["sub"] != payload.Subject {
						t.Errorf("%d: %+v, %v", at, payload, err)
						return
					}
				}
			}()
		}
		done.Wait()
	}
}

// What is remembered takes no more memory than the verifier was told, and with none, tokens are verified all the same.
func TestRememberedTokensAreBounded(t *testing.T) {
	const count = 3_000
	issuer := newIssuer(t)
	tokens := make([]string, count)
	for at := range tokens {
		tokens[at] = issuer.token(t, strconv.Itoa(at))
	}
	for bound, most := range map[int64]int{0: 200 << 10, 256 << 10: 500 << 10} {
		verifier := got(gatepass.NewVerifier(
			gatepass.WithIssuers(issuer.name), gatepass.WithAlgorithms("ES256"), gatepass.WithAudience(audience),
			gatepass.WithKeys(issuer.keys(t)), gatepass.WithRememberedBytes(bound)))(t)
		before := gatepass.Heap()
		for at, token := range tokens {
			if payload, err := verifier.Validate(t.Context(), token); err != nil || payload.Subject != strconv.Itoa(at) {
				t.Fatalf("%d: %+v, %v", at, payload, err)
			}
		}
		if growth := gatepass.Heap() - before; growth > most { // Unbounded, they take more than 2 MiB.
			t.Errorf("%d bytes are remembered of at most %d", growth, bound)
		}
		runtime.KeepAlive(verifier)
	}
	if _, err := gatepass.NewVerifier(gatepass.WithAudience(audience), gatepass.WithRememberedBytes(-1)); !isUsage(err) {
		t.Errorf("%v", err)
	}
}

// What is asked for at every request is at hand: a token that is known, and a header that is fresh.
func TestWhatIsAtHandIsNotBuilt(t *testing.T) {
	issuer := newIssuer(t)
	verifier := got(gatepass.NewVerifier(
		gatepass.WithIssuers(issuer.name), gatepass.WithAlgorithms("ES256"), gatepass.WithAudience(audience),
		gatepass.WithKeys(issuer.keys(t))))(t)
	token := issuer.token(t, "1")
	request := httptest.NewRequest(http.MethodGet, "/", nil)
	request.Header.Set("Authorization", "Bearer "+token)

	emulator := startEmulator(t)
	emulator.setEnv()
	ctx := deadline(t)
	source := got(gatepass.NewSource())(t)
	tokens := got(gatepass.NewTokenSource(ctx, audience, gatepass.WithTrustedEndpoints(emulator.Host())))(t)

	for name, get := range map[string]func() error{
		"Validate": func() error {
			_, err := verifier.Validate(ctx, token)
			return err
		},
		"ValidateRequest": func() error {
			_, err := verifier.ValidateRequest(request)
			return err
		},
		"IDTokenHeader": func() error {
			_, err := source.IDTokenHeader(ctx, audience)
			return err
		},
		"TokenSource.Header": func() error {
			_, err := tokens.Header()
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			must(t, get())
			var err error
			allocations := 1.0
			// WebAssembly is interpreted at first, and compiled in the background.
			for began := time.Now(); allocations != 0 && err == nil && time.Since(began) < time.Minute; {
				allocations = testing.AllocsPerRun(100, func() { err = errors.Join(err, get()) })
			}
			if err != nil || allocations != 0 {
				t.Errorf("%v allocations, expected none; %v", allocations, err)
			}
		})
	}
}

// A testIssuer signs tokens in this process.
type testIssuer struct {
	name string
	key  *ecdsa.PrivateKey
}

func newIssuer(t *testing.T) testIssuer {
	t.Helper()
	return testIssuer{"https://issuer.example", got(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)}
}

func (i testIssuer) keys(t *testing.T) []byte {
	t.Helper()
	point := got(i.key.PublicKey.ECDH())(t).Bytes() // 4, x and y
	encode := base64.RawURLEncoding.EncodeToString
	return asJSON(t, object{"keys": []any{object{
		"kty": "EC", "crv": "P-256", "kid": "a", "x": encode(point[1:33]), "y": encode(point[33:]),
	}}})
}

func (i testIssuer) token(t *testing.T, subject string) string {
	t.Helper()
	now := time.Now().Unix()
	claims := object{"iss": i.name, "aud": audience, "sub": subject, "iat": now, "exp": now + 3600}
	signed := base64url(`{"alg":"ES256","kid":"a"}`) + "." + base64url(string(asJSON(t, claims)))
	digest := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, i.key, digest[:])
	must(t, err)
	return signed + "." + base64url(string(append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)))
}
