//! How well names fit what is searched for, from 0 to 1. Source: the behaviour of Prometheus' search API.

/// How close to the text a name has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    /// The text's characters are in the name, in their order.
    Subsequence,
    /// The text is in the name, or is like it by Jaro and Winkler.
    JaroWinkler,
}

/// What is searched for.
#[derive(Debug)]
pub(super) struct Filter {
    terms: Vec<Vec<char>>,
    algorithm: Algorithm,
    /// The least score that is found, but for what the text is a part of.
    threshold: f64,
    fold_case: bool,
}

/// Scores of names that are like the text and not the same are below 1.
const NOT_EXACT: f64 = 0.999;

impl Filter {
    /// Terms that are empty search for nothing; without any, everything is found.
    pub fn new<'a>(
        terms: impl Iterator<Item = &'a str>,
        algorithm: Algorithm,
        percent: u8,
        fold_case: bool,
    ) -> Self {
        let terms = terms.filter(|term| !term.is_empty());
        Self {
            terms: terms.map(|term| characters(term, fold_case)).collect(),
            algorithm,
            threshold: f64::from(percent) / 100.0,
            fold_case,
        }
    }

    /// The best score of all terms; `None` where none fits.
    pub fn score(&self, name: &str) -> Option<f64> {
        if self.terms.is_empty() {
            return Some(1.0);
        }
        let name = characters(name, self.fold_case);
        let scores = self.terms.iter().filter_map(|term| self.score_of(term, &name));
        scores.max_by(f64::total_cmp)
    }

    fn score_of(&self, term: &[char], name: &[char]) -> Option<f64> {
        if name.starts_with(term) {
            return Some(1.0);
        }
        match self.algorithm {
            Algorithm::Subsequence => {
                let score = subsequence(term, name);
                (score > 0.0 && score >= self.threshold).then_some(score)
            }
            Algorithm::JaroWinkler => substring(term, name).or_else(|| {
                // Without a threshold only what the text is a part of.
                let score = if self.threshold > 0.0 { jaro_winkler(term, name) } else { return None };
                (score >= self.threshold).then_some(score)
            }),
        }
    }
}

fn characters(text: &str, fold_case: bool) -> Vec<char> {
    if fold_case { text.to_lowercase().chars().collect() } else { text.chars().collect() }
}

/// From 1 at the beginning down to 0.1 at the end.
fn substring(term: &[char], name: &[char]) -> Option<f64> {
    let at = name.windows(term.len()).position(|window| window == term)?;
    let last = name.len() - term.len();
    Some(if last == 0 { 1.0 } else { 1.0 - 0.9 * at as f64 / last as f64 })
}

/// The squares of the runs' lengths, less what lies between them; 0 where the characters are not there in this order. Each place of the
/// first character is tried, and from there the next one is taken always.
fn subsequence(term: &[char], name: &[char]) -> f64 {
    if term.len() > name.len() {
        return 0.0;
    }
    let mut best = -1.0;
    for start in (0..=name.len() - term.len()).filter(|at| name[*at] == term[0]) {
        // What does not fit from here fits from nowhere behind it.
        let Some(score) = subsequence_from(start, term, name) else { break };
        best = f64::max(best, score);
    }
    if best < 0.0 { 0.0 } else { best / (term.len() * term.len()) as f64 * NOT_EXACT }
}

fn subsequence_from(start: usize, term: &[char], name: &[char]) -> Option<f64> {
    let per_character = 1.0 / name.len() as f64;
    let (mut score, mut at, mut taken, mut behind) = (0.0, start, 0, 0);
    while taken < term.len() {
        let from = at + name[at..].iter().position(|character| *character == term[taken])?;
        let run = name[from..].iter().zip(&term[taken..]).take_while(|(have, want)| have == want).count();
        score += (run * run) as f64 - (from - behind) as f64 * per_character;
        taken += run;
        at = from + run;
        behind = at;
    }
    Some(score - (name.len() - behind) as f64 * per_character * 0.5)
}

fn jaro_winkler(term: &[char], name: &[char]) -> f64 {
    let (short, long) = if term.len() <= name.len() { (term, name) } else { (name, term) };
    if short.is_empty() {
        return 0.0;
    }
    let reach = (long.len() / 2).saturating_sub(1);
    let mut taken = vec![false; long.len()];
    let mut matched = Vec::with_capacity(short.len());
    for (at, character) in short.iter().enumerate() {
        let near = at.saturating_sub(reach)..(at + reach + 1).min(long.len());
        if let Some(found) = near.into_iter().find(|other| !taken[*other] && long[*other] == *character) {
            taken[found] = true;
            matched.push(*character);
        }
    }
    if matched.is_empty() {
        return 0.0;
    }
    let in_order = long.iter().zip(&taken).filter(|(_, taken)| **taken).map(|(character, _)| character);
    let moved = matched.iter().zip(in_order).filter(|(one, other)| one != other).count() as f64;
    let matches = matched.len() as f64;
    let jaro =
        (matches / short.len() as f64 + matches / long.len() as f64 + (matches - moved * 0.5) / matches)
            / 3.0;
    let prefix = short.iter().zip(long).take(4).take_while(|(one, other)| one == other).count();
    jaro + prefix as f64 * 0.1 * (1.0 - jaro)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(term: &str, name: &str, algorithm: Algorithm, percent: u8) -> Option<String> {
        let filter = Filter::new([term].into_iter(), algorithm, percent, false);
        filter.score(name).map(|score| format!("{score:.4}"))
    }

    #[test]
    fn subsequences() {
        let check = |term: &str, name: &str, want: Option<&str>| {
            assert_eq!(score(term, name, Algorithm::Subsequence, 0).as_deref(), want, "{term} in {name}");
        };
        check("http", "http_requests", Some("1.0000"));
        check("up", "up", Some("1.0000"));
        check("x", "http", None);
        check("ph", "http", None);
        // A run of three behind one other character: (9 - 1/4) / 9.
        check("ttp", "http", Some("0.9712"));
        // Two runs of one, one between them and one behind: (2 - 1/5 - 1/5 - 1/10) / 4.
        check("bd", "abcde", Some("0.3746"));
        check("üx", "aüx", Some("0.9157"));
    }

    #[test]
    fn likeness() {
        let check = |term: &str, name: &str, percent: u8, want: Option<&str>| {
            assert_eq!(score(term, name, Algorithm::JaroWinkler, percent).as_deref(), want, "{term}, {name}");
        };
        check("requests", "http_requests", 0, Some("0.1000"));
        check("martha", "marhta", 0, None);
        check("martha", "marhta", 90, Some("0.9611"));
        check("dixon", "dicksonx", 80, Some("0.8133"));
        check("dixon", "dicksonx", 90, None);
        check("abc", "xyz", 1, None);
    }

    #[test]
    fn terms_are_alternatives() {
        let filter = Filter::new(["", "UP", "mem"].into_iter(), Algorithm::Subsequence, 50, true);
        assert_eq!(
            (filter.score("up"), filter.score("Memory"), filter.score("cpu")),
            (Some(1.0), Some(1.0), None)
        );
        assert_eq!(Filter::new([""].into_iter(), Algorithm::Subsequence, 50, true).score("x"), Some(1.0));
    }
}
