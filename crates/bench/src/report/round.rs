//! What single queries cost each server, and what that comes to.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{
    Product,
    render::{NOTHING, figure, peers},
};

/// Questions that were asked of all servers under the same conditions.
#[derive(Debug)]
pub struct Round {
    /// Under which.
    pub title: String,
    /// In the order of the table.
    pub questions: Vec<Question>,
}

/// A question, and what it cost.
#[derive(Debug)]
pub struct Question {
    /// What it is called.
    pub name: &'static str,
    /// What is asked.
    pub text: String,
    /// How many values the answer has.
    pub size: usize,
    /// Of each server that answered.
    pub costs: BTreeMap<Product, Cost>,
    /// Whether metricsd says the same as Prometheus.
    pub agreement: Agreement,
}

/// What an answer cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cost {
    /// Until all of it was there, milliseconds: the median.
    pub time: f64,
    /// CPU time of the server, milliseconds: the mean.
    pub cpu: f64,
}

/// Whether two answers agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Agreement {
    /// That cannot be said.
    Unknown,
    /// They do.
    Yes,
    /// They do not, and how.
    No(String),
}

impl Question {
    /// metricsd's time as a multiple of a peer's.
    fn ratio(&self, peer: Product) -> Option<f64> {
        let time = |product: Product| self.costs.get(&product).map(|cost| cost.time);
        let (ours, theirs) = (time(Product::Metricsd)?, time(peer)?);
        (theirs > 0.0).then_some(ours / theirs)
    }

    /// metricsd's time as a multiple of that of the peer that was faster.
    fn ratio_to_faster(&self) -> Option<f64> {
        peers().filter_map(|peer| self.ratio(peer)).max_by(f64::total_cmp)
    }

    fn json(&self) -> Value {
        let cost = |figure: fn(&Cost) -> f64| -> BTreeMap<_, _> {
            self.costs.iter().map(|(product, cost)| (product.name(), figure(cost))).collect()
        };
        let (agrees, difference) = match &self.agreement {
            Agreement::Unknown => (None, None),
            Agreement::Yes => (Some(true), None),
            Agreement::No(difference) => (Some(false), Some(difference)),
        };
        json!({
            "query": self.name,
            "text": self.text,
            "values": self.size,
            "ms": cost(|cost| cost.time),
            "cpu_ms": cost(|cost| cost.cpu),
            "ratios": peers().map(|peer| (peer.name(), self.ratio(peer))).collect::<BTreeMap<_, _>>(),
            "ratio_to_faster": self.ratio_to_faster(),
            "agrees": agrees,
            "difference": difference,
        })
    }

    fn line(&self) -> String {
        let mut out = format!("| {} | {} |", self.name, self.size);
        for column in [|cost: &Cost| cost.time, |cost: &Cost| cost.cpu] {
            for product in Product::ALL {
                let cost = self.costs.get(&product).map(column);
                out += &format!(" {} |", cost.map_or(NOTHING.to_owned(), figure));
            }
        }
        for ratio in [self.ratio(Product::Prometheus), self.ratio_to_faster()] {
            out += &format!(" {} |", ratio.map_or(NOTHING.to_owned(), |ratio| format!("{ratio:.2}")));
        }
        let verdict = match &self.agreement {
            Agreement::Unknown => "",
            Agreement::Yes => "✓",
            Agreement::No(difference) => &format!("✗ {difference}"),
        };
        out + &format!(" {verdict} |\n")
    }
}

impl Round {
    /// The geometric mean of each server's times, over the questions that take Prometheus at least so many milliseconds and that
    /// all servers answered: the ratio of two such means is the geometric mean of the ratios.
    pub fn typical_times(&self, least: f64) -> BTreeMap<Product, f64> {
        let asked: BTreeSet<Product> =
            self.questions.iter().flat_map(|question| question.costs.keys().copied()).collect();
        let counts = |question: &&Question| {
            let prometheus = question.costs.get(&Product::Prometheus);
            prometheus.is_some_and(|cost| cost.time >= least)
                && asked.iter().all(|product| question.costs.contains_key(product))
        };
        let counted: Vec<&Question> = self.questions.iter().filter(counts).collect();
        let mean = |product| geometric_mean(counted.iter().map(|question| question.costs[&product].time));
        asked.into_iter().filter_map(|product| Some((product, mean(product)?))).collect()
    }

    /// The question where metricsd is furthest behind the faster of its peers, or least ahead of it: its name and the ratio.
    pub fn slowest(&self) -> Option<(&'static str, f64)> {
        let ratios =
            self.questions.iter().filter_map(|question| Some((question.name, question.ratio_to_faster()?)));
        ratios.max_by(|(_, one), (_, other)| one.total_cmp(other))
    }

    /// How many answers agree; `None` if none were compared.
    pub fn agreeing(&self) -> Option<usize> {
        let compared = self.questions.iter().any(|question| question.agreement != Agreement::Unknown);
        let agreeing = self.questions.iter().filter(|question| question.agreement == Agreement::Yes);
        compared.then(|| agreeing.count())
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "conditions": self.title,
            "queries": self.questions.iter().map(Question::json).collect::<Vec<_>>(),
        })
    }
}

