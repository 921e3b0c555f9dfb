//! What becomes of metric names.

use model::{Labels, METRIC_NAME};
use rustc_hash::{FxHashMap, FxHashSet};
use vector::{Bitmap, SameLabelset};

use super::{Executor, Series};
use crate::{engine::EngineError, plan::METADATA_LABELS};

/// Takes names off series as they pass and sees that no two become the same.
pub(super) struct NameRemoval {
    /// Names stay until the query is done.
    delayed: bool,
    mode: Mode,
}

enum Mode {
    /// The same labels are an error at the same step.
    PerStep(FxHashMap<Labels, Bitmap>),
    /// The same labels are an error.
    PerSeries(FxHashSet<Labels>),
    /// Nobody looks at the labels.
    Unchecked,
    /// Nobody looks at the names, and no two labels are the same without.
    MayStay,
}

impl Executor<'_> {
    /// For functions of vectors.
    pub(super) fn name_removal(&self) -> NameRemoval {
        NameRemoval { delayed: self.context.delayed_name_removal, mode: Mode::PerStep(FxHashMap::default()) }
    }

    /// For functions over ranges, which take no second series with the same labels, not even at other times.
    pub(super) fn strict_name_removal(&self) -> NameRemoval {
        NameRemoval {
            delayed: self.context.delayed_name_removal,
            mode: Mode::PerSeries(FxHashSet::default()),
        }
    }
}

impl NameRemoval {
    /// For series whose labels do not matter.
    pub(super) fn unchecked() -> Self {
        Self { delayed: false, mode: Mode::Unchecked }
    }

    /// For functions over ranges whose series have one name, which nobody looks at.
    pub(super) fn may_stay() -> Self {
        Self { delayed: false, mode: Mode::MayStay }
    }

    /// Removes the name of a series, now or later.
    pub(super) fn remove(&mut self, series: &mut Series) -> Result<(), EngineError> {
        if matches!(self.mode, Mode::MayStay) {
            // Histograms are told by their names in notes, and types and units might tell groups apart.
            if !series.histograms.is_empty() || has_type_or_unit(&series.labels) {
                series.labels = without_metadata(&series.labels);
            }
            return Ok(());
        }
        match self.delayed {
            true => series.drop_name = true,
            false => series.labels = without_metadata(&series.labels),
        }
        self.check(series)
    }

    /// Checks a series that keeps its name among others.
    pub(super) fn check(&mut self, series: &Series) -> Result<(), EngineError> {
        if self.delayed {
            return Ok(());
        }
        let clash = match &mut self.mode {
            Mode::Unchecked | Mode::MayStay => false,
            Mode::PerSeries(seen) => !seen.insert(series.labels.clone()),
            Mode::PerStep(seen) => match seen.get_mut(&series.labels) {
                Some(steps) => {
                    let present = series.present();
                    let clash = steps.first_common(&present).is_some();
                    steps.union(&present);
                    clash
                }
                None => {
                    seen.insert(series.labels.clone(), series.present());
                    false
                }
            },
        };
        if clash { Err(SameLabelset.into()) } else { Ok(()) }
    }
}

fn has_type_or_unit(labels: &Labels) -> bool {
    METADATA_LABELS.iter().any(|name| *name != METRIC_NAME && labels.get(name).is_some())
}

/// The labels without name, type and unit of the metric.
pub(super) fn without_metadata(labels: &Labels) -> Labels {
    if labels.iter().all(|(name, _)| !METADATA_LABELS.contains(&name)) {
        return labels.clone();
    }
    labels.filter(|name| !METADATA_LABELS.contains(&name))
}
