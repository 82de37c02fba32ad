//go:build !(cgo && !gatepass_wasm && linux && (amd64 || arm64))

package wasm

import (
	"context"
	"errors"
	"strings"

	"github.com/tetratelabs/wazero/api"
)

// An Instance is the module with a memory of its own. One goroutine at a time may use it.
type Instance struct {
	module        api.Module
	isInterpreted bool
	functions     map[string]api.Function
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

// NewInstance makes an instance. The first one of a process makes the module ready.
func NewInstance() (*Instance, error) {
	program := compiled.Load()
	isInterpreted := program == nil
	if isInterpreted {
		var err error
		if program, err = interpreted(); err != nil {
			return nil, err
		}
	}
	module, err := program.instantiate()
	if err != nil {
		return nil, err
	}
	instance := &Instance{module, isInterpreted, map[string]api.Function{}, make([]uint64, most)}
	if _, err := instance.Number("begin"); err != nil {
		instance.Close()
		return nil, err
	}
	return instance, nil
}

// hasten goes on in compiled code, once there is such: with another instance that has this one's memory. Between calls an
// instance is nothing else, for the one global that changes, the stack pointer, is back where it began.
func (i *Instance) hasten() {
	if !i.isInterpreted {
		return
	}
	program := compiled.Load()
	if program == nil {
		noteInterpreted()
		return
	}
	i.isInterpreted = false // If it fails, this one goes on.
	module, err := program.instantiate()
	if err != nil {
		return
	}
	from, to := i.module.Memory(), module.Memory()
	all, isThere := from.Read(0, from.Size())
	_, hasGrown := to.Grow((from.Size() - to.Size()) / pageSize)
	if !isThere || !hasGrown || !to.Write(0, all) {
		_ = module.Close(context.Background())
		return
	}
	i.Close()
	i.module, i.functions = module, map[string]api.Function{}
}

const pageSize = 1 << 16

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
	i.hasten()
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

// IsInterpreted reports whether the module is not compiled yet.
func (i *Instance) IsInterpreted() bool { return i.isInterpreted }

// MemorySize returns how many bytes the instance has. It gives none of them back before it is closed.
func (i *Instance) MemorySize() uint32 { return i.module.Memory().Size() }
