package gatepass

import "time"

// A clock tells the time; nil is the system's clock.
type clock func() time.Time

func (c clock) unixMilli() int64 {
	if c == nil {
		return time.Now().UnixMilli()
	}
	return c().UnixMilli()
}

// isBefore reports whether it is not yet this time. It is for the header of a warm token, of which reading the clock is
// nearly all of the work: [time.Now] reads two clocks, and this only the one that it needs.
//
// It does not know the time of a bubble of testing/synctest. That begins in the year 2000, so in a bubble this is false,
// and the core is asked instead.
func (c clock) isBefore(unixMilli int64) bool {
	if c == nil {
		return systemUnixMilli() < unixMilli
	}
	return c.unixMilli() < unixMilli
}
