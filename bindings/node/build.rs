//! Tells the linker what a Node.js add-on needs.
fn main() {
    napi_build::setup();
}
