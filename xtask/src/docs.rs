//! `cargo xtask docs`: the documentation as a site, in `target/docs`, which needs no server and no network.
//!
//! Pages are the repository's own; what is written for the site alone is in `docs/site`, and the references are made of the
//! artefacts ([`mod@reference`]). A link that leads nowhere fails the build: links between files here, those between pages and
//! to headings by MkDocs.

mod reference;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use crate::checkout::Checkout;
use crate::failure::{Failure, Result};
use crate::languages::{log, read};
use crate::process::Program;
use crate::terminal::Terminal;
use reference::REFERENCES;

/// Where the navigation leads: sections, and in each the pages, with the files that they come from.
const SECTIONS: &[(&str, &[(&str, &str)])] = &[
    (
        "Start",
        &[
            ("docs/site/index.md", "index.md"),
            ("packages/python/README.md", "python.md"),
            ("packages/js/README.md", "node.md"),
            ("packages/go/README.md", "go.md"),
            ("packages/java/README.md", "java.md"),
            ("packages/rust/README.md", "rust.md"),
        ],
    ),
    (
        "Use",
        &[
            ("docs/credentials.md", "credentials.md"),
            ("docs/grpc.md", "grpc.md"),
            ("docs/moving.md", "moving.md"),
            ("docs/interop.md", "interop.md"),
            ("docs/platforms.md", "platforms.md"),
            ("docs/mistakes.md", "mistakes.md"),
            ("packages/emulator/README.md", "emulator.md"),
            (ERRORS, "errors.md"),
        ],
    ),
    (
        "Trust",
        &[
            ("SECURITY.md", "security.md"),
            ("docs/threat-model.md", "threat-model.md"),
            ("tests/bench/RESULTS.md", "performance.md"),
            ("CHANGELOG.md", "changelog.md"),
        ],
    ),
];

/// The page that is made of the core's table.
const ERRORS: &str = "docs/site/errors.md";

/// The core as the inspector has it.
const MODULE: &str = "packages/js/wasm/computing.wasm";

const LIMIT: Duration = Duration::from_secs(15 * 60);

/// Builds the site; tells where it is. Without the artefacts of `cargo xtask dist`, which may be left out, it has no references.
pub(crate) fn run(checkout: &Checkout, terminal: &Terminal) -> Result<bool> {
    let workplace = Workplace::open(checkout)?;
    let table = checkout.cargo(&["run", "--quiet", "--package", "gatepass-core", "--example", "error_codes"]);
    let errors = workplace.read(table)?;

    let mut site = Site::of(checkout)?;
    for (source, page) in &site.pages {
        let text = if source == Path::new(ERRORS) {
            errors.clone()
        } else {
            read_file(&checkout.root().join(source))?
        };
        let (text, images) = site.rewrite(checkout.root(), source, page, &text)?;
        write(&workplace.pages.join(page), &text)?;
        for (from, to) in images {
            let bytes = fs::read(&from).map_err(|error| Failure::file(&from, &error))?;
            write(&workplace.pages.join(to), bytes)?;
        }
    }

    workplace.install_tools(terminal)?;
    if checkout.built("dist/SHA256SUMS").exists() {
        site.navigation += "  - Reference:\n";
        for reference in REFERENCES {
            let _task = terminal.begin(&format!("reference for {}", reference.title));
            reference.make(&workplace)?;
            site.navigation += &format!("    - {}: {}\n", reference.title, reference.page);
        }
    } else {
        terminal.say("without references, which are made of what cargo xtask dist makes");
    }
    if checkout.path(MODULE).exists() {
        let page = workplace.pages.join("inspector");
        workplace.run(checkout.program("node").arg("docs/inspector/build.js").arg(page))?;
        site.navigation += "  - Explain a token: inspector/index.html\n";
    } else {
        terminal.say("without the inspector, which is made of what cargo xtask test --only wasm makes");
    }
    let settings = read_file(&checkout.path("docs/site/mkdocs.yml"))? + &site.navigation;
    write(&workplace.folder.join("mkdocs.yml"), settings)?;

    let task = terminal.begin("building the site");
    let mkdocs = workplace.python().args(&["-m", "mkdocs", "build", "--quiet", "--strict", "--clean"]);
    workplace.run(mkdocs.in_folder(&workplace.folder).arg("--site-dir").arg(checkout.built("docs")))?;
    drop(task);
    terminal.say(&format!("{} pages: {}", site.pages.len(), checkout.built("docs/index.html").display()));
    Ok(true)
}

