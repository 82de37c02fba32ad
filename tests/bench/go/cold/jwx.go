//go:build jwx

package main

import "gatepass.dev/gatepass/bench/peers/jwx"

var contender = jwx.New
