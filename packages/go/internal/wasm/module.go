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

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental"
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

// compiled compiles the module when the first instance is made.
var compiled = sync.OnceValues(func() (*program, error) {
	ctx := experimental.WithCompilationWorkers(context.Background(), runtime.GOMAXPROCS(0))
	config := wazero.NewRuntimeConfig().WithMemoryLimitPages(memoryPages).WithDebugInfoEnabled(false)
	wasm := wazero.NewRuntimeWithConfig(ctx, config)
	if err := provideHost(ctx, wasm); err != nil {
		return nil, err
	}
	module, err := wasm.CompileModule(ctx, built)
	if err != nil {
		return nil, fmt.Errorf("gatepass: the WebAssembly module does not compile: %w", err)
	}
	return &program{wasm, module}, nil
})
