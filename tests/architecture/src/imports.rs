//! Who imports whom, read from the source files of each language.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{SourceFile, Tests, Token};

/// One module names another of the same crate or package.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Import {
    /// The module that imports, as its language writes it.
    pub from: String,
    /// The module that is imported.
    pub to: String,
    /// The file and the line.
    pub place: String,
}

/// Reads the Rust files below `source`, the folder of `lib.rs` or `main.rs`; test code is left out. The crate's root is
/// the module with the empty name.
///
/// # Errors
/// When a file is not Rust.
pub fn rust(source: &str, files: &[SourceFile]) -> Result<Vec<Import>, String> {
    let mut modules = BTreeMap::new();
    for file in files {
        let inside = file.path.strip_prefix(source).unwrap_or(&file.path).trim_start_matches('/');
        let name = inside.trim_end_matches(".rs").trim_end_matches("mod").trim_end_matches('/');
        let name = if matches!(name, "lib" | "main") { "" } else { name };
        modules.insert(name.replace('/', "::"), (file, paths(&file.rust_tokens(Tests::LeftOut)?)));
    }
    let names: BTreeSet<&str> = modules.keys().map(String::as_str).collect();
    // What a module has under a name that another module has defined.
    let mut brought = BTreeMap::new();
    for (module, (_, paths)) in &modules {
        for path in paths.iter().filter(|path| path.is_use) {
            if let Some(target) = absolute(module, &path.words, &names)
                && let Some(name) = path.name.as_ref().or(target.last())
            {
                brought.insert((module.as_str(), name.clone()), target);
            }
        }
    }
    let mut imports = Vec::new();
    for (module, (file, paths)) in &modules {
        for path in paths {
            if let Some(target) = absolute(module, &path.words, &names) {
                let to = defined_in(&target, &names, &brought);
                let place = format!("{}:{}", file.path, path.line);
                imports.push(Import { from: module.clone(), to, place });
            }
        }
    }
    imports.retain(|import| import.from != import.to);
    Ok(imports)
}

/// A path of Rust: `crate::a::B`, in a `use` or anywhere else.
struct RustPath {
    words: Vec<String>,
    /// The name after `as`.
    name: Option<String>,
    is_use: bool,
    line: usize,
}

/// Gives all paths of more than one word; a `use` with braces gives one for each of its branches.
fn paths(tokens: &[Token]) -> Vec<RustPath> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let before = at.checked_sub(1).and_then(|before| tokens.get(before)).map(|token| token.text.as_str());
        if token.text == "use" {
            at = branches(tokens, at + 1, &[], &mut found);
        } else if is_word(token) && before != Some(":") && before != Some(".") {
            let line = token.line;
            let (words, end) = words(tokens, at);
            at = end;
            if words.len() > 1 {
                found.push(RustPath { words, name: None, is_use: false, line });
            }
        } else {
            at += 1;
        }
    }
    found
}

/// Reads one branch of a `use` from `at`, below `prefix`; gives where it ends.
fn branches(tokens: &[Token], at: usize, prefix: &[String], found: &mut Vec<RustPath>) -> usize {
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
    // `use ::std::…` begins with the colons.
    let at = if text(at) == ":" { at + 2 } else { at };
    let line = tokens.get(at).map_or(0, |token| token.line);
    let (last, mut at) = words(tokens, at);
    let words = [prefix, &last].concat();
    match text(at) {
        "{" => {
            at += 1;
            while !matches!(text(at), "}" | "") {
                at = branches(tokens, at, &words, found);
                if text(at) == "," {
                    at += 1;
                }
            }
            at + 1
        }
        "as" => {
            let name = Some(text(at + 1).to_owned());
            found.push(RustPath { words, name, is_use: true, line });
            at + 2
        }
        "*" => {
            found.push(RustPath { words, name: Some("*".to_owned()), is_use: true, line });
            at + 1
        }
        _ => {
            // `self` within braces is what comes before them.
            let (words, name) = match words.split_last() {
                Some((last, rest)) if last == "self" && !rest.is_empty() => {
                    (rest.to_vec(), rest.last().cloned())
                }
                _ => (words, None),
            };
            found.push(RustPath { words, name, is_use: true, line });
            at.max(1)
        }
    }
}

