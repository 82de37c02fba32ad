package driver

import "time"

// Now is the time in milliseconds since 1970.
func (d *Driver) Now() uint64 { return uint64(max(0, d.host.unixMilli())) }

// IsBefore reports whether it is not yet this time. It is for the header of a warm token, of which reading the clock is
// nearly all of the work: [time.Now] reads two clocks, and this only the one that it needs.
//
// It does not know the time of a bubble of testing/synctest. That begins in the year 2000, so in a bubble this is false,
// and the core is asked instead.
func (d *Driver) IsBefore(unixMilli int64) bool {
	if d.host.Clock == nil {
		return systemUnixMilli() < unixMilli
	}
	return d.host.unixMilli() < unixMilli
}

func (h *Host) unixMilli() int64 {
	if h.Clock == nil {
		return time.Now().UnixMilli()
	}
	return h.Clock().UnixMilli()
}
