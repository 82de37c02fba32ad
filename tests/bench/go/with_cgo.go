//go:build cgo && !gatepass_wasm

package main

// static __attribute__((noinline)) void nothing(void) { __asm__ volatile(""); }
import "C"

import "slices"

var jobs = slices.Concat(verifying, []job{signing, heading, starting("M"), serving, calling}, growing, []job{remembering}, herding)

// callNothing is a call of C that does nothing.
func callNothing() { C.nothing() }
