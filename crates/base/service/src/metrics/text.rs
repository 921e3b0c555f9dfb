//! OpenMetrics as the older text format, for clients that do not ask for the newer one.

use std::fmt::Write;

/// Turns OpenMetrics 1.0 into the text format 0.0.4: counters are named with their suffix in `# TYPE` and `# HELP`, units, exemplars and
/// `# EOF` go, `info` and `stateset` become gauges, `unknown` becomes `untyped`.
pub fn to_text_format(openmetrics: &str) -> String {
    let mut out = String::with_capacity(openmetrics.len());
    // HELP comes before TYPE: the family's name in it depends on the type that follows.
    let mut help: Option<(&str, &str)> = None;
    for line in openmetrics.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            if let Some((name, text)) = help.take() {
                let _ = writeln!(out, "# HELP {name} {text}");
            }
            help = rest.split_once(' ');
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap_or((rest, "unknown"));
            let (suffix, kind) = match kind {
                "counter" => ("_total", "counter"),
                "info" => ("_info", "gauge"),
                "unknown" => ("", "untyped"),
                "stateset" => ("", "gauge"),
                "gaugehistogram" => ("", "histogram"),
                other => ("", other),
            };
            if let Some((_, text)) = help.take() {
                let _ = writeln!(out, "# HELP {name}{suffix} {text}");
            }
            let _ = writeln!(out, "# TYPE {name}{suffix} {kind}");
        } else if line.starts_with("# UNIT ") || line == "# EOF" {
        } else {
            out.push_str(without_exemplar(line));
            out.push('\n');
        }
    }
    out
}

/// A sample's line up to its exemplar: up to ` # `, where that is not in a label's value.
fn without_exemplar(line: &str) -> &str {
    let (mut quoted, mut escaped) = (false, false);
    for (at, byte) in line.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b' ' if !quoted && line[at..].starts_with(" # ") => return &line[..at],
            _ => {}
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::{to_text_format, without_exemplar};

    #[test]
    fn exemplars_go_and_values_of_labels_stay() {
        let check = |line: &str, want: &str| assert_eq!(without_exemplar(line), want);
        check("a_total 1", "a_total 1");
        check("a_total 1 # {t=\"x # y\"} 1", "a_total 1");
        check(r#"a_total{b="c # d"} 1 2.5"#, r#"a_total{b="c # d"} 1 2.5"#);
        check(r#"a_total{b="c\" # d\\"} 1 # {} 1"#, r#"a_total{b="c\" # d\\"} 1"#);
        check("a_total{b=\"\u{fc} # \u{fc}\"} 1", "a_total{b=\"\u{fc} # \u{fc}\"} 1");
    }

    #[test]
    fn counters_keep_their_suffix() {
        let text = "# HELP a_requests Requests.\n# TYPE a_requests counter\na_requests_total{code=\"200\"} 3 # {t=\"1\"} 1\n\
                    # HELP b Size.\n# TYPE b gauge\n# UNIT b bytes\nb 1.5\n# EOF\n";
        assert_eq!(
            to_text_format(text),
            "# HELP a_requests_total Requests.\n# TYPE a_requests_total counter\na_requests_total{code=\"200\"} 3\n\
             # HELP b Size.\n# TYPE b gauge\nb 1.5\n"
        );
    }
}
