//! Finds a field in a logfmt line without making anything of the rest.

/// The value of the field that comes first in `names`, whatever their order in the line. Names compare in any case.
pub(super) fn first_of<'a>(line: &'a str, names: &[String]) -> Option<&'a str> {
    let mut best: Option<(usize, &str)> = None;
    for (key, value) in (Pairs { rest: line }) {
        let limit = best.map_or(names.len(), |(at, _)| at);
        if let Some(at) = names[..limit].iter().position(|name| name.eq_ignore_ascii_case(key)) {
            best = Some((at, value));
            if at == 0 {
                break;
            }
        }
    }
    best.map(|(_, value)| value)
}

/// The pairs of a line. A broken pair ends them. Quotes are taken off values, escapes stay.
struct Pairs<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let is_space = |byte: u8| byte <= b' ';
        let start = self.rest.bytes().position(|byte| !is_space(byte))?;
        let rest = &self.rest[start..];
        let end = rest.bytes().position(|byte| is_space(byte) || byte == b'=').unwrap_or(rest.len());
        let (key, rest) = rest.split_at(end);
        if key.is_empty() || key.contains('"') {
            return None;
        }
        let Some(rest) = rest.strip_prefix('=') else {
            self.rest = rest;
            return Some((key, ""));
        };
        if let Some(quoted) = rest.strip_prefix('"') {
            let end = closing_quote(quoted)?;
            self.rest = &quoted[end + 1..];
            return Some((key, &quoted[..end]));
        }
        let end = rest.bytes().position(is_space).unwrap_or(rest.len());
        let (value, rest) = rest.split_at(end);
        self.rest = rest;
        Some((key, value))
    }
}

fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(at),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::first_of;

    #[test]
    fn finds_the_first_name() {
        let names = ["level".to_owned(), "severity".to_owned()];
        let check = |line: &str, want: Option<&str>| assert_eq!(first_of(line, &names), want, "{line}");
        check("a=1 level=info", Some("info"));
        check("severity=x LEVEL=y", Some("y"));
        check("msg=\"level=no \\\" x\" severity=\"a b\"", Some("a b"));
        check("flag level", Some(""));
        check("a=\"open level=x", None);
        check("=x level=y", None);
        check("", None);
    }
}
