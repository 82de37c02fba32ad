package main

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"gatepass.dev/gatepass/bench/material"
	"gatepass.dev/gatepass/bench/peers/apiidtoken"
	"gatepass.dev/gatepass/bench/peers/cloudidtoken"
	"gatepass.dev/gatepass/bench/peers/gatepass"
	"gatepass.dev/gatepass/bench/peers/gojose"
	"gatepass.dev/gatepass/bench/peers/golangjwt"
	"gatepass.dev/gatepass/bench/peers/jwx"
)

// distinct is how many different tokens there are.
const distinct = 1_000

// threads is how many goroutines there are in V4, and should be how many cores there are.
const threads = 4

// firstSight is gatepass without the use of its memory of verified tokens: it sees every token for the first time.
const firstSight = "gatepass, every token new"

// A peer is somebody who can verify.
type peer struct {
	name string
	// tag is the build tag of its cold start.
	tag, module string
	create      func(material.Policy) (material.Verify, error)
}

var peers = []peer{
	{"gatepass", "gatepass", gatepassModule, gatepass.New},
	{"api/idtoken", "apiidtoken", apiModule, apiidtoken.New},
	{"auth/credentials/idtoken", "cloudidtoken", cloudModule, cloudidtoken.New},
	{"golang-jwt", "golangjwt", golangJWTModule, golangjwt.New},
	{"go-jose", "gojose", goJoseModule, gojose.New},
	{"jwx", "jwx", jwxModule, jwx.New},
}

var verifying = []job{
	{"V1", []output{{"V1", "op/s"}}, func() ([]contender, error) {
		contenders, err := verifiers(material.Google, 1, 1)
		empty := rated("empty call", "", func(int) error {
			callNothing()
			return nil
		})
		return append(contenders, empty), err
	}},
	{"V2", []output{{"V2", "op/s"}}, func() ([]contender, error) { return verifiers(material.Google, distinct, 1) }},
	{"V3", []output{{"V3", "op/s"}}, func() ([]contender, error) { return verifiers(material.IAP, distinct, 1) }},
	{"V4", []output{{"V4-repeated", "op/s"}}, func() ([]contender, error) { return verifiers(material.Google, 1, threads) }},
	{"V4", []output{{"V4-distinct", "op/s"}}, func() ([]contender, error) {
		return verifiers(material.Google, distinct, threads)
	}},
}

// verifiers are all peers, each with so many tokens in turn and so many goroutines.
func verifiers(newIssuer func() (*material.Issuer, error), count, goroutines int) ([]contender, error) {
	issuer, err := newIssuer()
	if err != nil {
		return nil, err
	}
	tokens, err := issuer.Tokens(count)
	if err != nil {
		return nil, err
	}
	for at, token := range tokens {
		tokens[at], _ = strings.CutPrefix("Bearer "+token, "Bearer ")
	}
	contenders := []contender{parallel("raw "+issuer.Primitive(), "", goroutines, func(goroutine int) func(int) error {
		begin := goroutine * count / goroutines
		return func(at int) error { return issuer.CheckSignature(tokens[(begin+at)%count]) }
	})}
	for _, peer := range peers {
		verify, err := peer.create(issuer.Policy)
		if err != nil {
			return nil, err
		}
		contenders = append(contenders, parallel(peer.name, peer.module, goroutines, func(goroutine int) func(int) error {
			begin := goroutine * count / goroutines
			return func(at int) error { return check(verify, tokens[(begin+at)%count]) }
		}))
		if peer.name == "gatepass" && count > 1 {
			contenders = append(contenders, parallel(firstSight, peer.module, goroutines, func(int) func(int) error {
				var fresh material.Verify
				return func(at int) (err error) {
					if at%count == 0 {
						if fresh, err = peer.create(issuer.Policy); err != nil {
							return err
						}
					}
					return check(fresh, tokens[at%count])
				}
			}))
		}
	}
	return contenders, nil
}

func check(verify material.Verify, token string) error {
	email, err := verify(token)
	if err == nil && email != material.Email {
		err = fmt.Errorf("the e-mail is %q", email)
	}
	return err
}

// parallel is a contender in several goroutines, whose rates are added up.
func parallel(name, module string, goroutines int, op func(goroutine int) func(at int) error) contender {
	clock := clockOf(goroutines)
	return contender{name, module, func(turn time.Duration) ([]float64, error) {
		rates, errs := make([]float64, goroutines), make([]error, goroutines)
		var done sync.WaitGroup
		for at := range goroutines {
			done.Go(func() { rates[at], errs[at] = rate(turn, clock, op(at)) })
		}
		done.Wait()
		sum := 0.0
		for at, measured := range rates {
			if errs[at] != nil {
				return nil, errs[at]
			}
			sum += measured
		}
		return []float64{sum}, nil
	}}
}
