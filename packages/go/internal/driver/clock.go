package driver

import (
	"sync/atomic"
	"time"

	"gatepass.dev/gatepass/internal/native"
)

// start is when the monotonic clock is taken to begin.
var start = time.Now()

// A Deadline is a moment that has come as soon as either clock says so.
type Deadline struct {
	Moment native.Now
	// compared is one more than the last millisecond of the monotonic clock in which it was found not to have come.
	compared atomic.Uint64
}

// Now reads both clocks. While a machine is suspended the monotonic one may not go on; then the wall clock has jumped,
// and whatever was to come has come by that.
func (d *Driver) Now() native.Now {
	if d.host.hasSystemClocks() {
		now := time.Now() // Two readings in one, of which Sub takes the monotonic one.
		return native.Now{Unix: millis(now.UnixMilli()), Monotonic: millis(now.Sub(start).Milliseconds())}
	}
	return native.Now{Unix: millis(d.host.unixMilli()), Monotonic: millis(d.host.monotonic().Milliseconds())}
}

// IsBefore reports whether a moment has come by neither clock. Nearly all that this takes is to read them, so within a
// millisecond of the monotonic clock the other one is read once (docs/adr/0006-two-clocks.md).
func (d *Driver) IsBefore(deadline *Deadline) bool {
	isSystem := d.host.hasSystemClocks()
	if isSystem && deadline.compared.Load() == millis(time.Since(start).Milliseconds())+1 {
		return true
	}
	now := d.Now()
	isBefore := now.Unix < deadline.Moment.Unix && now.Monotonic < deadline.Moment.Monotonic
	if isSystem && isBefore {
		deadline.compared.Store(now.Monotonic + 1)
	}
	return isBefore
}

// IsSystem reports whether clocks and transport are the system's, so that what they are used for may be shared.
func (h *Host) IsSystem() bool { return h.hasSystemClocks() && h.Transport == nil }

func (h *Host) hasSystemClocks() bool { return h.Clock == nil && h.Monotonic == nil }

func (h *Host) unixMilli() int64 {
	if h.Clock == nil {
		return time.Now().UnixMilli()
	}
	return h.Clock().UnixMilli()
}

func (h *Host) monotonic() time.Duration {
	if h.Monotonic == nil {
		return time.Since(start)
	}
	return h.Monotonic()
}

// millis are those of a clock; whatever is before its beginning is at its beginning.
func millis(reading int64) uint64 { return uint64(max(0, reading)) }
