//go:build cgo && !gatepass_wasm

package main

// static __attribute__((noinline)) void nothing(void) { __asm__ volatile(""); }
import "C"

// provider is what gatepass is built on, where it is not what the caller knows.
const provider = ""

var jobs = every

// callNothing is a call of C that does nothing.
func callNothing() { C.nothing() }
