//go:build !(linux && amd64)

package driver

import "time"

func systemUnixMilli() int64 { return time.Now().UnixMilli() }
