//! From matchers to series: set operations on postings, the smallest first, so that what is left is small when the large ones come.
//!
//! 1. Matchers that name their values (`=`, `=~"a|b"`) are sorted by how many series have those values. The smallest gives the first set,
//!    the others cut it down. One that every series satisfies is left out.
//! 2. Negative matchers that name their values take theirs away.
//! 3. The others, which have to look at all values of a label, come last: at the label's values, or at the label of each series that
//!    is left, whichever is less work.

use go_regex::Literals;
use model::{MatchOp, Matcher};

// What work costs, beside moving on by one number in a list.
/// Comparing a value of a label and noting its list.
const VALUE_COST: usize = 8;
/// Comparing the label of a series: it lies anywhere in memory.
const SERIES_COST: usize = 40;

/// Whether a value begins with a prefix, which is mostly empty: then nothing is compared, not even no bytes, which takes processors with
/// masked loads longer than a few (the empty text lies nowhere).
#[inline]
pub(crate) fn has_prefix(value: &str, prefix: &str) -> bool {
    prefix.is_empty() || value.starts_with(prefix)
}

/// An index that finds series by single labels. Series are numbers in the order of the index.
pub(crate) trait PostingsSource {
    /// Names a list of series. Lists of one label's values never share a series.
    type List<'a>: Copy
    where
        Self: 'a;
    /// What is calculated with.
    type Set: SeriesSet;
    /// What can go wrong.
    type Error;

    /// All series.
    fn all(&self) -> Result<Self::Set, Self::Error>;

    /// How many series there are.
    fn series_count(&self) -> Result<usize, Self::Error>;

    /// How many values a label has.
    fn value_count(&self, name: &str) -> usize;

    /// The list of the series with a label.
    fn find(&self, name: &str, value: &str) -> Result<Option<Self::List<'_>>, Self::Error>;

    /// Shows each value of a label that begins with `prefix`, with its list, in any order.
    fn values<'a>(
        &'a self,
        name: &str,
        prefix: &str,
        visit: &mut dyn FnMut(&str, Self::List<'a>),
    ) -> Result<(), Self::Error>;

