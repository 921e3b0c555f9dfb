//! Doublestar globs: `*`, `?`, `[a-z]`, `{a,b}`, and `**` for any number of folders.
//!
//! Source: the pattern language that Promtail's `__path__` documents (`bmatcuk/doublestar`).

/// Alternatives one pattern may expand to.
const MAX_ALTERNATIVES: usize = 256;
/// Longest pattern, in bytes.
const MAX_LENGTH: usize = 4096;

/// A compiled pattern for absolute or relative paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    /// One list of path components for each alternative of the braces.
    alternatives: Vec<Vec<Component>>,
}

/// One part of a path, between slashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Component {
    /// A name without wildcards.
    Literal(String),
    /// `**`
    AnyFolders,
    /// A name with wildcards.
    Wild(Vec<Token>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    Char(char),
    /// `?`
    AnyChar,
    /// `*`
    AnyText,
    /// `[a-z]`, `[!a]`
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

/// A pattern does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// `[` without `]`, or an empty class.
    #[error("character class in `{0}` is not closed or empty")]
    Class(String),
    /// `{` without `}`.
    #[error("braces in `{0}` are not closed")]
    Braces(String),
    /// Longer or with more alternatives than anybody writes.
    #[error("pattern is too large: at most {MAX_LENGTH} bytes and {MAX_ALTERNATIVES} alternatives")]
    TooLarge,
}

impl Pattern {
    /// Compiles a pattern.
    pub fn new(text: &str) -> Result<Self, PatternError> {
        if text.len() > MAX_LENGTH {
            return Err(PatternError::TooLarge);
        }
        let mut expanded = Vec::new();
        expand_braces(text, text, &mut expanded)?;
        let alternatives =
            expanded.iter().map(|alternative| components(alternative)).collect::<Result<_, _>>()?;
        Ok(Self { text: text.to_owned(), alternatives })
    }

    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether a path fits.
    pub fn matches(&self, path: &str) -> bool {
        let names: Vec<&str> = split(path).collect();
        let absolute = path.starts_with('/') == self.text.starts_with('/');
        absolute && self.alternatives.iter().any(|components| match_components(components, &names))
    }

    pub(crate) fn alternatives(&self) -> &[Vec<Component>] {
        &self.alternatives
    }
}

fn split(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !part.is_empty() && *part != ".")
}

/// Writes out `{a,b}`; nested braces too. A backslash takes the next character as it is.
fn expand_braces(text: &str, whole: &str, out: &mut Vec<String>) -> Result<(), PatternError> {
    if out.len() >= MAX_ALTERNATIVES {
        return Err(PatternError::TooLarge);
    }
    let Some(open) = find_unescaped(text, '{') else {
        out.push(text.to_owned());
        return Ok(());
    };
    let inside = &text[open + 1..];
    let mut depth = 0usize;
    let mut parts = vec![0];
    let mut close = None;
    let mut escaped = false;
    for (at, char) in inside.char_indices() {
        if std::mem::take(&mut escaped) {
            continue;
        }
        match char {
            '\\' => escaped = true,
            '{' => depth += 1,
            '}' if depth == 0 => {
                close = Some(at);
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => parts.push(at + 1),
            _ => {}
        }
    }
    let close = close.ok_or_else(|| PatternError::Braces(whole.to_owned()))?;
    parts.push(close + 1);
    for bounds in parts.windows(2) {
        let part = &inside[bounds[0]..bounds[1] - 1];
        let alternative = format!("{}{part}{}", &text[..open], &inside[close + 1..]);
        if alternative.len() > MAX_LENGTH {
            return Err(PatternError::TooLarge);
        }
        expand_braces(&alternative, whole, out)?;
    }
    Ok(())
}

fn find_unescaped(text: &str, wanted: char) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(at, char)| {
        if std::mem::take(&mut escaped) {
            return None;
        }
        escaped = char == '\\';
        (char == wanted).then_some(at)
    })
}

fn components(pattern: &str) -> Result<Vec<Component>, PatternError> {
    let mut components = Vec::new();
    for part in split(pattern) {
        if part == "**" {
            // `**/**` says no more than `**`, and would only multiply the ways to match.
            if components.last() != Some(&Component::AnyFolders) {
                components.push(Component::AnyFolders);
            }
            continue;
        }
        let tokens = tokens(part)?;
        let literal: Option<String> =
            tokens.iter().map(|token| if let Token::Char(c) = token { Some(*c) } else { None }).collect();
        components.push(literal.map_or(Component::Wild(tokens), Component::Literal));
    }
    Ok(components)
}

fn tokens(part: &str) -> Result<Vec<Token>, PatternError> {
    let mut tokens = Vec::new();
    let mut chars = part.chars();
    while let Some(char) = chars.next() {
        tokens.push(match char {
            '*' if tokens.last() == Some(&Token::AnyText) => continue,
            '*' => Token::AnyText,
            '?' => Token::AnyChar,
            '[' => class(&mut chars).ok_or_else(|| PatternError::Class(part.to_owned()))?,
            '\\' => Token::Char(chars.next().unwrap_or('\\')),
            char => Token::Char(char),
        });
    }
    Ok(tokens)
}

