//! Every transcript of tests/vectors/acquire and every timeline of tests/vectors/cache, through the bridge, whoever signs.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::HashMap;

use gatepass_bridge::{Lookup, Now, Op, Source};
use gatepass_vectors::host::resume;
use gatepass_vectors::{assert_step, read_all};
use serde_json::Value;

#[test]
fn acquire() {
    for case in read_all("acquire") {
        let source = Source::new(&case["options"].to_string()).unwrap();
        let transcript = case["transcript"].as_array().unwrap();
        let now = moment(&transcript[0], "now_ms");
        let Lookup::Fetch(mut op) = look(&source, &case, now) else { panic!("{}: no fetch", case["name"]) };
        for entry in transcript {
            let step = resume(&mut op, moment(entry, "now_ms"), &entry["reply"].to_string());
            assert_step(&step, &entry["step"], &case["name"]);
        }
    }
}

#[test]
fn cache() {
    for case in read_all("cache") {
        let source = Source::new(&case["options"].to_string()).unwrap();
        let mut ops: HashMap<&str, Op> = HashMap::new();
        for (index, event) in case["events"].as_array().unwrap().iter().enumerate() {
            let at = || moment(event, "at_ms");
            let name = event["op"].as_str();
            match event["do"].as_str().unwrap() {
                "cancel" => ops.get_mut(name.unwrap()).unwrap().cancel(),
                "resume" => {
                    let op = ops.get_mut(name.unwrap()).unwrap();
                    let step = resume(op, at(), &event["reply"].to_string());
                    assert_step(&step, &event["expect"], &case["name"]);
                }
                "lookup" => {
                    let expect = &event["expect"];
                    let (status, header, op, flight) = match look(&source, event, at()) {
                        Lookup::Fresh(token) => ("fresh", Some(token), None, None),
                        Lookup::Stale(token, op) => ("stale", Some(token), op, None),
                        Lookup::Fetch(op) => ("fetch", None, Some(op), None),
                        Lookup::Join(flight) => ("join", None, None, Some(flight)),
                    };
                    let place = format!("{}, event {index}", case["name"]);
                    assert_eq!(expect["status"], status, "{place}");
                    if let Some(expected) = expect["header"].as_str() {
                        assert_eq!(header.unwrap().header(), expected, "{place}");
                    }
                    if let Some(expected) = expect["refresh"].as_bool() {
                        assert_eq!(op.is_some(), expected, "{place}");
                    }
                    if let Some(of) = expect["flight_of"].as_str() {
                        assert_eq!(flight, ops[of].flight(), "{place}");
                    }
                    if let (Some(op), Some(name)) = (op, name) {
                        ops.insert(name, op);
                    }
                }
                other => panic!("unknown event {other}"),
            }
        }
    }
}

fn look(source: &Source, what: &Value, now: Now) -> Lookup {
    source.lookup(what["kind"].as_str().unwrap(), what["target"].as_str().unwrap(), now).unwrap()
}

/// The two clocks' readings of an entry, whose wall clock is in this member. Where it names no other, they go together.
fn moment(entry: &Value, member: &str) -> Now {
    let now_ms = entry[member].as_u64().unwrap();
    gatepass_bridge::now(now_ms, entry["monotonic_ms"].as_u64().unwrap_or(now_ms))
}
