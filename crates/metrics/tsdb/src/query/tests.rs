//! Every way to find series gives what looking at each of them would.

use std::{collections::HashMap, convert::Infallible};

use model::{MatchOp, Matcher};
use proptest::prelude::*;

use super::select::{PostingsSource, matching};

/// Series with labels `a`, `b`, `c`; an empty value is an absent label.
struct Naive {
    series: Vec<[String; 3]>,
    lists: HashMap<(usize, String), Vec<u32>>,
}

fn label_index(name: &str) -> Option<usize> {
    ["a", "b", "c"].iter().position(|known| *known == name)
}

impl Naive {
    fn new(series: Vec<[String; 3]>) -> Self {
        let mut lists: HashMap<_, Vec<u32>> = HashMap::new();
        for (number, values) in series.iter().enumerate() {
            for (label, value) in values.iter().enumerate().filter(|(_, value)| !value.is_empty()) {
                lists.entry((label, value.clone())).or_default().push(number as u32);
            }
        }
        Self { series, lists }
    }

    fn scan(&self, matchers: &[Matcher]) -> Vec<u32> {
        let value = |series: &[String; 3], name: &str| {
            label_index(name).map_or(String::new(), |at| series[at].clone())
        };
        (0..self.series.len() as u32)
            .filter(|number| {
                let series = &self.series[*number as usize];
                matchers.iter().all(|matcher| matcher.matches(&value(series, matcher.name())))
            })
            .collect()
    }
}

impl PostingsSource for Naive {
    type List<'a> = &'a Vec<u32>;
    type Error = Infallible;

    fn all(&self) -> Result<Vec<u32>, Infallible> {
        Ok((0..self.series.len() as u32).collect())
    }

    fn series_count(&self) -> usize {
        self.series.len()
    }

    fn find(&self, name: &str, value: &str) -> Result<Option<&Vec<u32>>, Infallible> {
        Ok(label_index(name).and_then(|label| self.lists.get(&(label, value.to_owned()))))
    }

    fn values<'a>(&'a self, name: &str, visit: &mut dyn FnMut(&str, &'a Vec<u32>)) -> Result<(), Infallible> {
        for ((label, value), list) in &self.lists {
            if Some(*label) == label_index(name) {
                visit(value, list);
            }
        }
        Ok(())
    }

    fn read(&self, list: &Vec<u32>, out: &mut Vec<u32>) -> Result<(), Infallible> {
        out.extend(list);
        Ok(())
    }

    fn with_value(&self, series: u32, name: &str, visit: &mut dyn FnMut(&str)) -> Result<(), Infallible> {
        visit(label_index(name).map_or("", |label| &self.series[series as usize][label]));
        Ok(())
    }
}

fn value() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["", "x", "y", "xy", "x1", "x2", "long value"]).prop_map(str::to_owned)
}

fn matcher() -> impl Strategy<Value = Matcher> {
    let op = prop::sample::select(vec![MatchOp::Equal, MatchOp::NotEqual, MatchOp::Regex, MatchOp::NotRegex]);
    let text = prop::sample::select(vec![
        "", "x", "nothing", "x|y", "x.*", ".*", ".+", "x[0-9]", "(x|)", "|", ".*1", "x|", "xy?",
    ]);
    let name = prop::sample::select(vec!["a", "b", "c", "absent"]);
    (op, name, text).prop_map(|(op, name, text)| Matcher::new(op, name, text).expect("a valid expression"))
}

proptest! {
    #[test]
    fn postings_find_what_a_scan_finds(
        series in prop::collection::vec([value(), value(), value()], 0..120),
        matchers in prop::collection::vec(matcher(), 0..4),
    ) {
        let naive = Naive::new(series);
        let Ok(found) = matching(&naive, &matchers);
        prop_assert_eq!(found, naive.scan(&matchers), "{:?}", matchers);
    }
}
