//! Source files: finding them, and reading them without their comments and tests.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// Folders that hold what was built or fetched.
const NOT_SOURCE: &[&str] = &["target", "node_modules", "venv", "__pycache__", "build", "dist", "cjs"];

/// A file of the repository.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Where it is, from the root of the repository, with slashes.
    pub path: String,
    /// What is in it.
    pub text: String,
}

impl SourceFile {
    /// Makes a file that is nowhere.
    pub fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    /// Gives the name after the last slash.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// Whether the file is a test or an example, by its name or its folder.
    pub fn is_test(&self) -> bool {
        let is_test_folder =
            |part| matches!(part, "test" | "tests" | "__tests__" | "examples" | "gatepasstest");
        self.path.split('/').any(is_test_folder)
            || self.name().ends_with("_test.go")
            || self.name().contains(".test.")
    }

    /// Gives the file's lines of code with their numbers, from 1: no blank line, no comment, no docstring.
    pub fn code_lines(&self) -> Vec<(usize, &str)> {
        let style = if self.path.ends_with(".py") { Comments::PYTHON } else { Comments::C };
        let mut block_end = None;
        let is_code = |(_, line): &(usize, &str)| {
            let line = line.trim();
            if let Some(end) = block_end {
                if line.contains(end) {
                    block_end = None;
                }
                return false;
            }
            if let Some((start, end)) = style.blocks.iter().find(|(start, _)| line.starts_with(start)) {
                if !line.get(start.len()..).unwrap_or_default().contains(end) {
                    block_end = Some(*end);
                }
                return false;
            }
            !line.is_empty() && !line.starts_with(style.line)
        };
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line)).filter(is_code).collect()
    }

    /// Counts the lines of code under `#[cfg(test)]`; 0 in other files than Rust's.
    ///
    /// # Errors
    /// When the file is not Rust.
    pub fn rust_test_lines(&self) -> Result<usize, String> {
        if !self.path.ends_with(".rs") {
            return Ok(0);
        }
        let lines = |tests| -> Result<BTreeSet<usize>, String> {
            Ok(self.rust_tokens(tests)?.into_iter().map(|token| token.line).collect())
        };
        let (all, others) = (lines(Tests::Included)?, lines(Tests::LeftOut)?);
        // A line counts as code even where no token begins on it, inside a string for one.
        let is_of_a_test = |number: &usize| {
            let before = |lines: &BTreeSet<usize>| lines.range(..=*number).next_back().copied();
            before(&all) != before(&others)
        };
        Ok(self.code_lines().into_iter().map(|(number, _)| number).filter(is_of_a_test).count())
    }

    /// Gives the tokens of a Rust file: without comments, and without test code unless it is asked for.
    ///
    /// # Errors
    /// When the file is not Rust.
    pub fn rust_tokens(&self, tests: Tests) -> Result<Vec<Token>, String> {
        let stream: TokenStream =
            self.text.parse().map_err(|error| format!("{}: not Rust: {error}", self.path))?;
        let mut tokens = Vec::new();
        flatten(stream, tests, &mut tokens);
        Ok(tokens)
    }
}

/// How a language writes its comments. A comment counts as one when its line begins with it.
struct Comments {
    line: &'static str,
    blocks: &'static [(&'static str, &'static str)],
}

impl Comments {
    const C: Self = Self { line: "//", blocks: &[("/*", "*/")] };
    const PYTHON: Self = Self { line: "#", blocks: &[("\"\"\"", "\"\"\""), ("r\"\"\"", "\"\"\"")] };
}

/// Whether test code is looked at too.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tests {
    /// Items under `#[cfg(test)]` count.
    Included,
    /// Items under `#[cfg(test)]` are left out.
    LeftOut,
}

/// A token of Rust: an identifier, a character of punctuation, a bracket.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Token {
    /// The token as written.
    pub text: String,
    /// Its line in the file, from 1.
    pub line: usize,
}

