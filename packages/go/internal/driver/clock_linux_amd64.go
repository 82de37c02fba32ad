package driver

import (
	"syscall"
	"time"
)

// systemUnixMilli reads the wall clock alone. On this platform that needs no system call.
func systemUnixMilli() int64 {
	var now syscall.Timeval
	if err := syscall.Gettimeofday(&now); err != nil {
		return time.Now().UnixMilli()
	}
	return now.Sec*1000 + now.Usec/1000
}
