//! The benchmark of Rust: `gatepass-bench [--rounds 5] [--seconds 0.4] [--job V1,V2]`.
//!
//! Every peer checks signature, expiry, audience and issuer of the same tokens, with its keys in memory. In each round
//! each peer runs once, so that whatever disturbs the machine disturbs all. A line of JSON for each job and peer.

mod keys;
mod peers;

use std::collections::BTreeMap;
use std::time::Instant;

use keys::Tokens;

/// A peer at a job: does it so many times.
type Work = Box<dyn FnMut(usize)>;

fn main() {
    let options = Options::read();
    let tokens = Tokens::new();
    let all: [(&str, &str, fn(&Tokens) -> Vec<(&'static str, Work)>); 7] = [
        ("V1", "op/s", |tokens| peers::verify(&tokens.rs256[..1], tokens)),
        ("V2", "op/s", |tokens| peers::verify(&tokens.rs256, tokens)),
        ("V3", "op/s", peers::verify_es256),
        ("V4-repeated", "op/s", |tokens| peers::verify_on_threads(&tokens.rs256[..1], tokens)),
        ("V4-distinct", "op/s", |tokens| peers::verify_on_threads(&tokens.rs256, tokens)),
        ("S", "op/s", peers::sign),
        ("H", "op/s", peers::header),
    ];
    for (job, unit, peers) in all {
        if options.jobs.as_ref().is_none_or(|jobs| jobs.iter().any(|wanted| wanted == job)) {
            let mut peers = peers(&tokens);
            peers.retain(|(peer, _)| peers::is_measured_here(peer));
            measure(job, unit, peers, &options);
        }
    }
}

fn measure(job: &str, unit: &str, mut peers: Vec<(&'static str, Work)>, options: &Options) {
    let mut rounds: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    let batches: Vec<usize> = peers.iter_mut().map(|(_, work)| batch(work, options.seconds)).collect();
    for _ in 0..options.rounds {
        for (index, ((_, work), batch)) in peers.iter_mut().zip(&batches).enumerate() {
            let began = Instant::now();
            work(*batch);
            rounds.entry(index).or_default().push(*batch as f64 / began.elapsed().as_secs_f64());
        }
    }
    for (index, (peer, _)) in peers.iter().enumerate() {
        let line = serde_json::json!({
            "language": "rust", "job": job, "peer": peer, "version": peers::version(peer), "unit": unit, "rounds": rounds[&index],
        });
        println!("{line}");
    }
}

/// How often the work fits into the time of a round.
fn batch(work: &mut Work, seconds: f64) -> usize {
    let mut times = 1;
    loop {
        let began = Instant::now();
        work(times);
        let took = began.elapsed().as_secs_f64();
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
    fn read() -> Self {
        let mut options = Self { rounds: 5, seconds: 0.4, jobs: None };
        let mut words = std::env::args().skip(1);
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
