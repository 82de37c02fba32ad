//! What a token adds to an empty call of gRPC: the job R.

use super::figure::{DEFAULT_PROVIDER, Figure, TOO_NOISY, interquartile_range, median, of, short};

/// The most that a token may add, in percent of an empty call.
const GOAL: f64 = 5.0;

const LANGUAGES: [&str; 4] = ["python", "node", "go", "java"];
const SIDES: [(&str, &str); 2] = [("R-client", "client"), ("R-server", "server")];
/// A call without a token, and without any interceptor or credentials.
const EMPTY: &str = "bare";
/// The same with as many bytes in a header that never changes, which no library attaches.
const CONSTANT: &str = "constant header";

/// Whether it has a table of its own here.
pub(super) fn holds(job: &str) -> bool {
    SIDES.iter().any(|(side, _)| *side == job)
}

/// A row for each peer and side; nothing where nothing was measured.
pub(super) fn table(figures: &[Figure]) -> String {
    let rows: String = LANGUAGES.iter().flat_map(|language| rows_of(figures, language)).collect();
    if rows.is_empty() {
        return rows;
    }
    format!(
        "\nR: what a token adds to an empty unary call of gRPC, over TLS on loopback. Client and server are processes of \
         their own, and the figures are the processor time of each. In {} or more rounds of 200 calls the peers took turns, in \
         another order each time; a percentage is the median of those within the rounds, of the same process's time for \
         the `bare` call of the round, and the spread is the interquartile range, in points. The goal is {GOAL:.0} % in all \
         for `gatepass` and its server, **bold** where it is reached, and too noisy to tell where the spread is over \
         {TOO_NOISY:.0} points. `constant header` sends as many bytes without any library: what is over that is the \
         library's own. `empty credentials` and `empty interceptor` are ones that do nothing, with the same header: what \
         gRPC's library takes for them.\n\n\
         | language | process | peer | version | µs | over `bare` | spread | over the header alone |\n\
         | --- | --- | --- | --- | ---: | ---: | ---: | ---: |\n{rows}",
        figures
            .iter()
            .filter(|figure| holds(&figure.job))
            .map(|figure| figure.rounds.len())
            .min()
            .unwrap_or(0),
    )
}

fn rows_of(figures: &[Figure], language: &str) -> Vec<String> {
    let mut rows = Vec::new();
    for (job, side) in SIDES {
        let peers = of(figures, DEFAULT_PROVIDER, language, job);
        let named = |name: &str| peers.iter().find(|figure| figure.peer == name);
        let (Some(empty), Some(constant)) = (named(EMPTY), named(CONSTANT)) else { continue };
        for figure in peers.iter().filter(|figure| is_of_side(figure, side)) {
            let over = |floor: &Figure| shares(figure, floor, empty);
            let is_empty = figure.peer == EMPTY;
            let is_more = !is_empty && figure.peer != CONSTANT;
            rows.push(format!(
                "| {language} | {side} | {} | {} | {} | {} | {} | {} |\n",
                figure.peer,
                figure.version,
                short(figure.median()),
                if is_empty { String::new() } else { added(figure, &over(empty)) },
                if is_empty { String::new() } else { format!("{:.0}", interquartile_range(over(empty))) },
                if is_more { format!("{:.1} %", median(over(constant))) } else { String::new() },
            ));
        }
    }
    rows
}

/// What a peer does on the other side does not change what this one does.
fn is_of_side(figure: &Figure, side: &str) -> bool {
    let is_server = ["gatepass, its server", "empty interceptor"].contains(&figure.peer.as_str());
    [EMPTY, CONSTANT].contains(&figure.peer.as_str()) || is_server == (side == "server")
}

/// By how many percent of the empty call of its round each round lies over the floor's.
fn shares(figure: &Figure, floor: &Figure, empty: &Figure) -> Vec<f64> {
    let rounds = figure.rounds.iter().zip(&floor.rounds).zip(&empty.rounds);
    rounds.map(|((taken, floor), empty)| (taken - floor) / empty * 100.0).collect()
}

fn added(figure: &Figure, shares: &[f64]) -> String {
    let share = median(shares.to_vec());
    let is_held = figure.is_ours() && !figure.peer.ends_with("call credentials");
    match interquartile_range(shares.to_vec()) {
        noise if is_held && noise > TOO_NOISY => format!("{share:.1} %, too noisy"),
        _ if is_held && share <= GOAL => format!("**{share:.1} %**"),
        _ => format!("{share:.1} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::figure::read_figures;

    fn rows(ours: &str) -> String {
        let line = |job: &str, peer: &str, rounds: &str| {
            format!(
                "{{\"language\":\"go\",\"job\":\"{job}\",\"peer\":\"{peer}\",\"version\":\"1\",\"unit\":\"us\",\"rounds\":{rounds}}}\n"
            )
        };
        let lines = [
            line("R-client", EMPTY, "[100, 200, 100, 100]"),
            line("R-client", CONSTANT, "[102, 204, 102, 102]"),
            line("R-client", "gatepass", ours),
            line("R-client", "gatepass, its server", "[900, 900, 900, 900]"),
        ];
        table(&read_figures(&lines.concat(), DEFAULT_PROVIDER))
    }

    /// A round in which everything took twice as long changes nothing.
    #[test]
    fn shares_are_of_the_round() {
        assert!(
            rows("[104, 208, 104, 104]")
                .contains("| go | client | gatepass | 1 | 104 | **4.0 %** | 0 | 2.0 % |")
        );
        assert!(rows("[109, 218, 109, 109]").contains("| 9.0 % | 0 | 7.0 % |"));
        assert!(!rows("[104, 208, 104, 104]").contains("its server |"));
    }

    #[test]
    fn rounds_that_lie_apart_prove_nothing() {
        assert!(rows("[80, 160, 150, 154]").contains("%, too noisy |"));
    }
}
