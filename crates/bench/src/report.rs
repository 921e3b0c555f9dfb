//! What came out: figures of each server side by side, their ratios, and what is aimed at.

mod render;
mod round;

use std::{borrow::Cow, collections::BTreeMap, fmt, path::Path};

use anyhow::Context;
use serde_json::{Value, json};

use crate::{
    machine::Machine,
    server::{Product, Program},
};
pub use round::{Agreement, Cost, Question, Round};

/// Something that is measured. Less is better, unless it says otherwise.
#[derive(Debug, Clone, PartialEq)]
pub struct Measure {
    /// What it belongs to: a heading of the table.
    pub group: &'static str,
    /// What it is.
    pub title: Cow<'static, str>,
    /// What it is counted in.
    pub unit: &'static str,
    /// What metricsd is meant to reach.
    pub aim: Aim,
}

/// What metricsd is meant to reach.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Aim {
    /// The figure is there for the reader's judgement alone.
    None,
    /// At most so many times another server's figure.
    Within(f64, Product),
    /// At most so many times Prometheus' figure, and so many times VictoriaMetrics'.
    WithinBoth(f64, f64),
    /// So many times as fast as Prometheus, and so many times as fast as VictoriaMetrics.
    TimesAsFast(f64, f64),
    /// At most this.
    AtMost(f64),
    /// At least this.
    AtLeast(f64),
}

/// All reports of a run, each with a section of a page.
#[derive(Debug)]
pub struct Reports {
    /// What work costs.
    pub figures: Report,
    /// What queries cost, one by one.
    pub queries: Report,
}

/// The figures of some parts of a run.
#[derive(Debug)]
pub struct Report {
    machine: Machine,
    programs: Vec<Program>,
    /// With which parameters it ran.
    settings: Vec<String>,
    rows: Vec<Row>,
    rounds: Vec<Round>,
    /// What did not go as it should have.
    notes: Vec<String>,
    /// Which server answered a question first, and what it said.
    answers: BTreeMap<String, (Product, f64)>,
}

#[derive(Debug)]
struct Row {
    measure: Measure,
    /// One value a repetition.
    values: BTreeMap<Product, Vec<f64>>,
}

impl Measure {
    /// A measure that is always taken.
    pub const fn new(group: &'static str, title: &'static str, unit: &'static str, aim: Aim) -> Self {
        Self { group, title: Cow::Borrowed(title), unit, aim }
    }
}

impl Report {
    /// A report without figures.
    pub fn new(machine: Machine, programs: Vec<Program>, settings: Vec<String>) -> Self {
        Self {
            machine,
            programs,
            settings,
            rows: Vec::new(),
            rounds: Vec::new(),
            notes: Vec::new(),
            answers: BTreeMap::new(),
        }
    }

    /// Makes room for measures, in the order of the table.
    pub fn declare(&mut self, measures: impl IntoIterator<Item = Measure>) {
        self.rows.extend(measures.into_iter().map(|measure| Row { measure, values: BTreeMap::new() }));
    }

    /// A figure. The median counts where there are several. Measures that have no room yet come last.
    pub fn add(&mut self, product: Product, measure: &Measure, value: f64) {
        let place = self.rows.iter().position(|row| row.measure == *measure);
        let place = place.unwrap_or_else(|| {
            self.declare([measure.clone()]);
            self.rows.len() - 1
        });
        self.rows[place].values.entry(product).or_default().push(value);
    }

    /// Costs of single queries.
    pub fn add_round(&mut self, round: Round) {
        self.rounds.push(round);
    }

    /// Something that the reader has to know about a server's figures.
    pub fn note(&mut self, product: Product, text: impl fmt::Display) {
        self.notes.push(format!("{product}: {text}"));
    }

    /// What a server answered to a question that all of them must answer alike: another answer than the first is noted.
    pub fn answer(&mut self, product: Product, question: &str, answer: f64) {
        let (first, want) = *self.answers.entry(question.to_owned()).or_insert((product, answer));
        if answer != want {
            self.note(product, format_args!("answers {answer} to `{question}`, {first} {want}"));
        }
    }

    /// Whether there is nothing to excuse.
    pub fn is_clean(&self) -> bool {
        self.notes.is_empty()
    }

    /// For people.
    pub fn markdown(&self) -> String {
        render::markdown(self)
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let rows: Vec<Value> = self.rows.iter().filter(|row| !row.values.is_empty()).map(Row::json).collect();
        let versions: BTreeMap<_, _> =
            self.programs.iter().map(|program| (program.product.name(), &program.version)).collect();
        json!({
            "machine": self.machine,
            "versions": versions,
            "settings": self.settings,
            "rows": rows,
            "rounds": self.rounds.iter().map(Round::json).collect::<Vec<_>>(),
            "notes": self.notes,
        })
    }

    /// Whether nothing was measured, and nothing went wrong.
    fn is_empty(&self) -> bool {
        self.rounds.is_empty() && self.notes.is_empty() && self.rows.iter().all(|row| row.values.is_empty())
    }
}

