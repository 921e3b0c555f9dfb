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
            let mut from = start;
            while from <= end {
                running.check()?;
                let next = from.saturating_add(step);
                let streams = StreamQuery { start: from, end: next.min(end.saturating_add(1)), ..group.query.clone() };
                let bytes = querier.volume(&streams)?.bytes;
                // Loki names a part of the range by its last millisecond.
                let timestamp = (next.saturating_sub(MILLISECOND)).min(end).div_euclid(MILLISECOND);
                if bytes > 0 {
                    points.push(Point { timestamp, value: bytes as f64 });
                }
                if next <= from {
                    break;
                }
                from = next;
            }
            volumes.push(Volumes { name: group.name, points });
        }
        volumes.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(json::volume_matrix(&volumes, queued))
    })
    .await
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
            return Err(ApiError::NotFound("volume is disabled, see limits_config.volume_enabled".to_owned()));
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
    fn groups(
        &self,
        querier: &dyn LogQuerier,
        running: &Running,
    ) -> Result<Vec<Group>, ApiError> {
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
        let names: BTreeSet<&str> = series.iter().flat_map(|labels| labels.iter().map(|(name, _)| name)).collect();
        let wanted = |name: &&str| self.target_labels.is_empty() || self.target_labels.iter().any(|target| target == name);
        let mut sets = BTreeMap::new();
        for name in names.into_iter().filter(wanted) {
            if let Ok(present) = Matcher::new(MatchOp::NotEqual, name, "") {
                sets.insert(VolumeName::Label(name.to_owned()), vec![present]);
            }
        }
        sets
    }
}
