//go:build cgo && !gatepass_wasm && linux && (amd64 || arm64)

package native

// How a checkout finds the library: where build.sh puts it. What is published imports a module for the platform instead,
// by files that `cargo xtask dist` writes in place of this one.

/*
#cgo linux,amd64 LDFLAGS: ${SRCDIR}/lib/linux_amd64/libgatepass.a -lpthread -ldl -lm
#cgo linux,arm64 LDFLAGS: ${SRCDIR}/lib/linux_arm64/libgatepass.a -lpthread -ldl -lm

#if defined(__linux__) && defined(__x86_64__) && __has_include("library_linux_amd64.h")
#include "library_linux_amd64.h"
#elif defined(__linux__) && defined(__aarch64__) && __has_include("library_linux_arm64.h")
#include "library_linux_arm64.h"
#else
#error "gatepass: the native library for this platform is not here; in a checkout, run packages/go/build.sh"
#endif
*/
import "C"

// Library is the fingerprint of the library that is linked.
const Library = C.GATEPASS_LIBRARY