    /// How many series a list has.
    fn list_len(&self, list: Self::List<'_>) -> Result<usize, Self::Error>;

    /// The series in any of the lists.
    fn unite(&self, lists: &[Self::List<'_>]) -> Result<Self::Set, Self::Error>;

    /// Keeps the series in any of the lists.
    fn keep(&self, set: &mut Self::Set, lists: &[Self::List<'_>]) -> Result<(), Self::Error>;

    /// Whether any series of the list is in the set.
    fn meets(&self, set: &Self::Set, list: Self::List<'_>) -> Result<bool, Self::Error>;

    /// Removes the series in any of the lists.
    fn remove(&self, set: &mut Self::Set, lists: &[Self::List<'_>]) -> Result<(), Self::Error>;

    /// Keeps the series whose own labels satisfy the matcher.
    fn keep_matching(&self, set: &mut Self::Set, matcher: &Matcher) -> Result<(), Self::Error>;

    /// Shows the values that a label has among some series, each at least once.
    fn values_of(&self, series: &[u32], name: &str, visit: &mut dyn FnMut(&str)) -> Result<(), Self::Error>;
}

/// A set of series.
pub(crate) trait SeriesSet {
    /// How many it has.
    fn count(&self) -> usize;

    /// Its series, ascending.
    fn into_vec(self) -> Vec<u32>;
}

/// The matchers of a selector by how they are dealt with.
struct Plan<'s, 'm, S: PostingsSource> {
    source: &'s S,
    clauses: Vec<Clause<S::List<'s>>>,
    /// Lists that a series must not be in.
    excluded: Vec<S::List<'s>>,
    /// Matchers that need all values of their label, those with few values first.
    scans: Vec<&'m Matcher>,
}

/// Lists of one label; a series must be in one of them.
struct Clause<L> {
    lists: Vec<L>,
    /// Series in all of them.
    size: usize,
}

/// The series that satisfy all matchers, ascending; all series where there is no matcher.
pub(crate) fn matching<S: PostingsSource>(source: &S, matchers: &[Matcher]) -> Result<Vec<u32>, S::Error> {
    Ok(matching_set(source, matchers)?.map(SeriesSet::into_vec).unwrap_or_default())
}

/// The same as a set; none where a matcher names only what no series has.
fn matching_set<S: PostingsSource>(source: &S, matchers: &[Matcher]) -> Result<Option<S::Set>, S::Error> {
    Plan::new(source, matchers)?.map(Plan::run).transpose()
}

/// How many series satisfy all matchers at most, by those that name one value: `usize::MAX` where none does.
pub(crate) fn at_most<S: PostingsSource>(source: &S, matchers: &[Matcher]) -> Result<usize, S::Error> {
    let mut least = usize::MAX;
    for matcher in
        matchers.iter().filter(|matcher| matcher.op() == MatchOp::Equal && !matcher.value().is_empty())
    {
        least = least.min(match source.find(matcher.name(), matcher.value())? {
            Some(list) => source.list_len(list)?,
            None => 0,
        });
    }
    Ok(least)
}

/// Shows the values that a label has among the series that satisfy all matchers, each at least once.
pub(crate) fn matching_values<S: PostingsSource>(
    source: &S,
    matchers: &[Matcher],
    name: &str,
    visit: &mut dyn FnMut(&str),
) -> Result<(), S::Error> {
    let Some(set) = matching_set(source, matchers)? else {
        return Ok(());
    };
    if source.value_count(name).saturating_mul(VALUE_COST) > set.count() {
        return source.values_of(&set.into_vec(), name, visit);
    }
    // Many series and few values: which of their lists meet the set is seen sooner than what each series has.
    let mut outcome = Ok(());
    source.values(name, "", &mut |value, list| match source.meets(&set, list) {
        Ok(true) => visit(value),
        Ok(false) => {}
        Err(error) => outcome = Err(error),
    })?;
    outcome
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

// === impl Plan ===

impl<'s, 'm, S: PostingsSource> Plan<'s, 'm, S> {
    /// None where a matcher names only what no series has.
    fn new(source: &'s S, matchers: &'m [Matcher]) -> Result<Option<Self>, S::Error> {
        let mut plan = Self { source, clauses: Vec::new(), excluded: Vec::new(), scans: Vec::new() };
        for matcher in matchers.iter().filter(|matcher| !matches_all(matcher)) {
            // An absent label has no list.
            let Some(values) = named_values(matcher).filter(|values| !values.contains(&"")) else {
                plan.scans.push(matcher);
                continue;
            };
            let mut lists = Vec::with_capacity(values.len());
            for value in values {
                lists.extend(source.find(matcher.name(), value)?);
            }
            if matcher.is_negative() {
                plan.excluded.extend(lists);
            } else if lists.is_empty() {
                return Ok(None);
            } else {
                plan.add_clause(lists)?;
            }
        }
        plan.scans.sort_by_key(|matcher| source.value_count(matcher.name()));
        if plan.clauses.is_empty() {
            plan.take_clauses_from_scans()?;
        }
        // What as many series satisfy as there are says nothing.
        let all = source.series_count()?;
        plan.clauses.retain(|clause| clause.size != all);
        plan.clauses.sort_by_key(|clause| clause.size);
        Ok(Some(plan))
    }

    /// Something must be the first set: matchers that an absent label does not satisfy. A label with more values than there are series to
    /// look at can wait.
    fn take_clauses_from_scans(&mut self) -> Result<(), S::Error> {
        let mut least = usize::MAX;
        for matcher in std::mem::take(&mut self.scans) {
            if matcher.matches_empty() || self.source.value_count(matcher.name()) > least {
                self.scans.push(matcher);
                continue;
            }
            let size = self.add_clause(lists_where(self.source, matcher, true)?)?;
            least = least.min(size);
        }
        Ok(())
    }

    fn add_clause(&mut self, lists: Vec<S::List<'s>>) -> Result<usize, S::Error> {
        let size = size_of_lists(self.source, &lists)?;
        self.clauses.push(Clause { lists, size });
        Ok(size)
    }

    fn run(self) -> Result<S::Set, S::Error> {
        let Self { source, clauses, excluded, scans } = self;
        let mut clauses = clauses.into_iter();
        let mut found = match clauses.next() {
            Some(smallest) => source.unite(&smallest.lists)?,
            None => source.all()?,
        };
        for clause in clauses {
            if found.count() == 0 {
                break;
            }
            source.keep(&mut found, &clause.lists)?;
        }
        if found.count() > 0 && !excluded.is_empty() {
            source.remove(&mut found, &excluded)?;
        }
        for matcher in scans {
            if found.count() == 0 {
                break;
            }
            narrow(source, matcher, &mut found)?;
        }
        Ok(found)
    }
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
    let mut values = match matcher.regex() {
        None => vec![matcher.value()],
        Some(regex) => match regex.literals() {
            Literals::Literal(text) => vec![text.as_str()],
            Literals::Set(texts) => texts.iter().map(String::as_str).collect(),
            _ => return None,
        },
    };
    values.sort_unstable();
    values.dedup();
    Some(values)
}

/// Keeps the series that satisfy the matcher.
fn narrow<S: PostingsSource>(source: &S, matcher: &Matcher, set: &mut S::Set) -> Result<(), S::Error> {
    let (left, values, all) = (set.count(), source.value_count(matcher.name()), source.series_count()?);
    let steps = left.saturating_mul(values).min(all);
    if left.saturating_mul(SERIES_COST) < values.saturating_mul(VALUE_COST).saturating_add(steps) {
        return source.keep_matching(set, matcher);
    }
    if matcher.matches_empty() {
        // An absent label satisfies it too: take away those whose value does not.
        return source.remove(set, &lists_where(source, matcher, false)?);
    }
    let lists = lists_where(source, matcher, true)?;
    if size_of_lists(source, &lists)? == all { Ok(()) } else { source.keep(set, &lists) }
}

/// How many series are in the lists of a label.
fn size_of_lists<S: PostingsSource>(source: &S, lists: &[S::List<'_>]) -> Result<usize, S::Error> {
    let mut size = 0;
    for list in lists {
        size += source.list_len(*list)?;
    }
    Ok(size)
}

/// The lists of those values of the matcher's label that satisfy it, or do not, as `satisfied` says.
fn lists_where<'s, S: PostingsSource>(
    source: &'s S,
    matcher: &Matcher,
    satisfied: bool,
) -> Result<Vec<S::List<'s>>, S::Error> {
    // Where the values are wanted that the expression describes, they have its prefix.
    let described = satisfied != matcher.is_negative();
    let prefix = matcher.regex().filter(|_| described).map_or("", |regex| regex.required_prefix());
    let mut lists = Vec::new();
    source.values(matcher.name(), prefix, &mut |value, list| {
        if matcher.matches(value) == satisfied {
            lists.push(list);
        }
    })?;
    Ok(lists)
}
