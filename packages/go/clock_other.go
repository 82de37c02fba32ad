//go:build !(linux && amd64)

package gatepass

import "time"

func systemUnixMilli() int64 { return time.Now().UnixMilli() }
