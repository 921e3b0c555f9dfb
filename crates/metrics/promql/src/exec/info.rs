//! `info`: adds the labels of series that say more about the same target.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

use model::{INSTANCE, JOB, Labels, METRIC_NAME, MatchOp, Matcher, Millis};
use rustc_hash::FxHashMap;
use vector::{Bitmap, Row};

use super::{Done, Executor, Series, Sink, distinct::Distinct};
use crate::{
    engine::{EngineError, budget::Memory},
    functions::window::Point,
    plan::{Info, Selector},
};

/// What makes two series speak of the same target.
const IDENTIFYING: [&str; 2] = [INSTANCE, JOB];

/// No series at this step.
const NOBODY: u32 = u32::MAX;

/// A series that says more about a target.
struct InfoSeries {
    labels: Labels,
    /// When its sample at each step was taken, milliseconds.
    times: Row,
}

impl InfoSeries {
    fn memory(&self) -> Memory {
        Memory::of_rows(self.times.len()).with_labels(&self.labels)
    }
}

/// The series of one metric about one target, of which the one with the newest sample counts.
struct InfoGroup {
    members: Vec<u32>,
    /// Which counts at each step.
    newest: Vec<u32>,
}

/// Series to join, by the name of their metric and then by target.
type Groups = Vec<FxHashMap<[String; 2], InfoGroup>>;

impl Executor<'_> {
    pub(super) fn info(&self, info: &Info, sink: Sink<'_>) -> Done {
        let base = self.collect(&info.input)?;
        let is_info = |series: &Series| {
            let name = series.labels.metric_name();
            info.names.iter().all(|matcher| matcher.matches(name))
        };
        let alone: Vec<bool> = base.iter().map(is_info).collect();
        let targets = base.iter().zip(&alone).filter(|(_, alone)| !**alone).map(|(series, _)| &series.labels);
        let series = self.info_series(info, targets)?;
        let mut present = Bitmap::empty(self.steps.count());
        base.iter().for_each(|series| present.union(&series.present()));
        let groups = group(&series, &present)?;
        let paid: Memory = series.iter().map(InfoSeries::memory).sum();
        let mut outputs = Distinct::default();
        for (base, alone) in base.into_iter().zip(alone) {
            self.context.budget.check()?;
            self.context.budget.release(base.memory());
            if alone {
                outputs.add(base)?;
            } else {
                enrich(&base, &groups, &series, &info.labels, &mut outputs)?;
            }
        }
        self.context.budget.release(paid);
        outputs.into_series().into_iter().try_for_each(sink)
    }

    /// The series that may say more about the targets. What they keep in memory is paid for.
    fn info_series<'l>(
        &self,
        info: &Info,
        targets: impl Iterator<Item = &'l Labels>,
    ) -> Result<Vec<InfoSeries>, EngineError> {
        let mut values: [BTreeSet<&str>; 2] = Default::default();
        for labels in targets {
            for (name, values) in IDENTIFYING.iter().zip(&mut values) {
                values.extend(labels.get(name));
            }
        }
        let mut matchers: Vec<Matcher> = Vec::new();
        for (name, values) in IDENTIFYING.iter().zip(&values).filter(|(_, values)| !values.is_empty()) {
            let pattern = values.iter().map(|value| escaped(value)).collect::<Vec<_>>().join("|");
            let matcher = Matcher::new(MatchOp::Regex, name, &pattern);
            matchers.push(matcher.map_err(|error| EngineError::execution(error.to_string()))?);
        }
        if matchers.is_empty() {
            return Ok(Vec::new());
        }
        matchers.extend(info.labels.iter().chain(&info.names).cloned());
        let selector = Selector {
            matchers,
            shift: info.shift,
            extension: None,
            only_stats: false,
            function: "info".to_owned(),
            projection: None,
        };
        let mut all = Vec::new();
        let seen_histogram = AtomicBool::new(false);
        let time_of_histogram = |time: Millis, _| {
            seen_histogram.store(true, Relaxed);
            Point::Float(time as f64)
        };
        self.newest_samples(
            &selector,
            &mut |series| {
                let series = InfoSeries { labels: series.labels, times: series.floats };
                self.context.budget.charge(series.memory())?;
                all.push(series);
                Ok(())
            },
            |time, _| time as f64,
            time_of_histogram,
        )?;
        match seen_histogram.into_inner() {
            true => Err(EngineError::execution("info sample should be float")),
            false => Ok(all),
        }
    }
}

