//! `$__interval` and its kin in a query's text.

/// The values of the built-in variables.
#[derive(Debug, Clone)]
pub(super) struct Variables {
    pub interval_ms: i64,
    pub rate_interval_ms: i64,
    pub range_ms: i64,
    /// How `$__rate_interval` is printed: Prometheus gets Go's form, Loki the short one.
    pub rate_interval: String,
    /// `$__auto`, which only Loki has.
    pub auto: Option<String>,
}

impl Variables {
    fn value(&self, name: &str) -> Option<String> {
        Some(match name {
            "__interval" => super::interval::format(self.interval_ms),
            "__interval_ms" => self.interval_ms.to_string(),
            "__rate_interval" => self.rate_interval.clone(),
            "__rate_interval_ms" => self.rate_interval_ms.to_string(),
            "__range" => format!("{}s", self.range_seconds()),
            "__range_s" => self.range_seconds().to_string(),
            "__range_ms" => self.range_ms.to_string(),
            "__auto" => self.auto.clone()?,
            _ => return None,
        })
    }

    fn range_seconds(&self) -> i64 {
        (self.range_ms + 500) / 1000
    }

    /// Replaces `$name` and `${name}`; other dollar signs stay.
    pub(super) fn fill(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            out.push_str(before);
            let (name, tail) = match after.strip_prefix('{').and_then(|inside| inside.split_once('}')) {
                Some(braced) => braced,
                None => {
                    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
                    after.split_at(after.find(|c| !is_name(c)).unwrap_or(after.len()))
                }
            };
            match self.value(name) {
                Some(value) => {
                    out.push_str(&value);
                    rest = tail;
                }
                None => {
                    out.push('$');
                    rest = after;
                }
            }
        }
        out + rest
    }
}
