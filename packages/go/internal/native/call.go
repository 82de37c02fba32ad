//go:build !(cgo && !gatepass_wasm && linux && (amd64 || arm64))

package native

import (
	"encoding/binary"

	"gatepass.dev/gatepass/internal/wasm"
)

// texts are arguments of a call.
type texts []string

// invoke calls a function with these texts and numbers.
func invoke(instance *wasm.Instance, name string, texts texts, numbers ...uint64) ([]byte, error) {
	if len(texts) > 0 {
		if err := instance.Write(texts...); err != nil {
			return nil, err
		}
	}
	return instance.Output(name, numbers...)
}

// output calls a function whose arguments are the lengths of the texts, and numbers, and lets read have what it returns.
func (r *resident) output(name string, texts texts, read func(*reader), numbers ...uint64) error {
	var arguments [8]uint64
	list := arguments[:0]
	for _, text := range texts {
		list = append(list, uint64(len(text)))
	}
	return r.outputOf(name, texts, read, append(list, numbers...)...)
}

// outputOf calls a function with these numbers. The handle, if there is one, goes before them.
func (r *resident) outputOf(name string, texts texts, read func(*reader), numbers ...uint64) error {
	return r.enter(func(instance *wasm.Instance, handle uint64) error {
		var arguments [8]uint64
		list := arguments[:0]
		if r != common {
			list = append(list, handle)
		}
		output, err := invoke(instance, name, texts, append(list, numbers...)...)
		if err == nil {
			read(&reader{output})
		}
		return err
	})
}

// text calls a function that returns a text.
func (r *resident) text(name string, texts texts, numbers ...uint64) (text string, err error) {
	err = r.output(name, texts, func(answer *reader) { text = answer.rest() }, numbers...)
	return text, err
}

// op calls a function that returns an operation.
func (r *resident) op(name string, texts texts) (op *Op, err error) {
	err = r.output(name, texts, func(answer *reader) { op = r.operation(uint64(answer.u32())) })
	return op, err
}

// operation is for who holds the lock.
func (r *resident) operation(handle uint64) *Op {
	return &Op{within: &resident{at: r.at, generation: r.at.generation, handle: handle}}
}

// flightBits are those of a flight's number in the core, which each instance counts anew.
const flightBits = 48

func (r *resident) flight(number uint64) uint64 {
	if number == 0 {
		return 0
	}
	return number | r.at.generation<<flightBits
}

// turn reads what an answer says about operations.
func (r *resident) turn(answer *reader) Turn {
	turn := Turn{Answer: Answer(answer.u32())}
	if handle := answer.u32(); handle != 0 {
		turn.Op = r.operation(uint64(handle))
	}
	turn.Flight = r.flight(answer.u64())
	return turn
}

// constant calls a function whose answer is always the same. Without it the package is of no use.
func constant(name string) string {
	text, err := common.text(name, nil)
	if err != nil {
		panic(err)
	}
	return text
}

// A reader reads what a call returns, while the instance is the caller's.
type reader struct{ left []byte }

func (r *reader) take(size int) []byte {
	taken := r.left[:size]
	r.left = r.left[size:]
	return taken
}

func (r *reader) u32() uint32  { return binary.LittleEndian.Uint32(r.take(4)) }
func (r *reader) u64() uint64  { return binary.LittleEndian.Uint64(r.take(8)) }
func (r *reader) rest() string { return string(r.left) }
func (r *reader) text() string { return string(r.take(int(r.u32()))) }
