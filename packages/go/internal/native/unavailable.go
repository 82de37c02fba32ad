//go:build !cgo || !linux || !(amd64 || arm64)

package native

// There is no library for this build yet: gatepass needs cgo (CGO_ENABLED=1 and a C compiler) on Linux, on amd64 or
// arm64. The next line is here to say so; it does not compile.
var _ = gatepass_needs_CGO_ENABLED_1_on_linux_amd64_or_arm64
