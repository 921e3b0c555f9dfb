//! Leading line filters over a whole batch: the buffer is searched, and only where it hits is there a row.

use streams::LineBatch;

use super::line_filter::{LineCondition, Test};

/// Rows of the batch, in order, that pass all conditions.
pub(super) fn rows(conditions: &[LineCondition], batch: &LineBatch, rows: &mut Vec<u32>) {
    rows.clear();
    let mut conditions = conditions.iter();
    // One literal that must occur is the usual query; it decides which rows are looked at at all.
    let first = conditions.clone().position(|condition| single_literal(condition).is_some());
    match first.and_then(|at| conditions.nth(at)).and_then(single_literal) {
        Some(finder) => search(finder, batch, rows),
        None => rows.extend(0..u32::try_from(batch.len()).unwrap_or(u32::MAX)),
    }
}

/// Rows that pass all conditions; see [`rows`].
pub(super) fn filter(conditions: &[LineCondition], batch: &LineBatch, found: &mut Vec<u32>) {
    rows(conditions, batch, found);
    if conditions.len() == 1 && single_literal(&conditions[0]).is_some() {
        return;
    }
    found.retain(|row| {
        let line = batch.line(*row as usize);
        conditions.iter().all(|condition| condition.passes(line))
    });
}

fn single_literal(condition: &LineCondition) -> Option<&memchr::memmem::Finder<'static>> {
    match (condition.negative, condition.tests.as_slice()) {
        (false, [Test::Contains(finder)]) if !finder.needle().is_empty() => Some(finder),
        _ => None,
    }
}

/// Adds the rows whose lines contain the text. The buffer is searched as a whole; a hit that reaches over the end of a line is none.
pub(super) fn search(finder: &memchr::memmem::Finder<'static>, batch: &LineBatch, rows: &mut Vec<u32>) {
    let text: &[u8] = batch.text();
    let ends = batch.ends();
    let mut at = 0;
    let mut row = 0;
    while let Some(found) = finder.find(&text[at..]) {
        let start = at + found;
        row += ends[row..].partition_point(|end| *end as usize <= start);
        let Some(end) = ends.get(row) else {
            return;
        };
        let end = *end as usize;
        if start + finder.needle().len() <= end {
            rows.push(u32::try_from(row).unwrap_or(u32::MAX));
            at = end;
        } else {
            at = start + 1;
        }
    }
}
