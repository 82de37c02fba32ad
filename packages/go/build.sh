#!/bin/bash
# Builds the core as the static library that this package links, for this machine.
#
# usage: packages/go/build.sh
# Needs cargo, and ld, nm, objcopy and ar of GNU binutils. Honours CARGO_TARGET_DIR, and GATEPASS_PROVIDER: who computes
# the signatures, ring (the default) or aws-lc-rs.
#
# Makes, in internal/native:
#   lib/GOOS_GOARCH/libgatepass.a   the library
#   gatepass.h                      its header
#   library_GOOS_GOARCH.h           its fingerprint: the go command does not look into libraries, but it does look
#                                   into headers, so this is how it learns that it has to link anew
set -euo pipefail

package=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$package/../.." && pwd)
native=$package/internal/native

case $(uname -s)-$(uname -m) in
  Linux-x86_64) platform=linux_amd64 ;;
  Linux-aarch64) platform=linux_arm64 ;;
  *) echo "build.sh: no library for $(uname -s) on $(uname -m) yet" >&2; exit 1 ;;
esac

case ${GATEPASS_PROVIDER:-ring} in
  ring) features=() ;;
  aws-lc-rs) features=(--features aws-lc-rs) ;;
  *) echo "build.sh: GATEPASS_PROVIDER is $GATEPASS_PROVIDER, expected ring or aws-lc-rs" >&2; exit 1 ;;
esac

# One relocatable object in which only gp_* is global and whatever they do not need is gone. Without this, two Rust
# libraries in one program do not link: each brings its own rust_eh_personality.
slim() {
  local in=$1 out=$2 work symbols roots=() kept=() symbol
  work=$(mktemp -d)
  trap 'rm -rf "$work"' RETURN
  # nm complains about members that hold no machine code; they hold no symbols of ours either.
  symbols=$(nm -g --defined-only "$in" 2>/dev/null | awk '$3 ~ /^gp_/ { print $3 }' | sort -u)
  for symbol in $symbols; do
    roots+=(-u "$symbol")
    kept+=(--keep-global-symbol="$symbol")
  done
  [ ${#roots[@]} -gt 0 ] || { echo "build.sh: $in has no gp_ symbols" >&2; return 1; }
  ld -r --gc-sections "${roots[@]}" -o "$work/gatepass.o" "$in"
  objcopy --strip-unneeded --remove-section=.llvmbc --remove-section=.llvmcmd "${kept[@]}" "$work/gatepass.o"
  rm -f "$out"
  ar rcsD "$out" "$work/gatepass.o"
}

cd "$repository"
archive=$(cargo build --release --package gatepass-c "${features[@]}" --message-format=json-render-diagnostics |
  grep -o '"[^"]*/libgatepass\.a"' | tail -n 1 | tr -d '"')

library=$native/lib/$platform/libgatepass.a
mkdir -p "$(dirname "$library")"
slim "$archive" "$library"
cp bindings/c/include/gatepass.h "$native/gatepass.h"
printf '#define GATEPASS_LIBRARY "%s"\n' "$(sha256sum <"$library" | cut -d ' ' -f 1)" >"$native/library_$platform.h"

echo "$library: $(stat -c %s "$library") bytes, from $(stat -c %s "$archive")"
