//! Which range function a window goes to.

use super::{
    counter,
    floats::FloatScratch,
    histograms_over_time, over_time, rate, regression, smoothing,
    window::{Notes, Point, Window},
};
use crate::{
    engine::{EngineError, annotations::Note},
    plan::RangeFunction,
};

/// Buffers that live as long as a call, so that windows do not allocate.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    pub(crate) values: Vec<f64>,
    /// The samples of each window that has some.
    pub(crate) used: Vec<(usize, usize)>,
    pub(crate) floats: FloatScratch,
}

/// The function's result for one window, if it has one. `args` are the arguments besides the range, at this step.
pub(crate) fn evaluate(
    function: RangeFunction,
    window: &Window<'_>,
    args: &[f64],
    scratch: &mut Scratch,
    notes: Notes<'_>,
) -> Result<Option<Point>, EngineError> {
    use RangeFunction::*;
    let name = function.name();
    match function {
        CountOverTime => {
            let count = window.values.len() + window.histograms.len();
            return Ok(Some(Point::Float(count as f64)));
        }
        PresentOverTime | AbsentOverTime => return Ok(Some(Point::Float(1.0))),
        FirstOverTime => return Ok(over_time::first(window)),
        LastOverTime => return Ok(over_time::last(window)),
        TsOfFirstOverTime => return Ok(over_time::first_time(window).map(Point::Float)),
        TsOfLastOverTime => return Ok(over_time::last_time(window).map(Point::Float)),
        Changes => return Ok(Some(Point::Float(counter::changes(window)))),
        Resets => return Ok(Some(Point::Float(counter::resets(window)))),
        Irate | Idelta => return Ok(rate::instant(window, function == Irate, notes)),
        Rate | Increase | Delta | SumOverTime | AvgOverTime => {
            if window.is_mixed() {
                notes.mixed();
                return Ok(None);
            }
            if !window.histograms.is_empty() {
                return Ok(histograms_over_time::evaluate(function, window, notes));
            }
        }
        _ => {}
    }
    // From here on only floats count.
    let least = match function {
        Deriv | PredictLinear | DoubleExponentialSmoothing => 2,
        _ => 1,
    };
    if function == DoubleExponentialSmoothing {
        smoothing::check_factors(args)?;
    }
    if !window.histograms.is_empty() && !window.values.is_empty() {
        notes.histograms_ignored();
    }
    if window.values.len() < least {
        return Ok(None);
    }
    let arg = |at: usize| args.get(at).copied().unwrap_or(f64::NAN);
    let value = match function {
        Rate | Increase | Delta => return Ok(rate::extrapolated(function, window, notes).map(Point::Float)),
        SumOverTime => over_time::sum(window.values),
        AvgOverTime => over_time::avg(window.values),
        MinOverTime => over_time::min(window.values),
        MaxOverTime => over_time::max(window.values),
        StdvarOverTime => over_time::variance(window.values),
        StddevOverTime => over_time::variance(window.values).sqrt(),
        MadOverTime => over_time::median_absolute_deviation(window.values, &mut scratch.values),
        TsOfMaxOverTime => over_time::time_of(window, |value, best| value >= best),
        TsOfMinOverTime => over_time::time_of(window, |value, best| value <= best),
        QuantileOverTime => {
            let phi = arg(0);
            if !(0.0..=1.0).contains(&phi) {
                notes.add(Note::InvalidQuantile(phi));
            }
            scratch.values.clear();
            scratch.values.extend_from_slice(window.values);
            vector::quantile(phi, &mut scratch.values)
        }
        Deriv => regression::linear(window, window.timestamps[0]).slope,
        PredictLinear => {
            let line = regression::linear(window, window.time);
            line.slope * arg(0) + line.intercept
        }
        DoubleExponentialSmoothing => smoothing::double_exponential(window.values, arg(0), arg(1)),
        _ => return Err(EngineError::NotSupported(format!("function {name}"))),
    };
    Ok(Some(Point::Float(value)))
}
