//! Writes the shared library's name into it, with the number that changes with its interface: a program finds the one
//! that it was linked with.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let is_unix = std::env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family == "unix");
    let is_apple = std::env::var("CARGO_CFG_TARGET_VENDOR").is_ok_and(|vendor| vendor == "apple");
    let major = env!("CARGO_PKG_VERSION_MAJOR");
    let name = match (is_unix, is_apple) {
        (true, false) => format!("-Wl,-soname,libgatepass.so.{major}"),
        (true, true) => format!("-Wl,-install_name,@rpath/libgatepass.{major}.dylib"),
        // Windows has no other name for it than that of its file.
        (false, _) => return,
    };
    println!("cargo:rustc-cdylib-link-arg={name}");
}