/// Reads `a::b::c`, and a `::` at its end; gives the words, and where they end.
fn words(tokens: &[Token], mut at: usize) -> (Vec<String>, usize) {
    let mut words = Vec::new();
    while let Some(token) = tokens.get(at).filter(|token| is_word(token)) {
        words.push(token.text.clone());
        at += 1;
        let is_colon = |at: usize| tokens.get(at).is_some_and(|token| token.text == ":");
        if !(is_colon(at) && is_colon(at + 1)) {
            break;
        }
        at += 2;
    }
    (words, at)
}

fn is_word(token: &Token) -> bool {
    token.text.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && token.text != "literal"
        && token.text != "as"
}

/// Gives the words of a path from the crate's root; nothing if it is not of this crate.
fn absolute(module: &str, words: &[String], names: &BTreeSet<&str>) -> Option<Vec<String>> {
    let mut base: Vec<String> =
        module.split("::").filter(|word| !word.is_empty()).map(str::to_owned).collect();
    let mut rest = words;
    match words.first()?.as_str() {
        "crate" => {
            base.clear();
            rest = words.get(1..)?;
        }
        "self" => rest = words.get(1..)?,
        "super" => {
            while let Some((first, others)) = rest.split_first().filter(|(first, _)| *first == "super") {
                base.pop();
                rest = others;
                let _ = first;
            }
        }
        // A child of this module, if there is one of that name.
        child => {
            let path = [base.as_slice(), &[child.to_owned()]].concat().join("::");
            if !names.contains(path.as_str()) {
                return None;
            }
        }
    }
    Some([base.as_slice(), rest].concat())
}

/// Follows re-exports to the module that defines what the path names.
fn defined_in(
    path: &[String],
    names: &BTreeSet<&str>,
    brought: &BTreeMap<(&str, String), Vec<String>>,
) -> String {
    const MOST_REEXPORTS: usize = 8;
    let mut path = path.to_vec();
    for _ in 0..MOST_REEXPORTS {
        let module = (0..=path.len()).rev().map(|end| path.get(..end).unwrap_or_default().join("::"));
        let module = module.into_iter().find(|module| names.contains(module.as_str())).unwrap_or_default();
        let depth = module.split("::").filter(|word| !word.is_empty()).count();
        let Some(name) = path.get(depth) else { return module };
        match brought.get(&(module.as_str(), name.clone())) {
            Some(target) if *target != path => {
                path = [target.as_slice(), path.get(depth + 1..).unwrap_or_default()].concat();
            }
            _ => return module,
        }
    }
    path.join("::")
}

/// Reads Python files below `source`, the folder that holds the package. Imports count wherever they are: in a
/// function, and for types only.
pub fn python(source: &str, files: &[SourceFile]) -> Vec<Import> {
    let name = |file: &SourceFile| {
        let inside = file.path.strip_prefix(source).unwrap_or(&file.path).trim_start_matches('/');
        let inside = inside.trim_end_matches(".pyi").trim_end_matches(".py");
        inside.trim_end_matches("__init__").trim_end_matches('/').replace('/', ".")
    };
    let names: BTreeSet<String> = files.iter().map(name).collect();
    let mut imports = Vec::new();
    for file in files {
        let from = name(file);
        let is_package = file.name().starts_with("__init__.");
        for (line, module, members) in python_statements(file) {
            let base = match module.trim_start_matches('.') {
                rest if rest.len() == module.len() => rest.to_owned(),
                rest => {
                    // One dot is the package that the module is in.
                    let up = module.len() - rest.len() - usize::from(is_package);
                    let parts: Vec<_> = from.split('.').collect();
                    let kept = parts.get(..parts.len().saturating_sub(up)).unwrap_or_default();
                    kept.iter()
                        .copied()
                        .chain((!rest.is_empty()).then_some(rest))
                        .collect::<Vec<_>>()
                        .join(".")
                }
            };
            // `from package import module` imports the module; `from module import name` the module.
            let mut targets: Vec<_> = members.iter().map(|member| format!("{base}.{member}")).collect();
            let all_modules = !targets.is_empty() && targets.iter().all(|target| names.contains(target));
            targets.retain(|target| names.contains(target));
            if !all_modules {
                let known = |module: &str| names.contains(module).then(|| module.to_owned());
                targets.extend(known(&base));
            }
            let place = format!("{}:{line}", file.path);
            let found = targets.into_iter().map(|to| Import { from: from.clone(), to, place: place.clone() });
            imports.extend(found.filter(|import| import.from != import.to));
        }
    }
    imports
}

