//go:build !(cgo && !gatepass_wasm)

package main

import (
	"time"

	"gatepass.dev/gatepass/bench/material"
	"gatepass.dev/gatepass/bench/peers/gatepass"
)

// provider is what gatepass is built on: its core is WebAssembly, and Go computes for it.
const provider = "WebAssembly, without cgo"

// jobs are verification and the start of a process: there the core's being WebAssembly shows. The other libraries need no cgo
// anyway.
var jobs = []job{
	{"V1", []output{{"V1", "op/s"}}, func() ([]contender, error) { return compiledVerifiers(1, 1) }},
	{"V2", []output{{"V2", "op/s"}}, func() ([]contender, error) { return compiledVerifiers(distinct, 1) }},
	{"V4", []output{{"V4-distinct", "op/s"}}, func() ([]contender, error) { return compiledVerifiers(distinct, threads) }},
	starting,
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
