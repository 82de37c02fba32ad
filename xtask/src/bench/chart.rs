//! The report as a picture: how many times better than the best other library gatepass is, on a logarithmic scale.

use super::comparison::{NEW, Others, ratio};
use super::figure::Figure;

/// A job, our peer of it, the provider, and how the bar is called.
const BARS: [(&str, &str, &str, &str); 9] = [
    ("V1", "gatepass", "ring", "same token"),
    ("V2", NEW, "ring", "new tokens"),
    ("V2", NEW, "aws-lc-rs", "new tokens, AWS-LC"),
    ("V3", NEW, "ring", "new ES256 tokens"),
    ("V4-distinct", NEW, "ring", "new tokens, 4 threads"),
    ("S", "gatepass", "ring", "sign"),
    ("S", "gatepass", "aws-lc-rs", "sign, AWS-LC"),
    ("H", "gatepass", "ring", "warm header"),
    ("W", "gatepass", "ring", "middleware"),
];
const LANGUAGES: [&str; 5] = ["python", "node", "go", "java", "rust"];
const BAR: f64 = 18.0;
const LEFT: f64 = 210.0;
/// Pixels of a factor of ten.
const DECADE: f64 = 170.0;

pub(super) fn draw(figures: &[Figure]) -> String {
    let mut bars = String::new();
    let mut y = 40.0;
    for language in LANGUAGES {
        let of_bar =
            |(job, peer, provider, name): &(&'static str, &'static str, &'static str, &'static str)| {
                // Who remembers tokens is compared where tokens come again.
                let others = if *peer == NEW { Others::Forgetful } else { Others::All };
                Some((*name, ratio(figures, provider, language, (job, peer), others)?.times))
            };
        let ratios: Vec<_> = BARS.iter().filter_map(of_bar).collect();
        if ratios.is_empty() {
            continue;
        }
        bars += &format!("<text x=\"10\" y=\"{:.0}\" font-weight=\"bold\">{language}</text>\n", y + 13.0);
        for (name, ratio) in ratios {
            let width = (ratio.log10() * DECADE).clamp(-60.0, 600.0);
            let (x, length) = if width < 0.0 { (LEFT + width, -width) } else { (LEFT, width) };
            let color = if ratio < 1.0 { "#c0504d" } else { "#3b7dd8" };
            bars += &format!(
                "<text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"end\">{name}</text>\
                 <rect x=\"{x:.0}\" y=\"{y:.0}\" width=\"{length:.0}\" height=\"{:.0}\" fill=\"{color}\"/>\
                 <text x=\"{:.0}\" y=\"{:.0}\">{ratio:.1} ×</text>\n",
                LEFT - 66.0,
                y + 13.0,
                BAR - 4.0,
                LEFT + width.max(0.0) + 6.0,
                y + 13.0
            );
            y += BAR;
        }
        y += BAR / 2.0;
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"900\" height=\"{:.0}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"10\" y=\"22\" font-size=\"14\">gatepass compared with the best other library: times as fast (logarithmic)</text>\n\
         <line x1=\"{LEFT}\" y1=\"32\" x2=\"{LEFT}\" y2=\"{y:.0}\" stroke=\"#888\"/>\n{bars}</svg>\n",
        y + 10.0
    )
}
