//go:build !(cgo && !gatepass_wasm && linux && (amd64 || arm64))

package wasm

import (
	"context"
	"encoding/binary"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// provideHost gives the module the one function that it imports.
func provideHost(ctx context.Context, runtime wazero.Runtime) error {
	i32 := api.ValueTypeI32
	_, err := runtime.NewHostModuleBuilder("gatepass").NewFunctionBuilder().
		WithGoModuleFunction(api.GoModuleFunc(computeFor), []api.ValueType{i32, i32, i32, i32, i32}, []api.ValueType{i32}).
		Export("compute").Instantiate(ctx)
	return err
}

// mostInputs is how many inputs a primitive has at most.
const mostInputs = 4

// computeFor computes a primitive (the first number on the stack) of inputs whose addresses and lengths are in the module's
// memory (there, and so many), and writes the output into the module's memory (there, at most so much).
func computeFor(_ context.Context, module api.Module, stack []uint64) {
	memory := module.Memory()
	what, places, count := uint32(stack[0]), uint32(stack[1]), uint32(stack[2])
	output, hasRoom := memory.Read(uint32(stack[3]), uint32(stack[4]))
	table, isThere := memory.Read(places, 8*count)
	stack[0] = api.EncodeI32(-1)
	if !hasRoom || !isThere || count > mostInputs {
		return
	}
	var inputs [mostInputs][]byte
	for at := range count {
		place := table[8*at:]
		inputs[at], isThere = memory.Read(binary.LittleEndian.Uint32(place), binary.LittleEndian.Uint32(place[4:]))
		if !isThere {
			return
		}
	}
	// An output that does not fit is written elsewhere.
	if computed, isThere := compute(primitive(what), inputs[:count], output[:0]); isThere && len(computed) <= len(output) {
		stack[0] = api.EncodeI32(int32(len(computed)))
	}
}
