//! Native histograms as Prometheus prints them: `{count:3, sum:5, (0.5,1]:1, (1,2]:2}`.

use model::format_value;

use super::{Bounds, Native};

/// The text of a histogram; empty buckets are left out.
pub(crate) fn histogram_text(histogram: &Native) -> String {
    let number = model::format_value_json;
    let mut out = format!("{{count:{}, sum:{}", number(histogram.count), number(histogram.sum));
    let mut write = |bounds: Bounds, open: char, close: char| {
        let (lower, upper) = (format_bound(bounds.lower), format_bound(bounds.upper));
        out.push_str(&format!(", {open}{lower},{upper}{close}:{}", number(bounds.count)));
    };
    for bounds in histogram.negative_bounds().rev() {
        write(bounds, '[', ')');
    }
    if histogram.zero_count != 0.0 {
        let threshold = histogram.zero_threshold;
        let zero = Bounds { lower: -threshold, upper: threshold, count: histogram.zero_count };
        write(zero, '[', ']');
    }
    for bounds in histogram.positive_bounds() {
        write(bounds, '(', ']');
    }
    out.push('}');
    out
}

fn format_bound(bound: f64) -> String {
    if bound.is_finite() { model::format_value_json(bound) } else { format_value(bound) }
}
