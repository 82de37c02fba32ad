//! The references of all that is public, each made by the language's own tool of what `cargo xtask dist` has made.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Workplace, write};
use crate::failure::{Failure, Result};

/// The version in the names of artefacts.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A reference: what the navigation calls it, and how it is made in a folder of the site.
pub(super) struct Reference {
    pub(super) title: &'static str,
    /// The page that it begins with, from the root of the site.
    pub(super) page: &'static str,
    make: fn(&Workplace, &Path) -> Result<()>,
}

pub(super) const REFERENCES: &[Reference] = &[
    Reference { title: "Python", page: "api/python/gatepass.html", make: python },
    Reference { title: "JavaScript", page: "api/js/index.html", make: javascript },
    Reference { title: "Go", page: "api/go.md", make: go },
    Reference { title: "Java", page: "api/java/index.html", make: java },
    Reference { title: "Rust", page: "api/rust/gatepass/index.html", make: rust },
];

impl Reference {
    /// Makes it among the pages, and looks for its first.
    pub(super) fn make(&self, workplace: &Workplace) -> Result<()> {
        let page = workplace.pages.join(self.page);
        (self.make)(workplace, &workplace.pages.join("api"))?;
        if page.is_file() {
            return Ok(());
        }
        Err(Failure::new(format!("the reference for {} has no page {}", self.title, self.page)))
    }
}

/// pdoc imports the package that is installed from the wheel, with all that its optional modules need.
fn python(workplace: &Workplace, api: &Path) -> Result<()> {
    let pip = ["-m", "pip", "install", "--quiet", "--no-input", "--find-links"];
    let pip = || workplace.python().args(&pip).arg(workplace.artefacts("python"));
    let package = format!("gatepass=={VERSION}");
    workplace.run(pip().args(&["--no-index", "--no-deps", "--force-reinstall", &package]))?;
    workplace.run(pip().arg(format!("gatepass[requests,httpx,flask,grpc]=={VERSION}")))?;
    // A module that cannot be imported would be left out.
    let pdoc = workplace.python().args(&["-W", "error::RuntimeWarning", "-m", "pdoc", "--output-directory"]);
    workplace.run(pdoc.arg(api.join("python")).arg("gatepass"))
}

/// TypeDoc reads the declarations that the package publishes.
fn javascript(workplace: &Workplace, api: &Path) -> Result<()> {
    let folder = workplace.empty("js")?;
    let archive = workplace.artefacts("npm").join(format!("gatepass-{VERSION}.tgz"));
    workplace.run(workplace.program("tar").arg("xzf").arg(archive).in_folder(&folder))?;
    // The types of others that these declarations name are what the package is developed with.
    for file in ["package.json", "package-lock.json"] {
        let from = workplace.checkout.path("packages/js").join(file);
        fs::copy(&from, folder.join(file)).map_err(|error| Failure::file(&from, &error))?;
    }
    let npm = |arguments: &[&str]| {
        let npm = workplace.program("npm").args(arguments);
        npm.args(&["--ignore-scripts", "--no-audit", "--no-fund"]).in_folder(&folder)
    };
    workplace.run(npm(&["ci"]))?;
    workplace.run(npm(&["install", "--no-save", "typedoc@0.28.20"]))?;
    let settings = r#"{ "compilerOptions": { "module": "nodenext", "strict": true, "skipLibCheck": true },
  "include": ["package/*.d.ts"] }
"#;
    write(&folder.join("tsconfig.json"), settings)?;
    let typedoc = workplace.program("node_modules/.bin/typedoc").in_folder(&folder);
    let typedoc = typedoc.args(&["--name", "gatepass", "--readme", "none", "--disableSources"]);
    let typedoc = typedoc.arg("--out").arg(api.join("js"));
    let entries = fs::read_dir(folder.join("package")).map_err(|error| Failure::file(&folder, &error))?;
    let mut declarations: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| Path::new("package").join(entry.file_name()))
        .filter(|path| path.to_string_lossy().ends_with(".d.ts"))
        .collect();
    declarations.sort();
    workplace.run(declarations.iter().fold(typedoc, |typedoc, path| typedoc.arg(path)))
}

/// What `go doc` prints of each package, as a page.
fn go(workplace: &Workplace, api: &Path) -> Result<()> {
    let mut page =
        "# Go\n\nAs `go doc -all` prints it; <https://pkg.go.dev/gatepass.dev/gatepass> once published.\n"
            .to_owned();
    for package in ["", "/gatepasstest", "/grpc"] {
        let folder = workplace.checkout.path(&format!("packages/go{package}"));
        let text = workplace.read(workplace.program("go").args(&["doc", "-all"]).in_folder(folder))?;
        page += &format!("\n## gatepass{package}\n\n```text\n{}\n```\n", text.trim());
    }
    write(&api.join("go.md"), page)
}

/// The jar that Maven publishes for it.
fn java(workplace: &Workplace, api: &Path) -> Result<()> {
    let folder = workplace.artefacts("maven").join(format!("dev/gatepass/gatepass/{VERSION}"));
    let to = api.join("java");
    fs::create_dir_all(&to).map_err(|error| Failure::file(&to, &error))?;
    let jar = folder.join(format!("gatepass-{VERSION}-javadoc.jar"));
    workplace.run(workplace.program("jar").arg("xf").arg(jar).in_folder(to))
}

/// rustdoc, of the crates that are public; what it compiles is shared with the tests.
fn rust(workplace: &Workplace, api: &Path) -> Result<()> {
    let target = workplace.folder.join("rust");
    let crates = ["--package", "gatepass", "--package", "gatepass-core"];
    let doc = workplace.checkout.cargo(&["doc", "--no-deps", "--quiet"]).args(&crates);
    let doc = doc.env("CARGO_BUILD_BUILD_DIR", workplace.checkout.built(""));
    workplace.run(doc.arg("--target-dir").arg(&target))?;
    let copy = workplace.program("cp").arg("-R").arg(target.join("doc")).arg(api.join("rust"));
    workplace.run(copy)
}
