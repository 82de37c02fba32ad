//! Gives the library a name of its own on macOS, where it would bear that of the folder in which it was built.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_VENDOR").is_ok_and(|vendor| vendor == "apple") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-install_name,@rpath/libgatepass_jni.dylib");
    }
}
