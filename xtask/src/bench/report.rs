//! The report as a page: a table for each language.

use std::cmp::Reverse;
use std::fs;
use std::thread;

use super::calls;
use super::figure::{Figure, of, short};
use super::goals;
use crate::instructions;

/// What the letters mean.
const JOBS: &[(&str, &str)] = &[
    ("V1", "verify the same RS256 token again and again"),
    ("V2", "verify 1,000 different RS256 tokens in turn"),
    ("V3", "verify ES256 tokens"),
    ("V4-repeated", "V1 on 4 threads"),
    ("V4-distinct", "V2 on 4 threads"),
    ("S", "build and sign an assertion"),
    ("H", "the Authorization header of a warm token"),
    ("openssl", "`openssl speed`, by the clock"),
    ("M-start", "start of a process, import and first verification"),
    ("M-rss", "resident memory after it"),
    ("M-size", "size of the program, without symbols"),
    ("W", "processor time that verification adds to an HTTP request"),
    ("W-rate", "HTTP requests that the service answers"),
    ("W-p99", "99th percentile of the time to an answer"),
    (
        "R-client",
        "processor time of a unary gRPC call without content, over TLS, with a warm token, on the client's side",
    ),
    ("R-server", "the same on the server's side"),
    ("G-10", "verify tokens of 10 that are remembered"),
    ("G-1000", "verify tokens of 1,000 that are remembered"),
    (
        "G-100000",
        "verify tokens of 100,000 that are remembered: a thousand in turn where nothing else is said",
    ),
    ("G-bytes", "memory for each token that is remembered, its claims included"),
    ("F", "requests that 1,000 callers of a cold cache make"),
    ("F-keys", "requests for keys that 1,000 verifications without any make"),
];

pub(super) fn write(figures: &[Figure], instructions: &instructions::Counts) -> String {
    let mut text = format!(
        "# Benchmarks\n\nWritten by `cargo xtask bench`, from the figures in results.jsonl next to this page. Peers of a job \
         ran in turn, in interleaved rounds of one run on one machine ({}); the number is the median of the rounds, \
         the spread is the distance between the quartiles in percent of it, and a ratio is the median of those within \
         each round. Rates do not carry over to other \
         machines; the ratios nearly do. Rates of one thread are per second of processor time, which neighbours on the \
         machine do not change, and W is processor time, too; rates of V4 and W, times of whole processes, and all of Node \
         are by the clock, and their spread tells how much the neighbours took. Every peer checks signature, expiry, audience and issuer of the same tokens, with \
         its keys in memory.\n\n\
         *gatepass* is as users get it: it remembers tokens that it has verified. *gatepass, every token new* has never \
         seen the token, as at the first call of each caller. A *bare* service and an *empty process* do all but what is \
         measured: where they are given, ratios are of what comes on top.\n\n\
         `cargo xtask bench` measures on ring, and Go without cgo as well, `cargo xtask bench --provider aws-lc-rs --job \
         V1,V2,V3,V4-repeated,V4-distinct,S` what AWS-LC changes. Where the processor's pace changed too much within the \
         rounds of these, `--rounds 21 --seconds 0.08` or the like followed; results.jsonl has every round.\n\n![ratios](results.svg)\n\n{}",
        machine(),
        goals::table(figures)
    );
    text += &calls::table(figures);
    text += "\nInstructions of the hot paths (`cargo xtask instructions`; a test holds them to these):\n\n\
             | path | instructions |\n| --- | ---: |\n";
    for (path, count) in instructions {
        text += &format!("| {path} | {count} |\n");
    }
    let mut tables: Vec<_> = figures.iter().map(|figure| (&figure.provider, &figure.language)).collect();
    // ring, the default, comes last in the alphabet.
    tables.sort_by_key(|(provider, language)| (Reverse(*provider), *language));
    tables.dedup();
    for (provider, language) in tables {
        text += &format!(
            "\n## {language}, gatepass on {provider}\n\n| job | peer | version | median | spread | gatepass is |\n\
             | --- | --- | --- | ---: | ---: | ---: |\n"
        );
        for (job, _) in JOBS.iter().filter(|(job, _)| !calls::holds(job)) {
            text += &rows(&of(figures, provider, language, job));
        }
    }
    text += "\n## Jobs\n\n| job | what |\n| --- | --- |\n";
    for (job, what) in JOBS {
        text += &format!("| {job} | {what} |\n");
    }
    text
}

fn rows(job: &[&Figure]) -> String {
    let row = |figure: &&Figure| {
        let is_ours = |ours: &&&Figure| ours.library() == "gatepass" && ours.setting() == figure.setting();
        let ours = job.iter().find(is_ours).filter(|ours| ours.peer != figure.peer && !figure.is_floor());
        let ratio = ours.and_then(|ours| ours.times_better(figure, job));
        format!(
            "| {} | {} | {} | {} {} | {:.0} % | {} |\n",
            figure.job,
            figure.peer,
            figure.version,
            short(figure.median()),
            figure.unit,
            figure.spread(),
            ratio.map(|ratio| format!("{} ×", short(ratio))).unwrap_or_default()
        )
    };
    job.iter().map(row).collect()
}

/// Three digits, and thousands as k or M.
fn machine() -> String {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    format!("{cores} cores, {}", model.map_or("unknown processor", |(_, name)| name))
}
