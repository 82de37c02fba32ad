package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	cloudidtoken "cloud.google.com/go/auth/credentials/idtoken"
	"github.com/go-jose/go-jose/v4"
	josejwt "github.com/go-jose/go-jose/v4/jwt"
	"github.com/golang-jwt/jwt/v5"
	"github.com/lestrrat-go/jwx/v3/jwa"
	jwxjwt "github.com/lestrrat-go/jwx/v3/jwt"
	"google.golang.org/api/idtoken"
	"google.golang.org/api/option"

	"gatepass.dev/gatepass"
	"gatepass.dev/gatepass/bench/material"
	ours "gatepass.dev/gatepass/bench/peers/gatepass"
)

const receiver = "https://receiver.example"

// signing is S: a service account's own JWT. gatepass is asked for another audience each time, since it would not sign
// twice for the same.
var signing = job{"S", []output{{"S", "op/s"}}, func() ([]contender, error) {
	issuer, err := material.Google()
	if err != nil {
		return nil, err
	}
	file, err := issuer.KeyFile()
	if err != nil {
		return nil, err
	}
	source, err := gatepass.NewSource(gatepass.WithCredentialsJSON(file))
	if err != nil {
		return nil, err
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: issuer.RSA()}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return nil, err
	}
	const hour = time.Hour
	ctx := context.Background()
	asked := 0
	return []contender{
		rated("gatepass", gatepassModule, func(int) error {
			asked++
			_, err := source.SelfSignedJWT(ctx, fmt.Sprintf("%s/%d", receiver, asked))
			return err
		}),
		rated("golang-jwt", golangJWTModule, func(at int) error {
			now := time.Now()
			claims := jwt.RegisteredClaims{
				Issuer: material.Email, Subject: material.Email, Audience: jwt.ClaimStrings{fmt.Sprintf("%s/%d", receiver, at)},
				IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(hour)),
			}
			_, err := jwt.NewWithClaims(jwt.SigningMethodRS256, claims).SignedString(issuer.RSA())
			return err
		}),
		rated("go-jose", goJoseModule, func(at int) error {
			now := time.Now()
			claims := josejwt.Claims{
				Issuer: material.Email, Subject: material.Email, Audience: josejwt.Audience{fmt.Sprintf("%s/%d", receiver, at)},
				IssuedAt: josejwt.NewNumericDate(now), Expiry: josejwt.NewNumericDate(now.Add(hour)),
			}
			_, err := josejwt.Signed(signer).Claims(claims).Serialize()
			return err
		}),
		rated("jwx", jwxModule, func(at int) error {
			now := time.Now()
			token, err := jwxjwt.NewBuilder().Issuer(material.Email).Subject(material.Email).
				Audience([]string{fmt.Sprintf("%s/%d", receiver, at)}).IssuedAt(now).Expiration(now.Add(hour)).Build()
			if err != nil {
				return err
			}
			_, err = jwxjwt.Sign(token, jwxjwt.WithKey(jwa.RS256(), issuer.RSA()))
			return err
		}),
	}, nil
}}

// heading is H: the Authorization header of a token that is at hand.
var heading = job{"H", []output{{"H", "op/s"}}, func() ([]contender, error) {
	startMetadataServer(0)
	ctx := context.Background()
	source, err := gatepass.NewSource()
	if err != nil {
		return nil, err
	}
	tokens, err := gatepass.NewTokenSource(ctx, receiver)
	if err != nil {
		return nil, err
	}
	theirs, err := idtoken.NewTokenSource(ctx, receiver)
	if err != nil {
		return nil, err
	}
	cloud, err := cloudidtoken.NewCredentials(&cloudidtoken.Options{Audience: receiver})
	if err != nil {
		return nil, err
	}
	return []contender{
		rated("gatepass", gatepassModule, func(int) error {
			value, err := tokens.Header()
			if err != nil {
				return err
			}
			return headed(value)
		}),
		rated("gatepass, any audience", gatepassModule, func(int) error {
			value, err := source.IDTokenHeader(ctx, receiver)
			if err != nil {
				return err
			}
			return headed(value)
		}),
		rated("gatepass, oauth2.Token", gatepassModule, func(int) error {
			token, err := tokens.Token()
			if err != nil {
				return err
			}
			return headed(token.Type() + " " + token.AccessToken)
		}),
		rated("api/idtoken", apiModule, func(int) error {
			token, err := theirs.Token()
			if err != nil {
				return err
			}
			return headed(token.Type() + " " + token.AccessToken)
		}),
		rated("auth/credentials/idtoken", cloudModule, func(int) error {
			token, err := cloud.Token(ctx)
			if err != nil {
				return err
			}
			return headed("Bearer " + token.Value)
		}),
	}, nil
}}

