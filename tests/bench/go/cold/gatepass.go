//go:build gatepass

package main

import "gatepass.dev/gatepass/bench/peers/gatepass"

var contender = gatepass.New
