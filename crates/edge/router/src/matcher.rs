//! Compiled matchers, and the version 3 words that make them.

use go_regex::Regex;
use http::{HeaderName, Method};
use url::form_urlencoded;

use crate::{Call, IpRange, RequestView, RuleError, parser::Argument};

/// A condition on a request.
#[derive(Debug)]
pub(crate) enum Matcher {
    All(Vec<Matcher>),
    Any(Vec<Matcher>),
    Not(Box<Matcher>),
    Host(HostPattern),
    HostRegexp(Regex),
    Path(Box<str>),
    PathPrefix(Box<str>),
    PathRegexp(Regex),
    Method(Method),
    Header(HeaderName, Box<str>),
    HeaderRegexp(HeaderName, Regex),
    Query(Box<str>, Box<str>),
    QueryRegexp(Box<str>, Regex),
    ClientIp(IpRange),
}

/// A host, lower case and in its ASCII form.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum HostPattern {
    /// `*`
    Every,
    /// `*.example.com`, kept as `.example.com`: one label before it.
    OneLabelBefore(Box<str>),
    Exact(Box<str>),
}

impl Matcher {
    pub(crate) fn matches(&self, request: &RequestView<'_>) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.matches(request)),
            Self::Any(parts) => parts.iter().any(|part| part.matches(request)),
            Self::Not(inner) => !inner.matches(request),
            Self::Host(pattern) => pattern.matches(request.host),
            Self::HostRegexp(regex) => regex.is_match(request.host),
            Self::Path(path) => **path == *request.path,
            Self::PathPrefix(prefix) => request.path.starts_with(&**prefix),
            Self::PathRegexp(regex) => regex.is_match(request.path),
            Self::Method(method) => method == request.method,
            Self::Header(name, value) => {
                request.headers.get_all(name).iter().any(|found| found.as_bytes() == value.as_bytes())
            }
            Self::HeaderRegexp(name, regex) => {
                request.headers.get_all(name).iter().any(|found| regex.is_match_bytes(found.as_bytes()))
            }
            Self::Query(key, value) => form_urlencoded::parse(request.query.as_bytes())
                .any(|(found_key, found)| *found_key == **key && *found == **value),
            Self::QueryRegexp(key, regex) => form_urlencoded::parse(request.query.as_bytes())
                .any(|(found_key, found)| *found_key == **key && regex.is_match(&found)),
            Self::ClientIp(range) => range.contains(request.client),
        }
    }

    /// The exact hosts of which every matching request has one; `None` if the rule does not bind the host.
    pub(crate) fn required_hosts(&self) -> Option<Vec<&str>> {
        match self {
            Self::Host(HostPattern::Exact(host)) => Some(vec![host]),
            Self::All(parts) => parts.iter().filter_map(Self::required_hosts).min_by_key(|hosts| hosts.len()),
            Self::Any(parts) => {
                let mut hosts = Vec::new();
                for part in parts {
                    hosts.extend(part.required_hosts()?);
                }
                Some(hosts)
            }
            _ => None,
        }
    }

    /// Every host named outside a negation, wildcards as `*.example.com`.
    pub(crate) fn collect_hosts(&self, hosts: &mut Vec<String>) {
        match self {
            Self::Host(HostPattern::Exact(host)) => hosts.push(host.to_string()),
            Self::Host(HostPattern::OneLabelBefore(suffix)) => hosts.push(format!("*{suffix}")),
            Self::All(parts) | Self::Any(parts) => {
                for part in parts {
                    part.collect_hosts(hosts);
                }
            }
            _ => {}
        }
    }
}

impl HostPattern {
    pub(crate) fn parse(argument: &Argument) -> Result<Self, RuleError> {
        let text = argument.text.trim();
        if text == "*" {
            return Ok(Self::Every);
        }
        if let Some(rest) = text.strip_prefix("*.") {
            return Ok(Self::OneLabelBefore(format!(".{}", ascii_host(rest, argument)?).into()));
        }
        ascii_host(text, argument).map(|host| Self::Exact(host.into()))
    }

    fn matches(&self, host: &str) -> bool {
        match self {
            Self::Every => true,
            Self::OneLabelBefore(suffix) => {
                host.strip_suffix(&**suffix).is_some_and(|label| !label.is_empty() && !label.contains('.'))
            }
            Self::Exact(exact) => **exact == *host,
        }
    }
}

/// Lower case and punycode. Underscores and addresses are let through: they occur in container names and tests.
fn ascii_host(host: &str, argument: &Argument) -> Result<String, RuleError> {
    let host = host.strip_suffix('.').unwrap_or(host);
    let bad = || RuleError::new(argument.span.clone(), format!("invalid host {:?}", argument.text));
    if host.is_empty() || host.contains(['*', '/', ' ']) {
        return Err(bad());
    }
    if host.is_ascii() {
        return Ok(host.to_ascii_lowercase());
    }
    url::Host::parse(host).map(|host| host.to_string()).map_err(|_| bad())
}

