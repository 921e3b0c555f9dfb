//! Parts of dates, in UTC.

use crate::plan::MathFunction;

const SECONDS_A_DAY: i64 = 24 * 60 * 60;
/// The calendar repeats itself after this many days, which are 400 years.
const DAYS_AN_ERA: i64 = 146_097;
/// From the first of March of year zero, with which eras begin, to the epoch.
const DAYS_BEFORE_EPOCH: i64 = 719_468;

/// A date of the Gregorian calendar, drawn out in both directions.
struct Date {
    year: i64,
    month: i64,
    day: i64,
}

/// A part of the date that lies `seconds` after the epoch; fractions are cut off. NaN for what is no number of seconds.
pub(crate) fn evaluate(function: MathFunction, seconds: f64) -> f64 {
    // 2⁶³ and beyond are no whole numbers any more.
    if seconds.is_nan() || seconds.abs() >= i64::MAX as f64 {
        return f64::NAN;
    }
    let seconds = seconds as i64;
    let (days, second) = (seconds.div_euclid(SECONDS_A_DAY), seconds.rem_euclid(SECONDS_A_DAY));
    let date = Date::of(days);
    let part = match function {
        MathFunction::Year => date.year,
        MathFunction::Month => date.month,
        MathFunction::DayOfMonth => date.day,
        // The epoch was a Thursday.
        MathFunction::DayOfWeek => (days + 4).rem_euclid(7),
        MathFunction::DayOfYear => date.day_of_year(),
        MathFunction::DaysInMonth => date.days_in_month(),
        MathFunction::Hour => second / 3600,
        MathFunction::Minute => second / 60 % 60,
        _ => return f64::NAN,
    };
    part as f64
}

impl Date {
    /// The date so many days after the epoch. Years are counted from March, so that the odd day is their last.
    fn of(days: i64) -> Self {
        let days = days + DAYS_BEFORE_EPOCH;
        let (era, day) = (days.div_euclid(DAYS_AN_ERA), days.rem_euclid(DAYS_AN_ERA));
        let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        // Five months of 153 days in all, over and over.
        let month = (5 * day + 2) / 153;
        let day = day - (153 * month + 2) / 5 + 1;
        let next_year = month >= 10;
        Self {
            year: era * 400 + year + i64::from(next_year),
            month: if next_year { month - 9 } else { month + 3 },
            day,
        }
    }

    fn is_leap(&self) -> bool {
        self.year % 4 == 0 && (self.year % 100 != 0 || self.year % 400 == 0)
    }

    fn days_in_month(&self) -> i64 {
        match self.month {
            2 => 28 + i64::from(self.is_leap()),
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        }
    }

    fn day_of_year(&self) -> i64 {
        const BEFORE: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
        let before = usize::try_from(self.month - 1).ok().and_then(|month| BEFORE.get(month)).unwrap_or(&0);
        before + self.day + i64::from(self.month > 2 && self.is_leap())
    }
}

#[cfg(test)]
mod tests {
    use jiff::{Timestamp, tz::TimeZone};

    use super::evaluate;
    use crate::plan::MathFunction::*;

    #[test]
    fn parts_of_a_date() {
        // Tue 2016-03-01 00:00:00
        let parts = [Year, Month, DayOfMonth, DayOfWeek, DayOfYear, DaysInMonth, Hour, Minute];
        let got = parts.map(|part| evaluate(part, 1_456_790_400.0));
        assert_eq!(got, [2016.0, 3.0, 1.0, 2.0, 61.0, 31.0, 0.0, 0.0]);
        assert_eq!(evaluate(Year, 1e12), 33_658.0);
        assert!(evaluate(Year, f64::INFINITY).is_nan());
        assert!(evaluate(Year, f64::NAN).is_nan());
        assert!(evaluate(Year, 1e300).is_nan());
    }

    #[test]
    fn every_day_is_that_of_the_calendar() {
        for day in (-800_000..800_000).step_by(13) {
            let seconds = day * 86_400 + 3 * 3600 + 25 * 60 + 7;
            let date = TimeZone::UTC.to_datetime(Timestamp::from_second(seconds).unwrap());
            let parts = [Year, Month, DayOfMonth, DayOfWeek, DayOfYear, DaysInMonth, Hour, Minute];
            let want = [
                i64::from(date.year()),
                i64::from(date.month()),
                i64::from(date.day()),
                i64::from(date.weekday().to_sunday_zero_offset()),
                i64::from(date.day_of_year()),
                i64::from(date.days_in_month()),
                i64::from(date.hour()),
                i64::from(date.minute()),
            ];
            assert_eq!(parts.map(|part| evaluate(part, seconds as f64) as i64), want, "{date}");
        }
    }
}
