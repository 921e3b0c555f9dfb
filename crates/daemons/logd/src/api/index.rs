//! `/index/stats`, `/index/volume`, `/index/volume_range`: how much there is, without reading it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use axum::{extract::State, response::Response};
use logql::engine::Point;
use model::{Labels, MatchOp, Matcher, Nanos};
use serde_json::json;
use streams::{LogQuerier, StreamQuery};

use super::{
    ApiError, ApiState, json,
    labels::{encode, stream_query},
    params::Params,
    query,
    tenant::TenantName,
};
use crate::{maintenance::now, queries::Running};

const MILLISECOND: Nanos = 1_000_000;

pub(super) async fn stats(
    State(state): State<Arc<ApiState>>,
    tenant: TenantName,
    params: Params,
) -> Result<Response, ApiError> {
    let range = params.range(now())?;
    let streams = stream_query(&state, (range.start, range.end), vec![params.selector()?]);
    query::run(&state, tenant, move |source, _, _| {
        let volume = source.querier()?.volume(&streams)?;
        encode(&json!({
            "streams": volume.streams,
            "chunks": volume.chunks,
            "bytes": volume.bytes,
            "entries": volume.entries,
        }))
    })
    .await
}

pub(super) async fn volume(
    State(state): State<Arc<ApiState>>,
    tenant: TenantName,
    params: Params,
) -> Result<Response, ApiError> {
    let asked = Asked::read(&state, &params)?;
    let (_, end) = params.ordered_bounds(now())?;
    query::run(&state, tenant, move |source, running, queued| {
        let querier = source.querier()?;
        let timestamp = end.div_euclid(MILLISECOND);
        let volumes: Vec<_> = asked
            .groups(querier.as_ref(), running)?
            .into_iter()
            .map(|group| {
                let value = group.bytes as f64;
                Volumes { name: group.name, points: vec![Point { timestamp, value }] }
            })
            .collect();
        Ok(json::volume_vector(&volumes, queued))
    })
    .await
}

pub(super) async fn volume_range(
    State(state): State<Arc<ApiState>>,
    tenant: TenantName,
    params: Params,
) -> Result<Response, ApiError> {
    let asked = Asked::read(&state, &params)?;
    let (start, end) = params.ordered_bounds(now())?;
    let step = params.step(start, end)?;
    query::run(&state, tenant, move |source, running, queued| {
        let querier = source.querier()?;
        let mut volumes = Vec::new();
        for group in asked.groups(querier.as_ref(), running)? {
            let mut points = Vec::new();
            for part in parts(start, end, step) {
                running.check()?;
                let streams = StreamQuery { start: part.from, end: part.until, ..group.query.clone() };
                let bytes = querier.volume(&streams)?.bytes;
                if bytes > 0 {
                    let timestamp = part.named.div_euclid(MILLISECOND);
                    points.push(Point { timestamp, value: bytes as f64 });
                }
            }
            volumes.push(Volumes { name: group.name, points });
        }
        volumes.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(json::volume_matrix(&volumes, queued))
    })
    .await
}

/// A part of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Part {
    from: Nanos,
    /// Exclusive.
    until: Nanos,
    /// The time that stands for it: its last millisecond, or the end of the range.
    named: Nanos,
}

/// A range with its end, in parts of `step`, above 0; the last one may be shorter.
fn parts(start: Nanos, end: Nanos, step: Nanos) -> impl Iterator<Item = Part> {
    let mut next = Some(start);
    std::iter::from_fn(move || {
        let from = next?;
        let until = from.saturating_add(step);
        if until >= end {
            next = None;
            return Some(Part { from, until: end.saturating_add(1), named: end });
        }
        next = Some(until);
        Some(Part { from, until, named: until - MILLISECOND })
    })
}

/// What a volume query asks.
struct Asked {
    query: StreamQuery,
    target_labels: Vec<String>,
    by_labels: bool,
    limit: usize,
    max_series: usize,
}

/// What a volume is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum VolumeName {
    /// Streams with these labels.
    Series(Labels),
    /// Streams with this label, whatever its value.
    Label(String),
}

/// Bytes over time.
#[derive(Debug)]
pub(super) struct Volumes {
    pub name: VolumeName,
    pub points: Vec<Point>,
}

/// Streams that are counted together.
struct Group {
    name: VolumeName,
    query: StreamQuery,
    bytes: u64,
}

