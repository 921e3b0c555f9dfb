//! Where buckets lie: runs of indexes, and how two layouts become one.

/// A run of buckets without gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Gap to the end of the previous span; the index of the first bucket for the first span.
    pub offset: i32,
    /// Number of consecutive buckets.
    pub length: u32,
}

/// The buckets that are in either of two layouts. Memory grows with the number of buckets: both must be what [`bucket_count`] of them
/// says is bearable.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SpanUnion {
    /// The layout that has them all, in its shortest form.
    pub spans: Vec<Span>,
    /// Number of buckets in it.
    pub len: usize,
    /// For each bucket of the left layout, its position in the union.
    pub left: Vec<usize>,
    /// For each bucket of the right layout, its position in the union.
    pub right: Vec<usize>,
}

/// Number of buckets in `spans`.
pub fn bucket_count(spans: &[Span]) -> usize {
    let count: u64 = spans.iter().fold(0, |count, span| count.saturating_add(u64::from(span.length)));
    usize::try_from(count).unwrap_or(usize::MAX)
}

/// The index of each bucket in `spans`.
pub fn bucket_indexes(spans: &[Span]) -> impl Iterator<Item = i64> + '_ {
    let mut end = 0i64;
    spans.iter().flat_map(move |span| {
        let start = end + i64::from(span.offset);
        end = start + i64::from(span.length);
        start..end
    })
}

/// `spans` in its shortest form: neighbours are one span, and none is empty.
pub fn shortest_spans(spans: &[Span]) -> Vec<Span> {
    let mut builder = SpanBuilder::default();
    bucket_indexes(spans).for_each(|index| builder.push(index));
    builder.spans
}

/// Builds spans of ascending indexes.
#[derive(Default)]
pub(super) struct SpanBuilder {
    pub(super) spans: Vec<Span>,
    /// The index behind the last one.
    end: i64,
}

// === impl SpanUnion ===

impl SpanUnion {
    /// The buckets that are in `left` or in `right`.
    pub fn of(left: &[Span], right: &[Span]) -> Self {
        let mut union = Self::default();
        let mut builder = SpanBuilder::default();
        let mut lefts = bucket_indexes(left).peekable();
        let mut rights = bucket_indexes(right).peekable();
        loop {
            let index = match (lefts.peek(), rights.peek()) {
                (Some(left), Some(right)) => *left.min(right),
                (Some(only), None) | (None, Some(only)) => *only,
                (None, None) => break,
            };
            if lefts.next_if_eq(&index).is_some() {
                union.left.push(union.len);
            }
            if rights.next_if_eq(&index).is_some() {
                union.right.push(union.len);
            }
            builder.push(index);
            union.len += 1;
        }
        union.spans = builder.spans;
        union
    }

    /// Whether the right layout has buckets that the left one has not.
    pub fn left_is_short(&self) -> bool {
        self.left.len() < self.len
    }

    /// Whether the left layout has buckets that the right one has not.
    pub fn right_is_short(&self) -> bool {
        self.right.len() < self.len
    }
}

// === impl SpanBuilder ===

impl SpanBuilder {
    pub(super) fn push(&mut self, index: i64) {
        match self.spans.last_mut() {
            Some(last) if index == self.end => last.length += 1,
            _ => self.spans.push(Span { offset: (index - self.end) as i32, length: 1 }),
        }
        self.end = index + 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn spans(list: &[(i32, u32)]) -> Vec<Span> {
        list.iter().map(|(offset, length)| Span { offset: *offset, length: *length }).collect()
    }

    #[test]
    fn indexes_follow_from_gaps() {
        let check = |list: &[(i32, u32)], want: &[i64]| {
            assert_eq!(bucket_indexes(&spans(list)).collect::<Vec<_>>(), want);
        };
        check(&[], &[]);
        check(&[(0, 1)], &[0]);
        check(&[(0, 2), (1, 1)], &[0, 1, 3]);
        check(&[(-3, 2), (0, 1), (4, 0), (1, 1)], &[-3, -2, -1, 5]);
        check(&[(2, 0), (3, 2)], &[5, 6]);
    }

    #[test]
    fn counts_do_not_wrap() {
        assert_eq!(bucket_count(&spans(&[(0, 2), (1, 3)])), 5);
        assert_eq!(bucket_count(&spans(&[(0, u32::MAX); 3])), 3 * u32::MAX as usize);
    }

    #[test]
    fn a_union_knows_where_each_bucket_goes() {
        let left = spans(&[(0, 2), (2, 1), (3, 2), (3, 1), (1, 1)]);
        let right = spans(&[(1, 2), (1, 1), (1, 2), (1, 1), (4, 1)]);
        let union = SpanUnion::of(&left, &right);
        assert_eq!(union.spans, spans(&[(0, 3), (1, 1), (1, 4), (3, 3)]));
        assert_eq!(union.left, [0, 1, 3, 6, 7, 8, 10]);
        assert_eq!(union.right, [1, 2, 3, 4, 5, 7, 9]);
        assert!(union.left_is_short() && union.right_is_short());
        let wider = SpanUnion::of(&left, &union.spans);
        assert!(wider.left_is_short() && !wider.right_is_short());
    }

    #[test]
    fn the_shortest_form_joins_neighbours() {
        assert_eq!(
            shortest_spans(&spans(&[(1, 0), (2, 1), (0, 2), (0, 0), (5, 1)])),
            spans(&[(3, 3), (5, 1)])
        );
    }

    proptest! {
        #[test]
        fn a_union_is_what_sets_say(
            left in prop::collection::btree_set(-40i64..40, 0..30),
            right in prop::collection::btree_set(-40i64..40, 0..30),
        ) {
            let build = |indexes: &std::collections::BTreeSet<i64>| {
                let mut builder = SpanBuilder::default();
                indexes.iter().for_each(|index| builder.push(*index));
                builder.spans
            };
            let union = SpanUnion::of(&build(&left), &build(&right));
            let all: Vec<i64> = left.union(&right).copied().collect();
            prop_assert_eq!(bucket_indexes(&union.spans).collect::<Vec<_>>(), all.clone());
            prop_assert_eq!(union.len, all.len());
            let picked = |positions: &[usize]| positions.iter().map(|at| all[*at]).collect::<Vec<_>>();
            prop_assert_eq!(picked(&union.left), left.into_iter().collect::<Vec<_>>());
            prop_assert_eq!(picked(&union.right), right.into_iter().collect::<Vec<_>>());
        }
    }
}
