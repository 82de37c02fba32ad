package driver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"gatepass.dev/gatepass/internal/native"
)

// Flights are the operations under way that several callers wait for, by the core's numbers. The zero value has none.
type Flights struct {
	mu       sync.Mutex
	byNumber map[uint64]*flight
}

// A flight flies by itself: it belongs to none of its callers, and goes on when they go away.
type flight struct {
	// landed is closed when it has ended. The rest is written before.
	landed chan struct{}
	output json.RawMessage
	err    error
}

// Settle asks, and while the answer needs an operation, waits for that and asks again. The output is nil unless this
// caller has begun the operation and it gives what was asked for. A context that ends, ends the waiting only.
func (d *Driver) Settle(ctx context.Context, ask func() (native.Turn, error)) (output json.RawMessage, err error) {
	ctx = Known(ctx)
	for range bounds().Looks {
		turn, joined, err := d.flights.ask(ask)
		if err != nil {
			return nil, err
		}
		isNeeded := turn.Answer == native.Fetch || turn.Answer == native.NeedsKeys
		switch {
		case joined != nil:
			if err := joined.wait(ctx); err != nil {
				return nil, err
			}
			continue
		case turn.Op == nil:
			return nil, nil
		case isNeeded && ctx.Err() != nil:
			d.GiveUp(turn)
			return nil, ctx.Err()
		}
		begun := d.begin(ctx, turn)
		if !isNeeded {
			return nil, nil // It is for later callers. The core remembers how it went.
		}
		if err := begun.wait(ctx); err != nil {
			return nil, err
		}
		if begun.err != nil || turn.Answer == native.Fetch {
			return begun.output, begun.err
		}
	}
	return nil, fmt.Errorf("exceeded %d attempts; report this", bounds().Looks)
}

// Known is the context, or the background for nil, which oauth2 takes for it as well.
func Known(ctx context.Context) context.Context {
	if ctx == nil {
		return context.Background()
	}
	return ctx
}

// GiveUp is for an operation that nobody drives: another caller is chosen.
func (d *Driver) GiveUp(turn native.Turn) { d.flights.land(turn, d.flights.numbered(turn.Flight)) }

// begin lets an operation fly. It keeps the values of the context that it was begun with, for the user's own code.
func (d *Driver) begin(ctx context.Context, turn native.Turn) *flight {
	flight := d.flights.numbered(turn.Flight)
	flight.err = errors.New("the operation ended without an outcome; report this")
	go func() {
		defer d.flights.land(turn, flight)
		flight.output, flight.err = d.Drive(context.WithoutCancel(ctx), turn.Op)
	}()
	return flight
}

func (f *flight) wait(ctx context.Context) error {
	select {
	case <-f.landed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ask asks and, if that is to wait for a flight, asks again while no flight can land, so that whoever gets the number
// of one finds it.
func (f *Flights) ask(ask func() (native.Turn, error)) (turn native.Turn, joined *flight, err error) {
	turn, err = ask()
	if err != nil || turn.Answer != native.Join {
		return turn, nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	turn, err = ask()
	if err == nil && turn.Answer == native.Join {
		joined = f.find(turn.Flight)
	}
	return turn, joined, err
}

// land frees the operation and lets all who wait for it look again.
func (f *Flights) land(turn native.Turn, flight *flight) {
	turn.Op.Free()
	f.mu.Lock()
	delete(f.byNumber, turn.Flight)
	f.mu.Unlock()
	close(flight.landed)
}

// numbered returns the flight with this number; 0 is none's.
func (f *Flights) numbered(number uint64) *flight {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.find(number)
}

// find is for who holds the lock.
func (f *Flights) find(number uint64) *flight {
	if found, isKnown := f.byNumber[number]; isKnown {
		return found
	}
	created := &flight{landed: make(chan struct{})}
	if number != 0 {
		if f.byNumber == nil {
			f.byNumber = map[uint64]*flight{}
		}
		f.byNumber[number] = created
	}
	return created
}
