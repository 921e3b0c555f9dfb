//! A rule ready to be asked.

use crate::{
    Expr, RequestView, RuleError,
    matcher::{Matcher, compile_v3},
    parser::{Call, parse},
    v2::compile_v2,
};

/// Which words a rule is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Syntax {
    /// Traefik 3: one value a matcher, plain regular expressions.
    #[default]
    V3,
    /// Traefik 2: several values, `{name:pattern}`.
    V2,
}

/// A compiled rule.
#[derive(Debug)]
pub struct Rule {
    text: Box<str>,
    matcher: Matcher,
}

impl Rule {
    /// Parses and compiles a rule.
    ///
    /// # Errors
    /// Mistakes of grammar, unknown matchers, wrong numbers of arguments, values that are not hosts, paths, addresses or patterns.
    pub fn compile(text: &str, syntax: Syntax) -> Result<Self, RuleError> {
        let compile_call = match syntax {
            Syntax::V3 => compile_v3,
            Syntax::V2 => compile_v2,
        };
        let matcher = compile(&parse(text)?, compile_call)?;
        Ok(Self { text: text.into(), matcher })
    }

    /// Whether the request is one of those the rule means.
    pub fn matches(&self, request: &RequestView<'_>) -> bool {
        self.matcher.matches(request)
    }

    /// The rule as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What the rule weighs when nothing else is said: its length in bytes.
    pub fn default_priority(&self) -> i64 {
        i64::try_from(self.text.len()).unwrap_or(i64::MAX)
    }

    /// Hosts the rule names outside of negations, each once, wildcards as `*.example.com`: the names a certificate is needed for.
    pub fn hosts(&self) -> Vec<String> {
        let mut hosts = Vec::new();
        self.matcher.collect_hosts(&mut hosts);
        hosts.sort_unstable();
        hosts.dedup();
        hosts
    }

    pub(crate) fn required_hosts(&self) -> Option<Vec<&str>> {
        self.matcher.required_hosts()
    }
}