var header string

func headed(value string) error {
	if header = value; len(header) < 50 {
		return errors.New("no token")
	}
	return nil
}

// coldCallers is how many ask at once in F.
const coldCallers = 1_000

// herding is F: how many requests are made when many callers need the same token, or the same keys, at once.
var herding = []job{
	{"F", []output{{"F", "requests"}}, func() ([]contender, error) {
		server := startMetadataServer(100 * time.Millisecond)
		ctx := context.Background()
		herd := func(name, module string, create func() (func() error, error)) contender {
			return contender{name, module, func(time.Duration) ([]float64, error) {
				before := server.requests.Load()
				fetch, err := create()
				if err == nil {
					err = allAtOnce(fetch)
				}
				return []float64{float64(server.requests.Load() - before)}, err
			}}
		}
		return []contender{
			herd("gatepass", gatepassModule, func() (func() error, error) {
				source, err := gatepass.NewSource()
				return func() error {
					_, err := source.IDToken(ctx, receiver)
					return err
				}, err
			}),
			herd("api/idtoken", apiModule, func() (func() error, error) {
				source, err := idtoken.NewTokenSource(ctx, receiver)
				return func() error {
					_, err := source.Token()
					return err
				}, err
			}),
			herd("auth/credentials/idtoken", cloudModule, func() (func() error, error) {
				source, err := cloudidtoken.NewCredentials(&cloudidtoken.Options{Audience: receiver})
				return func() error {
					_, err := source.Token(ctx)
					return err
				}, err
			}),
		}, nil
	}},
	{"F", []output{{"F-keys", "requests"}}, func() ([]contender, error) {
		issuer, err := material.Google()
		if err != nil {
			return nil, err
		}
		tokens, err := issuer.Tokens(1)
		if err != nil {
			return nil, err
		}
		ctx := context.Background()
		herd := func(name, module string, create func(*http.Client) (func() error, error)) contender {
			return contender{name, module, func(time.Duration) ([]float64, error) {
				counted := &countedKeys{keys: issuer.Policy.Client().Transport}
				validate, err := create(&http.Client{Transport: counted})
				if err == nil {
					err = allAtOnce(validate)
				}
				return []float64{float64(counted.requests.Load())}, err
			}}
		}
		return []contender{
			herd("gatepass", gatepassModule, func(client *http.Client) (func() error, error) {
				verifier, err := gatepass.NewVerifier(gatepass.WithAudience(issuer.Audience), gatepass.WithTransport(client.Transport))
				return func() error {
					_, err := verifier.Validate(ctx, tokens[0])
					return err
				}, err
			}),
			herd("api/idtoken", apiModule, func(client *http.Client) (func() error, error) {
				validator, err := idtoken.NewValidator(ctx, option.WithHTTPClient(client))
				return func() error {
					_, err := validator.Validate(ctx, tokens[0], issuer.Audience)
					return err
				}, err
			}),
			herd("auth/credentials/idtoken", cloudModule, func(client *http.Client) (func() error, error) {
				validator, err := cloudidtoken.NewValidator(&cloudidtoken.ValidatorOptions{Client: client})
				return func() error {
					_, err := validator.Validate(ctx, tokens[0], issuer.Audience)
					return err
				}, err
			}),
		}, nil
	}},
}

