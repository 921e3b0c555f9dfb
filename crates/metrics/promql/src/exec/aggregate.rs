//! Aggregations: rows stream into groups.

use std::{collections::hash_map::Entry, sync::Arc};

use model::{Labels, format_value};
use rustc_hash::FxHashMap;
use vector::{
    Bitmap, Grouping, Groups, Limiter, QuantileReducer, Rank, Ranker, Reduce, Reducer, Row, ValueCounter,
};

use super::{Column, Done, Executor, Series, Sink};
use crate::{
    engine::{
        EngineError,
        annotations::Note,
        budget::{Account, Memory},
    },
    histogram::{HistogramSum, Native, histogram_text},
    plan::{Aggregate, AggregateOp, Scalar, Vector},
    syntax::Span,
};

/// Sums of histograms by group and step.
type HistogramSums = FxHashMap<(usize, usize), HistogramSum>;

/// Group numbers, and which groups contain a series whose name is to go.
struct Grouped {
    groups: Groups,
    drop_name: Vec<bool>,
    /// What the groups take, without samples.
    memory: Memory,
}

impl Grouped {
    fn new(grouping: &Grouping) -> Self {
        let groups = Groups::new(grouping.clone());
        Self { groups, drop_name: Vec::new(), memory: Memory::default() }
    }

    fn assign(&mut self, series: &Series) -> usize {
        let group = self.groups.assign(&series.labels);
        if group == self.drop_name.len() {
            self.drop_name.push(false);
            self.memory = self.memory.with_labels(&self.groups.labels()[group]);
        }
        self.drop_name[group] |= series.drop_name;
        group
    }

    fn emit(self, rows: Vec<Row>, sink: Sink<'_>) -> Done {
        let series = rows.into_iter().map(|row| Series::of_row(Labels::empty(), row)).collect();
        self.emit_series(series, sink)
    }

    /// Gives each group's series its labels.
    fn emit_series(self, series: Vec<Series>, sink: Sink<'_>) -> Done {
        let labels = self.groups.into_labels().into_iter().zip(self.drop_name);
        for ((labels, drop_name), series) in labels.zip(series) {
            if !series.is_empty() {
                sink(Series { labels, drop_name, ..series })?;
            }
        }
        Ok(())
    }
}

