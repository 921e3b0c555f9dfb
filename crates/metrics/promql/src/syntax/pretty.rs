//! The canonical form over several lines, as Prometheus lays out queries for people.
//!
//! What fits into a line stays in it; else each level of what is nested has its own lines and two more spaces.

use std::fmt::{self, Write};

use super::{
    Aggregate, Binary, Expr, ExprKind,
    display::{write_aggregator, write_operator, write_window},
};

/// Longest line that is not broken, bytes.
const LINE: usize = 100;

impl Expr {
    /// The canonical form, over several lines where it is long.
    pub fn pretty(&self) -> String {
        let mut out = String::new();
        write_expr(&mut out, self, 0).expect("BUG: writing to a String cannot fail");
        out
    }
}

/// The expression, each of its lines behind the indentation of `level`. The parser's bound on depth is this recursion's too.
fn write_expr(out: &mut String, expr: &Expr, level: usize) -> fmt::Result {
    let line = expr.to_string();
    let splits = line.len() > LINE;
    match &expr.kind {
        ExprKind::Aggregate(aggregate) if splits => write_aggregate(out, aggregate, level),
        ExprKind::Binary(binary) if splits => write_binary(out, binary, level),
        ExprKind::Call(call) if splits => {
            indent(out, level);
            writeln!(out, "{}(", call.function.name)?;
            for (at, arg) in call.args.iter().enumerate() {
                out.push_str(if at > 0 { ",\n" } else { "" });
                write_expr(out, arg, level + 1)?;
            }
            close(out, level);
            Ok(())
        }
        ExprKind::Paren(inner) if splits => {
            indent(out, level);
            out.push_str("(\n");
            write_expr(out, inner, level + 1)?;
            close(out, level);
            Ok(())
        }
        ExprKind::Subquery(subquery) if splits => {
            write_expr(out, &subquery.expr, level)?;
            write_window(out, subquery)
        }
        // As in the original, a short one stands at the beginning of its line, and so does what a sign is before.
        ExprKind::Subquery(_) => out.write_str(&line),
        ExprKind::Unary(unary) => {
            let mut signed = String::new();
            write_expr(&mut signed, &unary.expr, level)?;
            indent(out, level);
            write!(out, "{}{}", if unary.negative { '-' } else { '+' }, signed.trim())
        }
        _ => {
            indent(out, level);
            out.write_str(&line)
        }
    }
}

fn write_aggregate(out: &mut String, aggregate: &Aggregate, level: usize) -> fmt::Result {
    indent(out, level);
    write_aggregator(out, aggregate)?;
    out.push_str("(\n");
    if let Some(param) = &aggregate.param {
        write_expr(out, param, level + 1)?;
        out.push_str(",\n");
    }
    write_expr(out, &aggregate.expr, level + 1)?;
    close(out, level);
    Ok(())
}

fn write_binary(out: &mut String, binary: &Binary, level: usize) -> fmt::Result {
    write_expr(out, &binary.lhs, level + 1)?;
    out.push('\n');
    indent(out, level);
    write_operator(out, binary)?;
    out.push('\n');
    write_expr(out, &binary.rhs, level + 1)
}

fn close(out: &mut String, level: usize) {
    out.push('\n');
    indent(out, level);
    out.push(')');
}

fn indent(out: &mut String, level: usize) {
    for _ in 0..level {
        out.push_str("  ");
    }
}

#[cfg(test)]
mod tests {
    use crate::syntax::{ParserOptions, parse};

    #[test]
    fn long_parts_have_their_own_lines() {
        let check = |query: &str, want: &str| {
            let pretty = parse(query, ParserOptions::default()).expect("parses").pretty();
            assert_eq!(pretty, want);
            let again = parse(&pretty, ParserOptions::default()).expect("parses");
            assert_eq!(again.pretty(), want);
        };
        check("sum(a)by(b)", "sum by (b) (a)");
        let long = "a_metric_with_a_long_name{first=\"a value that is long\",second=\"another value\"}";
        check(
            &format!("topk by(b) (3, sum by (b, c) (rate({long}[5m])))"),
            &format!("topk by (b) (\n  3,\n  sum by (b, c) (\n    rate({long}[5m])\n  )\n)"),
        );
        check(
            &format!("max_over_time(clamp({long} * {long}, 0, 1)[1h:5m] offset 1m)"),
            &format!(
                "max_over_time(\n  clamp(\n      {long}\n    *\n      {long},\n    0,\n    1\n  )[1h:5m] offset 1m\n)"
            ),
        );
    }
}
