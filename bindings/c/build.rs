//! Writes the shared library's name into it, with the number that changes with its interface: a program finds the one
//! that it was linked with.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let is_elf = std::env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family == "unix")
        && std::env::var("CARGO_CFG_TARGET_VENDOR").is_ok_and(|vendor| vendor != "apple");
    if is_elf {
        println!(
            "cargo:rustc-cdylib-link-arg=-Wl,-soname,libgatepass.so.{}",
            env!("CARGO_PKG_VERSION_MAJOR")
        );
    }
}