fn flatten(stream: TokenStream, tests: Tests, tokens: &mut Vec<Token>) {
    let mut trees = stream.into_iter().peekable();
    while let Some(tree) = trees.next() {
        if tests == Tests::LeftOut && is_punct(&tree, '#') && trees.peek().is_some_and(is_cfg_test) {
            // The item ends with its body, or with a semicolon if it has none.
            trees.by_ref().find(|tree| is_punct(tree, ';') || is_braced(tree));
            continue;
        }
        let line = tree.span().start().line;
        match tree {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                tokens.push(Token { text: open.to_owned(), line });
                flatten(group.stream(), tests, tokens);
                tokens.push(Token { text: close.to_owned(), line: group.span_close().end().line });
            }
            // What is in a string or a doc comment names nothing.
            TokenTree::Literal(_) => tokens.push(Token { text: "literal".to_owned(), line }),
            tree => tokens.push(Token { text: tree.to_string(), line }),
        }
    }
}

fn is_punct(tree: &TokenTree, character: char) -> bool {
    matches!(tree, TokenTree::Punct(punct) if punct.as_char() == character)
}

fn is_braced(tree: &TokenTree) -> bool {
    matches!(tree, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
}

fn is_cfg_test(tree: &TokenTree) -> bool {
    matches!(tree, TokenTree::Group(group) if group.stream().to_string().replace(' ', "") == "cfg(test)")
}

/// Reads all files below `folder` with one of the `extensions`, in the order of their paths. Hidden folders and those
/// of built things are left out; a folder that is not there holds no file.
///
/// # Errors
/// When a folder or a file cannot be read.
pub fn read_all(root: &Path, folder: &str, extensions: &[&str]) -> io::Result<Vec<SourceFile>> {
    let mut files = Vec::new();
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        if !folder.is_dir() {
            continue;
        }
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if path.is_dir() {
                if !name.starts_with('.') && !NOT_SOURCE.contains(&name.as_ref()) {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|found| extensions.iter().any(|one| found == *one)) {
                files.push(SourceFile { path: relative(root, &path), text: fs::read_to_string(&path)? });
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn relative(root: &Path, path: &Path) -> String {
    let path: PathBuf = path.strip_prefix(root).unwrap_or(path).into();
    path.to_string_lossy().replace('\\', "/")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn texts(tokens: &[Token]) -> Vec<&str> {
        tokens.iter().map(|token| token.text.as_str()).collect()
    }

    #[test]
    fn test_code_is_left_out_with_its_whole_item() {
        let file = SourceFile::new(
            "a.rs",
            "fn a() {}\n#[cfg(test)]\n#[allow(x)]\nmod tests { fn b() {} }\n#[cfg(test)] use c::d;\nfn e() {}",
        );
        let tokens = file.rust_tokens(Tests::LeftOut).unwrap();
        assert_eq!(texts(&tokens), ["fn", "a", "(", ")", "{", "}", "fn", "e", "(", ")", "{", "}"]);
        assert_eq!(tokens.last().unwrap().line, 6);
        assert!(texts(&file.rust_tokens(Tests::Included).unwrap()).contains(&"tests"));
    }

    #[test]
    fn lines_of_code_are_neither_blank_nor_comments() {
        let python = SourceFile::new(
            "a.py",
            "\"\"\"Says\nwhat.\"\"\"\n\n# why\nimport os\ndef f():\n    \"\"\"One line.\"\"\"\n    return 1  # so\n",
        );
        let lines: Vec<_> = python.code_lines().into_iter().map(|(number, _)| number).collect();
        assert_eq!(lines, [5, 6, 8]);
        let java = SourceFile::new("A.java", "/** Says what. */\n/*\n * why\n */\nclass A { // so\n}\n");
        let lines: Vec<_> = java.code_lines().into_iter().map(|(number, _)| number).collect();
        assert_eq!(lines, [5, 6]);
    }
}
