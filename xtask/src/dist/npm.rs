//! npm: the package, which has no install script, and one package a platform, which it names as optional dependencies.

use super::dependencies::Dependencies;
use super::platform::{PLATFORMS, Platform};
use super::workshop::{THIRD_PARTY, VERSION, Workshop, copy, write};
use crate::failure::{Failure, Result};
use crate::languages::wasm_module_builds;
use serde_json::json;

/// Makes of the checkout's package.json what is published: nothing is run or built where it is installed.
const PUBLISHED: &str = r#"
const { readFileSync, writeFileSync } = require('node:fs');
const { scripts, devDependencies, ...manifest } = JSON.parse(readFileSync('package.json', 'utf8'));
// Types of their own for `require`: TypeScript takes a file's name for what it is.
for (const [path, { types, ...conditions }] of Object.entries(manifest.exports)) {
  if (types === undefined) continue;
  const required = types.replace('.d.ts', '.d.cts');
  writeFileSync(required, readFileSync(types, 'utf8').replaceAll("from './index.js'", "from './index.cjs'"));
  manifest.files.push(required.slice(2));
  const typed = ([name, file]) => [name, { types: name === 'require' ? required : types, default: file }];
  manifest.exports[path] = Object.fromEntries(Object.entries(conditions).map(typed));
}
manifest.files = [...manifest.files.filter((file) => !['native/', 'scripts/'].includes(file)), 'LICENSE*'];
manifest.homepage = 'https://gatepass.dev';
manifest.optionalDependencies = Object.fromEntries(process.argv.slice(2).map((name) => [name, manifest.version]));
writeFileSync('package.json', JSON.stringify(manifest, null, 2) + '\n');
"#;

/// Packs the package and those of the platforms that native code was built for.
pub(crate) fn make(workshop: &Workshop) -> Result<()> {
    let dependencies = Dependencies::of(workshop, "gatepass-node")?;
    let notice = dependencies.notice()?;
    let mut names = Vec::new();
    for platform in PLATFORMS {
        if let Some(addon) = workshop.native(platform, "gatepass.node") {
            let folder = workshop.scratch("npm")?;
            let file = format!("gatepass.{}.node", platform.npm.name);
            copy(&addon, &folder.join(&file))?;
            copy(&workshop.source("LICENSE"), &folder.join("LICENSE"))?;
            write(&folder.join(THIRD_PARTY), &notice)?;
            write(&folder.join("package.json"), manifest(platform, &file)?)?;
            write(
                &folder.join("README.md"),
                format!("The native code of `gatepass` for {}.\n", platform.name),
            )?;
            pack(workshop, &folder)?;
            names.push(format!("@gatepass/{}", platform.npm.name));
        }
    }
    let folder = workshop.scratch("npm")?;
    workshop.copy_folder("packages/js", &folder)?;
    copy(&workshop.source("LICENSE"), &folder.join("LICENSE"))?;
    add_module(workshop, &folder)?;
    let common_js = "import { writeCommonJs } from './scripts/commonjs.js'; writeCommonJs('.');";
    let node = |arguments: &[&str]| workshop.program("node").in_folder(&folder).args(arguments);
    workshop.run(&node(&["--input-type=module", "--eval", common_js]))?;
    let publish = node(&["--input-type=commonjs", "--eval", PUBLISHED, "--", "package.json"]);
    workshop.run(&names.iter().fold(publish, |publish, name| publish.arg(name)))?;
    pack(workshop, &folder)?;
    dependencies.write_bill(workshop, "npm", "gatepass-node")
}

/// The WebAssembly modules, for where there is no add-on: other platforms, and other runtimes than Node.
fn add_module(workshop: &Workshop, folder: &std::path::Path) -> Result<()> {
    for build in wasm_module_builds(&workshop.checkout)? {
        build.run(&workshop.checkout, "wasm")?;
    }
    for file in ["gatepass.js", "gatepass.cjs", "gatepass.wasm", "verify.js", "verify.wasm"] {
        copy(&workshop.checkout.path("packages/js/wasm").join(file), &folder.join("wasm").join(file))?;
    }
    let dependencies = Dependencies::of(workshop, "gatepass-wasm")?;
    write(&folder.join(THIRD_PARTY), dependencies.notice()?)?;
    dependencies.write_bill(workshop, "npm", "gatepass-wasm")
}

fn manifest(platform: &Platform, file: &str) -> Result<String> {
    let npm = &platform.npm;
    let mut manifest = json!({
        "name": format!("@gatepass/{}", npm.name),
        "version": VERSION,
        "description": format!("The native code of gatepass for {}", platform.name),
        "license": "Apache-2.0",
        "homepage": "https://gatepass.dev",
        "os": [npm.os],
        "cpu": [npm.cpu],
        "main": file,
        "files": [file, "LICENSE*"],
    });
    if let (Some(libc), Some(members)) = (npm.libc, manifest.as_object_mut()) {
        members.insert("libc".to_owned(), json!([libc]));
    }
    serde_json::to_string_pretty(&manifest)
        .map(|text| text + "\n")
        .map_err(|error| Failure::new(error.to_string()))
}

fn pack(workshop: &Workshop, folder: &std::path::Path) -> Result<()> {
    let npm =
        workshop.program("npm").in_folder(folder).args(&["pack", "--ignore-scripts", "--pack-destination"]);
    workshop.run(&npm.arg(workshop.dist("npm")))
}
