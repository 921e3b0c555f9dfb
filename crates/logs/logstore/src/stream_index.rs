//! Which streams there are, and which of them satisfy matchers.
//!
//! One index serves the buffers and all segments: a stream has one id in all of them. Ids live as long as the process and are never
//! written to disk.

use model::{Labels, MatchOp, Matcher};
use rustc_hash::FxHashMap;

/// A stream's number in this process. Later streams have greater ones.
pub(crate) type StreamId = u32;

/// Labels and postings of all streams.
#[derive(Default)]
pub(crate) struct StreamIndex {
    next: StreamId,
    ids: FxHashMap<Labels, StreamId>,
    labels: FxHashMap<StreamId, Labels>,
    /// Label name → value → streams, ascending.
    postings: FxHashMap<Box<str>, FxHashMap<Box<str>, Vec<StreamId>>>,
    /// All streams, ascending.
    all: Vec<StreamId>,
}

// === impl StreamIndex ===

impl StreamIndex {
    /// The stream's id and the one copy of its labels, made if it is new.
    pub(crate) fn intern(&mut self, labels: &Labels) -> (StreamId, Labels) {
        if let Some((known, id)) = self.ids.get_key_value(labels) {
            return (*id, known.clone());
        }
        let id = self.next;
        self.next = id.checked_add(1).expect("BUG: four billion streams in one process");
        self.insert(id, labels.clone());
        (id, labels.clone())
    }

    /// Number of streams.
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// The labels of a stream.
    pub(crate) fn labels(&self, id: StreamId) -> Option<&Labels> {
        self.labels.get(&id)
    }

    /// An index of the given streams alone, with the ids they have here.
    pub(crate) fn keep_only(&self, ids: &[StreamId]) -> Self {
        let mut kept = Self { next: self.next, ..Self::default() };
        for id in ids {
            if let Some(labels) = self.labels.get(id) {
                kept.insert(*id, labels.clone());
            }
        }
        kept
    }

    /// The streams that satisfy all matchers, ascending.
    pub(crate) fn select(&self, matchers: &[Matcher]) -> Vec<StreamId> {
        let (absent_fits, must_have): (Vec<_>, Vec<_>) =
            matchers.iter().partition(|matcher| matcher.matches_empty());
        let mut lists: Vec<Vec<StreamId>> = Vec::with_capacity(must_have.len());
        for matcher in must_have {
            lists.push(self.streams_with(matcher.name(), matcher, true));
        }
        lists.sort_unstable_by_key(Vec::len);
        let mut lists = lists.into_iter();
        let mut selected = lists.next().unwrap_or_else(|| self.all.clone());
        for list in lists {
            selected.retain(|id| list.binary_search(id).is_ok());
        }
        for matcher in absent_fits {
            if selected.is_empty() {
                break;
            }
            let refused = self.streams_with(matcher.name(), matcher, false);
            selected.retain(|id| refused.binary_search(id).is_err());
        }
        selected
    }

    /// The streams that satisfy all matchers of any selector, ascending; without selectors, all.
    pub(crate) fn select_any(&self, selectors: &[Vec<Matcher>]) -> Vec<StreamId> {
        match selectors {
            [] => self.all.clone(),
            [selector] => self.select(selector),
            many => {
                let mut ids: Vec<StreamId> = many.iter().flat_map(|selector| self.select(selector)).collect();
                ids.sort_unstable();
                ids.dedup();
                ids
            }
        }
    }

    /// The streams whose value of a label does (or does not) satisfy the matcher; those without the label are in neither.
    fn streams_with(&self, name: &str, matcher: &Matcher, verdict: bool) -> Vec<StreamId> {
        let Some(values) = self.postings.get(name) else {
            return Vec::new();
        };
        let sought = match matcher.op() {
            MatchOp::Equal => Some(verdict),
            MatchOp::NotEqual => Some(!verdict),
            MatchOp::Regex | MatchOp::NotRegex => None,
        };
        if sought == Some(true) {
            return values.get(matcher.value()).cloned().unwrap_or_default();
        }
        let fitting = values.iter().filter(|(value, _)| matcher.matches(value) == verdict);
        // A stream has one value: the lists are disjoint.
        let mut ids: Vec<StreamId> = fitting.flat_map(|(_, ids)| ids.iter().copied()).collect();
        ids.sort_unstable();
        ids
    }

    /// Ids come in ascending order.
    fn insert(&mut self, id: StreamId, labels: Labels) {
        for (name, value) in labels.iter() {
            let values = match self.postings.get_mut(name) {
                Some(values) => values,
                None => self.postings.entry(name.into()).or_default(),
            };
            match values.get_mut(value) {
                Some(ids) => ids.push(id),
                None => {
                    values.insert(value.into(), vec![id]);
                }
            }
        }
        self.all.push(id);
        self.ids.insert(labels.clone(), id);
        self.labels.insert(id, labels);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index() -> StreamIndex {
        let mut index = StreamIndex::default();
        for (app, env) in [("a", "prod"), ("b", "prod"), ("c", ""), ("a", "dev")] {
            index.intern(&Labels::from_pairs([("app", app), ("env", env)]));
        }
        index
    }

    fn check(op: MatchOp, name: &str, value: &str, want: &[StreamId]) {
        let matcher = Matcher::new(op, name, value).expect("a valid matcher");
        assert_eq!(index().select(&[matcher]), want, "{name}{}{value}", op.as_str());
    }

    #[test]
    fn a_stream_keeps_its_id() {
        let mut index = index();
        assert_eq!(index.intern(&Labels::from_pairs([("app", "c")])).0, 2);
        assert_eq!(index.len(), 4);
    }

    #[test]
    fn matchers_select() {
        check(MatchOp::Equal, "app", "a", &[0, 3]);
        check(MatchOp::Equal, "app", "x", &[]);
        check(MatchOp::Equal, "none", "x", &[]);
        check(MatchOp::Equal, "env", "", &[2]);
        check(MatchOp::NotEqual, "env", "", &[0, 1, 3]);
        check(MatchOp::NotEqual, "env", "prod", &[2, 3]);
        check(MatchOp::Regex, "app", "a|b", &[0, 1, 3]);
        check(MatchOp::Regex, "env", ".*", &[0, 1, 2, 3]);
        check(MatchOp::Regex, "env", ".+", &[0, 1, 3]);
        check(MatchOp::NotRegex, "env", "pr.*", &[2, 3]);
        check(MatchOp::NotRegex, "env", ".+", &[2]);
    }

    #[test]
    fn matchers_are_combined() {
        let index = index();
        let both = [Matcher::equal("app", "a"), Matcher::equal("env", "dev")];
        assert_eq!(index.select(&both), [3]);
        let either = [vec![Matcher::equal("app", "b")], vec![Matcher::equal("app", "a")]];
        assert_eq!(index.select_any(&either), [0, 1, 3]);
        assert_eq!(index.select_any(&[]), [0, 1, 2, 3]);
    }

    #[test]
    fn the_rest_can_be_forgotten() {
        let kept = index().keep_only(&[1, 2]);
        assert_eq!(kept.select_any(&[]), [1, 2]);
        assert_eq!(kept.select(&[Matcher::equal("app", "a")]), [] as [StreamId; 0]);
        assert_eq!(kept.labels(1).map(|labels| labels.value("app").to_owned()), Some("b".to_owned()));
    }
}