impl Reports {
    /// Whether there is nothing to excuse.
    pub fn is_clean(&self) -> bool {
        self.figures.is_clean() && self.queries.is_clean()
    }

    /// For people.
    pub fn markdown(&self) -> String {
        let sections = [&self.figures, &self.queries].map(|report| match report.is_empty() {
            true => String::new(),
            false => report.markdown(),
        });
        render::join(&sections)
    }

    /// For programs.
    fn json(&self) -> Value {
        json!({ "figures": self.figures.json(), "queries": self.queries.json() })
    }

    /// Writes the files that were asked for. A section of the page that this run has nothing for stays as it is.
    pub fn save(&self, json: Option<&Path>, markdown: Option<&Path>) -> anyhow::Result<()> {
        let write = |path: &Path, text: String| {
            std::fs::write(path, text).with_context(|| format!("cannot write `{}`", path.display()))
        };
        if let Some(path) = json {
            write(path, format!("{:#}\n", self.json()))?;
        }
        if let Some(path) = markdown {
            let old = std::fs::read_to_string(path).unwrap_or_default();
            write(path, self.put_in_place(&old))?;
        }
        Ok(())
    }

    /// A page with each report between its marks. A page without any mark is nothing but the reports.
    fn put_in_place(&self, page: &str) -> String {
        let mut page = page.to_owned();
        let mut has_marks = false;
        for (name, report) in [("figures", &self.figures), ("queries", &self.queries)] {
            if let Some(changed) = render::put_in_place(&page, name, &report.markdown()) {
                has_marks = true;
                if !report.is_empty() {
                    page = changed;
                }
            }
        }
        if has_marks { page } else { self.markdown() }
    }
}

impl Row {
    fn value(&self, product: Product) -> Option<f64> {
        self.values.get(&product).and_then(|values| median(values))
    }

    /// metricsd's figure as a multiple of a peer's.
    fn ratio(&self, peer: Product) -> Option<f64> {
        let (ours, theirs) = (self.value(Product::Metricsd)?, self.value(peer)?);
        (theirs > 0.0).then_some(ours / theirs)
    }

    /// Whether metricsd reaches the aim; `None` where that cannot be said.
    fn reached(&self) -> Option<bool> {
        match self.measure.aim {
            Aim::None => None,
            Aim::Within(factor, peer) => Some(self.ratio(peer)? <= factor),
            Aim::WithinBoth(prometheus, victoria_metrics) => Some(
                self.ratio(Product::Prometheus)? <= prometheus
                    && self.ratio(Product::VictoriaMetrics)? <= victoria_metrics,
            ),
            Aim::TimesAsFast(prometheus, victoria_metrics) => Some(
                self.ratio(Product::Prometheus)? * prometheus <= 1.0
                    && self.ratio(Product::VictoriaMetrics)? * victoria_metrics <= 1.0,
            ),
            Aim::AtLeast(least) => Some(self.value(Product::Metricsd)? >= least),
            Aim::AtMost(most) => Some(self.value(Product::Metricsd)? <= most),
        }
    }

    fn json(&self) -> Value {
        let Measure { group, title, unit, aim } = &self.measure;
        let by_name = |figure: &dyn Fn(Product) -> Option<f64>| -> BTreeMap<_, _> {
            Product::ALL.iter().map(|product| (product.name(), figure(*product))).collect()
        };
        let mut row = json!({
            "group": group,
            "measure": title,
            "unit": unit,
            "aim": aim.to_string(),
            "reached": self.reached(),
            "runs": self.values.values().map(Vec::len).max(),
            "ratios": by_name(&|product| if product == Product::Metricsd { None } else { self.ratio(product) }),
        });
        for (name, value) in by_name(&|product| self.value(product)) {
            row[name] = json!(value);
        }
        row
    }
}

impl fmt::Display for Aim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => Ok(()),
            Self::Within(factor, peer) => write!(f, "≤ {factor} × {peer}"),
            Self::WithinBoth(prometheus, victoria_metrics) => {
                let (first, second) = (Product::Prometheus, Product::VictoriaMetrics);
                write!(f, "≤ {prometheus} × {first}, ≤ {victoria_metrics} × {second}")
            }
            Self::TimesAsFast(prometheus, victoria_metrics) => {
                let (first, second) = (Product::Prometheus, Product::VictoriaMetrics);
                write!(f, "{prometheus} × as fast as {first}, {victoria_metrics} × as {second}")
            }
            Self::AtLeast(least) => write!(f, "≥ {least}"),
            Self::AtMost(most) => write!(f, "≤ {}", render::figure(*most)),
        }
    }
}

/// The middle one; of an even number the mean of both.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        length if length % 2 == 1 => Some(sorted[middle]),
        _ => Some(f64::midpoint(sorted[middle - 1], sorted[middle])),
    }
}

#[cfg(test)]
mod tests;
