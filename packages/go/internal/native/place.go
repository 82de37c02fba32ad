//go:build !(cgo && !gatepass_wasm && linux && (amd64 || arm64))

package native

import (
	"errors"
	"runtime"
	"sync"

	"gatepass.dev/gatepass/internal/wasm"
)

// A place holds an instance of the module for those who share what is in it, one at a time. After a fault there is another
// instance in it, and whatever was in the old one is made again when it is asked for.
type place struct{ *room }

type room struct {
	mu sync.Mutex
	// instance is nil before it is needed, and after a fault.
	instance *wasm.Instance
	// generation counts the instances.
	generation uint64
}

// newPlace makes a place whose instance goes when nobody refers to the place any more.
func newPlace() *place {
	place := &place{&room{}}
	runtime.AddCleanup(place, (*room).close, place.room)
	return place
}

// common is for what leaves nothing behind.
var common = &resident{at: newPlace()}

// A resident is something in an instance, behind a handle.
type resident struct {
	at *place
	// create makes it in an instance. It is nil for what goes with its instance, such as an operation.
	create func(*wasm.Instance) (handle uint64, err error)
	// generation is that of the instance that it is in.
	generation, handle uint64
}

// errGone is for something that was in an instance that is gone.
var errGone = errors.New("the instance is gone")

// enter lets use have the instance and the handle in it. A fault ends the instance, and is an error as any panic of the core.
func (r *resident) enter(use func(instance *wasm.Instance, handle uint64) error) error {
	r.at.mu.Lock()
	defer r.at.mu.Unlock()
	if r.create == nil && r != common && !r.isHere() {
		return errGone
	}
	err := r.at.furnish()
	if err == nil {
		var handle uint64
		if handle, err = r.here(); err == nil {
			err = use(r.at.instance, handle)
		}
	}
	return r.at.outcome(err)
}

// leave calls the function that gives the handle up, unless its instance is gone.
func (r *resident) leave(name string) {
	r.at.mu.Lock()
	defer r.at.mu.Unlock()
	if r.isHere() {
		_, err := r.at.instance.Number(name, r.handle)
		_ = r.at.outcome(err)
	}
}

// isHere reports whether the handle is in the present instance. It is for who holds the lock, as here is.
func (r *resident) isHere() bool { return r.at.instance != nil && r.generation == r.at.generation }

// here returns the handle in the present instance, in which it is made if need be.
func (r *resident) here() (handle uint64, err error) {
	if r != common && !r.isHere() {
		if r.handle, err = r.create(r.at.instance); err != nil {
			return 0, err
		}
		r.generation = r.at.generation
	}
	return r.handle, nil
}

// furnish makes an instance if there is none.
func (r *room) furnish() (err error) {
	if r.instance == nil {
		if r.instance, err = wasm.NewInstance(); err == nil {
			r.generation++
		}
	}
	return err
}

// outcome returns an error in the form of this package, and gives up an instance that is at fault.
func (r *room) outcome(err error) error {
	if err == nil {
		return nil
	}
	var failure wasm.Failure
	if errors.As(err, &failure) {
		return Failure(failure)
	}
	var fault *wasm.Fault
	if errors.As(err, &fault) {
		r.instance.Close()
		r.instance = nil
		return panicked(fault.Error())
	}
	return err
}

func (r *room) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.instance != nil {
		r.instance.Close()
		r.instance = nil
	}
}

// panicked returns the error of a panic, in the words of an instance that had none.
func panicked(message string) error {
	instance, err := wasm.NewInstance()
	if err != nil {
		return err
	}
	defer instance.Close()
	_, err = invoke(instance, "panicked", texts{message}, uint64(len(message)))
	var failure wasm.Failure
	if errors.As(err, &failure) {
		return Failure(failure)
	}
	return err
}