impl Executor<'_> {
    pub(super) fn aggregate(&self, aggregate: &Aggregate, sink: Sink<'_>) -> Done {
        let Aggregate { op, grouping, input, .. } = aggregate;
        match op {
            AggregateOp::Reduce(reduce) => self.reduce(*reduce, grouping, input, sink),
            AggregateOp::Rank(rank, k) => self.rank(*rank, k, aggregate, sink),
            AggregateOp::Quantile(phi) => self.quantile(phi, aggregate, sink),
            AggregateOp::CountValues(label) => self.count_values(label, grouping, input, sink),
            AggregateOp::LimitK(k) => self.limit_k(k, grouping, input, sink),
            AggregateOp::LimitRatio(ratio) => self.limit_ratio(ratio, aggregate, sink),
        }
    }

    fn reduce(&self, reduce: Reduce, grouping: &Grouping, input: &Vector, sink: Sink<'_>) -> Done {
        let mut account = Account::new(&self.context.budget);
        let mut grouped = Grouped::new(grouping);
        let mut reducer = Reducer::new(reduce, self.steps.count());
        let mut sums: HistogramSums = FxHashMap::default();
        self.vector(input, &mut |series| {
            let group = grouped.assign(&series);
            if !series.histograms.is_empty() {
                let steps = series.histogram_steps();
                match reduce {
                    Reduce::Count | Reduce::Group => reducer.add_presence(group, &steps),
                    Reduce::Sum | Reduce::Avg => {
                        self.add_histograms(&mut sums, group, &series, reduce == Reduce::Avg, input.span)
                    }
                    Reduce::Min => self.note_ignored("min", input.span),
                    Reduce::Max => self.note_ignored("max", input.span),
                    Reduce::Stddev => self.note_ignored("stddev", input.span),
                    Reduce::Stdvar => self.note_ignored("stdvar", input.span),
                }
            }
            reducer.add(group, &series.floats);
            account.hold(Memory::of_rows(reducer.samples()) + grouped.memory)
        })?;
        drop(account);
        if sums.is_empty() {
            return grouped.emit(reducer.finish(), sink);
        }
        let rows = self.finish_histograms(sums, reducer.finish(), input.span);
        grouped.emit_series(rows, sink)
    }

    fn add_histograms(
        &self,
        sums: &mut HistogramSums,
        group: usize,
        series: &Series,
        mean: bool,
        span: Span,
    ) {
        for (step, histogram) in &series.histograms {
            let native = Native::from(&**histogram);
            match sums.entry((group, *step)) {
                Entry::Vacant(slot) => {
                    slot.insert(HistogramSum::new(native, mean));
                }
                Entry::Occupied(mut slot) => {
                    if slot.get_mut().add(&native).is_err() {
                        let metric = series.labels.metric_name().to_owned();
                        self.note(Note::MixedExponentialCustom { metric }, span);
                    }
                }
            }
        }
    }

    /// Puts sums of histograms beside those of floats; where both are, there is no result.
    fn finish_histograms(&self, sums: HistogramSums, rows: Vec<Row>, span: Span) -> Vec<Series> {
        let mut groups: Vec<Series> =
            rows.into_iter().map(|row| Series::of_row(Labels::empty(), row)).collect();
        let mut sums: Vec<_> = sums.into_iter().collect();
        sums.sort_by_key(|(place, _)| *place);
        for ((group, step), sum) in sums {
            let series = &mut groups[group];
            if series.floats.get(step).is_some() {
                series.floats.unset(step);
                self.note(Note::MixedFloatsHistogramsInAggregation, span);
                continue;
            }
            let (result, notes) = sum.finish();
            let operation = "aggregation";
            if notes.bounds_reconciled {
                self.note(Note::MismatchedBounds { operation }, span);
            }
            if let Some(result) = result {
                if notes.hints_collide {
                    self.note(Note::ConflictingResets { operation }, span);
                }
                series.histograms.push((step, Arc::new(result.into())));
            }
        }
        groups
    }

    fn rank(&self, rank: Rank, k: &Scalar, aggregate: &Aggregate, sink: Sink<'_>) -> Done {
        let name = if rank == Rank::Largest { "topk" } else { "bottomk" };
        let Some(limits) = limits(&self.scalar(k)?, self.steps.count())? else {
            return Ok(());
        };
        let mut grouped = Grouped::new(&aggregate.grouping);
        let mut ranker = Ranker::new(rank, limits);
        let (mut all, mut kept) = (Vec::<(Labels, bool)>::new(), Memory::default());
        let mut account = Account::new(&self.context.budget);
        self.vector(&aggregate.input, &mut |series| {
            if !series.histograms.is_empty() {
                self.note_ignored(name, aggregate.input.span);
            }
            let group = grouped.assign(&series);
            ranker.add(group, all.len(), &series.floats);
            kept = kept.with_labels(&series.labels);
            all.push((series.labels, series.drop_name));
            account.hold(Memory::of_rows(ranker.samples()) + grouped.memory + kept)
        })?;
        drop(account);
        for (at, row) in ranker.finish() {
            let (labels, drop_name) = &all[at];
            sink(Series { drop_name: *drop_name, ..Series::of_row(labels.clone(), row) })?;
        }
        Ok(())
    }

    fn quantile(&self, phi: &Scalar, aggregate: &Aggregate, sink: Sink<'_>) -> Done {
        let phi = self.scalar(phi)?;
        self.note_quantiles(&phi, aggregate.param_span);
        let phis = (0..self.steps.count()).map(|step| phi.at(step)).collect();
        let mut grouped = Grouped::new(&aggregate.grouping);
        let mut reducer = QuantileReducer::new(phis);
        let mut account = Account::new(&self.context.budget);
        self.vector(&aggregate.input, &mut |series| {
            if !series.histograms.is_empty() {
                self.note_ignored("quantile", aggregate.input.span);
            }
            let group = grouped.assign(&series);
            reducer.add(group, series.floats);
            account.hold(Memory::of_rows(reducer.samples()) + grouped.memory)
        })?;
        drop(account);
        grouped.emit(reducer.finish(), sink)
    }

    fn count_values(&self, label: &str, grouping: &Grouping, input: &Vector, sink: Sink<'_>) -> Done {
        // The value takes the label's place before series are grouped.
        let (groups_by, keeps_label) = match grouping {
            Grouping::By(names) => {
                let names = names.iter().filter(|name| *name != label).cloned().collect();
                (Grouping::By(names), true)
            }
            Grouping::Without(names) => {
                let keeps_label = !names.iter().any(|name| name == label);
                let mut names = names.clone();
                names.push(label.to_owned());
                (Grouping::Without(names), keeps_label)
            }
        };
        let count = self.steps.count();
        let mut groups = Groups::new(groups_by);
        let mut counter = ValueCounter::new(count);
        let mut histograms: FxHashMap<(usize, String), Row> = FxHashMap::default();
        let mut account = Account::new(&self.context.budget);
        // What there is beside the counts of floats.
        let mut others = Memory::default();
        self.vector(input, &mut |series| {
            let group = groups.assign(&series.labels);
            counter.add(group, &series.floats);
            for (step, histogram) in &series.histograms {
                let text = histogram_text(&Native::from(&**histogram));
                let bytes = text.len();
                let counts = histograms.entry((group, text)).or_insert_with(|| {
                    others = others + Memory::of_rows(count) + Memory { samples: 0, bytes };
                    Row::empty(count)
                });
                counts.set(*step, counts.get(*step).unwrap_or(0.0) + 1.0);
            }
            account.hold(Memory::of_rows(counter.samples()) + others)
        })?;
        let rows_of_floats = Memory::of_rows(counter.samples());
        let floats = counter
            .finish()
            .into_iter()
            .map(|counted| (counted.group, format_value(counted.value), counted.counts));
        let histograms = histograms.into_iter().map(|((group, text), counts)| (group, text, counts));
        let mut merged: Vec<(Labels, Row)> = Vec::new();
        let mut index: FxHashMap<Labels, usize> = FxHashMap::default();
        for (group, text, counts) in floats.chain(histograms) {
            let mut labels = groups.labels()[group].clone();
            if keeps_label {
                labels = labels.with(label, &text);
            }
            // Values that end up with the same labels count together.
            match index.get(&labels) {
                Some(at) => {
                    let row = &mut merged[*at].1;
                    for (step, value) in counts.iter() {
                        row.set(step, row.get(step).unwrap_or(0.0) + value);
                    }
                }
                None => {
                    others = others + Memory::default().with_labels(&labels);
                    account.hold(rows_of_floats + others)?;
                    index.insert(labels.clone(), merged.len());
                    merged.push((labels, counts));
                }
            }
        }
        // Who keeps them pays for them from here on.
        drop(account);
        merged.into_iter().try_for_each(|(labels, row)| sink(Series::of_row(labels, row)))
    }

    fn limit_k(&self, k: &Scalar, grouping: &Grouping, input: &Vector, sink: Sink<'_>) -> Done {
        let Some(limits) = limits(&self.scalar(k)?, self.steps.count())? else {
            return Ok(());
        };
        let mut grouped = Grouped::new(grouping);
        let mut limiter = Limiter::new(limits);
        self.vector(input, &mut |mut series| {
            let group = grouped.assign(&series);
            let kept = limiter.take(group, &series.present());
            if kept.is_empty() {
                return Ok(());
            }
            series.retain(&kept);
            sink(series)
        })
    }

    /// Keeps series whose hash, as a share of all hashes, lies below the ratio; for a negative ratio, the others.
    fn limit_ratio(&self, ratio: &Scalar, aggregate: &Aggregate, sink: Sink<'_>) -> Done {
        let ratio = self.scalar(ratio)?;
        let all = ratio.distinct();
        if all.iter().all(|ratio| *ratio == 0.0) {
            return Ok(());
        }
        if all.iter().any(|ratio| ratio.is_nan()) {
            return Err(EngineError::execution("Ratio value is NaN"));
        }
        for (beyond, capped) in [(f64::max as fn(f64, f64) -> f64, 1.0), (f64::min, -1.0)] {
            let got = all.iter().copied().fold(capped, beyond);
            if got != capped {
                let note = Note::InvalidRatio { got, capped };
                self.context.annotations.lock().add(note, aggregate.param_span);
            }
        }
        self.vector(&aggregate.input, &mut |mut series| {
            let offset = stable_hash(&series.labels) as f64 / u64::MAX as f64;
            let mut kept = Bitmap::empty(self.steps.count());
            for step in series.present().iter() {
                let ratio = ratio.at(step).clamp(-1.0, 1.0);
                let inside = if ratio >= 0.0 { offset < ratio } else { offset >= 1.0 + ratio };
                if inside && ratio != 0.0 {
                    kept.set(step);
                }
            }
            if kept.is_empty() {
                return Ok(());
            }
            series.retain(&kept);
            sink(series)
        })
    }

    fn note_ignored(&self, aggregation: &'static str, span: Span) {
        self.note(Note::HistogramIgnoredInAggregation { aggregation }, span);
    }

    fn note(&self, note: Note, span: Span) {
        self.context.annotations.lock().add(note, span);
    }

    fn note_quantiles(&self, phi: &Column, span: Span) {
        for value in phi.distinct().iter().filter(|value| !(0.0..=1.0).contains(*value)) {
            self.context.annotations.lock().add(Note::InvalidQuantile(*value), span);
        }
    }
}