/// A version 3 matcher.
pub(crate) fn compile_v3(call: &Call) -> Result<Matcher, RuleError> {
    Ok(match call.name.to_ascii_lowercase().as_str() {
        "host" => Matcher::Host(HostPattern::parse(one(call)?)?),
        "hostregexp" => Matcher::HostRegexp(regex(one(call)?)?),
        "path" => Matcher::Path(absolute(one(call)?)?),
        "pathprefix" => Matcher::PathPrefix(absolute(one(call)?)?),
        "pathregexp" => Matcher::PathRegexp(regex(one(call)?)?),
        "method" => Matcher::Method(method(one(call)?)?),
        "header" => {
            let (name, value) = two(call)?;
            Matcher::Header(header_name(name)?, value.text.as_str().into())
        }
        "headerregexp" => {
            let (name, value) = two(call)?;
            Matcher::HeaderRegexp(header_name(name)?, regex(value)?)
        }
        "query" => {
            let (key, value) = one_or_two(call)?;
            Matcher::Query(key.text.as_str().into(), value.map_or("", |value| &value.text).into())
        }
        "queryregexp" => {
            let (key, value) = one_or_two(call)?;
            let regex = match value {
                Some(value) => regex(value)?,
                None => regex(&Argument { text: "^$".to_owned(), span: key.span.clone() })?,
            };
            Matcher::QueryRegexp(key.text.as_str().into(), regex)
        }
        "clientip" => Matcher::ClientIp(range(one(call)?)?),
        "headers" | "headersregexp" | "hostheader" => {
            return Err(RuleError::new(
                call.name_span.clone(),
                format!(
                    "{} is a matcher of rule syntax v2, set `ruleSyntax: v2` or write it anew",
                    call.name
                ),
            ));
        }
        _ => return Err(unknown(call)),
    })
}

pub(crate) fn unknown(call: &Call) -> RuleError {
    RuleError::new(
        call.name_span.clone(),
        format!(
            "unknown matcher {:?}, expected one of Host, HostRegexp, Path, PathPrefix, PathRegexp, Method, Header, HeaderRegexp, Query, \
             QueryRegexp, ClientIP",
            call.name
        ),
    )
}

fn one(call: &Call) -> Result<&Argument, RuleError> {
    match call.arguments.as_slice() {
        [argument] => Ok(argument),
        _ => Err(count(call, "1 argument")),
    }
}

fn two(call: &Call) -> Result<(&Argument, &Argument), RuleError> {
    match call.arguments.as_slice() {
        [first, second] => Ok((first, second)),
        _ => Err(count(call, "2 arguments")),
    }
}

fn one_or_two(call: &Call) -> Result<(&Argument, Option<&Argument>), RuleError> {
    match call.arguments.as_slice() {
        [first] => Ok((first, None)),
        [first, second] => Ok((first, Some(second))),
        _ => Err(count(call, "1 or 2 arguments")),
    }
}

pub(crate) fn count(call: &Call, want: &str) -> RuleError {
    RuleError::new(call.span.clone(), format!("{} takes {want}, not {}", call.name, call.arguments.len()))
}

pub(crate) fn regex(argument: &Argument) -> Result<Regex, RuleError> {
    Regex::new(&argument.text).map_err(|error| RuleError::new(argument.span.clone(), error.to_string()))
}

pub(crate) fn absolute(argument: &Argument) -> Result<Box<str>, RuleError> {
    if argument.text.starts_with('/') {
        return Ok(argument.text.as_str().into());
    }
    Err(RuleError::new(argument.span.clone(), format!("path {:?} does not start with `/`", argument.text)))
}

pub(crate) fn method(argument: &Argument) -> Result<Method, RuleError> {
    Method::from_bytes(argument.text.to_ascii_uppercase().as_bytes())
        .map_err(|_| RuleError::new(argument.span.clone(), format!("invalid method {:?}", argument.text)))
}

pub(crate) fn header_name(argument: &Argument) -> Result<HeaderName, RuleError> {
    HeaderName::from_bytes(argument.text.as_bytes()).map_err(|_| {
        RuleError::new(argument.span.clone(), format!("invalid header name {:?}", argument.text))
    })
}

pub(crate) fn range(argument: &Argument) -> Result<IpRange, RuleError> {
    argument
        .text
        .parse()
        .map_err(|error: crate::ParseIpRangeError| RuleError::new(argument.span.clone(), error.to_string()))
}
