//! Functions of single numbers.

use super::clock;
use crate::plan::{self, MathFunction};

/// The function's value, or `None` where it has none. `args` are its scalar arguments at this step.
#[inline]
pub(crate) fn evaluate(function: MathFunction, value: f64, args: &[f64]) -> Option<f64> {
    use MathFunction::*;
    let arg = |at: usize| args.get(at).copied();
    Some(match function {
        Abs => value.abs(),
        Ceil => value.ceil(),
        Floor => value.floor(),
        Exp => value.exp(),
        Sqrt => value.sqrt(),
        Ln => value.ln(),
        Log2 => value.log2(),
        Log10 => value.log10(),
        Sin => value.sin(),
        Cos => value.cos(),
        Tan => value.tan(),
        Asin => value.asin(),
        Acos => value.acos(),
        Atan => value.atan(),
        Sinh => value.sinh(),
        Cosh => value.cosh(),
        Tanh => value.tanh(),
        Asinh => value.asinh(),
        Acosh => value.acosh(),
        Atanh => value.atanh(),
        Rad => value * std::f64::consts::PI / 180.0,
        Deg => value * 180.0 / std::f64::consts::PI,
        Sgn if value < 0.0 => -1.0,
        Sgn if value > 0.0 => 1.0,
        Sgn => value,
        Round => {
            // By the inverse, so that tenths come out as such.
            let inverse = 1.0 / arg(0).unwrap_or(1.0);
            (value * inverse + 0.5).floor() / inverse
        }
        Clamp => return clamp(value, arg(0)?, arg(1)?),
        ClampMin => return clamp(value, arg(0)?, f64::INFINITY),
        ClampMax => return clamp(value, f64::NEG_INFINITY, arg(0)?),
        Year | Month | DayOfMonth | DayOfWeek | DayOfYear | DaysInMonth | Hour | Minute => {
            return Some(clock::evaluate(function, value));
        }
    })
}

/// NaN gives NaN, unless a bound is infinite and holds against it; a lower bound above the upper one gives nothing.
fn clamp(value: f64, least: f64, most: f64) -> Option<f64> {
    if most < least {
        return None;
    }
    Some(plan::max(least, plan::min(most, value)))
}

#[cfg(test)]
mod tests {
    use super::evaluate;
    use crate::plan::MathFunction;

    #[test]
    fn rounds_half_up() {
        let check = |value: f64, to: f64, want: f64| {
            let got = evaluate(MathFunction::Round, value, &[to]).unwrap();
            assert!((got - want).abs() < 1e-12, "{value} to {to}: {got}");
        };
        check(2.5, 1.0, 3.0);
        check(-2.5, 1.0, -2.0);
        check(5.25, 0.1, 5.3);
        check(12.0, 5.0, 10.0);
    }

    #[test]
    fn clamps() {
        assert_eq!(evaluate(MathFunction::Clamp, 7.0, &[0.0, 5.0]), Some(5.0));
        assert_eq!(evaluate(MathFunction::Clamp, 7.0, &[5.0, -5.0]), None);
        assert!(evaluate(MathFunction::Clamp, 7.0, &[0.0, f64::NAN]).is_some_and(f64::is_nan));
        assert_eq!(evaluate(MathFunction::Clamp, 7.0, &[f64::INFINITY, f64::NAN]), Some(f64::INFINITY));
        assert_eq!(evaluate(MathFunction::ClampMin, -7.0, &[0.0]), Some(0.0));
        assert!(evaluate(MathFunction::ClampMin, f64::NAN, &[0.0]).is_some_and(f64::is_nan));
    }
}
