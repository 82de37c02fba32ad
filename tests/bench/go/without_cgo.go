//go:build !(cgo && !gatepass_wasm)

package main

import (
	"time"

	"gatepass.dev/gatepass/bench/material"
	"gatepass.dev/gatepass/bench/peers/gatepass"
)

// jobs are Z: what gatepass does where the core is WebAssembly, next to libraries that need no cgo anyway.
var jobs = []job{
	{"Z1", []output{{"Z1", "op/s"}}, func() ([]contender, error) { return compiledVerifiers(1, 1) }},
	{"Z2", []output{{"Z2", "op/s"}}, func() ([]contender, error) { return compiledVerifiers(distinct, 1) }},
	{"Z4", []output{{"Z4-distinct", "op/s"}}, func() ([]contender, error) { return compiledVerifiers(distinct, threads) }},
	starting("Z"),
}

// compiledVerifiers are all peers once gatepass's core is compiled: at first it is interpreted.
func compiledVerifiers(count, goroutines int) ([]contender, error) {
	issuer, err := material.Google()
	if err != nil {
		return nil, err
	}
	tokens, err := issuer.Tokens(1)
	if err != nil {
		return nil, err
	}
	verify, err := gatepass.New(issuer.Policy)
	if err != nil {
		return nil, err
	}
	for began := time.Now(); time.Since(began) < 2*time.Second; {
		if err := check(verify, tokens[0]); err != nil {
			return nil, err
		}
	}
	return verifiers(material.Google, count, goroutines)
}

// callNothing stands for a call of C, of which there is none.
func callNothing() {}
