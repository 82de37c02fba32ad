//! `cargo xtask sizes`: how long the drivers and how large the native libraries are.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gatepass_architecture::drivers::DRIVERS;
use serde_json::Value;

use crate::checkout::Checkout;
use crate::failure::{Failure, Result};
use crate::languages::{log, read};
use crate::table::{Cell, Table};
use crate::terminal::{Terminal, Tone};

const BINDINGS: &[&str] = &["gatepass-c", "gatepass-jni", "gatepass-node", "gatepass-python"];
const BUILD_LIMIT: Duration = Duration::from_secs(15 * 60);

/// Prints both tables; tells whether every driver is within its limit.
pub(crate) fn run(checkout: &Checkout, terminal: &Terminal) -> Result<bool> {
    let mut table = Table::new(["driver", "files", "lines of code", "at most", ""].map(Cell::from));
    let mut all_right = true;
    for driver in DRIVERS {
        let files = driver.read(checkout.root()).map_err(|error| Failure::new(error.to_string()))?;
        let lines = driver.lines(&files).map_err(Failure::new)?;
        let fits = lines <= driver.limit;
        all_right &= fits;
        let verdict = if fits { Cell::from("") } else { Cell::toned("too long", Tone::Bad) };
        let numbers = [files.len(), lines, driver.limit].map(|number| Cell::new(number.to_string()));
        table.row(std::iter::once(Cell::from(driver.language)).chain(numbers).chain([verdict]));
    }
    terminal.say(&table.draw(terminal));

    let mut table = Table::new(["native library", "size"].map(Cell::from));
    for library in libraries(checkout, terminal)? {
        let size = fs::metadata(&library).map_err(|error| Failure::file(&library, &error))?.len();
        let path = library.strip_prefix(checkout.root()).unwrap_or(&library);
        table.row([
            Cell::new(path.display().to_string()),
            Cell::new(format!("{:7} KiB", size.div_ceil(1024))),
        ]);
    }
    terminal.say(&table.draw(terminal));
    Ok(all_right)
}

/// Builds the native libraries of all bindings; gives their files, as cargo names them, and what Go makes of one.
fn libraries(checkout: &Checkout, terminal: &Terminal) -> Result<Vec<PathBuf>> {
    let _task = terminal.begin("building the native libraries");
    let mut build = checkout.cargo(&["build", "--release", "--message-format=json-render-diagnostics"]);
    for binding in BINDINGS {
        build = build.args(&["--package", binding]);
    }
    let log = log(checkout, "sizes")?;
    let (messages, end) = build.read(&log, BUILD_LIMIT);
    end.map_err(|failure| failure.with_output(read(&log)))?;

    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let artifacts = messages.filter(|message| {
        let id = message.get("package_id").and_then(Value::as_str).unwrap_or_default();
        BINDINGS.iter().any(|binding| id.contains(&format!("#{binding}@")))
    });
    let files = artifacts.filter_map(|message| message.get("filenames")?.as_array().cloned()).flatten();
    let files = files.filter_map(|file| file.as_str().map(PathBuf::from)).filter(|file| is_library(file));
    let go = fs::read_dir(checkout.path("packages/go/internal/native/lib")).into_iter().flatten().flatten();
    Ok(files.chain(go.map(|platform| platform.path().join("libgatepass.a"))).collect())
}

fn is_library(file: &Path) -> bool {
    let extensions = ["so", "dylib", "dll", "a"];
    file.extension().is_some_and(|extension| extensions.iter().any(|one| extension == *one))
}