/// Gives the line, the module, and the members of each import statement.
fn python_statements(file: &SourceFile) -> Vec<(usize, String, Vec<String>)> {
    let mut found = Vec::new();
    let mut lines = file.code_lines().into_iter();
    while let Some((number, line)) = lines.next() {
        let mut statement = line.split('#').next().unwrap_or_default().trim().to_owned();
        if !(statement.starts_with("import ") || statement.starts_with("from ")) {
            continue;
        }
        while statement.contains('(') && !statement.contains(')') {
            let Some((_, more)) = lines.next() else { break };
            statement += " ";
            statement += more.split('#').next().unwrap_or_default().trim();
        }
        let without_alias = |name: &str| name.split(" as ").next().unwrap_or_default().trim().to_owned();
        let list = |names: &str| -> Vec<String> {
            let names = names.trim_matches(|c: char| "() ".contains(c)).split(',').map(without_alias);
            names.filter(|name| !name.is_empty()).collect()
        };
        if let Some(modules) = statement.strip_prefix("import ") {
            found.extend(list(modules).into_iter().map(|module| (number, module, Vec::new())));
        } else if let Some((module, members)) =
            statement.strip_prefix("from ").and_then(|rest| rest.split_once(" import "))
        {
            found.push((number, module.trim().to_owned(), list(members)));
        }
    }
    found
}

/// Reads JavaScript and TypeScript files. Only files of the list are modules; what is imported by name is another's.
/// `import('./x.js')` counts in a comment as well: JSDoc imports types by it.
pub fn javascript(files: &[SourceFile]) -> Vec<Import> {
    let names: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let mut imports = Vec::new();
    for file in files {
        for (number, specifier) in javascript_specifiers(file) {
            let to = resolved(&file.path, specifier);
            if names.contains(to.as_str()) && to != file.path {
                let place = format!("{}:{number}", file.path);
                imports.push(Import { from: file.path.clone(), to, place });
            }
        }
    }
    imports
}

/// Gives what is in quotes after `from`, `import`, `import(` and `require(`, with the line.
fn javascript_specifiers(file: &SourceFile) -> Vec<(usize, &str)> {
    let code: BTreeSet<usize> = file.code_lines().into_iter().map(|(number, _)| number).collect();
    let mut found = Vec::new();
    for (number, line) in file.text.lines().enumerate().map(|(index, line)| (index + 1, line)) {
        for (start, quote) in line.match_indices(['\'', '"']) {
            let before = line.get(..start).unwrap_or_default().trim_end();
            let is_call = before.ends_with("import(");
            let is_statement = code.contains(&number)
                && ["from", "import", "require("].iter().any(|word| before.ends_with(word));
            let specifier = line.get(start + 1..).and_then(|rest| rest.split(quote).next());
            if let Some(specifier) =
                specifier.filter(|text| (is_call || is_statement) && text.starts_with('.'))
            {
                found.push((number, specifier));
            }
        }
    }
    found
}

/// Gives the path that a relative specifier names from the file at `path`.
fn resolved(path: &str, specifier: &str) -> String {
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    for part in specifier.split('/') {
        match part {
            "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Reads Java files: imports between the packages that they are in, as far as import lines show them.
pub fn java(files: &[SourceFile]) -> Vec<Import> {
    let package = |file: &SourceFile| {
        let lines = file.code_lines();
        let found =
            lines.iter().find_map(|(_, line)| line.trim().strip_prefix("package ")?.strip_suffix(';'));
        found.map(str::to_owned).unwrap_or_default()
    };
    let packages: BTreeSet<String> = files.iter().map(package).collect();
    let mut imports = Vec::new();
    for file in files {
        let from = package(file);
        for (number, line) in file.code_lines() {
            let Some(name) = line.trim().strip_prefix("import ").and_then(|rest| rest.strip_suffix(';'))
            else {
                continue;
            };
            let name = name.trim_start_matches("static ");
            // The longest package that the name begins with: classes within classes and static members follow.
            let ends = name.match_indices('.').map(|(end, _)| end).rev();
            let to = ends.filter_map(|end| name.get(..end)).find(|prefix| packages.contains(*prefix));
            if let Some(to) = to.filter(|to| *to != from) {
                let place = format!("{}:{number}", file.path);
                imports.push(Import { from: from.clone(), to: to.to_owned(), place });
            }
        }
    }
    imports
}
