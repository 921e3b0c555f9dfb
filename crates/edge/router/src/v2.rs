//! The words of rule syntax v2: several values a matcher, and `{name:pattern}` in hosts and paths.

use go_regex::Regex;

use crate::{
    Call, RuleError,
    matcher::{self, HostPattern, Matcher},
    parser::Argument,
};

/// A version 2 matcher.
pub(crate) fn compile_v2(call: &Call) -> Result<Matcher, RuleError> {
    match call.name.to_ascii_lowercase().as_str() {
        "host" | "hostheader" => any(call, |argument| HostPattern::parse(argument).map(Matcher::Host)),
        "hostregexp" => {
            any(call, |argument| template(argument, "[^.]+", End::Anchored).map(Matcher::HostRegexp))
        }
        "path" => any(call, |argument| path(argument, End::Anchored, Matcher::Path)),
        "pathprefix" => any(call, |argument| path(argument, End::Open, Matcher::PathPrefix)),
        "method" => any(call, |argument| matcher::method(argument).map(Matcher::Method)),
        "clientip" => any(call, |argument| matcher::range(argument).map(Matcher::ClientIp)),
        "query" => any(call, |argument| {
            let (key, value) = argument.text.split_once('=').unwrap_or((&argument.text, ""));
            Ok(Matcher::Query(key.into(), value.into()))
        }),
        "headers" => pairs(call, |name, value| {
            Ok(Matcher::Header(matcher::header_name(name)?, value.text.as_str().into()))
        }),
        "headersregexp" => pairs(call, |name, value| {
            Ok(Matcher::HeaderRegexp(matcher::header_name(name)?, matcher::regex(value)?))
        }),
        _ => Err(matcher::unknown(call)),
    }
}

fn any(call: &Call, compile: impl Fn(&Argument) -> Result<Matcher, RuleError>) -> Result<Matcher, RuleError> {
    if call.arguments.is_empty() {
        return Err(matcher::count(call, "at least 1 argument"));
    }
    let mut parts = call.arguments.iter().map(compile).collect::<Result<Vec<_>, _>>()?;
    Ok(if parts.len() == 1 { parts.remove(0) } else { Matcher::Any(parts) })
}

fn pairs(
    call: &Call,
    compile: impl Fn(&Argument, &Argument) -> Result<Matcher, RuleError>,
) -> Result<Matcher, RuleError> {
    match call.arguments.as_slice() {
        [name, value] => compile(name, value),
        _ => Err(matcher::count(call, "2 arguments")),
    }
}

fn path(argument: &Argument, end: End, plain: fn(Box<str>) -> Matcher) -> Result<Matcher, RuleError> {
    let text = matcher::absolute(argument)?;
    if !text.contains('{') {
        return Ok(plain(text));
    }
    template(argument, "[^/]+", end).map(Matcher::PathRegexp)
}

#[derive(Clone, Copy, PartialEq)]
enum End {
    Anchored,
    Open,
}

/// `api.{sub:[a-z]+}.example.com` as a pattern: text stands for itself, `{name}` for `default`, `{name:pattern}` for the pattern.
fn template(argument: &Argument, default: &str, end: End) -> Result<Regex, RuleError> {
    let unbalanced =
        || RuleError::new(argument.span.clone(), format!("unbalanced braces in {:?}", argument.text));
    let mut pattern = String::from("^");
    let mut rest = argument.text.as_str();
    while let Some(open) = rest.find(['{', '}']) {
        push_literal(&rest[..open], &mut pattern);
        if rest[open..].starts_with('}') {
            return Err(unbalanced());
        }
        let inside = &rest[open + 1..];
        let close = matching_brace(inside).ok_or_else(unbalanced)?;
        let piece = inside[..close].split_once(':').map_or(default, |(_, piece)| piece);
        pattern.push_str(&format!("(?:{piece})"));
        rest = &inside[close + 1..];
    }
    push_literal(rest, &mut pattern);
    if end == End::Anchored {
        pattern.push('$');
    }
    Regex::new(&pattern).map_err(|error| RuleError::new(argument.span.clone(), error.to_string()))
}

/// Where the brace closes that was opened before `text`; patterns have braces of their own (`[a-z]{2}`).
fn matching_brace(text: &str) -> Option<usize> {
    let mut open = 0usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' => open += 1,
            '}' if open == 0 => return Some(at),
            '}' => open -= 1,
            _ => {}
        }
    }
    None
}

fn push_literal(text: &str, pattern: &mut String) {
    for c in text.chars() {
        if r"\.+*?()|[]{}^$".contains(c) {
            pattern.push('\\');
        }
        pattern.push(c);
    }
}
