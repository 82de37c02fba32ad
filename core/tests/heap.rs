//! What the core has held and dropped is not in this process's memory any more.
//!
//! Linux only: it reads its own memory. What cannot hold is left out, and SECURITY.md says it: ring and AWS-LC keep a
//! private key as numbers that they do not wipe, and hosts have copies of their own.
#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::sync::Mutex;

use gatepass_core::{
    CredentialsFrom, Lookup, Millis, Now, Operation, Reply, Secret, SourceConfig, Step, TokenKey, TokenSource,
};

const NOW: Now = Now::steady(Millis(1_800_000_000_000));
const PEM: &str = include_str!("../../tests/vectors/acquire/test_key.pem");
/// The memory is the whole process's: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// A text that is looked for, and is not in memory itself.
struct Needle(Vec<u8>);

impl Needle {
    /// Every byte is moved by this much; whoever moves it twice does not get it back.
    const SHIFT: u8 = 85;

    fn new(text: &str) -> Self {
        Self(text.bytes().map(|byte| byte.wrapping_add(Self::SHIFT)).collect())
    }

    /// How often it is in the writable memory of this process.
    fn count(&self) -> usize {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let mut memory = File::open("/proc/self/mem").unwrap();
        let writable =
            maps.lines().filter(|line| line.split(' ').nth(1).is_some_and(|mode| mode.starts_with("rw")));
        writable.map(|line| self.count_in(&mut memory, line)).sum()
    }

    fn count_in(&self, memory: &mut File, line: &str) -> usize {
        let (from, to) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let (from, to) = (u64::from_str_radix(from, 16).unwrap(), u64::from_str_radix(to, 16).unwrap());
        if memory.seek(SeekFrom::Start(from)).is_err() {
            return 0;
        }
        let (mut found, mut page, mut window) = (0, [0; 4096], Vec::with_capacity(8192));
        for _ in 0..(to - from) / 4096 {
            if memory.read_exact(&mut page).is_err() {
                break;
            }
            // Moved at once: what is searched through must not hold what is looked for.
            window.extend(page.iter().map(|byte| byte.wrapping_add(Self::SHIFT)));
            page.fill(0);
            found += window.windows(self.0.len()).filter(|part| *part == self.0).count();
            let seen = window.len() - (self.0.len() - 1);
            window.copy_within(seen.., 0);
            window.truncate(self.0.len() - 1);
        }
        window.fill(0);
        found
    }
}

/// A credential file, built in one place that is not moved.
fn file(fields: &[(&str, &str)]) -> Secret<String> {
    let mut text = String::with_capacity(16 * 1024);
    text.push('{');
    for (index, (name, value)) in fields.iter().enumerate() {
        text.push_str(if index == 0 { "\"" } else { ",\"" });
        text.push_str(name);
        text.push_str("\":\"");
        for c in value.chars() {
            match c {
                '\n' => text.push_str("\\n"),
                c => text.push(c),
            }
        }
        text.push('"');
    }
    text.push('}');
    Secret::new(text)
}

fn body(parts: &[&str]) -> Secret<Vec<u8>> {
    let mut body = Vec::with_capacity(16 * 1024);
    parts.iter().for_each(|part| body.extend_from_slice(part.as_bytes()));
    Secret::new(body)
}

/// Fetches a token with this file, and gives a part of what was sent to be looked for.
fn fetch(credentials: Secret<String>, answer: Secret<Vec<u8>>) -> (TokenSource, Needle) {
    let credentials = CredentialsFrom::Json(credentials);
    let source = TokenSource::new(SourceConfig { credentials, ..SourceConfig::default() });
    let Lookup::Fetch(mut fetch) = source.lookup(&TokenKey::access_token("scope").unwrap(), NOW) else {
        panic!("no fetch")
    };
    let _env = fetch.resume(NOW, Reply::Start);
    let Step::Send(request) = fetch.resume(NOW, Reply::Env(Vec::new())) else { panic!("no request") };
    let sent = request.body.as_ref().unwrap().expose();
    let sent = Needle::new(&sent[sent.len() - 24..]);
    drop(request);
    let reply = Reply::Response { status: 200, headers: Vec::new(), body: answer };
    let Step::Done(_token) = fetch.resume(NOW, reply) else { panic!("no token") };
    (source, sent)
}

#[test]
fn a_private_key_and_what_it_signs_are_gone() {
    let _alone = ALONE.lock();
    let pem = &PEM[PEM.find("-----BEGIN").unwrap()..];
    let line = Needle::new(pem.lines().nth(5).unwrap());
    let fields = [("type", "service_account"), ("client_email", "o@shop.example"), ("private_key", pem)];
    let token = Needle::new("ya29.a-token-of-the-key");
    let answer = body(&[r#"{"access_token":"ya29.a-tok"#, r#"en-of-the-key","expires_in":3600}"#]);
    let (source, assertion) = fetch(file(&fields), answer);
    assert!(line.count() > 0 && token.count() > 0, "the search finds what is held");
    drop(source);
    assert_eq!((line.count(), token.count(), assertion.count()), (0, 0, 0));
}

#[test]
fn a_client_secret_and_a_refresh_token_are_gone() {
    let _alone = ALONE.lock();
    const SECRET: &str = "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rs";
    const REFRESH_TOKEN: &str = "1//the-refresh-token-of-a-person-with-a-login";
    // An allocator writes over the first sixteen bytes of what is freed.
    let rest = |text: &str| Needle::new(&text[16..]);
    let needles = [rest(SECRET), rest(REFRESH_TOKEN), Needle::new("ya29.the-token-of-a-person")];
    let fields = [
        ("type", "authorized_user"),
        ("client_id", "c"),
        ("client_secret", SECRET),
        ("refresh_token", REFRESH_TOKEN),
    ];
    let answer = body(&[r#"{"access_token":"ya29.the-token-of-a"#, r#"-person","expires_in":3600}"#]);
    let (source, _form) = fetch(file(&fields), answer);
    assert!(needles.iter().all(|needle| needle.count() > 0), "the search finds what is held");
    drop(source);
    assert_eq!(needles.map(|needle| needle.count()), [0, 0, 0]);
}
