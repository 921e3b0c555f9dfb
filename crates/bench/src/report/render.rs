//! A report as Markdown, and its place in a page.

use super::{Product, Report, Row, round};

/// What stands for a figure that was not taken.
pub const NOTHING: &str = "–";

/// The machine, the programs, the table, and what has to be known about it.
pub fn markdown(report: &Report) -> String {
    let mut out = format!("{}\n\n", report.machine.describe());
    for program in &report.programs {
        out += &format!("- {}\n", program.version);
    }
    for setting in &report.settings {
        out += &format!("- {setting}\n");
    }
    out += "\n| measure | unit |";
    for product in Product::ALL {
        out += &format!(" {product} |");
    }
    for peer in peers() {
        out += &format!(" metricsd / {peer} |");
    }
    out += " aim |\n|---|---|--:|--:|--:|--:|--:|---|\n";
    let mut group = "";
    for row in report.rows.iter().filter(|row| !row.values.is_empty()) {
        if row.measure.group != group {
            group = row.measure.group;
            out += &format!("| **{group}** | | | | | | | |\n");
        }
        out += &line(row);
    }
    out += &round::markdown(&report.rounds);
    if !report.notes.is_empty() {
        out += "\nNot as it should be:\n\n";
        for note in &report.notes {
            out += &format!("- {note}\n");
        }
    }
    out
}

fn line(row: &Row) -> String {
    // A bar ends a cell, even between backticks.
    let mut out = format!("| {} | {} |", row.measure.title.replace('|', "\\|"), row.measure.unit);
    for product in Product::ALL {
        out += &format!(" {} |", row.value(product).map_or(NOTHING.to_owned(), figure));
    }
    for peer in peers() {
        out += &format!(" {} |", row.ratio(peer).map_or(NOTHING.to_owned(), |ratio| format!("{ratio:.2}")));
    }
    let verdict = match row.reached() {
        Some(true) => " ✓",
        Some(false) => " ✗",
        None => "",
    };
    out += &format!(" {}{verdict} |\n", row.measure.aim);
    out
}

/// Those that metricsd is measured by.
pub fn peers() -> impl Iterator<Item = Product> {
    Product::ALL.into_iter().filter(|product| *product != Product::Metricsd)
}

/// A number with about three digits that mean something, thousands apart.
pub fn figure(value: f64) -> String {
    let decimals = match value.abs() {
        100.0.. => 0,
        10.0.. => 1,
        0.1.. => 2,
        _ => 3,
    };
    let plain = format!("{value:.decimals$}");
    let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, ""));
    let mut out = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) && !out.ends_with('-') {
            out.push(',');
        }
        out.push(digit);
    }
    if !fraction.is_empty() {
        out.push('.');
        out += fraction;
    }
    out
}

/// Sections one after the other.
pub fn join(sections: &[String]) -> String {
    let sections: Vec<&str> = sections.iter().map(String::as_str).filter(|text| !text.is_empty()).collect();
    sections.join("\n")
}

/// A page with new text between the marks of that name; `None` for one that has no such marks.
pub fn put_in_place(page: &str, name: &str, text: &str) -> Option<String> {
    let (begin, end) = (format!("<!-- {name}: begin -->\n"), format!("<!-- {name}: end -->\n"));
    let (before, rest) = page.split_once(&begin)?;
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}{begin}\n{text}\n{end}{after}"))
}
