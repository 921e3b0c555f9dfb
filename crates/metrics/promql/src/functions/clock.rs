//! Parts of dates, in UTC.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

use crate::plan::MathFunction;

/// A part of the date that lies `seconds` after the epoch; fractions are cut off. NaN outside of the years that dates reach.
pub(crate) fn evaluate(function: MathFunction, seconds: f64) -> f64 {
    let Some(date) = date(seconds) else {
        return f64::NAN;
    };
    match function {
        MathFunction::Year => f64::from(date.year()),
        MathFunction::Month => f64::from(date.month()),
        MathFunction::DayOfMonth => f64::from(date.day()),
        MathFunction::DayOfWeek => f64::from(date.weekday().to_sunday_zero_offset()),
        MathFunction::DayOfYear => f64::from(date.day_of_year()),
        MathFunction::DaysInMonth => f64::from(date.days_in_month()),
        MathFunction::Hour => f64::from(date.hour()),
        MathFunction::Minute => f64::from(date.minute()),
        _ => f64::NAN,
    }
}

fn date(seconds: f64) -> Option<DateTime> {
    if !seconds.is_finite() {
        return None;
    }
    let timestamp = Timestamp::from_second(seconds as i64).ok()?;
    Some(TimeZone::UTC.to_datetime(timestamp))
}

#[cfg(test)]
mod tests {
    use super::evaluate;
    use crate::plan::MathFunction::*;

    #[test]
    fn parts_of_a_date() {
        // Tue 2016-03-01 00:00:00
        let parts = [Year, Month, DayOfMonth, DayOfWeek, DayOfYear, DaysInMonth, Hour, Minute];
        let got = parts.map(|part| evaluate(part, 1_456_790_400.0));
        assert_eq!(got, [2016.0, 3.0, 1.0, 2.0, 61.0, 31.0, 0.0, 0.0]);
        assert!(evaluate(Year, f64::INFINITY).is_nan());
        assert!(evaluate(Year, 1e300).is_nan());
    }
}
