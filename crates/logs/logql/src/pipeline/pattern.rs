//! Patterns: `<ip> - <_> "<method> <_>"`, literal text with named and nameless gaps.

use memchr::memmem::Finder;

/// A pattern, as a parser or a filter uses it.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    parts: Vec<Part>,
}

#[derive(Debug, Clone)]
enum Part {
    Literal(Box<Finder<'static>>),
    /// A gap; `None` is `<_>`.
    Gap(Option<String>),
}

impl Pattern {
    /// A pattern for the parser: it names at least one gap, and none twice.
    pub fn parser(text: &str) -> Result<Self, String> {
        let pattern = Self::read(text);
        let names: Vec<&str> = pattern.names().collect();
        if names.is_empty() {
            return Err("at least one capture is required".to_owned());
        }
        pattern.check_gaps()?;
        for (i, name) in names.iter().enumerate() {
            if names[..i].contains(name) {
                return Err(format!("duplicate capture name ({name}): invalid expression"));
            }
        }
        Ok(pattern)
    }

    /// A pattern for a line filter: its gaps have no names.
    pub fn filter(text: &str) -> Result<Self, String> {
        let pattern = Self::read(text);
        pattern.check_gaps()?;
        if let Some(name) = pattern.names().next() {
            return Err(format!("named captures are not allowed: found '<{name}>'"));
        }
        Ok(pattern)
    }

    fn check_gaps(&self) -> Result<(), String> {
        for pair in self.parts.windows(2) {
            if let [Part::Gap(first), Part::Gap(second)] = pair {
                let name = |gap: &Option<String>| gap.clone().unwrap_or_else(|| "_".to_owned());
                return Err(format!(
                    "found consecutive capture '<{}><{}>': invalid expression",
                    name(first),
                    name(second)
                ));
            }
        }
        Ok(())
    }

    fn read(text: &str) -> Self {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if let Some((name, after)) = gap(rest) {
                if !literal.is_empty() {
                    parts.push(Part::literal(&std::mem::take(&mut literal)));
                }
                parts.push(Part::Gap((name != "_").then(|| name.to_owned())));
                rest = after;
            } else {
                literal.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
        if !literal.is_empty() {
            parts.push(Part::literal(&literal));
        }
        Self { parts }
    }

    /// The names of the gaps in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Gap(name) => name.as_deref(),
            Part::Literal(_) => None,
        })
    }

    /// Calls `found` with name and text of each gap, up to the first literal that is missing: the gap before it takes the rest.
    pub fn captures<'a>(&'a self, line: &'a str, mut found: impl FnMut(&'a str, &'a str)) {
        let mut parts = self.parts.as_slice();
        let mut rest = line;
        if line.is_empty() {
            return;
        }
        if let [Part::Literal(literal), after @ ..] = parts {
            match rest.as_bytes().strip_prefix(literal.needle()) {
                Some(_) => rest = &rest[literal.needle().len()..],
                None => return,
            }
            parts = after;
        }
        while let [Part::Gap(name), after @ ..] = parts {
            let literal = match after.first() {
                Some(Part::Literal(literal)) => Some(literal),
                _ => None,
            };
            let end = literal.and_then(|literal| literal.find(rest.as_bytes()));
            if let Some(name) = name {
                found(name, &rest[..end.unwrap_or(rest.len())]);
            }
            let (Some(literal), Some(end)) = (literal, end) else {
                return;
            };
            rest = &rest[end + literal.needle().len()..];
            parts = &after[1..];
        }
    }

    /// Whether the whole line fits: each gap stands for at least one character.
    pub fn matches(&self, line: &[u8]) -> bool {
        if line.is_empty() || self.parts.is_empty() {
            return line.is_empty() && self.parts.is_empty();
        }
        let mut at = 0;
        for (i, part) in self.parts.iter().enumerate() {
            let Part::Literal(literal) = part else {
                continue;
            };
            match literal.find(&line[at..]) {
                None => return false,
                Some(0) if i != 0 => return false,
                Some(found) => at += found + literal.needle().len(),
            }
        }
        let ends_in_gap = matches!(self.parts.last(), Some(Part::Gap(_)));
        ends_in_gap == (at != line.len())
    }
}

impl Part {
    fn literal(text: &str) -> Self {
        Self::Literal(Box::new(Finder::new(text).into_owned()))
    }
}

/// A gap at the start of the text: its name and what follows.
fn gap(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix('<')?;
    let end = inner.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))?;
    let after = inner[end..].strip_prefix('>')?;
    let name = &inner[..end];
    (!name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit())).then_some((name, after))
}