/// Where the site is made.
struct Workplace {
    checkout: Checkout,
    folder: PathBuf,
    /// What MkDocs makes the site of.
    pages: PathBuf,
    log: PathBuf,
}

impl Workplace {
    fn open(checkout: &Checkout) -> Result<Self> {
        let folder = checkout.built("docs-work");
        let pages = folder.join("pages");
        let _missing = fs::remove_dir_all(&pages);
        Ok(Self { checkout: checkout.clone(), folder, pages, log: log(checkout, "docs")? })
    }

    fn program(&self, name: impl AsRef<std::ffi::OsStr>) -> Program {
        self.checkout.program(name)
    }

    /// Python, with the tools.
    fn python(&self) -> Program {
        self.program(self.folder.join("venv/bin/python"))
    }

    /// Runs a program; fails with its output when it does.
    fn run(&self, program: Program) -> Result<()> {
        let before = read(&self.log).len();
        program
            .run(&self.log, LIMIT)
            .map_err(|failure| failure.with_output(read(&self.log).get(before..).unwrap_or_default()))
    }

    /// Runs a program and gives what it prints.
    fn read(&self, program: Program) -> Result<String> {
        let (output, end) = program.read(&self.log, LIMIT);
        end.map_err(|failure| failure.with_output(read(&self.log)))?;
        Ok(output)
    }

    /// An empty folder.
    fn empty(&self, name: &str) -> Result<PathBuf> {
        let folder = self.folder.join(name);
        let _missing = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).map_err(|error| Failure::file(&folder, &error))?;
        Ok(folder)
    }

    /// Where `cargo xtask dist` has put what it made for a language.
    fn artefacts(&self, kind: &str) -> PathBuf {
        self.checkout.built("dist").join(kind)
    }

    fn install_tools(&self, terminal: &Terminal) -> Result<()> {
        let requirements = self.checkout.path("docs/site/requirements.txt");
        let wanted = read_file(&requirements)?;
        let installed = self.folder.join("installed.txt");
        if fs::read_to_string(&installed).ok().as_ref() == Some(&wanted) {
            return Ok(());
        }
        let _task = terminal.begin("installing MkDocs");
        self.run(self.program("python3").args(&["-m", "venv", "--clear"]).arg(self.folder.join("venv")))?;
        let pip = self.python().args(&["-m", "pip", "install", "--quiet", "--no-input", "--requirement"]);
        self.run(pip.arg(&requirements))?;
        write(&installed, wanted)
    }
}

/// The pages that there are, and the navigation.
struct Site {
    /// File of the repository → page.
    pages: BTreeMap<PathBuf, PathBuf>,
    /// As mkdocs.yml has it.
    navigation: String,
}

impl Site {
    /// All of [`SECTIONS`] that is there, and every decision.
    fn of(checkout: &Checkout) -> Result<Self> {
        let mut site = Self { pages: BTreeMap::new(), navigation: "nav:\n".to_owned() };
        for (section, pages) in SECTIONS {
            site.navigation += &format!("  - {section}:\n");
            for (source, page) in *pages {
                if *source == ERRORS || checkout.path(source).exists() {
                    site.add(source, page);
                }
            }
        }
        site.navigation += "  - Decisions:\n";
        let folder = checkout.path("docs/adr");
        let entries = fs::read_dir(&folder).map_err(|error| Failure::file(&folder, &error))?;
        let mut names: Vec<_> =
            entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        for name in names.iter().filter(|name| name.ends_with(".md")) {
            site.add(&format!("docs/adr/{name}"), &format!("adr/{name}"));
        }
        Ok(site)
    }

    fn add(&mut self, source: &str, page: &str) {
        self.pages.insert(source.into(), page.into());
        self.navigation += &format!("    - {page}\n");
    }