impl Asked {
    fn read(state: &ApiState, params: &Params) -> Result<Self, ApiError> {
        let limits = &state.config.limits;
        if !limits.volume_enabled {
            return Err(ApiError::NotFound(
                "volume is disabled, see limits_config.volume_enabled".to_owned(),
            ));
        }
        let limit = match params.get("limit") {
            "0" => 100,
            _ => params.limit()?,
        };
        let (start, end) = params.ordered_bounds(now())?;
        let matchers = params.selector()?;
        let by_labels = match params.get("aggregateBy") {
            "" | "series" => false,
            "labels" => true,
            _ => return Err(ApiError::BadRequest("invalid aggregation option".to_owned())),
        };
        let target_labels = params.get("targetLabels").split(',').filter(|name| !name.is_empty());
        Ok(Self {
            target_labels: target_labels.map(str::to_owned).collect(),
            by_labels,
            limit,
            max_series: limits.volume_max_series,
            query: stream_query(state, (start, end), vec![matchers]),
        })
    }

    /// The largest groups, the largest first.
    fn groups(&self, querier: &dyn LogQuerier, running: &Running) -> Result<Vec<Group>, ApiError> {
        let series = querier.series(&self.query)?;
        let sets = if self.by_labels { self.label_names(&series) } else { self.label_sets(&series) };
        if self.max_series > 0 && sets.len() > self.max_series {
            return Err(ApiError::BadRequest(format!(
                "the query hit the max number of series limit (limit: {} series)",
                self.max_series
            )));
        }
        let mut groups = Vec::with_capacity(sets.len());
        for (name, extra) in sets {
            running.check()?;
            let mut query = self.query.clone();
            query.selectors.iter_mut().for_each(|matchers| matchers.extend(extra.iter().cloned()));
            let bytes = querier.volume(&query)?.bytes;
            groups.push(Group { name, query, bytes });
        }
        groups.sort_by(|left, right| right.bytes.cmp(&left.bytes).then_with(|| left.name.cmp(&right.name)));
        groups.truncate(self.limit);
        Ok(groups)
    }

    /// One group for each combination of values of the labels that are asked for: the target labels, or those of the selector.
    fn label_sets(&self, series: &[Labels]) -> BTreeMap<VolumeName, Vec<Matcher>> {
        let of_selector = self.query.selectors.iter().flatten().map(Matcher::name);
        let names: BTreeSet<&str> = match self.target_labels.as_slice() {
            [] => of_selector.collect(),
            targets => targets.iter().map(String::as_str).collect(),
        };
        let mut sets = BTreeMap::new();
        for labels in series {
            let is_complete = self.target_labels.iter().all(|name| labels.get(name).is_some());
            if is_complete {
                let group = labels.filter(|name| names.contains(name));
                sets.entry(VolumeName::Series(group.clone())).or_insert_with(|| {
                    names.iter().map(|name| Matcher::equal(name, group.value(name))).collect()
                });
            }
        }
        sets
    }

    /// One group for each label, with an empty value.
    fn label_names(&self, series: &[Labels]) -> BTreeMap<VolumeName, Vec<Matcher>> {
        let names: BTreeSet<&str> =
            series.iter().flat_map(|labels| labels.iter().map(|(name, _)| name)).collect();
        let wanted = |name: &&str| {
            self.target_labels.is_empty() || self.target_labels.iter().any(|target| target == name)
        };
        let mut sets = BTreeMap::new();
        for name in names.into_iter().filter(wanted) {
            if let Ok(present) = Matcher::new(MatchOp::NotEqual, name, "") {
                sets.insert(VolumeName::Label(name.to_owned()), vec![present]);
            }
        }
        sets
    }
}

#[cfg(test)]
mod tests {
    use super::{MILLISECOND, parts};

    #[test]
    fn a_range_in_parts() {
        let check = |start, end, step, want: &[(i64, i64, i64)]| {
            let got: Vec<_> = parts(start * MILLISECOND, end * MILLISECOND, step * MILLISECOND)
                .map(|part| (part.from / MILLISECOND, part.until - 1, part.named / MILLISECOND))
                .map(|(from, last, named)| (from, last / MILLISECOND, named))
                .collect();
            assert_eq!(got, want, "{start} {end} {step}");
        };
        check(0, 30, 10, &[(0, 9, 9), (10, 19, 19), (20, 30, 30)]);
        check(0, 25, 10, &[(0, 9, 9), (10, 19, 19), (20, 25, 25)]);
        check(5, 5, 10, &[(5, 5, 5)]);
        assert_eq!(parts(i64::MAX - 5, i64::MAX, 10).count(), 1);
    }
}
