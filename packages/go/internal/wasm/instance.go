//go:build !(cgo && !gatepass_wasm && linux && (amd64 || arm64))

package wasm

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// An Instance is the module with a memory of its own. One goroutine at a time may use it.
type Instance struct {
	module    api.Module
	functions map[string]api.Function
	// stack takes the arguments of a call and its result.
	stack []uint64
}

// A Fault is a call that has not ended: a panic of the core. The instance is not to be used any more.
type Fault struct{ what string }

func (f *Fault) Error() string { return f.what }

// A Failure is an error that a call has ended with, as JSON.
type Failure string

func (f Failure) Error() string { return string(f) }

// most is how many arguments a function has at most.
const most = 8

// NewInstance makes an instance, the first one of a process from the module.
func NewInstance() (*Instance, error) {
	program, err := compiled()
	if err != nil {
		return nil, err
	}
	// Without a name, as many as are wanted. A module for this host has no start function.
	config := wazero.NewModuleConfig().WithName("").WithStartFunctions()
	module, err := program.runtime.InstantiateModule(context.Background(), program.module, config)
	if err != nil {
		return nil, fmt.Errorf("gatepass: no instance of the WebAssembly module: %w", err)
	}
	instance := &Instance{module, map[string]api.Function{}, make([]uint64, most)}
	if _, err := instance.Number("begin"); err != nil {
		instance.Close()
		return nil, err
	}
	return instance, nil
}

// Close gives the memory back.
func (i *Instance) Close() { _ = i.module.Close(context.Background()) }

// Write lays the texts of the next call into the instance, one after the other.
func (i *Instance) Write(texts ...string) error {
	size := 0
	for _, text := range texts {
		size += len(text)
	}
	place, err := i.Number("input", uint64(size))
	if err != nil {
		return err
	}
	input, isThere := i.module.Memory().Read(uint32(place), uint32(size))
	if !isThere {
		return &Fault{"the module has no room for its input"}
	}
	for _, text := range texts {
		input = input[copy(input, text):]
	}
	return nil
}

// Number calls a function that returns a number, or nothing.
func (i *Instance) Number(name string, arguments ...uint64) (uint64, error) {
	function, isKnown := i.functions[name]
	if !isKnown {
		if function = i.module.ExportedFunction(name); function == nil {
			return 0, errors.New("gatepass: the WebAssembly module has no function " + name)
		}
		i.functions[name] = function
	}
	copy(i.stack, arguments)
	if err := function.CallWithStack(context.Background(), i.stack); err != nil {
		what, _, _ := strings.Cut(err.Error(), "\n") // Then comes a stack trace.
		return 0, &Fault{what}
	}
	return i.stack[0], nil
}

// isFailure is the bit of a result that says so.
const isFailure = 1 << 63

// Output calls a function that returns bytes. They are the module's, and valid until the next call.
func (i *Instance) Output(name string, arguments ...uint64) ([]byte, error) {
	place, err := i.Number(name, arguments...)
	if err != nil {
		return nil, err
	}
	output, isThere := i.module.Memory().Read(uint32(place&^isFailure>>32), uint32(place))
	if !isThere {
		return nil, &Fault{"the module's output is not within its memory"}
	}
	if place&isFailure != 0 {
		return nil, Failure(output)
	}
	return output, nil
}

// MemorySize returns how many bytes the instance has. It gives none of them back before it is closed.
func (i *Instance) MemorySize() uint32 { return i.module.Memory().Size() }
