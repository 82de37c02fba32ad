//go:build !(gatepass || apiidtoken || cloudidtoken || golangjwt || gojose || jwx)

package main

import "gatepass.dev/gatepass/bench/material"

var contender func(material.Policy) (material.Verify, error)
