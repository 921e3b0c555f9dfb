//! The routers of one entry point, in the order they are asked.

use std::collections::HashMap;

use crate::{RequestView, Rule};

/// Rules with what each leads to, by falling priority. Among equals the one added first is asked first.
///
/// A request is tried only against the rules that name its host and those that name none.
#[derive(Debug)]
pub struct Table<T> {
    routes: Vec<Route<T>>,
    by_host: HashMap<Box<str>, Vec<u32>>,
    any_host: Vec<u32>,
}

#[derive(Debug)]
struct Route<T> {
    rule: Rule,
    target: T,
}

impl<T> Table<T> {
    /// A table of `(priority, rule, target)`.
    pub fn new(routes: Vec<(i64, Rule, T)>) -> Self {
        let mut routes = routes;
        routes.sort_by_key(|(priority, ..)| std::cmp::Reverse(*priority));
        let mut by_host: HashMap<Box<str>, Vec<u32>> = HashMap::new();
        let mut any_host = Vec::new();
        for (index, (_, rule, _)) in (0u32..).zip(&routes) {
            match rule.required_hosts() {
                Some(hosts) => {
                    for host in hosts {
                        let list = by_host.entry(host.into()).or_default();
                        if list.last() != Some(&index) {
                            list.push(index);
                        }
                    }
                }
                None => any_host.push(index),
            }
        }
        let routes = routes.into_iter().map(|(_, rule, target)| Route { rule, target }).collect();
        Self { routes, by_host, any_host }
    }

    /// What the first matching rule leads to.
    pub fn find(&self, request: &RequestView<'_>) -> Option<&T> {
        let mut named = self.by_host.get(request.host).map_or(&[][..], Vec::as_slice);
        let mut open = self.any_host.as_slice();
        // Both lists rise; the smaller index has the higher priority.
        loop {
            let index = match (named.first(), open.first()) {
                (Some(&a), Some(&b)) if a < b => take_first(&mut named, a),
                (_, Some(&b)) => take_first(&mut open, b),
                (Some(&a), None) => take_first(&mut named, a),
                (None, None) => return None,
            };
            let route = self.routes.get(index as usize)?;
            if route.rule.matches(request) {
                return Some(&route.target);
            }
        }
    }

    /// Whether there is no rule at all.
    pub fn is_empty(&self) -> bool {
        self.routes.is_empty()
    }
}

fn take_first(list: &mut &[u32], value: u32) -> u32 {
    *list = list.get(1..).unwrap_or_default();
    value
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, Method};

    use super::*;
    use crate::Syntax;

    fn find<'t>(table: &'t Table<&'static str>, host: &str, path: &str) -> Option<&'t str> {
        let (headers, client) = (HeaderMap::new(), "127.0.0.1".parse().expect("an address"));
        table
            .find(&RequestView { host, path, query: "", method: &Method::GET, headers: &headers, client })
            .copied()
    }

    fn table(rules: &[(Option<i64>, &str, &'static str)]) -> Table<&'static str> {
        let routes = rules.iter().map(|(priority, rule, target)| {
            let rule = Rule::compile(rule, Syntax::V3).expect(rule);
            (priority.unwrap_or(rule.default_priority()), rule, *target)
        });
        Table::new(routes.collect())
    }

    #[test]
    fn longer_rules_and_explicit_priorities_win() {
        let table = table(&[
            (None, "Host(`a`)", "short"),
            (None, "Host(`a`) && PathPrefix(`/x`)", "long"),
            (Some(1000), "PathPrefix(`/x/first`)", "explicit"),
            (Some(1), "PathPrefix(`/`)", "catch-all"),
            (None, "Host(`b`) || Host(`c`)", "either"),
        ]);
        assert_eq!(find(&table, "a", "/"), Some("short"));
        assert_eq!(find(&table, "a", "/x"), Some("long"));
        assert_eq!(find(&table, "a", "/x/first"), Some("explicit"));
        assert_eq!(find(&table, "c", "/"), Some("either"));
        assert_eq!(find(&table, "z", "/"), Some("catch-all"));
        assert!(!table.is_empty());
    }

    #[test]
    fn equals_keep_their_order_and_nothing_matches_nothing() {
        let table = table(&[(None, "Path(`/a`)", "first"), (None, "Path(`/a`)", "second")]);
        assert_eq!(find(&table, "z", "/a"), Some("first"));
        assert_eq!(find(&table, "z", "/b"), None);
    }
}