/// Sorts series by metric and target, and finds the newest of each at the steps that matter.
fn group(series: &[InfoSeries], steps: &Bitmap) -> Result<Groups, EngineError> {
    let mut by_name: FxHashMap<&str, FxHashMap<[String; 2], InfoGroup>> = FxHashMap::default();
    for (at, InfoSeries { labels, .. }) in series.iter().enumerate() {
        let groups = by_name.entry(labels.metric_name()).or_default();
        let group = groups
            .entry(target(labels))
            .or_insert_with(|| InfoGroup { members: Vec::new(), newest: vec![NOBODY; steps.len()] });
        group.members.push(u32::try_from(at).unwrap_or(NOBODY));
    }
    let mut names: Vec<_> = by_name.into_iter().collect();
    names.sort_by_key(|(name, _)| *name);
    let mut groups: Groups = names.into_iter().map(|(_, groups)| groups).collect();
    for group in groups.iter_mut().flat_map(FxHashMap::values_mut) {
        steps.iter().try_for_each(|step| {
            group.newest[step] = newest(&group.members, series, step)?;
            Ok::<_, EngineError>(())
        })?;
    }
    Ok(groups)
}

/// The member with the newest sample. Two of the same time contradict each other.
fn newest(members: &[u32], series: &[InfoSeries], step: usize) -> Result<u32, EngineError> {
    let mut best: Option<(u32, f64)> = None;
    for member in members {
        let Some(time) = series[*member as usize].times.get(step) else { continue };
        match best {
            Some((other, its_time)) if its_time == time => {
                let [other, member] = [other, *member].map(|at| &series[at as usize].labels);
                return Err(EngineError::execution(format!(
                    "found duplicate series for info metric: existing {other} @ {time}, new {member} @ {time}"
                )));
            }
            Some((_, its_time)) if its_time > time => {}
            _ => best = Some((*member, time)),
        }
    }
    Ok(best.map_or(NOBODY, |(member, _)| member))
}

fn target(labels: &Labels) -> [String; 2] {
    IDENTIFYING.map(|name| labels.value(name).to_owned())
}

/// Gives a series the labels it has at each step: it may become several.
fn enrich(
    base: &Series,
    groups: &Groups,
    series: &[InfoSeries],
    wanted: &[Matcher],
    outputs: &mut Distinct,
) -> Done {
    let target = target(&base.labels);
    let about: Vec<&InfoGroup> = groups.iter().filter_map(|groups| groups.get(&target)).collect();
    // Which series speak, and the labels that come of it; none where the wanted labels are missing.
    let mut known: FxHashMap<Vec<u32>, (Option<Labels>, Bitmap)> = FxHashMap::default();
    let present = base.present();
    for step in present.iter() {
        let speakers: Vec<u32> = about.iter().map(|group| group.newest[step]).collect();
        match known.get_mut(&speakers) {
            Some((_, steps)) => steps.set(step),
            None => {
                let labels = joined(&base.labels, &speakers, series, wanted)?;
                let mut steps = Bitmap::empty(present.len());
                steps.set(step);
                known.insert(speakers, (labels, steps));
            }
        }
    }
    for (labels, steps) in known.into_values() {
        if let Some(labels) = labels {
            let mut part = Series { labels, ..base.clone() };
            part.retain(&steps);
            outputs.add(part)?;
        }
    }
    Ok(())
}

fn joined(
    base: &Labels,
    speakers: &[u32],
    series: &[InfoSeries],
    wanted: &[Matcher],
) -> Result<Option<Labels>, EngineError> {
    let speakers = speakers.iter().filter(|speaker| **speaker != NOBODY);
    let speakers: Vec<&Labels> = speakers.map(|speaker| &series[*speaker as usize].labels).collect();
    if speakers.is_empty() && !wanted.iter().all(Matcher::matches_empty) {
        return Ok(None);
    }
    let mut added: FxHashMap<&str, &str> = FxHashMap::default();
    for (name, value) in speakers.into_iter().flat_map(Labels::iter) {
        let is_wanted = wanted.is_empty() || wanted.iter().any(|matcher| matcher.name() == name);
        if name == METRIC_NAME || !is_wanted {
            continue;
        }
        if added.get(name).is_some_and(|other| *other != value) {
            return Err(EngineError::execution(format!("conflicting label: {name}")));
        }
        if base.get(name).is_none() {
            added.insert(name, value);
        }
    }
    let mut builder = base.to_builder();
    added.into_iter().for_each(|(name, value)| {
        builder.set(name, value);
    });
    Ok(Some(builder.build()))
}

/// The value as a regular expression that matches it alone.
fn escaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        if r"\.+*?()|[]{}^$".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
