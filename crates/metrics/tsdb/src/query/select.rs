//! From matchers to series: set operations on postings, cheapest first.

use go_regex::Literals;
use model::{MatchOp, Matcher};

/// Below this share of all series it is cheaper to look at each candidate's label than to unite the lists of a label's values.
const CANDIDATE_SHARE: usize = 16;

/// An index that finds series by single labels. Series are numbers in the order of the index.
pub(crate) trait PostingsSource {
    /// Names a list of series.
    type List<'a>: Copy
    where
        Self: 'a;
    /// What can go wrong.
    type Error;

    /// All series.
    fn all(&self) -> Result<Vec<u32>, Self::Error>;

    /// About how many series there are.
    fn series_count(&self) -> usize;

    /// The list of the series with a label.
    fn find(&self, name: &str, value: &str) -> Result<Option<Self::List<'_>>, Self::Error>;

    /// Shows each value of a label with its list, in any order.
    fn values<'a>(
        &'a self,
        name: &str,
        visit: &mut dyn FnMut(&str, Self::List<'a>),
    ) -> Result<(), Self::Error>;

    /// Appends the series of a list, ascending.
    fn read(&self, list: Self::List<'_>, out: &mut Vec<u32>) -> Result<(), Self::Error>;

    /// Shows the value of a series' label, empty where it has none.
    fn with_value(&self, series: u32, name: &str, visit: &mut dyn FnMut(&str)) -> Result<(), Self::Error>;
}

/// The series that satisfy all matchers, ascending; all series where there is no matcher.
pub(crate) fn matching<S: PostingsSource>(source: &S, matchers: &[Matcher]) -> Result<Vec<u32>, S::Error> {
    let mut rest: Vec<&Matcher> = Vec::new();
    let mut candidates: Option<Vec<u32>> = None;
    // First what names its values: that needs no walk over a label's values and cuts most.
    for matcher in matchers.iter().filter(|matcher| !matches_all(matcher)) {
        let Some(values) = named_values(matcher).filter(|_| !matcher.is_negative()) else {
            rest.push(matcher);
            continue;
        };
        if values.contains(&"") {
            rest.push(matcher);
            continue;
        }
        let list = union_of(source, matcher.name(), &values)?;
        let left = match candidates {
            Some(before) => intersect(&before, &list),
            None => list,
        };
        if left.is_empty() {
            return Ok(left);
        }
        candidates = Some(left);
    }
    for matcher in rest.iter().filter(|matcher| !matcher.matches_empty()) {
        candidates = Some(narrow(source, matcher, candidates)?);
    }
    for matcher in rest.iter().filter(|matcher| matcher.matches_empty()) {
        candidates = Some(narrow(source, matcher, candidates)?);
    }
    candidates.map_or_else(|| source.all(), Ok)
}

/// The series that satisfy one of the selectors, ascending.
pub(crate) fn matching_any<S: PostingsSource>(
    source: &S,
    selectors: &[Vec<Matcher>],
) -> Result<Vec<u32>, S::Error> {
    let mut all = Vec::new();
    for selector in selectors {
        all.extend(matching(source, selector)?);
    }
    all.sort();
    all.dedup();
    Ok(all)
}

/// Whether every label satisfies the matcher, also an absent one.
fn matches_all(matcher: &Matcher) -> bool {
    matcher.op() == MatchOp::Regex
        && matcher
            .regex()
            .is_some_and(|regex| matches!(regex.literals(), Literals::Prefix(prefix) if prefix.is_empty()))
}

/// The only values that the matcher's right side stands for, if they can be listed.
fn named_values(matcher: &Matcher) -> Option<Vec<&str>> {
    match matcher.regex() {
        None => Some(vec![matcher.value()]),
        Some(regex) => match regex.literals() {
            Literals::Literal(text) => Some(vec![text.as_str()]),
            Literals::Set(texts) => Some(texts.iter().map(String::as_str).collect()),
            _ => None,
        },
    }
}

/// The candidates (none: all series) that satisfy the matcher.
fn narrow<S: PostingsSource>(
    source: &S,
    matcher: &Matcher,
    candidates: Option<Vec<u32>>,
) -> Result<Vec<u32>, S::Error> {
    if let Some(candidates) = &candidates
        && candidates.len() * CANDIDATE_SHARE < source.series_count()
    {
        return check_each(source, matcher, candidates);
    }
    if !matcher.matches_empty() {
        let list = union_where(source, matcher, true)?;
        return Ok(match candidates {
            Some(candidates) => intersect(&candidates, &list),
            None => list,
        });
    }
    // An absent label satisfies it too: take away those whose value does not.
    let excluded = match named_values(matcher) {
        Some(values) if matcher.is_negative() => union_of(source, matcher.name(), &values)?,
        _ => union_where(source, matcher, false)?,
    };
    let candidates = match candidates {
        Some(candidates) => candidates,
        None => source.all()?,
    };
    Ok(subtract(candidates, &excluded))
}

fn check_each<S: PostingsSource>(
    source: &S,
    matcher: &Matcher,
    candidates: &[u32],
) -> Result<Vec<u32>, S::Error> {
    let mut kept = Vec::new();
    for series in candidates {
        source.with_value(*series, matcher.name(), &mut |value| {
            if matcher.matches(value) {
                kept.push(*series);
            }
        })?;
    }
    Ok(kept)
}

/// The series with one of the listed values.
fn union_of<S: PostingsSource>(source: &S, name: &str, values: &[&str]) -> Result<Vec<u32>, S::Error> {
    let mut lists = Vec::with_capacity(values.len());
    for value in values {
        lists.extend(source.find(name, value)?);
    }
    unite(source, &lists)
}

/// The series whose value of the matcher's label satisfies it, or does not, as `satisfied` says.
fn union_where<S: PostingsSource>(
    source: &S,
    matcher: &Matcher,
    satisfied: bool,
) -> Result<Vec<u32>, S::Error> {
    let mut lists = Vec::new();
    source.values(matcher.name(), &mut |value, list| {
        if matcher.matches(value) == satisfied {
            lists.push(list);
        }
    })?;
    unite(source, &lists)
}

/// Lists of one label's values never share a series.
fn unite<S: PostingsSource>(source: &S, lists: &[S::List<'_>]) -> Result<Vec<u32>, S::Error> {
    let mut all = Vec::new();
    for list in lists {
        source.read(*list, &mut all)?;
    }
    if lists.len() > 1 {
        // The stable sort finds the sorted runs and merges them.
        all.sort();
        all.dedup();
    }
    Ok(all)
}

/// What is in both, by galloping through the longer one.
fn intersect(a: &[u32], b: &[u32]) -> Vec<u32> {
    let (short, mut long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let mut both = Vec::with_capacity(short.len());
    for series in short {
        long = gallop(long, *series);
        match long.first() {
            Some(found) if found == series => both.push(*series),
            Some(_) => {}
            None => break,
        }
    }
    both
}

fn subtract(mut from: Vec<u32>, mut excluded: &[u32]) -> Vec<u32> {
    from.retain(|series| {
        excluded = gallop(excluded, *series);
        excluded.first() != Some(series)
    });
    from
}

/// `list` from its first element that is not below `target`.
fn gallop(list: &[u32], target: u32) -> &[u32] {
    let mut step = 1;
    while list.get(step).is_some_and(|at| *at < target) {
        step *= 2;
    }
    let (near, _) = list.split_at(list.len().min(step + 1));
    let skip = near.partition_point(|at| *at < target);
    list.get(skip..).unwrap_or_default()
}
