//go:build cloudidtoken

package main

import "gatepass.dev/gatepass/bench/peers/cloudidtoken"

var contender = cloudidtoken.New