/// How many series to keep at each step; `None` when it is none at all steps.
fn limits(k: &Column, steps: usize) -> Result<Option<Vec<usize>>, EngineError> {
    let all = k.distinct();
    if let Some(value) = all.iter().find(|value| value.is_nan()) {
        debug_assert!(value.is_nan());
        return Err(EngineError::execution("Parameter value is NaN"));
    }
    for value in all {
        let text = || format_value(*value);
        if *value <= i64::MIN as f64 {
            return Err(EngineError::execution(format!("Scalar value {} underflows int64", text())));
        }
        if *value >= i64::MAX as f64 {
            return Err(EngineError::execution(format!("Scalar value {} overflows int64", text())));
        }
    }
    let limits: Vec<usize> = (0..steps).map(|step| k.at(step).max(0.0) as usize).collect();
    Ok(limits.iter().any(|limit| *limit > 0).then_some(limits))
}

/// Prometheus' hash of a label set, so that `limit_ratio` picks the same series everywhere: xxHash of each name and value behind its length.
fn stable_hash(labels: &Labels) -> u64 {
    let mut bytes = Vec::new();
    for text in labels.iter().flat_map(|(name, value)| [name, value]) {
        match u8::try_from(text.len()) {
            Ok(size) if size < u8::MAX => bytes.push(size),
            _ => {
                bytes.push(u8::MAX);
                bytes.extend_from_slice(&(text.len() as u32).to_le_bytes()[..3]);
            }
        }
        bytes.extend_from_slice(text.as_bytes());
    }
    xxhash_rust::xxh64::xxh64(&bytes, 0)
}
