package driver

import (
	"time"

	"gatepass.dev/gatepass/internal/native"
)

// start is when the monotonic clock is taken to begin.
var start = time.Now()

// Now reads both clocks. While a machine is suspended the monotonic one may not go on; then the wall clock has jumped,
// and whatever was to come has come by that.
func (d *Driver) Now() native.Now {
	return native.Now{Unix: uint64(max(0, d.host.unixMilli())), Monotonic: uint64(max(0, d.host.monotonic().Milliseconds()))}
}

// IsBefore reports whether a moment has come by neither clock.
func (d *Driver) IsBefore(moment native.Now) bool {
	now := d.Now()
	return now.Unix < moment.Unix && now.Monotonic < moment.Monotonic
}

// IsSystem reports whether clocks and transport are the system's, so that what they are used for may be shared.
func (h *Host) IsSystem() bool { return h.Clock == nil && h.Monotonic == nil && h.Transport == nil }

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
