//! The route tree: which receivers get an alert, and how its notifications are grouped and timed.

mod file;

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use config::Warnings;
use model::{Labels, MatchOp, Matcher, is_legacy_label_name};

use crate::{
    MatcherMode, MatcherSyntaxError, is_label_name, label_set_text, matchers, matchers_text, matches_all,
};

pub use file::RouteFile;

/// Every route's timing unless the file says otherwise.
const DEFAULT_GROUP_WAIT: Duration = Duration::from_secs(30);
const DEFAULT_GROUP_INTERVAL: Duration = Duration::from_secs(5 * 60);
const DEFAULT_REPEAT_INTERVAL: Duration = Duration::from_secs(4 * 3600);

/// A checked route tree. The root is the fallback of every alert.
#[derive(Debug, Clone)]
pub struct RouteTree {
    routes: Vec<Arc<Route>>,
}

/// A place in the tree. Parents come before their children, and those in the order of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RouteId(usize);

/// A node of the tree with everything that it inherits.
#[derive(Debug)]
pub struct Route {
    /// Its place.
    pub id: RouteId,
    /// How deep it lies; the root at 0.
    pub depth: usize,
    /// What alerts must match to come here, sorted.
    pub matchers: Vec<Matcher>,
    /// Whether an alert that matched here goes on to the next sibling too.
    pub continues: bool,
    /// Its settings.
    pub options: RouteOptions,
    /// Its matchers and those of its parents: `{}/{severity="critical"}`. Two routes may have the same.
    pub key: String,
    children: Vec<RouteId>,
}

/// How notifications of a route are grouped and timed.
#[derive(Debug, Clone, PartialEq)]
pub struct RouteOptions {
    /// The receiver's name.
    pub receiver: String,
    /// The labels by which alerts are grouped, sorted.
    pub group_by: Vec<String>,
    /// Groups by all labels, so that each alert is on its own.
    pub group_by_all: bool,
    /// How long a new group waits for more alerts.
    pub group_wait: Duration,
    /// How long it waits before it tells about changes; never zero.
    pub group_interval: Duration,
    /// How long before it tells again what has not changed; never zero.
    pub repeat_interval: Duration,
    /// Time intervals in which nothing is sent. Not inherited.
    pub mute_time_intervals: Vec<String>,
    /// Time intervals outside of which nothing is sent. Not inherited.
    pub active_time_intervals: Vec<String>,
    /// Labels of the route and its parents; values are templates.
    pub labels: BTreeMap<String, String>,
}

/// Why a route tree or inhibition rule does not hold. The text is Alertmanager's.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct RouteError(String);

impl RouteError {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl From<MatcherSyntaxError> for RouteError {
    fn from(error: MatcherSyntaxError) -> Self {
        Self(error.0)
    }
}

// === impl RouteTree ===

impl RouteTree {
    /// Checks the tree: everything but that its receivers and time intervals exist. Notices about the syntax of matchers go to
    /// `warnings`.
    pub fn build(root: &RouteFile, mode: MatcherMode, warnings: &mut Warnings) -> Result<Self, RouteError> {
        let mut builder = Builder { mode, warnings, routes: Vec::new() };
        let route = builder.add(root, None)?;
        let route = &builder.routes[route.0];
        if root.continues == Some(true) {
            return Err(RouteError::new("cannot have continue in root route"));
        }
        if route.options.receiver.is_empty() {
            return Err(RouteError::new("root route must specify a default receiver"));
        }
        if !route.matchers.is_empty() {
            return Err(RouteError::new("root route must not have any matchers"));
        }
        if !route.options.mute_time_intervals.is_empty() {
            return Err(RouteError::new("root route must not have any mute time intervals"));
        }
        if !route.options.active_time_intervals.is_empty() {
            return Err(RouteError::new("root route must not have any active time intervals"));
        }
        Ok(Self { routes: builder.routes.into_iter().map(Arc::new).collect() })
    }

