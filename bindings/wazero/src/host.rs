//! Cryptography, which is Go's.

use std::ptr;

use gatepass_bridge::{HostCrypto, Primitive, set_host_crypto};

#[cfg(target_arch = "wasm32")]
#[link(wasm_import_module = "gatepass")]
unsafe extern "C" {
    /// Computes a primitive of these inputs, each an address and a length, and gives the length of the output; -1 is none.
    /// The host reads and writes only while the call lasts, and within these bounds.
    safe fn compute(what: u32, inputs: u32, count: u32, output: u32, room: u32) -> i32;
}

/// Only a module has a host.
#[cfg(not(target_arch = "wasm32"))]
fn compute(_what: u32, _inputs: u32, _count: u32, _output: u32, _room: u32) -> i32 {
    -1
}

/// Most inputs that a primitive has.
const MOST: usize = 4;

struct Go;

impl HostCrypto for Go {
    fn compute(&self, what: Primitive, inputs: &[&[u8]], output: &mut [u8]) -> Option<usize> {
        let mut places = [[0u32; 2]; MOST];
        for (place, input) in places.iter_mut().zip(inputs) {
            *place = [address(input.as_ptr()), input.len() as u32];
        }
        let count = inputs.len().min(MOST) as u32;
        let room = output.len() as u32;
        let output = address(output.as_mut_ptr());
        let length = compute(what as u32, address(ptr::from_ref(&places)), count, output, room);
        usize::try_from(length).ok()
    }
}

/// The host has the memory of the module before it.
fn address<T>(of: *const T) -> u32 {
    of.expose_provenance() as u32
}

/// Lets the core compute by the host. To be called once, before anything else.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn begin() {
    set_host_crypto(&Go);
}