fn class(chars: &mut std::str::Chars<'_>) -> Option<Token> {
    let mut ranges = Vec::new();
    let mut negated = false;
    let mut next = chars.next()?;
    if matches!(next, '!' | '^') {
        negated = true;
        next = chars.next()?;
    }
    loop {
        if next == ']' {
            return (!ranges.is_empty()).then_some(Token::Class { negated, ranges });
        }
        let low = if next == '\\' { chars.next()? } else { next };
        let mut rest = chars.clone();
        if rest.next() == Some('-') && rest.clone().next().is_some_and(|end| end != ']') {
            let high = match rest.next()? {
                '\\' => rest.next()?,
                high => high,
            };
            ranges.push((low, high));
            *chars = rest;
        } else {
            ranges.push((low, low));
        }
        next = chars.next()?;
    }
}

fn match_components(components: &[Component], names: &[&str]) -> bool {
    match components {
        [] => names.is_empty(),
        [Component::AnyFolders, rest @ ..] => {
            (0..=names.len()).any(|skipped| match_components(rest, &names[skipped..]))
        }
        [component, rest @ ..] => match names {
            [name, names @ ..] => component.matches(name) && match_components(rest, names),
            [] => false,
        },
    }
}

impl Component {
    /// Whether one name fits.
    pub(crate) fn matches(&self, name: &str) -> bool {
        match self {
            Self::Literal(literal) => literal == name,
            Self::AnyFolders => true,
            Self::Wild(tokens) => match_tokens(tokens, name),
        }
    }
}

/// Wildcard matching with one point to come back to: the last `*`. Linear in practice, quadratic at worst.
fn match_tokens(tokens: &[Token], name: &str) -> bool {
    let (mut at, mut rest) = (0, name.chars());
    let mut retry: Option<(usize, std::str::Chars<'_>)> = None;
    loop {
        if tokens.get(at) == Some(&Token::AnyText) {
            at += 1;
            retry = Some((at, rest.clone()));
            continue;
        }
        let mut ahead = rest.clone();
        let next = ahead.next();
        let fits = match (tokens.get(at), next) {
            (None, None) => return true,
            (Some(token), Some(char)) => token.matches(char),
            _ => false,
        };
        if fits {
            (at, rest) = (at + 1, ahead);
            continue;
        }
        // Let the last `*` take one character more.
        let Some((after_star, from)) = &mut retry else { return false };
        if from.next().is_none() {
            return false;
        }
        (at, rest) = (*after_star, from.clone());
    }
}

impl Token {
    fn matches(&self, char: char) -> bool {
        match self {
            Self::Char(own) => *own == char,
            Self::AnyChar | Self::AnyText => true,
            Self::Class { negated, ranges } => {
                ranges.iter().any(|(low, high)| (*low..=*high).contains(&char)) != *negated
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_paths() {
        let check = |pattern: &str, path: &str, want: bool| {
            let pattern = Pattern::new(pattern).expect(pattern);
            assert_eq!(pattern.matches(path), want, "{} {path}", pattern.as_str());
        };
        check("/var/log/*.log", "/var/log/syslog.log", true);
        check("/var/log/*.log", "/var/log/a/syslog.log", false);
        check("/var/log/**/*.log", "/var/log/x.log", true);
        check("/var/log/**/*.log", "/var/log/a/b/x.log", true);
        check("/var/log/**/*.log", "/var/x.log", false);
        check("/var/log/**", "/var/log/a/b", true);
        check("/var/log/{nginx,apache}/{access,error}.log", "/var/log/apache/error.log", true);
        check("/var/log/{nginx,apache}/{access,error}.log", "/var/log/apache/other.log", false);
        check("/a/{b,{c,d}e}", "/a/de", true);
        check("/a/[a-c]?[!x]", "/a/b1y", true);
        check("/a/[a-c]?[!x]", "/a/b1x", false);
        check("/a/*a*b*c", "/a/xxaxxbxxcxxc", true);
        check("/a/*a*b*c", "/a/xxaxxbxx", false);
        check(r"/a/\*", "/a/*", true);
        check(r"/a/\*", "/a/b", false);
        check("/var/log/pods/*uid/app/*.log", "/var/log/pods/ns_pod_uid/app/0.log", true);
        check("/ü*.log", "/übung.log", true);
    }

    #[test]
    fn mistakes_are_told() {
        assert_eq!(Pattern::new("/a/[b"), Err(PatternError::Class("[b".into())));
        assert_eq!(Pattern::new("/a/{b"), Err(PatternError::Braces("/a/{b".into())));
        let many = format!("/{}", "{a,b}".repeat(20));
        assert_eq!(Pattern::new(&many), Err(PatternError::TooLarge));
    }
}