    /// Refuses routes whose receivers or time intervals do not exist.
    pub fn check_names(
        &self,
        is_receiver: impl Fn(&str) -> bool,
        is_time_interval: impl Fn(&str) -> bool,
    ) -> Result<(), RouteError> {
        for route in &self.routes {
            let receiver = &route.options.receiver;
            if !is_receiver(receiver) {
                return Err(RouteError::new(format!("undefined receiver {receiver:?} used in route")));
            }
        }
        for route in &self.routes {
            let RouteOptions { active_time_intervals, mute_time_intervals, .. } = &route.options;
            if let Some(name) =
                active_time_intervals.iter().chain(mute_time_intervals).find(|name| !is_time_interval(name))
            {
                return Err(RouteError::new(format!("undefined time interval {name:?} used in route")));
            }
        }
        Ok(())
    }

    /// The fallback.
    pub fn root(&self) -> &Arc<Route> {
        &self.routes[0]
    }

    /// All routes, parents before children.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Route>> {
        self.routes.iter()
    }

    /// The route at a place of this tree.
    pub fn get(&self, id: RouteId) -> Option<&Arc<Route>> {
        self.routes.get(id.0)
    }

    /// A route's children in the order of the file.
    pub fn children(&self, route: &Route) -> impl Iterator<Item = &Arc<Route>> {
        route.children.iter().filter_map(|id| self.routes.get(id.0))
    }

    /// The routes that an alert takes, depth first; at least the root.
    pub fn matching(&self, labels: &Labels) -> Vec<&Arc<Route>> {
        let mut found = Vec::new();
        self.collect(self.root(), labels, &mut found);
        found
    }

    fn collect<'t>(
        &'t self,
        route: &'t Arc<Route>,
        labels: &Labels,
        found: &mut Vec<&'t Arc<Route>>,
    ) -> bool {
        if !matches_all(&route.matchers, labels) {
            return false;
        }
        let before = found.len();
        for child in self.children(route) {
            if self.collect(child, labels, found) && !child.continues {
                break;
            }
        }
        if found.len() == before {
            found.push(route);
        }
        true
    }
}

// === impl Route ===

impl Route {
    /// The labels that tell an alert's group from others of this route.
    pub fn group_labels(&self, labels: &Labels) -> Labels {
        if self.options.group_by_all {
            return labels.clone();
        }
        let group_by = &self.options.group_by;
        labels.filter(|name| group_by.binary_search_by(|label| label.as_str().cmp(name)).is_ok())
    }

    /// What names a group in notifications: `{}/{severity="critical"}:{alertname="x"}`.
    pub fn group_key(&self, group_labels: &Labels) -> String {
        format!("{}:{}", self.key, label_set_text(group_labels))
    }
}

struct Builder<'w> {
    mode: MatcherMode,
    warnings: &'w mut Warnings,
    routes: Vec<Route>,
}

