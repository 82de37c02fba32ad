//! The schema of credential files knows every member that the core reads and that the emulator writes, so that whoever
//! goes through its examples forgets none.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use gatepass_emulator::credential_file::{self, ExternalAccount, Format, Impersonator, Source};
use gatepass_emulator::gdch::ServiceIdentity;
use gatepass_emulator::{ServiceAccount, User};
use gatepass_interface::{Interface, read, repository};
use serde_json::Value;

const URL: &str = "http://127.0.0.1:8085";
/// The emulator's own mark.
const OF_THE_EMULATOR: &str = "gatepass_emulator";

fn schema() -> Value {
    read("credential_file.schema.json").unwrap()
}

/// The names of all members that a schema knows, at every depth.
fn known(schema: &Value, found: &mut BTreeSet<String>) {
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        found.insert(name.clone());
        known(property, found);
    }
}

/// The names of all members that a document has, at every depth, those of headers aside.
fn written(document: &Value, found: &mut BTreeSet<String>) {
    for (name, member) in document.as_object().into_iter().flatten() {
        found.insert(name.clone());
        if name != "headers" {
            written(member, found);
        }
    }
}

#[test]
fn an_example_of_each_kind_has_every_member() {
    let mut interface = Interface::new();
    for kind in schema()["anyOf"].as_array().unwrap() {
        let example = &kind["examples"][0];
        if let Err(why) = interface.check("credential_file", example) {
            panic!("{}: {why}", kind["title"]);
        }
        let (mut all, mut has) = (BTreeSet::new(), BTreeSet::new());
        known(kind, &mut all);
        written(example, &mut has);
        // Stands in place of the path, not beside it.
        all.remove("use_default_certificate_config");
        assert_eq!(has, all, "{}", kind["title"]);
    }
}

#[test]
fn what_the_emulator_writes_is_known() {
    let account = ServiceAccount::default();
    let identity = ServiceIdentity { project: "p".into(), name: "n".into() };
    let person = Impersonator::Person(User::default());
    let impersonated =
        credential_file::impersonated_service_account(&account, std::slice::from_ref(&account), &person, URL);
    let external = |source| ExternalAccount::new(source).file(URL);
    let program = Source::Executable { command: "/bin/a".into(), output_file: Some("/o".into()) };
    let certificate = Source::Certificate { config: Some("/c".into()), trust_chain: Some("/t".into()) };
    let (mut all, mut has) = (BTreeSet::from([OF_THE_EMULATOR.to_owned()]), BTreeSet::new());
    schema()["anyOf"].as_array().unwrap().iter().for_each(|kind| known(kind, &mut all));
    for text in [
        account.key_file(URL).unwrap(),
        credential_file::authorized_user(&User::default(), URL),
        credential_file::external_account_authorized_user(&User::default(), URL),
        credential_file::gdch_service_account(&identity, URL, "/ca.pem").unwrap(),
        impersonated.unwrap(),
        external(Source::File { path: "/t".into(), format: Format::Json }),
        external(Source::Url),
        external(Source::AzureApp),
        external(program),
        external(Source::Aws),
        external(Source::AwsContainer),
        external(certificate),
        external(Source::Supplier { name: "s".into() }),
    ] {
        written(&serde_json::from_str(&text).unwrap(), &mut has);
    }
    assert!(has.len() > 30, "{has:?}");
    assert_eq!(has.difference(&all).collect::<Vec<_>>(), Vec::<&String>::new());
}

/// How the core reads a member.
const READERS: [&str; 13] = [
    ".required(",
    ".optional(",
    ".path(",
    ".optional_path(",
    ".object(",
    ".number(",
    ".flag(",
    ".strings(",
    ".has(",
    ".is_written(",
    ".field(fields, ",
    ".own_endpoint(fields, ",
    ".subject_token_source(",
];

#[test]
fn what_the_core_reads_is_known_and_what_is_known_is_read() {
    let mut texts = String::new();
    code(&repository().join("core/src/credentials"), &mut texts);
    let mut read = BTreeSet::new();
    for reader in READERS {
        for (_, after) in texts.match_indices(reader).map(|(at, _)| texts.split_at(at + reader.len())) {
            if let Some(name) = after.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next()) {
                read.insert(name.to_owned());
            }
        }
    }
    assert!(read.len() > 30, "{read:?}");
    let mut all = BTreeSet::new();
    schema()["anyOf"].as_array().unwrap().iter().for_each(|kind| known(kind, &mut all));
    assert_eq!(read.difference(&all).collect::<Vec<_>>(), Vec::<&String>::new());

    let mut unread = BTreeSet::new();
    for kind in schema()["anyOf"].as_array().unwrap() {
        for (name, property) in kind["properties"].as_object().unwrap() {
            if property["description"] == "Not read." {
                unread.insert(name.clone());
            }
        }
    }
    for name in all.difference(&unread) {
        assert!(texts.contains(&format!("\"{name}\"")), "nobody reads {name}");
    }
}

/// The code below a folder without its tests.
fn code(folder: &Path, texts: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            code(&path, texts);
        } else {
            let text = fs::read_to_string(&path).unwrap();
            texts.push_str(text.split("#[cfg(test)]").next().unwrap());
        }
    }
}
