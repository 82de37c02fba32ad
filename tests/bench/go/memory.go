package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"gatepass.dev/gatepass/bench/material"
	ours "gatepass.dev/gatepass/bench/peers/gatepass"
)

// remembering is G in bytes: by how much a process grows for each token that it remembers, and how long the claims of a
// token are. Each turn is a process of its own.
var remembering = job{"G", []output{{"G-bytes", "B"}}, func() ([]contender, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	var claims float64
	return []contender{
		{"gatepass", gatepassModule, func(time.Duration) ([]float64, error) {
			output, err := exec.Command(program, "--remember").Output()
			if err != nil {
				return nil, err
			}
			var answer growth
			err = json.Unmarshal(output, &answer)
			claims = answer.Claims
			return []float64{answer.Resident}, err
		}},
		{"raw claims", "", func(time.Duration) ([]float64, error) { return []float64{claims}, nil }},
	}, nil
}}

// A growth is in bytes for each token.
type growth struct{ Resident, Claims float64 }

// remembered is how many tokens the growth is measured over. Some come before them, so that what is there once for all
// tokens is there.
const (
	remembered       = 10_000
	rememberedBefore = 1_000
)

// rememberMany is the process that grows.
func rememberMany() error {
	issuer, err := material.IAP()
	if err != nil {
		return err
	}
	tokens, err := issuer.Tokens(rememberedBefore + remembered)
	if err != nil {
		return err
	}
	verify, err := ours.New(issuer.Policy)
	if err != nil {
		return err
	}
	check := func(tokens []string) error {
		return material.InParallel(len(tokens), func(at int) error { return check(verify, tokens[at]) })
	}
	if err := check(tokens[:rememberedBefore]); err != nil {
		return err
	}
	before, err := resident()
	if err != nil {
		return err
	}
	if err := check(tokens[rememberedBefore:]); err != nil {
		return err
	}
	after, err := resident()
	if err != nil {
		return err
	}
	claims := 0
	for _, token := range tokens[rememberedBefore:] {
		claims += len(strings.Split(token, ".")[1]) * 3 / 4 // It is base64.
	}
	return json.NewEncoder(os.Stdout).Encode(growth{float64(after-before) / remembered, float64(claims) / remembered})
}

// resident returns how much memory this process has, in bytes, without what Go's collector would free.
func resident() (int, error) {
	debug.FreeOSMemory()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	_, size, _ := strings.Cut(string(status), "VmRSS:")
	fields := strings.Fields(size)
	if len(fields) == 0 {
		return 0, fmt.Errorf("no VmRSS in %s", status)
	}
	kibibytes, err := strconv.Atoi(fields[0])
	return kibibytes * 1024, err
}