    /// The text of a page with its links led to pages, and the images that it shows. A link to a file of the repository that
    /// is no page becomes its text.
    fn rewrite(
        &self,
        root: &Path,
        source: &Path,
        page: &Path,
        text: &str,
    ) -> Result<(String, Vec<(PathBuf, PathBuf)>)> {
        let (mut rewritten, mut images, mut rest) = (String::new(), Vec::new(), text);
        while let Some((before, link, after)) = next_link(rest) {
            rest = after;
            let file = resolve(source, link.target);
            let leads_elsewhere =
                link.target.is_empty() || link.target.contains("://") || link.target.starts_with("mailto:");
            let (start, label) = before.rsplit_once('[').unwrap_or(("", before));
            if leads_elsewhere {
                rewritten += &format!("{before}]({}{})", link.target, link.anchor);
            } else if let Some(to) = self.pages.get(&file) {
                rewritten += &format!("{before}]({}{})", relative(page, to), link.anchor);
            } else if !root.join(&file).exists() {
                return Err(Failure::new(format!(
                    "{}: a link to {}, which is not there",
                    source.display(),
                    link.target
                )));
            } else if start.ends_with('!') {
                let name = file.file_name().unwrap_or_default();
                let to = page.with_file_name(name);
                rewritten += &format!("{before}]({})", name.to_string_lossy());
                images.push((root.join(&file), to));
            } else {
                rewritten += &format!("{start}{label}");
            }
        }
        Ok((rewritten + rest, images))
    }
}

struct Link<'a> {
    target: &'a str,
    /// With its `#`, if there is one.
    anchor: &'a str,
}

/// The text up to the next link's `](`, that link, and what follows it.
fn next_link(text: &str) -> Option<(&str, Link<'_>, &str)> {
    let (before, rest) = text.split_once("](")?;
    let (whole, after) = rest.split_once(')')?;
    let at = whole.find('#').unwrap_or(whole.len());
    let (target, anchor) = whole.split_at_checked(at)?;
    Some((before, Link { target, anchor }, after))
}

/// The file that a link means, from the root of the repository.
fn resolve(source: &Path, target: &str) -> PathBuf {
    let mut path = PathBuf::new();
    for part in source.parent().unwrap_or(Path::new("")).join(target).components() {
        match part {
            Component::ParentDir => drop(path.pop()),
            Component::CurDir => {}
            part => path.push(part),
        }
    }
    path
}

/// The link from a page to another.
fn relative(from: &Path, to: &Path) -> String {
    let up = "../".repeat(from.components().count().saturating_sub(1));
    format!("{up}{}", to.display())
}

fn read_file(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|error| Failure::file(path, &error))
}

fn write(path: &Path, text: impl AsRef<[u8]>) -> Result<()> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(|error| Failure::file(folder, &error))?;
    fs::write(path, text).map_err(|error| Failure::file(path, &error))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn site() -> Site {
        let pages = [("docs/a.md", "a.md"), ("docs/adr/1.md", "adr/1.md"), ("README.md", "index.md")];
        let pages = pages.map(|(source, page)| (source.into(), page.into())).into();
        Site { pages, navigation: String::new() }
    }

    fn rewrite(source: &str, page: &str, text: &str) -> Result<String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        site().rewrite(root, Path::new(source), Path::new(page), text).map(|(text, _)| text)
    }

    #[test]
    fn links_lead_to_pages() {
        let same = "see [it](https://example.com/a#b), [here](#there)";
        assert_eq!(rewrite("docs/a.md", "a.md", same).unwrap(), same);
        assert_eq!(rewrite("README.md", "index.md", "[a](docs/a.md#x) b").unwrap(), "[a](a.md#x) b");
        assert_eq!(rewrite("docs/adr/1.md", "adr/1.md", "[a](../a.md)").unwrap(), "[a](../a.md)");
        assert_eq!(rewrite("docs/a.md", "a.md", "[r](../README.md)").unwrap(), "[r](index.md)");
    }

    #[test]
    fn a_link_to_a_file_becomes_text_and_one_to_nothing_is_an_error() {
        assert_eq!(rewrite("README.md", "index.md", "the [core](src/main.rs) is").unwrap(), "the core is");
        let error = rewrite("README.md", "index.md", "[x](src/nothing.rs)").unwrap_err().to_string();
        assert_eq!(error, "README.md: a link to src/nothing.rs, which is not there");
    }
}
