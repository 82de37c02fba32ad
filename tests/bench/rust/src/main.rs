//! The benchmark of Rust: `gatepass-bench [--rounds 5] [--seconds 0.4] [--job V1,V2]`.
//!
//! Every peer checks signature, expiry, audience and issuer of the same tokens, with its keys in memory. In each round
//! each peer runs once, so that whatever disturbs the machine disturbs all. A line of JSON for each job and peer.

mod keys;
mod peers;

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::time::Instant;

use cpu_time::ThreadTime;
use keys::Tokens;

/// A peer at a job: makes ready what so many times take, and gives what does them.
type Work = Box<dyn FnMut(usize) -> Box<dyn Fn()>>;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["cold", peer] => return cold_child(peer),
        ["memory"] => return println!("{}", peers::memory_of_a_token(&Tokens::new())),
        _ => {}
    }
    let options = Options::read(words);
    let tokens = Tokens::new();
    let all: [(&str, &str, fn(&Tokens) -> Vec<(&'static str, Work)>); 10] = [
        ("V1", "op/s", peers::verify_one),
        ("V2", "op/s", |tokens| peers::verify(&tokens.rs256, tokens)),
        ("V3", "op/s", peers::verify_es256),
        ("V4-repeated", "op/s", |tokens| peers::verify_on_threads(&tokens.rs256[..1], tokens)),
        ("V4-distinct", "op/s", |tokens| peers::verify_on_threads(&tokens.rs256, tokens)),
        ("S", "op/s", peers::sign),
        ("H", "op/s", peers::header),
        ("G-10", "op/s", |tokens| peers::growth(tokens, 10)),
        ("G-1000", "op/s", |tokens| peers::growth(tokens, 1000)),
        ("G-100000", "op/s", |tokens| peers::growth(tokens, 100_000)),
    ];
    for (job, unit, peers) in all {
        if options.wants(job) {
            let mut peers = peers(&tokens);
            peers.retain(|(peer, _)| peers::is_measured_here(peer));
            measure(job, unit, peers, &options);
        }
    }
    if options.wants("G-bytes") && peers::is_measured_here("gatepass") {
        let rounds: Vec<f64> = (0..options.rounds).map(|_| memory_of_a_token()).collect();
        report("G-bytes", "B", "gatepass", &rounds);
    }
    if options.wants("openssl") && peers::is_measured_here("raw") {
        openssl_speed(&options);
    }
    if options.wants("M-start") {
        cold_starts(&tokens, &options);
    }
}

/// What OpenSSL says of itself: one second for each figure of a round, by the clock.
fn openssl_speed(options: &Options) {
    // What it is, and the line and the column of its rate in `openssl speed -mr`.
    const FIGURES: [(&str, &str, usize); 3] = [
        ("raw RS256 signature", "+F2:", 3),
        ("raw RS256 verification", "+F2:", 4),
        ("raw ES256 verification", "+F4:", 4),
    ];
    let mut rounds = [const { Vec::new() }; FIGURES.len()];
    for _ in 0..options.rounds {
        let arguments = ["speed", "-seconds", "1", "-mr", "rsa2048", "ecdsap256"];
        let output = Command::new("openssl").args(arguments).output().expect("openssl");
        let output = String::from_utf8_lossy(&output.stdout);
        for ((_, kind, column), round) in FIGURES.iter().zip(&mut rounds) {
            let line = output.lines().find(|line| line.starts_with(kind)).expect("a figure");
            let rate: f64 = line.split(':').nth(*column).expect("a column").parse().expect("a rate");
            round.push(rate);
        }
    }
    for ((peer, ..), rounds) in FIGURES.iter().zip(&rounds) {
        report("openssl", "op/s", peer, rounds);
    }
}

/// Whole processes, above one that does nothing but start and end.
fn cold_starts(tokens: &Tokens, options: &Options) {
    let mut rounds: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for _ in 0..options.rounds {
        for peer in peers::COLD {
            rounds.entry(peer).or_default().push(cold_start(tokens, peer));
        }
    }
    for peer in peers::COLD.into_iter().filter(|peer| peers::is_measured_here(peer)) {
        report("M-start", "ms", peer, &rounds[peer]);
    }
}

/// Milliseconds of a process that starts, verifies a token and ends; the least of 20, because the machine does other
/// things as well.
fn cold_start(tokens: &Tokens, peer: &str) -> f64 {
    let start = || {
        let program = std::env::current_exe().expect("this program");
        let began = Instant::now();
        let mut child =
            Command::new(program).args(["cold", peer]).stdin(Stdio::piped()).spawn().expect("a child");
        let mut stdin = child.stdin.take().expect("its input");
        write!(stdin, "{}\n{}\n{}\n", tokens.keys, tokens.rs256[0], tokens.now_ms).expect("written");
        drop(stdin);
        assert!(child.wait().expect("its end").success());
        began.elapsed().as_secs_f64() * 1000.0
    };
    (0..20).map(|_| start()).fold(f64::INFINITY, f64::min)
}

/// In a process of its own: this one has memory that was used before.
fn memory_of_a_token() -> f64 {
    let program = std::env::current_exe().expect("this program");
    let output = Command::new(program).arg("memory").output().expect("a child");
    String::from_utf8_lossy(&output.stdout).trim().parse().expect("bytes")
}

fn cold_child(peer: &str) {
    let lines: Vec<String> = std::io::stdin().lines().map_while(Result::ok).collect();
    let [keys, token, now_ms] = lines.as_slice() else { panic!("expected keys, a token and a time") };
    peers::cold(peer, keys, token, now_ms.parse().expect("milliseconds"));
}

fn measure(job: &str, unit: &str, mut peers: Vec<(&'static str, Work)>, options: &Options) {
    let clock = clock_of(job);
    let mut rounds: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    let batches: Vec<usize> = peers.iter_mut().map(|(_, work)| batch(work, clock, options.seconds)).collect();
    for _ in 0..options.rounds {
        for (index, ((_, work), batch)) in peers.iter_mut().zip(&batches).enumerate() {
            rounds.entry(index).or_default().push(*batch as f64 / timed(work, *batch, clock));
        }
    }
    for (index, (peer, _)) in peers.iter().enumerate() {
        report(job, unit, peer, &rounds[&index]);
    }
}

fn report(job: &str, unit: &str, peer: &str, rounds: &[f64]) {
    let line = serde_json::json!({
        "language": "rust", "job": job, "peer": peer, "version": peers::version(peer), "unit": unit, "rounds": rounds,
    });
    println!("{line}");
}

/// The seconds that so many times take.
fn timed(work: &mut Work, times: usize, clock: fn() -> f64) -> f64 {
    let run = work(times);
    let began = clock();
    run();
    // Before what was made ready goes.
    clock() - began
}

/// Seconds since some moment. One thread is measured by the processor time that it gets, which is the same whoever else is
/// on the machine; several are not, for they may wait for each other.
fn clock_of(job: &str) -> fn() -> f64 {
    if job.starts_with("V4") { wall_clock } else { processor_clock }
}

fn wall_clock() -> f64 {
    static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
    BEGAN.elapsed().as_secs_f64()
}

/// Of the main thread, which does all the work of one thread.
fn processor_clock() -> f64 {
    ThreadTime::now().as_duration().as_secs_f64()
}

/// How often the work fits into the time of a round.
fn batch(work: &mut Work, clock: fn() -> f64, seconds: f64) -> usize {
    let mut times = 1;
    loop {
        let took = timed(work, times, clock);
        if took > seconds / 4.0 {
            return ((times as f64 * seconds / took) as usize).max(1);
        }
        times *= 4;
    }
}

struct Options {
    rounds: usize,
    seconds: f64,
    jobs: Option<Vec<String>>,
}

impl Options {
    fn wants(&self, job: &str) -> bool {
        self.jobs.as_ref().is_none_or(|jobs| jobs.iter().any(|wanted| wanted == job))
    }

    fn read(words: Vec<String>) -> Self {
        let mut options = Self { rounds: 5, seconds: 0.4, jobs: None };
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            let value = words.next().unwrap_or_default();
            match word.as_str() {
                "--rounds" => options.rounds = value.parse().expect("--rounds: a number"),
                "--seconds" => options.seconds = value.parse().expect("--seconds: a number"),
                "--job" => options.jobs = Some(value.split(',').map(str::to_owned).collect()),
                other => panic!("{other}: expected --rounds, --seconds or --job"),
            }
        }
        options
    }
}
