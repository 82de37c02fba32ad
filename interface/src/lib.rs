//! The border between the core and the languages, written down: the JSON that crosses it, and the names of things.
//!
//! | file | what |
//! | --- | --- |
//! | `source_options`, `verifier_options`, `explain_options`, `call` `.schema.json` | what packages hand over |
//! | `credential_file` | every member of every kind of credential file, with an example of each kind |
//! | `step`, `reply` | what the core asks for, and how it is answered |
//! | `error`, `explanation` | what users see |
//! | `event` | what a service writes to its log |
//! | `glossary.md` | one thing, one name: its name in each language |
//!
//! The tests hold the border to the schemas, and the languages to the glossary.

#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::Value;

/// The schemas of this folder, ready to judge.
pub struct Interface {
    schemas: Schemas,
    compiler: Compiler,
}

impl Interface {
    /// Reads nothing yet: a schema is read when it is first asked for.
    pub fn new() -> Self {
        Self { schemas: Schemas::new(), compiler: Compiler::new() }
    }

    /// Judges `value` by the schema of this name.
    ///
    /// # Errors
    /// What does not fit; or that there is no such schema.
    pub fn check(&mut self, name: &str, value: &Value) -> Result<(), String> {
        let index = self.schema(name)?;
        self.schemas.validate(value, index).map_err(|error| format!("{error:#}"))
    }

    fn schema(&mut self, name: &str) -> Result<SchemaIndex, String> {
        let url = format!("https://gatepass.dev/interface/{name}.schema.json");
        for other in [name, "error", "explanation"] {
            let document = read(&format!("{other}.schema.json"))?;
            let url = format!("https://gatepass.dev/interface/{other}.schema.json");
            // It is there already where it was asked for before.
            let _ = self.compiler.add_resource(&url, document);
        }
        self.compiler.compile(&url, &mut self.schemas).map_err(|error| format!("{name}: {error:#}"))
    }
}

impl Default for Interface {
    fn default() -> Self {
        Self::new()
    }
}

/// Reads a JSON file of this folder.
///
/// # Errors
/// When it cannot be read, or is not JSON.
pub fn read(name: &str) -> Result<Value, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
}

/// The root of the repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