/// A table of all rounds, and what is asked.
pub(super) fn markdown(rounds: &[Round]) -> String {
    let Some(first) = rounds.first() else { return String::new() };
    let mut out = "\n| query | values |".to_owned();
    for unit in ["ms", "CPU ms"] {
        for product in Product::ALL {
            out += &format!(" {product}, {unit} |");
        }
    }
    out += " metricsd / prometheus | metricsd / faster peer | same answer as prometheus |\n";
    out += "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|\n";
    for round in rounds {
        out += &format!("| **{}** | | | | | | | | | | |\n", round.title);
        round.questions.iter().for_each(|question| out += &question.line());
    }
    out += "\n| query | what is asked |\n|---|---|\n";
    for question in &first.questions {
        // A bar ends a cell, even between backticks.
        out += &format!("| {} | {} |\n", question.name, question.text.replace('|', "\\|"));
    }
    out
}

/// `None` of nothing.
fn geometric_mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (count, sum) = values.fold((0_u32, 0.0), |(count, sum), value| (count + 1, sum + value.ln()));
    (count > 0).then(|| (sum / f64::from(count)).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 4] = ["first", "second", "third", "fourth"];

    /// Questions with the times of Prometheus, VictoriaMetrics and metricsd; 0 is no answer.
    fn round(times: &[[f64; 3]]) -> Round {
        let question = |(name, times): (&'static str, &[f64; 3])| {
            let costs = Product::ALL.into_iter().zip(times).filter(|(_, time)| **time > 0.0);
            let costs = costs.map(|(product, &time)| (product, Cost { time, cpu: time / 2.0 })).collect();
            let agreement = match name {
                "first" => Agreement::Yes,
                "second" => Agreement::No("2 other values".to_owned()),
                _ => Agreement::Unknown,
            };
            Question { name, text: format!("`{name}|x`"), size: 3, costs, agreement }
        };
        Round { title: "all".to_owned(), questions: NAMES.into_iter().zip(times).map(question).collect() }
    }

    #[test]
    fn typical_times_are_geometric_means_of_what_takes_long_enough() {
        let round = round(&[[10.0, 8.0, 1.0], [40.0, 2.0, 4.0], [4.9, 1.0, 100.0], [50.0, 0.0, 100.0]]);
        let times = round.typical_times(5.0);
        let close = |product, want: f64| assert!((times[&product] - want).abs() < 1e-9, "{times:?}");
        close(Product::Prometheus, 20.0);
        close(Product::VictoriaMetrics, 4.0);
        close(Product::Metricsd, 2.0);
        assert!(round.typical_times(60.0).is_empty());
    }

    #[test]
    fn typical_times_of_fewer_servers() {
        let round = round(&[[10.0, 0.0, 1.0], [40.0, 0.0, 4.0]]);
        let times: Vec<_> = round.typical_times(5.0).into_keys().collect();
        assert_eq!(times, [Product::Prometheus, Product::Metricsd]);
        assert!(super::tests::round(&[[0.0, 9.0, 9.0]]).typical_times(5.0).is_empty());
    }

    #[test]
    fn the_slowest_is_so_beside_the_faster_peer() {
        let times = [[10.0, 8.0, 1.0], [40.0, 2.0, 4.0], [1.0, 100.0, 1.5], [1.0, 1.0, 0.0]];
        assert_eq!(round(&times).slowest(), Some(("second", 2.0)));
        assert_eq!(round(&times[2..]).slowest(), Some(("first", 1.5)));
        assert_eq!(round(&times[3..]).slowest(), None);
    }

    #[test]
    fn answers_that_agree_are_counted() {
        let times = [[1.0, 1.0, 1.0]; 4];
        assert_eq!(round(&times).agreeing(), Some(1));
        let mut unknown = round(&times[..1]);
        unknown.questions[0].agreement = Agreement::Unknown;
        assert_eq!(unknown.agreeing(), None);
    }

    #[test]
    fn a_table_and_what_is_asked() {
        let want = "
| query | values | prometheus, ms | victoria-metrics, ms | metricsd, ms | prometheus, CPU ms | victoria-metrics, CPU ms | metricsd, CPU ms | metricsd / prometheus | metricsd / faster peer | same answer as prometheus |
|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|
| **all** | | | | | | | | | | |
| first | 3 | 10.0 | 8.00 | 1.00 | 5.00 | 4.00 | 0.50 | 0.10 | 0.12 | ✓ |
| second | 3 | 40.0 | – | 4.00 | 20.0 | – | 2.00 | 0.10 | 0.10 | ✗ 2 other values |
| third | 3 | 1.00 | 2.00 | – | 0.50 | 1.00 | – | – | – |  |

| query | what is asked |
|---|---|
| first | `first\\|x` |
| second | `second\\|x` |
| third | `third\\|x` |
";
        let round = round(&[[10.0, 8.0, 1.0], [40.0, 0.0, 4.0], [1.0, 2.0, 0.0]]);
        assert_eq!(markdown(&[round]), want);
        assert_eq!(markdown(&[]), "");
    }

    #[test]
    fn json_has_the_same() {
        let json = round(&[[10.0, 8.0, 1.0], [40.0, 0.0, 4.0], [1.0, 2.0, 0.0]]).json();
        let first = &json["queries"][0];
        assert_eq!(first["ms"]["prometheus"], 10.0);
        assert_eq!(first["cpu_ms"]["metricsd"], 0.5);
        assert_eq!(first["ratios"]["prometheus"], 0.1);
        assert_eq!(first["ratio_to_faster"], 0.125);
        assert_eq!(first["agrees"], true);
        assert_eq!(json["queries"][1]["difference"], "2 other values");
        assert_eq!(json["queries"][1]["ratios"]["victoria-metrics"], Value::Null);
        assert_eq!(json["queries"][2]["agrees"], Value::Null);
    }
}
