//! A target: where to scrape, under which labels, and how it goes.

use std::{collections::BTreeMap, time::Duration};

use config::parse_prometheus;
use discovery::TargetGroup;
use model::{INSTANCE, JOB, Labels, LabelsBuilder, Millis};
use parking_lot::Mutex;
use relabel::{Verdict, relabel};
use storage::Metadata;
use url::Url;

use crate::JobConfig;

const ADDRESS: &str = "__address__";
const SCHEME: &str = "__scheme__";
const METRICS_PATH: &str = "__metrics_path__";
const INTERVAL: &str = "__scrape_interval__";
const TIMEOUT: &str = "__scrape_timeout__";
const PARAM_PREFIX: &str = "__param_";
const RESERVED_PREFIX: &str = "__";

/// How a target's last scrape went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Health {
    /// Not scraped yet.
    #[default]
    Unknown,
    /// The last scrape succeeded.
    Up,
    /// The last scrape failed.
    Down,
}

impl Health {
    /// As the API names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

/// The outcome of a target's last scrape.
#[derive(Debug, Clone, Default)]
pub struct TargetStatus {
    /// How it went.
    pub health: Health,
    /// Why it failed; empty where it did not.
    pub last_error: String,
    /// When it began, milliseconds; 0 before the first.
    pub last_scrape: Millis,
    /// How long it took.
    pub last_duration: Duration,
}

/// One target.
#[derive(Debug)]
pub struct Target {
    /// Labels before relabelling.
    pub discovered: Labels,
    /// Labels of every series scraped from it.
    pub labels: Labels,
    /// Where it is.
    pub url: Url,
    /// How often.
    pub interval: Duration,
    /// How long a scrape may take.
    pub timeout: Duration,
    status: Mutex<TargetStatus>,
    metadata: Mutex<BTreeMap<String, Metadata>>,
}

/// What became of a discovered target.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It is to be scraped.
    Active(Box<Target>),
    /// Relabelling dropped it.
    Dropped(Labels),
}

/// Why a discovered target cannot be scraped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TargetError {
    #[error("no address")]
    NoAddress,
    #[error("{0:?} is not a valid address")]
    Address(String),
    #[error("invalid {label} {value:?}")]
    Duration { label: &'static str, value: String },
    #[error("scrape timeout {timeout:?} is greater than the interval {interval:?}")]
    TimeoutTooLong { timeout: Duration, interval: Duration },
}

impl Target {
    /// How it goes.
    pub fn status(&self) -> TargetStatus {
        self.status.lock().clone()
    }

    pub(crate) fn set_status(&self, status: TargetStatus) {
        *self.status.lock() = status;
    }

    /// What the target says about its metrics, by family.
    pub fn metadata(&self) -> BTreeMap<String, Metadata> {
        self.metadata.lock().clone()
    }

    pub(crate) fn set_metadata(&self, metadata: BTreeMap<String, Metadata>) {
        *self.metadata.lock() = metadata;
    }

    /// Equal for targets that can share a scrape loop: same labels, same place.
    pub(crate) fn key(&self) -> u64 {
        let mut hash = self.labels.hash64();
        for byte in self.url.as_str().bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        hash ^ (self.interval.as_millis() as u64).rotate_left(32) ^ self.timeout.as_millis() as u64
    }
}

/// Turns the members of a group into targets: job and scrape settings as labels, relabelling, then what the labels say.
pub(crate) fn targets_of(job: &JobConfig, group: &TargetGroup) -> Vec<Result<Outcome, TargetError>> {
    group.targets.iter().map(|member| target_of(job, group, member)).collect()
}

fn target_of(job: &JobConfig, group: &TargetGroup, member: &Labels) -> Result<Outcome, TargetError> {
    let mut builder = group.labels.to_builder();
    for (name, value) in member.iter() {
        builder.set(name, value);
    }
    let interval = config::format_prometheus(job.interval);
    let timeout = config::format_prometheus(job.timeout);
    for (name, value) in [
        (JOB, job.job_name.as_str()),
        (INTERVAL, &interval),
        (TIMEOUT, &timeout),
        (METRICS_PATH, &job.metrics_path),
        (SCHEME, &job.scheme),
    ] {
        if builder.get(name).is_empty() {
            builder.set(name, value);
        }
    }
    for (name, values) in &job.params {
        if let Some(first) = values.first() {
            builder.set(&format!("{PARAM_PREFIX}{name}"), first);
        }
    }
    let discovered = builder.build();
    if relabel(&job.relabel, &mut builder) == Verdict::Drop {
        return Ok(Outcome::Dropped(discovered));
    }
    let url = url_of(job, &builder)?;
    let interval = duration_of(&builder, INTERVAL)?;
    let timeout = duration_of(&builder, TIMEOUT)?;
    if timeout > interval {
        return Err(TargetError::TimeoutTooLong { timeout, interval });
    }
    if builder.get(INSTANCE).is_empty() {
        let address = builder.get(ADDRESS).to_owned();
        builder.set(INSTANCE, &address);
    }
    builder.retain(|name| !name.starts_with(RESERVED_PREFIX));
    Ok(Outcome::Active(Box::new(Target {
        discovered,
        labels: builder.build(),
        url,
        interval,
        timeout,
        status: Mutex::default(),
        metadata: Mutex::default(),
    })))
}

fn url_of(job: &JobConfig, labels: &LabelsBuilder) -> Result<Url, TargetError> {
    let address = labels.get(ADDRESS);
    if address.is_empty() {
        return Err(TargetError::NoAddress);
    }
    let invalid = || TargetError::Address(address.to_owned());
    if address.contains('/') {
        return Err(invalid());
    }
    let path = labels.get(METRICS_PATH);
    let slash = if path.starts_with('/') { "" } else { "/" };
    let mut url =
        Url::parse(&format!("{}://{address}{slash}{path}", labels.get(SCHEME))).map_err(|_| invalid())?;
    let mut params = job.params.clone();
    for (name, value) in labels.iter() {
        if let Some(name) = name.strip_prefix(PARAM_PREFIX) {
            let values = params.entry(name.to_owned()).or_default();
            match values.first_mut() {
                Some(first) => value.clone_into(first),
                None => values.push(value.to_owned()),
            }
        }
    }
    let mut pairs =
        params.iter().flat_map(|(name, values)| values.iter().map(move |value| (name, value))).peekable();
    if pairs.peek().is_some() {
        url.query_pairs_mut().extend_pairs(pairs);
    }
    Ok(url)
}

fn duration_of(labels: &LabelsBuilder, label: &'static str) -> Result<Duration, TargetError> {
    let value = labels.get(label);
    parse_prometheus(value)
        .ok()
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| TargetError::Duration { label, value: value.to_owned() })
}
