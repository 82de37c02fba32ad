//go:build !(cgo && !gatepass_wasm && linux && (amd64 || arm64))

// Package wasm runs the core as a WebAssembly module in wazero, and computes for it. How the module is called is described
// in bindings/wazero/src/lib.rs; what its functions mean is package native's business.
package wasm

import (
	"context"
	_ "embed"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// built is the module, which is not in a checkout: `cargo xtask test --only go` makes it, and `cargo xtask dist` does for
// what is published.
//
//go:embed made_by_cargo_xtask/gatepass.wasm
var built []byte

// memoryPages bound the memory of an instance, of 64 KiB each: 1 GiB. An instance takes what it needs of that; one whose
// owner needs more ends in a fault.
const memoryPages = 1 << 14

// A program is the module, made ready once for all instances.
type program struct {
	runtime wazero.Runtime
	module  wazero.CompiledModule
}

// interpreted is the program until it is compiled: that takes several times as long as a program should take to start.
var interpreted = sync.OnceValues(func() (*program, error) {
	return newProgram(wazero.NewRuntimeConfigInterpreter())
})

// compiled is nil until then.
var compiled atomic.Pointer[program]

// fewCalls is how many are interpreted before the module is compiled: about those for a token, so that a program which
// checks or fetches one and ends does not compile.
const fewCalls = 20

// interpretedCalls counts them.
var interpretedCalls atomic.Int64

// noteInterpreted has the module compiled in the background once there were enough calls, on machines that wazero compiles for.
func noteInterpreted() {
	if interpretedCalls.Add(1) == fewCalls && (runtime.GOARCH == "amd64" || runtime.GOARCH == "arm64") {
		go compile()
	}
}

// compile is done once. Where it fails, the program stays interpreted.
func compile() {
	// wazero panics where it may make no memory executable.
	defer func() { _ = recover() }()
	if program, err := newProgram(wazero.NewRuntimeConfig()); err == nil {
		compiled.Store(program)
	}
}

func newProgram(config wazero.RuntimeConfig) (*program, error) {
	ctx := context.Background()
	wasm := wazero.NewRuntimeWithConfig(ctx, config.WithMemoryLimitPages(memoryPages).WithDebugInfoEnabled(false))
	if err := provideHost(ctx, wasm); err != nil {
		return nil, err
	}
	module, err := wasm.CompileModule(ctx, built)
	if err != nil {
		return nil, fmt.Errorf("gatepass: the WebAssembly module does not compile: %w", err)
	}
	return &program{wasm, module}, nil
}

func (p *program) instantiate() (api.Module, error) {
	// Without a name there may be any number; a module for this host has no function that starts it.
	config := wazero.NewModuleConfig().WithName("").WithStartFunctions()
	module, err := p.runtime.InstantiateModule(context.Background(), p.module, config)
	if err != nil {
		return nil, fmt.Errorf("gatepass: no instance of the WebAssembly module: %w", err)
	}
	return module, nil
}
