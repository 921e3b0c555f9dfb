//! Which series of two sides belong together.

use model::Labels;

use crate::Grouping;

/// How many series may meet one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cardinality {
    /// One on each side.
    OneToOne,
    /// Many on the left (`group_left`).
    ManyToOne,
    /// Many on the right (`group_right`).
    OneToMany,
}

/// The rules by which an operation that is no set operation pairs series.
#[derive(Debug, Clone, PartialEq)]
pub struct Matching {
    /// Whether `labels` are the ones to compare (`on`) or the ones to leave aside (`ignoring`).
    pub on: bool,
    /// The labels named by `on` or `ignoring`.
    pub labels: Vec<String>,
    /// How many series may meet one.
    pub cardinality: Cardinality,
    /// Labels that results take over from the "one" side.
    pub include: Vec<String>,
    /// What stands for a series that the left side does not have.
    pub fill_left: Option<f64>,
    /// What stands for a series that the right side does not have.
    pub fill_right: Option<f64>,
    /// Labels that never take part in the comparison without `on`: a language's metric name.
    pub unmatched: Vec<String>,
    /// Labels that results lose in any case.
    pub dropped: Vec<String>,
}

impl Default for Matching {
    /// One to one, comparing all labels.
    fn default() -> Self {
        Self {
            on: false,
            labels: Vec::new(),
            cardinality: Cardinality::OneToOne,
            include: Vec::new(),
            fill_left: None,
            fill_right: None,
            unmatched: Vec::new(),
            dropped: Vec::new(),
        }
    }
}

impl Matching {
    /// The labels that decide which series belong together.
    pub fn key(&self) -> Grouping {
        if self.on {
            return Grouping::By(self.labels.clone());
        }
        Grouping::Without(self.labels.iter().chain(&self.unmatched).cloned().collect())
    }

    /// The labels of a result: those of the "many" side (in one-to-one: of the left), and what is included from the other.
    pub fn result_labels(&self, many: &Labels, one: &Labels) -> Labels {
        let contains = |names: &[String], name: &str| names.iter().any(|candidate| candidate == name);
        let own = many.filter(|name| {
            let kept = match self.cardinality {
                Cardinality::OneToOne => contains(&self.labels, name) == self.on,
                Cardinality::ManyToOne | Cardinality::OneToMany => true,
            };
            kept && !contains(&self.dropped, name)
        });
        if self.include.is_empty() {
            return own;
        }
        let mut builder = own.to_builder();
        for name in &self.include {
            builder.set(name, one.value(name));
        }
        builder.build()
    }
}
