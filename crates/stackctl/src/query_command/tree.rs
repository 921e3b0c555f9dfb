//! Operators as a tree, the figures of each before it.

use std::fmt::Write;

use serde::Deserialize;

/// An operator of a query as the server explains it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Operator {
    operator: String,
    expr: String,
    series: u64,
    samples: u64,
    bytes: u64,
    samples_read: u64,
    /// Seconds, without its inputs.
    time: f64,
    #[serde(default)]
    inputs: Vec<Operator>,
}

/// The most characters of an expression.
const EXPRESSION: usize = 80;

/// A line an operator, under the titles of the columns.
pub(super) fn render(root: &Operator) -> String {
    let mut out = format!(
        "{:>10} {:>6} {:>9} {:>12} {:>12} {:>10}  {}\n",
        "time", "share", "series", "samples", "read", "rows", "operator"
    );
    render_one(&mut out, root, root.total_time(), "", "");
    out
}

/// `lead` stands before the operator, `below` before those that it takes its series from.
fn render_one(out: &mut String, operator: &Operator, total: f64, lead: &str, below: &str) {
    let share = if total > 0.0 { operator.time / total * 100.0 } else { 0.0 };
    let _ = writeln!(
        out,
        "{:>7.2} ms {share:>4.0} % {:>9} {:>12} {:>12} {:>10}  {lead}{}  {}",
        operator.time * 1000.0,
        operator.series,
        operator.samples,
        operator.samples_read,
        size(operator.bytes),
        operator.operator,
        shortened(&operator.expr),
    );
    for (at, input) in operator.inputs.iter().enumerate() {
        let (branch, rest) =
            if at + 1 == operator.inputs.len() { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        render_one(out, input, total, &format!("{below}{branch}"), &format!("{below}{rest}"));
    }
}

/// On one line, and not too long for it.
fn shortened(expr: &str) -> String {
    let line = expr.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(EXPRESSION) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["B", "KiB", "MiB", "GiB"];
    let (mut size, mut unit) = (bytes as f64, 0);
    while size >= 1024.0 && unit + 1 < UNITS.len() {
        size /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} B") } else { format!("{size:.1} {}", UNITS[unit]) }
}

impl Operator {
    fn total_time(&self) -> f64 {
        self.time + self.inputs.iter().map(Self::total_time).sum::<f64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operator(operator: &str, expr: &str, time: f64, inputs: Vec<Operator>) -> Operator {
        let (operator, expr) = (operator.to_owned(), expr.to_owned());
        Operator { operator, expr, series: 2, samples: 20, bytes: 1536, samples_read: 7, time, inputs }
    }

    #[test]
    fn is_a_tree() {
        let left = operator("sum", "sum(\n  a)", 0.002, vec![operator("selector", "a", 0.001, Vec::new())]);
        let join =
            operator("join", "sum(a) / b", 0.0, vec![left, operator("selector", "b", 0.001, Vec::new())]);
        let lines: Vec<_> = render(&join).lines().map(str::to_owned).collect();
        assert_eq!(
            lines,
            [
                "      time  share    series      samples         read       rows  operator",
                "   0.00 ms    0 %         2           20            7    1.5 KiB  join  sum(a) / b",
                "   2.00 ms   50 %         2           20            7    1.5 KiB  ├─ sum  sum( a)",
                "   1.00 ms   25 %         2           20            7    1.5 KiB  │  └─ selector  a",
                "   1.00 ms   25 %         2           20            7    1.5 KiB  └─ selector  b",
            ]
        );
    }

    #[test]
    fn long_expressions_are_cut_between_characters() {
        let cut = shortened(&"ü".repeat(200));
        assert_eq!((cut.chars().count(), cut.ends_with('…')), (EXPRESSION + 1, true));
        assert_eq!([size(0), size(1023), size(5 << 30)], ["0 B", "1023 B", "5.0 GiB"]);
    }
}
