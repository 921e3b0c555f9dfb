//! Why an alert takes the way it takes.

use std::fmt;

use model::Labels;

use crate::{Route, RouteId, RouteTree, matcher_text, matchers_text};

/// The walk of one label set through a route tree. Prints as an indented tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// Every route in the order of the tree, with what happened there.
    pub steps: Vec<Step>,
}

/// What happened at one route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The route.
    pub route: RouteId,
    /// How deep it lies; the root at 0.
    pub depth: usize,
    /// Its matchers.
    pub matchers: String,
    /// Its receiver.
    pub receiver: String,
    /// What happened.
    pub outcome: Outcome,
}

/// What a route did with the labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It matched and no child did: its receiver is notified.
    Notifies,
    /// It matched, and children took the alert.
    Passes,
    /// A matcher did not hold.
    Refuses {
        /// The first one that did not.
        matcher: String,
        /// The label's value; empty if the alert does not have it.
        value: String,
    },
    /// It was not asked: a parent refused, or an earlier sibling matched without `continue`.
    NotReached,
}

impl RouteTree {
    /// Walks the tree with a label set and writes down what happens at every route.
    pub fn explain(&self, labels: &Labels) -> Explanation {
        let mut explanation = Explanation { steps: Vec::new() };
        self.explain_route(self.root(), labels, true, &mut explanation.steps);
        explanation
    }

    /// Returns whether the route matched.
    fn explain_route(&self, route: &Route, labels: &Labels, reached: bool, steps: &mut Vec<Step>) -> bool {
        let refusing = route.matchers.iter().find(|matcher| !matcher.matches(labels.value(matcher.name())));
        let mut outcome = match refusing {
            _ if !reached => Outcome::NotReached,
            Some(matcher) => Outcome::Refuses {
                matcher: matcher_text(matcher),
                value: labels.value(matcher.name()).to_owned(),
            },
            None => Outcome::Notifies,
        };
        let matched = outcome == Outcome::Notifies;
        let at = steps.len();
        steps.push(Step {
            route: route.id,
            depth: route.depth,
            matchers: matchers_text(&route.matchers),
            receiver: route.options.receiver.clone(),
            outcome: outcome.clone(),
        });
        let mut open = matched;
        for child in self.children(route) {
            if self.explain_route(child, labels, open, steps) {
                outcome = Outcome::Passes;
                open &= child.continues;
            }
        }
        if let Some(step) = steps.get_mut(at) {
            step.outcome = outcome;
        }
        matched
    }
}

impl Explanation {
    /// The receivers that are notified, in order; one that is reached twice appears twice.
    pub fn receivers(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().filter(|step| step.outcome == Outcome::Notifies).map(|step| step.receiver.as_str())
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            let Step { depth, matchers, receiver, outcome, .. } = step;
            let indent = 2 * depth;
            write!(f, "{:indent$}{matchers} ", "")?;
            match outcome {
                Outcome::Notifies => writeln!(f, "notifies {receiver}")?,
                Outcome::Passes => writeln!(f, "passes on to its children")?,
                Outcome::Refuses { matcher, value } => {
                    writeln!(f, "refuses: {matcher} does not hold, the label is {value:?}")?;
                }
                Outcome::NotReached => writeln!(f, "is not reached")?,
            }
        }
        Ok(())
    }
}
