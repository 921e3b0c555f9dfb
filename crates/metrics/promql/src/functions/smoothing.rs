//! `double_exponential_smoothing` (Holt's linear method).

use crate::engine::EngineError;

/// Both factors have to lie between zero and one.
pub(crate) fn check_factors(args: &[f64]) -> Result<(), EngineError> {
    for (what, short, factor) in [("smoothing", "sf", args.first()), ("trend", "tf", args.get(1))] {
        let factor = factor.copied().unwrap_or(f64::NAN);
        // NaN passes, as it does in Prometheus.
        if factor <= 0.0 || factor >= 1.0 {
            return Err(EngineError::execution(format!(
                "invalid {what} factor. Expected: 0 < {short} < 1, got: {factor:.6}"
            )));
        }
    }
    Ok(())
}

/// The smoothed last value. Needs two values.
pub(crate) fn double_exponential(values: &[f64], smoothing: f64, trend: f64) -> f64 {
    let mut previous = 0.0;
    let mut level = values[0];
    let mut slope = values[1] - values[0];
    for (at, value) in values.iter().enumerate().skip(1) {
        if at > 1 {
            slope = trend * (level - previous) + (1.0 - trend) * slope;
        }
        previous = level;
        level = smoothing * value + (1.0 - smoothing) * (level + slope);
    }
    level
}
