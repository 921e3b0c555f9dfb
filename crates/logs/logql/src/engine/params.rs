//! What a query asks and what it may cost.

use model::Nanos;
use streams::Direction;
use template::Clock;

use super::EngineError;
use crate::units;

/// What a query may cost. The defaults are Loki's.
#[derive(Debug, Clone)]
pub struct EngineOptions {
    /// Most lines a log query may ask for (`max_entries_limit_per_query`); 0: any number. Default 5000.
    pub max_entries_limit: usize,
    /// Most series a metric query may return (`max_query_series`); 0: any number. Default 500.
    pub max_series: usize,
    /// Longest window of a range aggregation (`max_query_range`), nanoseconds; 0: any length. Default 0.
    pub max_range: i64,
    /// Most memory that the samples of a metric query, or the lines of a log query, may take while it runs, bytes. Default 1 GiB.
    pub max_memory_bytes: usize,
    /// Whether `variants(…)` is allowed (`enable_multi_variant_queries`). Default no.
    pub variants: bool,
    /// Whether the steps of a metric query are moved to multiples of the step: the first one down, the last one up. Loki does so wherever
    /// it splits queries (`split_queries_by_interval` above 0, its default). Default yes.
    pub align_steps: bool,
    /// What templates take for the time. Default: the system's.
    pub clock: Clock,
}

/// What a range query asks.
#[derive(Debug, Clone)]
pub struct QueryParams {
    /// First moment, inclusive.
    pub start: Nanos,
    /// Last moment: exclusive for lines, inclusive for values.
    pub end: Nanos,
    /// Time between two values, nanoseconds, above 0. Log queries do not use it.
    pub step: i64,
    /// Least time between two lines that are returned, nanoseconds; 0 returns every line. Of the first `limit` lines those are returned
    /// that are so far apart, as in Loki. Metric queries do not use it.
    pub interval: i64,
    /// Which lines come first, and which are returned when there are more than `limit`.
    pub direction: Direction,
    /// Most lines to return. Metric queries do not use it.
    pub limit: usize,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            max_entries_limit: 5000,
            max_series: 500,
            max_range: 0,
            max_memory_bytes: 1 << 30,
            variants: false,
            align_steps: true,
            clock: Clock::system(),
        }
    }
}

impl EngineOptions {
    pub(super) fn check_limit(&self, limit: usize) -> Result<(), EngineError> {
        let max = self.max_entries_limit;
        if max > 0 && limit > max {
            return Err(EngineError::limit(format!(
                "max entries limit per query exceeded, limit > max_entries_limit_per_query ({limit} > {max})"
            )));
        }
        Ok(())
    }

    pub(super) fn check_series(&self, series: usize) -> Result<(), EngineError> {
        let max = self.max_series;
        if max > 0 && series > max {
            return Err(EngineError::limit(format!(
                "maximum number of series ({max}) reached for a single query; consider reducing query cardinality by adding more specific \
                 stream selectors, reducing the time range, or aggregating results with functions like sum(), count() or topk()"
            )));
        }
        Ok(())
    }

    pub(super) fn check_range(&self, interval: i64) -> Result<(), EngineError> {
        if self.max_range > 0 && interval > self.max_range {
            return Err(EngineError::limit(format!(
                "[interval] value exceeds limit: [{}] > [{}]",
                units::format_prometheus_duration(interval),
                units::format_prometheus_duration(self.max_range)
            )));
        }
        Ok(())
    }

    /// Fails when a query takes too much memory.
    pub(super) fn check_memory(&self, bytes: usize) -> Result<(), EngineError> {
        if bytes > self.max_memory_bytes {
            return Err(EngineError::limit(format!(
                "the query needs more memory than it may use (limit: {}); reduce the time range or the number of lines, use a larger step, \
                 or aggregate into fewer series",
                units::format_bytes(self.max_memory_bytes as u64)
            )));
        }
        Ok(())
    }
}
