//! The parameters by which lists are narrowed.

use std::collections::BTreeMap;

use go_regex::Regex;
use model::{Labels, Matcher};
use routing::{MatcherMode, parse_matcher};
use url::form_urlencoded;

use super::answer::Answer;

/// Most parameters that are read.
const MAX_PARAMETERS: usize = 1000;

/// A query string, parsed.
pub(super) struct Parameters(Vec<(String, String)>);

/// Which alerts are asked for.
pub(super) struct AlertFilter {
    matchers: Vec<Matcher>,
    receiver: Option<Regex>,
    receiver_matchers: Vec<Matcher>,
    /// Those that nothing mutes.
    pub active: bool,
    /// Those that a silence matches.
    pub silenced: bool,
    /// Those that another alert mutes.
    pub inhibited: bool,
}

impl Parameters {
    pub fn of(query: Option<&str>) -> Self {
        let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        Self(
            pairs.take(MAX_PARAMETERS).map(|(name, value)| (name.into_owned(), value.into_owned())).collect(),
        )
    }

    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// Whether a switch is on; those that are not given are.
    pub fn switch(&self, name: &str) -> bool {
        self.all(name).next().is_none_or(|value| {
            matches!(
                value.to_ascii_lowercase().as_str(),
                "true" | "1" | "yes" | "ok" | "y" | "on" | "selected" | "checked" | "t" | "enabled"
            )
        })
    }

    /// All matchers of a name.
    pub fn matchers(&self, name: &str, mode: MatcherMode) -> Result<Vec<Matcher>, Answer> {
        self.all(name)
            .map(|text| parse_matcher(text, mode).map_err(|error| Answer::bad_request(error.to_string())))
            .collect()
    }
}

impl AlertFilter {
    pub fn of(parameters: &Parameters, mode: MatcherMode) -> Result<Self, Answer> {
        let receiver = parameters.all("receiver").next().map(|text| {
            Regex::new(&format!("^(?:{text})$"))
                .map_err(|error| Answer::bad_request(format!("failed to parse receiver param: {error}")))
        });
        Ok(Self {
            matchers: parameters.matchers("filter", mode)?,
            receiver: receiver.transpose()?,
            receiver_matchers: parameters.matchers("receiver_matchers", mode).map_err(
                |answer| match answer {
                    Answer::Text(status, text) => {
                        Answer::Text(status, format!("failed to parse receiver_matchers param: {text}"))
                    }
                    other => other,
                },
            )?,
            active: parameters.switch("active"),
            silenced: parameters.switch("silenced"),
            inhibited: parameters.switch("inhibited"),
        })
    }

    /// Whether labels are asked for.
    pub fn takes_labels(&self, labels: &Labels) -> bool {
        holds(&self.matchers, |name| labels.get(name))
    }

    /// Whether alerts of a receiver are asked for.
    pub fn takes_receiver(&self, name: &str, labels: &BTreeMap<String, String>) -> bool {
        self.receiver.as_ref().is_none_or(|regex| regex.is_match(name))
            && holds(&self.receiver_matchers, |label| labels.get(label).map(String::as_str))
    }

    /// Whether an alert of that status is asked for.
    pub fn takes_status(&self, status: &notify::AlertStatus) -> bool {
        (self.active || status.is_suppressed())
            && (self.silenced || status.silenced_by.is_empty())
            && (self.inhibited || status.inhibited_by.is_empty())
    }
}

/// Whether all matchers hold. `name=""` asks for the label's absence, `name!=""` for its presence.
fn holds<'l>(matchers: &[Matcher], label: impl Fn(&str) -> Option<&'l str>) -> bool {
    matchers.iter().all(|matcher| {
        let value = label(matcher.name());
        (matcher.value().is_empty() && matcher.is_negative() == value.is_some())
            || matcher.matches(value.unwrap_or_default())
    })
}
