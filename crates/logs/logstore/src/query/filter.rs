//! Leaving out lines that cannot satisfy the query's conditions.
//!
//! Only the conditions that plain text search answers are applied: `|= "a" or "b"`. The caller checks every line again anyway, so the rest
//! would be done twice.

use memchr::memmem::Finder;
use streams::LineFilter;

use crate::segment::Rows;

/// The texts a line must contain: one of each group.
#[derive(Default)]
pub(crate) struct TextFilter {
    groups: Vec<Vec<Finder<'static>>>,
}

// === impl TextFilter ===

impl TextFilter {
    pub(crate) fn new(filters: &[LineFilter]) -> Self {
        let group = |filter: &LineFilter| match filter {
            LineFilter::Contains(texts) if texts.iter().all(|text| !text.is_empty()) => {
                Some(texts.iter().map(|text| Finder::new(text.as_bytes()).into_owned()).collect())
            }
            _ => None,
        };
        Self { groups: filters.iter().filter_map(group).collect() }
    }

    /// Whether every line passes.
    pub(crate) fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Whether the line may be what is sought.
    pub(crate) fn accepts(&self, line: &[u8]) -> bool {
        self.groups.iter().all(|group| group.iter().any(|text| text.find(line).is_some()))
    }

    /// The indices within `range` whose lines pass, ascending. Searches the rows' text as one, not line by line.
    pub(crate) fn accepted(&self, rows: &Rows, range: std::ops::Range<usize>) -> Vec<usize> {
        let Some((first, others)) = self.groups.split_first() else {
            return range.collect();
        };
        let mut hits = Vec::new();
        for text in first {
            rows.find_lines(text, range.clone(), &mut hits);
        }
        if first.len() > 1 {
            hits.sort_unstable();
            hits.dedup();
        }
        hits.retain(|at| {
            let line = rows.line(*at);
            others.iter().all(|group| group.iter().any(|text| text.find(line).is_some()))
        });
        hits
    }
}
