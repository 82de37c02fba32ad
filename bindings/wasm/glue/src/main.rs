//! Splits a compiled module into WebAssembly and the JavaScript that loads it, as the program `wasm-bindgen` does, which
//! cargo cannot install here.
//!
//! `gatepass-wasm-glue <module> <folder>`

use std::process::ExitCode;

use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [module, folder] = arguments.as_slice() else {
        eprintln!("usage: gatepass-wasm-glue <module> <folder>");
        return ExitCode::FAILURE;
    };
    let mut bindgen = Bindgen::new();
    let written = bindgen.input_path(module).out_name("gatepass").web(true).map(|bindgen| {
        bindgen
            .typescript(false)
            .omit_default_module_path(true)
            // A panic leaves the instance unusable: another one takes its place.
            .reset_state_function(true)
            .generate(folder)
    });
    match written {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) | Err(error) => {
            eprintln!("gatepass-wasm-glue: {error:#}");
            ExitCode::FAILURE
        }
    }
}