fn compile(expr: &Expr, compile_call: fn(&Call) -> Result<Matcher, RuleError>) -> Result<Matcher, RuleError> {
    let all = |parts: &[Expr]| -> Result<Vec<Matcher>, RuleError> {
        parts.iter().map(|part| compile(part, compile_call)).collect()
    };
    Ok(match expr {
        Expr::And(parts) => Matcher::All(all(parts)?),
        Expr::Or(parts) => Matcher::Any(all(parts)?),
        Expr::Not(inner) => Matcher::Not(Box::new(compile(inner, compile_call)?)),
        Expr::Call(call) => compile_call(call)?,
    })
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, Method};

    use super::*;
    use crate::{normalize_host, routing_path};

    fn matches(syntax: Syntax, rule: &str, method: &Method, host: &str, target: &str) -> bool {
        let rule = Rule::compile(rule, syntax).expect(rule);
        let mut headers = HeaderMap::new();
        headers.append("x-env", HeaderValue::from_static("dev"));
        headers.append("x-env", HeaderValue::from_static("prod-7"));
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        rule.matches(&RequestView {
            host: &normalize_host(host),
            path: &routing_path(path),
            query,
            method,
            headers: &headers,
            client: "10.1.2.3".parse().expect("an address"),
        })
    }

    #[test]
    fn version_three() {
        let check = |rule: &str, host: &str, target: &str, want: bool| {
            assert_eq!(matches(Syntax::V3, rule, &Method::GET, host, target), want, "{rule} {host}{target}");
        };
        check("Host(`Example.com`)", "example.COM:443", "/", true);
        check("Host(`example.com`)", "example.com.", "/", true);
        check("Host(`example.com`)", "a.example.com", "/", false);
        check("Host(`bücher.example`)", "xn--bcher-kva.example", "/", true);
        check("Host(`*.example.com`)", "a.example.com", "/", true);
        check("Host(`*.example.com`)", "a.b.example.com", "/", false);
        check("Host(`*.example.com`)", "example.com", "/", false);
        check("Host(`*`)", "anything", "/", true);
        check("HostRegexp(`^[a-z]+\\.example\\.com$`)", "abc.example.com", "/", true);
        check("HostRegexp(`^[a-z]+\\.example\\.com$`)", "a1.example.com", "/", false);
        check("Path(`/products`)", "x", "/products", true);
        check("Path(`/products`)", "x", "/products/", false);
        check("PathPrefix(`/products`)", "x", "/products-for-sale", true);
        check("PathPrefix(`/a b`)", "x", "/a%20b/c", true);
        check("PathRegexp(`\\.(jpeg|png)$`)", "x", "/a/b.png", true);
        check("Method(`get`)", "x", "/", true);
        check("Method(`POST`)", "x", "/", false);
        check("Header(`X-Env`, `dev`)", "x", "/", true);
        check("Header(`X-Env`, `de`)", "x", "/", false);
        check("HeaderRegexp(`X-Env`, `^prod-\\d$`)", "x", "/", true);
        check("Query(`mobile`, `true`)", "x", "/?a=1&mobile=true", true);
        check("Query(`mobile`, `true`)", "x", "/?mobile=tr%75e", true);
        check("Query(`mobile`)", "x", "/?mobile", true);
        check("Query(`mobile`)", "x", "/?mobile=1", false);
        check("QueryRegexp(`page`, `^[0-9]+$`)", "x", "/?page=12", true);
        check("QueryRegexp(`page`, `^[0-9]+$`)", "x", "/?page=a", false);
        check("ClientIP(`10.0.0.0/8`)", "x", "/", true);
        check("ClientIP(`10.1.2.4`)", "x", "/", false);
        check("Host(`a`) && !PathPrefix(`/x`)", "a", "/y", true);
        check("Host(`a`) && !PathPrefix(`/x`)", "a", "/x", false);
        check("(Host(`a`) || Host(`b`)) && Path(`/`)", "b", "/", true);
    }

    #[test]
    fn version_two() {
        let check = |rule: &str, host: &str, target: &str, want: bool| {
            assert_eq!(matches(Syntax::V2, rule, &Method::GET, host, target), want, "{rule} {host}{target}");
        };
        check("Host(`a`, `b`)", "b", "/", true);
        check("HostHeader(`a`)", "a", "/", true);
        check("HostRegexp(`{sub:[a-z]{2}}.example.com`)", "ab.example.com", "/", true);
        check("HostRegexp(`{sub:[a-z]{2}}.example.com`)", "abc.example.com", "/", false);
        check("HostRegexp(`{any}.example.com`)", "abc.example.com", "/", true);
        check("Path(`/a`, `/b/{id:[0-9]+}`)", "x", "/b/12", true);
        check("Path(`/a`, `/b/{id:[0-9]+}`)", "x", "/b/12/c", false);
        check("PathPrefix(`/b/{id}`)", "x", "/b/12/c", true);
        check("Headers(`X-Env`, `dev`)", "x", "/", true);
        check("HeadersRegexp(`X-Env`, `prod.*`)", "x", "/", true);
        check("Query(`a=1`, `b=2`)", "x", "/?b=2", true);
        check("Method(`POST`, `GET`)", "x", "/", true);
        check("ClientIP(`192.0.2.0/24`, `10.0.0.0/8`)", "x", "/", true);
    }

    #[test]
    fn mistakes() {
        let check = |syntax: Syntax, rule: &str, want: &str| {
            let error = Rule::compile(rule, syntax).expect_err(rule).to_string();
            assert!(error.contains(want), "{rule}: {error}");
        };
        check(Syntax::V3, "Host(`a`, `b`)", "column 1: Host takes 1 argument, not 2");
        check(Syntax::V3, "Hots(`a`)", "unknown matcher \"Hots\"");
        check(Syntax::V3, "Path(`a`)", "does not start with `/`");
        check(Syntax::V3, "PathRegexp(`(`)", "missing closing )");
        check(Syntax::V3, "ClientIP(`x`)", "invalid IP address");
        check(Syntax::V3, "Headers(`a`, `b`)", "rule syntax v2");
        check(Syntax::V3, "Host(``)", "invalid host");
        check(Syntax::V2, "HostRegexp(`{a`)", "unbalanced braces");
        check(Syntax::V2, "PathRegexp(`/`)", "unknown matcher");
    }

    #[test]
    fn hosts_and_priority() {
        let rule = Rule::compile("(Host(`b`) || Host(`a`)) && !Host(`c`) && Host(`*.d`)", Syntax::V3)
            .expect("valid");
        assert_eq!(rule.hosts(), ["*.d", "a", "b"]);
        assert_eq!(rule.required_hosts(), Some(vec!["b", "a"]));
        assert_eq!(Rule::compile("Host(`a`)", Syntax::V3).expect("valid").default_priority(), 9);
    }
}
