//! Tells the linker what a Node.js add-on needs.
fn main() {
    napi_build::setup();
    if std::env::var("CARGO_CFG_TARGET_VENDOR").is_ok_and(|vendor| vendor == "apple") {
        // Without a name of its own it would bear that of the folder in which it was built.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-install_name,@rpath/gatepass.node");
    }
}