// allAtOnce calls from as many goroutines as F has.
func allAtOnce(call func() error) error {
	errs := make([]error, coldCallers)
	start := make(chan struct{})
	var done sync.WaitGroup
	for at := range errs {
		done.Go(func() {
			<-start
			errs[at] = call()
		})
	}
	close(start)
	done.Wait()
	return errors.Join(errs...)
}

// countedKeys are keys that take their time.
type countedKeys struct {
	keys     http.RoundTripper
	requests atomic.Int64
}

func (c *countedKeys) RoundTrip(request *http.Request) (*http.Response, error) {
	c.requests.Add(1)
	time.Sleep(100 * time.Millisecond)
	return c.keys.RoundTrip(request)
}

// growing is G: the rate of the thousand tokens that came last, or of all if there are fewer, of so many.
var growing = []job{grown(10), grown(1_000), grown(100_000)}

func grown(size int) job {
	last := min(size, 1_000)
	return job{"G", []output{{fmt.Sprintf("G-%d", size), "op/s"}}, func() ([]contender, error) {
		issuer, err := material.IAP()
		if err != nil {
			return nil, err
		}
		tokens, err := issuer.Tokens(size)
		if err != nil {
			return nil, err
		}
		verify, err := ours.New(issuer.Policy)
		if err != nil {
			return nil, err
		}
		startMetadataServer(0)
		source, err := gatepass.NewSource()
		if err != nil {
			return nil, err
		}
		ctx := context.Background()
		audiences := make([]string, size)
		if err := material.InParallel(size, func(at int) error { return check(verify, tokens[at]) }); err != nil {
			return nil, err
		}
		for at := range audiences {
			audiences[at] = fmt.Sprintf("%s/%d", receiver, at)
			if _, err := source.IDToken(ctx, audiences[at]); err != nil {
				return nil, err
			}
		}
		return []contender{
			rated("gatepass", gatepassModule, func(at int) error { return check(verify, tokens[size-1-at%last]) }),
			rated("gatepass, headers", gatepassModule, func(at int) error {
				value, err := source.IDTokenHeader(ctx, audiences[size-1-at%last])
				if err != nil {
					return err
				}
				return headed(value)
			}),
		}, nil
	}}
}

// A metadataServer gives out ID tokens, after a while, and counts them.
type metadataServer struct{ requests atomic.Int64 }

// startMetadataServer starts one and makes it this process's until the end of the job.
func startMetadataServer(after time.Duration) *metadataServer {
	return startMetadataServerOf(unsigned, after)
}

// startMetadataServerOf does so with tokens that it is told how to make, each for an audience.
func startMetadataServerOf(token func(audience string) string, after time.Duration) *metadataServer {
	started := &metadataServer{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Metadata-Flavor", "Google")
		if !strings.HasSuffix(r.URL.Path, "/identity") {
			return
		}
		started.requests.Add(1)
		time.Sleep(after)
		io.WriteString(w, token(r.URL.Query().Get("audience")))
	}))
	home, err := os.MkdirTemp("", "gatepass-bench")
	if err != nil {
		panic(err)
	}
	for name, value := range map[string]string{
		"GCE_METADATA_HOST": strings.TrimPrefix(server.URL, "http://"), "HOME": home, "GOOGLE_APPLICATION_CREDENTIALS": "",
	} {
		before := os.Getenv(name)
		os.Setenv(name, value)
		atEnd(func() { os.Setenv(name, before) })
	}
	atEnd(func() {
		server.CloseClientConnections()
		server.Close()
		os.RemoveAll(home)
	})
	return started
}

// unsigned is a token as its caller sees it, whom the signature does not concern.
func unsigned(audience string) string {
	part := func(value any) string {
		text, _ := json.Marshal(value) // It is of strings and numbers.
		return base64.RawURLEncoding.EncodeToString(text)
	}
	now := time.Now().Unix()
	claims := map[string]any{"iss": "https://accounts.google.com", "aud": audience, "iat": now, "exp": now + 3600}
	return part(map[string]string{"alg": "RS256"}) + "." + part(claims) + "." + part(strings.Repeat("s", 256))
}
