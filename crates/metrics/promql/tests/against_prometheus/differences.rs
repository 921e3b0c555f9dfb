//! What changed between Prometheus 2.42 and the version whose language this is.

use super::Answer;

/// Two answers that differ.
pub struct Difference<'a> {
    pub query: &'a str,
    pub ours: &'a Answer,
    pub theirs: &'a Answer,
}

/// What the release notes say, and how to see that this is why answers differ.
type Rule = (&'static str, fn(&Difference<'_>) -> bool);

const RULES: [Rule; 9] = [
    ("2.45.0: faster heap method for topk() and bottomk(): others of equals (#12190)", |difference| {
        difference.has("k(2, ") && difference.has_same_values()
    }),
    ("2.51.0: fix wrongly scoped range vectors with @ modifier (#13559)", |difference| {
        difference.has("@") && (difference.has("predict_linear(") || difference.has("quantile_over_time("))
    }),
    ("2.51.0: constrain extrapolation in rate() to half of sample interval (#13725)", |difference| {
        (difference.has("rate(") || difference.has("increase(")) && difference.is_within(0.1)
    }),
    ("3.0.0: stddev and stdvar treat infinity consistently (#14941)", |difference| {
        difference.has("stddev") || difference.has("stdvar")
    }),
    ("3.1.0: make subqueries left open (#15431)", |difference| {
        // The steps of one lie on the borders of another.
        difference.query.matches('[').count() > 1 && difference.query.matches(':').count() > 1
    }),
    ("3.3.0: allow UTF-8 labels in label_replace() (#15974)", |difference| {
        difference.has("~invalid") && matches!(difference.theirs, Answer::Error(_))
    }),
    (
        "3.9.0: check more consistently for many-to-one matching in filter binary operators (#17668)",
        |difference| matches!(difference.ours, Answer::Error(text) if text.contains("multiple matches for labels")),
    ),
    (
        "3.10.0: fix panic with @ modifier on empty ranges: there is nothing to evaluate (#18020)",
        |difference| {
            matches!(difference.theirs, Answer::Error(text) if text.contains("same labelset"))
                && difference.has(":")
        },
    ),
    ("what Go takes for the date of NaN depends on the processor", |difference| {
        ["day_of_month(", "days_in_month(", "hour(", "minute(", "month(", "year("]
            .iter()
            .any(|function| difference.has(function))
    }),
];

/// The release note that explains a difference, if one does.
pub fn known(difference: &Difference<'_>) -> Option<&'static str> {
    RULES.iter().find(|(_, explains)| explains(difference)).map(|(note, _)| *note)
}

impl Difference<'_> {
    fn has(&self, text: &str) -> bool {
        self.query.contains(text)
    }

    /// Whether both have the same values at each time, be it in other series.
    fn has_same_values(&self) -> bool {
        let values = |answer: &Answer| {
            let Answer::Series(series) = answer else { return None };
            let mut samples: Vec<(i64, f64)> = series.values().flatten().copied().collect();
            samples.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
            Some(samples)
        };
        let (Some(ours), Some(theirs)) = (values(self.ours), values(self.theirs)) else { return false };
        let same =
            |(own, other): (&(i64, f64), &(i64, f64))| own.0 == other.0 && super::equal(own.1, other.1);
        ours.len() == theirs.len() && ours.iter().zip(&theirs).all(same)
    }

    /// Whether both have the same series with samples at the same times, whose values differ by no more than this share.
    fn is_within(&self, share: f64) -> bool {
        let (Answer::Series(ours), Answer::Series(theirs)) = (self.ours, self.theirs) else { return false };
        let close = |(own, other): (&(i64, f64), &(i64, f64))| {
            own.0 == other.0 && (own.1 - other.1).abs() <= share * own.1.abs().max(other.1.abs())
        };
        ours.len() == theirs.len()
            && ours.iter().zip(theirs).all(|((own_labels, own), (labels, other))| {
                own_labels == labels && own.len() == other.len() && own.iter().zip(other).all(close)
            })
    }
}
