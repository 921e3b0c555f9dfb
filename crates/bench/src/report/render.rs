//! A report as Markdown, and its place in a page.

use super::{Product, Report, Row};

/// What stands for a figure that was not taken.
const NOTHING: &str = "–";

/// Where the figures go in a page that has more to say.
const BEGIN: &str = "<!-- figures: begin -->\n";
const END: &str = "<!-- figures: end -->\n";

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

fn peers() -> impl Iterator<Item = Product> {
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

/// A page with the figures between its marks; without marks the figures are the page.
pub fn put_in_place(page: &str, figures: &str) -> String {
    let Some((before, rest)) = page.split_once(BEGIN) else { return figures.to_owned() };
    let Some((_, after)) = rest.split_once(END) else { return figures.to_owned() };
    format!("{before}{BEGIN}\n{figures}\n{END}{after}")
}
