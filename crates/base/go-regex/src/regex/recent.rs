//! Patterns that were compiled lately.
//!
//! Queries and rules come with the same few patterns again and again, and compiling one takes as long as asking it about a thousand texts.

use std::sync::LazyLock;

use quick_cache::sync::Cache;

use super::Regex;

/// How many anchored patterns with an automaton are kept.
const KEPT: usize = 128;
/// The longest of them, in bytes, and the most that its program may take: what is kept stays within some megabytes.
const LONGEST: usize = 1 << 10;
const MOST_PROGRAM_BYTES: usize = 256 << 10;

static RECENT: LazyLock<Cache<Box<str>, Regex>> = LazyLock::new(|| Cache::new(KEPT));

/// The anchored pattern, if it was compiled lately.
pub(super) fn get(pattern: &str) -> Option<Regex> {
    if pattern.len() > LONGEST {
        return None;
    }
    RECENT.get(pattern)
}

/// Keeps an anchored pattern, unless it is large or has no automaton yet: without one it is compiled quickly.
pub(super) fn put(regex: &Regex) {
    let small = |automaton: &regex_automata::meta::Regex| automaton.memory_usage() <= MOST_PROGRAM_BYTES;
    if regex.as_str().len() <= LONGEST && regex.inner.automaton.get().is_some_and(small) {
        RECENT.insert(regex.as_str().into(), regex.clone());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::Regex;

    fn twice(pattern: &str) -> bool {
        let [first, second] = [0; 2].map(|_| Regex::anchored(pattern).unwrap());
        Arc::ptr_eq(&first.inner, &second.inner)
    }

    #[test]
    fn patterns_are_compiled_once_where_that_costs() {
        assert!(twice("recent-([^:]+):.*"));
        assert!(!twice("recent-a|recent-b"), "compared as texts");
        assert!(!twice(&format!("recent-([^:]+):{}", "x".repeat(1 << 10))), "long");
        assert!(!twice(r"recent-\pL{60}([^:]+)"), "large");
    }

    #[test]
    fn patterns_that_may_match_anywhere_are_others() {
        assert!(Regex::anchored("other-([^:]+)x").unwrap().find("other-aaxb").is_none());
        assert!(Regex::new("other-([^:]+)x").unwrap().find("other-aaxb").is_some());
    }
}
