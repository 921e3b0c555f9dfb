//! Which alert goes where: label matchers in Alertmanager's syntax, the route tree, grouping, inhibition rules, time intervals.
//!
//! Nothing here sends, waits or keeps state: the same code routes alerts, checks a configuration and explains to a person why an
//! alert takes the way it takes. The file shapes (`RouteFile` and so on) are Alertmanager's, key for key; what is built of them is
//! checked, and nothing behind validates again.
//!
//! Source: Alertmanager docs/configuration.md.

#![forbid(unsafe_code)]

mod explain;
mod inhibit;
mod interval;
mod labels;
mod matchers;
mod route;

pub use explain::{Explanation, Outcome, Step};
pub use inhibit::{InhibitRule, InhibitRuleFile};
pub use interval::{
    DayOfMonthRange, MonthRange, TimeInterval, TimeRange, TimeZoneName, WeekdayRange, YearRange,
};
pub use labels::{is_label_name, label_set_text};
pub use matchers::{
    MatcherLines, MatcherMode, MatcherSyntaxError, ParsedMatchers, matcher_text, matchers_text, matches_all,
    parse_matcher, parse_matchers,
};
pub use route::{Route, RouteError, RouteFile, RouteId, RouteOptions, RouteTree};
