package driver

import (
	"testing"
	"time"

	"gatepass.dev/gatepass/internal/native"
)

// With the system's clocks, of which the wall's is not read each time.
func TestAMomentComesByEitherClock(t *testing.T) {
	driver := New(Host{}, &Flights{})
	const hour = uint64(time.Hour / time.Millisecond)
	now := driver.Now()
	for _, moment := range []native.Now{
		{Unix: now.Unix, Monotonic: now.Monotonic + hour},
		{Unix: now.Unix + hour, Monotonic: now.Monotonic},
		{},
	} {
		if driver.IsBefore(&Deadline{Moment: moment}) {
			t.Errorf("%v is to come, at %v", moment, now)
		}
	}
	later := &Deadline{Moment: native.Now{Unix: now.Unix + hour, Monotonic: now.Monotonic + hour}}
	for range 1_000 {
		if !driver.IsBefore(later) {
			t.Fatalf("%v has come, at %v", later.Moment, driver.Now())
		}
	}
	soon := &Deadline{Moment: native.Now{Unix: now.Unix + hour, Monotonic: driver.Now().Monotonic + 5}}
	for driver.IsBefore(soon) {
		if passed := driver.Now().Monotonic; passed > soon.Moment.Monotonic+60_000 {
			t.Fatalf("%v is to come, at %v", soon.Moment, passed)
		}
	}
}

// A program's own clocks are both read each time, so that one may stand still.
func TestAClockThatIsGivenIsReadEachTime(t *testing.T) {
	wall := time.UnixMilli(1_000)
	driver := New(Host{Clock: func() time.Time { return wall }}, &Flights{})
	deadline := &Deadline{Moment: native.Now{Unix: 2_000, Monotonic: 1 << 50}}
	if !driver.IsBefore(deadline) {
		t.Error("it has come")
	}
	wall = time.UnixMilli(2_000)
	if driver.IsBefore(deadline) {
		t.Error("it is to come")
	}
}
