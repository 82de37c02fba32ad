//go:build gojose

package main

import "gatepass.dev/gatepass/bench/peers/gojose"

var contender = gojose.New
