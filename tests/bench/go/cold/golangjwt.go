//go:build golangjwt

package main

import "gatepass.dev/gatepass/bench/peers/golangjwt"

var contender = golangjwt.New