impl Builder<'_> {
    fn add(&mut self, file: &RouteFile, parent: Option<RouteId>) -> Result<RouteId, RouteError> {
        let id = RouteId(self.routes.len());
        let mut matchers = legacy_matchers(&file.match_, &file.match_re)?;
        let (more, told) = file.matchers.compile(self.mode)?;
        notices("route.matchers", told, self.warnings);
        matchers.extend(more);
        matchers::sort(&mut matchers);
        let parent = parent.map(|parent| &self.routes[parent.0]);
        let own_key = matchers_text(&matchers);
        let route = Route {
            id,
            depth: parent.map_or(0, |parent| parent.depth + 1),
            key: parent.map_or_else(|| own_key.clone(), |parent| format!("{}/{own_key}", parent.key)),
            continues: file.continues.unwrap_or(false),
            options: self.options(file, parent.map(|parent| &parent.options))?,
            matchers,
            children: Vec::new(),
        };
        self.routes.push(route);
        for child in &file.routes {
            let child = self.add(child, Some(id))?;
            self.routes[id.0].children.push(child);
        }
        Ok(id)
    }

    fn options(&self, file: &RouteFile, parent: Option<&RouteOptions>) -> Result<RouteOptions, RouteError> {
        let mut options = parent.cloned().unwrap_or_else(|| RouteOptions {
            receiver: String::new(),
            group_by: Vec::new(),
            group_by_all: false,
            group_wait: DEFAULT_GROUP_WAIT,
            group_interval: DEFAULT_GROUP_INTERVAL,
            repeat_interval: DEFAULT_REPEAT_INTERVAL,
            mute_time_intervals: Vec::new(),
            active_time_intervals: Vec::new(),
            labels: BTreeMap::new(),
        });
        if let Some(receiver) = file.receiver.as_ref().filter(|receiver| !receiver.is_empty()) {
            options.receiver.clone_from(receiver);
        }
        if let Some(group_by) = &file.group_by {
            (options.group_by, options.group_by_all) = self.group_by(group_by)?;
        }
        if let Some(wait) = file.group_wait {
            options.group_wait = wait.0;
        }
        if let Some(interval) = file.group_interval {
            options.group_interval = interval.0;
        }
        if let Some(interval) = file.repeat_interval {
            options.repeat_interval = interval.0;
        }
        if options.group_interval.is_zero() {
            return Err(RouteError::new("group_interval cannot be zero"));
        }
        if options.repeat_interval.is_zero() {
            return Err(RouteError::new("repeat_interval cannot be zero"));
        }
        if let Some(name) = file.labels.keys().find(|name| !is_label_name(name, self.mode)) {
            return Err(RouteError::new(format!("invalid label name {name:?} in route labels")));
        }
        options.labels.extend(file.labels.clone());
        options.mute_time_intervals.clone_from(&file.mute_time_intervals);
        options.active_time_intervals.clone_from(&file.active_time_intervals);
        Ok(options)
    }

    fn group_by(&self, written: &[String]) -> Result<(Vec<String>, bool), RouteError> {
        let all = written.iter().any(|label| label == "...");
        let mut labels: Vec<String> = written.iter().filter(|label| *label != "...").cloned().collect();
        if let Some(label) = labels.iter().find(|label| !is_label_name(label, self.mode)) {
            return Err(RouteError::new(format!("invalid label name {label:?} in group_by list")));
        }
        if all && !labels.is_empty() {
            return Err(RouteError::new(
                "cannot have wildcard group_by (`...`) and other labels at the same time",
            ));
        }
        labels.sort();
        if let Some(pair) = labels.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(RouteError::new(format!("duplicated label {:?} in group_by", pair[0])));
        }
        Ok((labels, all))
    }
}

/// The matchers of the older keys `match` and `match_re`.
pub(crate) fn legacy_matchers(
    equal: &BTreeMap<String, String>,
    regex: &BTreeMap<String, Option<String>>,
) -> Result<Vec<Matcher>, RouteError> {
    if let Some(name) = equal.keys().chain(regex.keys()).find(|name| !is_legacy_label_name(name)) {
        return Err(RouteError::new(format!("invalid label name {name:?}")));
    }
    let mut matchers: Vec<Matcher> = equal.iter().map(|(name, value)| Matcher::equal(name, value)).collect();
    for (name, expression) in regex {
        let expression = expression
            .as_ref()
            .ok_or_else(|| RouteError::new(format!("invalid regexp value for {name:?}")))?;
        let matcher = Matcher::new(MatchOp::Regex, name, expression)
            .map_err(|error| RouteError::new(error.source.to_string()))?;
        matchers.push(matcher);
    }
    Ok(matchers)
}

pub(crate) fn notices(key: &str, told: Vec<String>, warnings: &mut Warnings) {
    for notice in told {
        warnings.push(key, notice);
    }
}
