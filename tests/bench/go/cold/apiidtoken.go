//go:build apiidtoken

package main

import "gatepass.dev/gatepass/bench/peers/apiidtoken"

var contender = apiidtoken.New
