//! Decimal arithmetic for `addf` and its kin: 0.1 and 0.2 make 0.3 there.

use crate::format::float;

/// Digits behind the point that a division gives.
const DIVISION_DIGITS: i32 = 16;

/// The four operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Add,
    Subtract,
    Multiply,
    Divide,
}

/// `mantissa × 10^exponent`
#[derive(Debug, Clone, Copy)]
struct Decimal {
    mantissa: i128,
    exponent: i32,
}

/// Goes through the numbers from left to right. Where the digits outgrow 128 bits, binary floats take over.
pub(super) fn fold(first: f64, rest: impl Iterator<Item = f64>, operation: Operation) -> Result<f64, String> {
    let mut exact = Decimal::of(first);
    let mut float = first;
    for next in rest {
        if operation == Operation::Divide && next == 0.0 {
            return Err("decimal division by 0".to_owned());
        }
        exact = exact.zip(Decimal::of(next)).and_then(|(left, right)| left.apply(right, operation));
        float = match (operation, exact) {
            (_, Some(exact)) => exact.to_float(),
            (Operation::Add, None) => float + next,
            (Operation::Subtract, None) => float - next,
            (Operation::Multiply, None) => float * next,
            (Operation::Divide, None) => float / next,
        };
    }
    Ok(float)
}

impl Decimal {
    fn of(value: f64) -> Option<Decimal> {
        if !value.is_finite() {
            return None;
        }
        let text = float::format(value, 'e', None, false);
        let (digits, exponent) = text.split_once('e')?;
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        Some(Decimal {
            mantissa: format!("{whole}{fraction}").parse().ok()?,
            exponent: exponent.parse::<i32>().ok()? - i32::try_from(fraction.len()).ok()?,
        })
    }

    fn to_float(self) -> f64 {
        format!("{}e{}", self.mantissa, self.exponent).parse().unwrap_or(f64::NAN)
    }

    /// The mantissa for a smaller exponent.
    fn scaled_to(self, exponent: i32) -> Option<i128> {
        let power = u32::try_from(self.exponent.checked_sub(exponent)?).ok()?;
        self.mantissa.checked_mul(10_i128.checked_pow(power)?)
    }

    fn apply(self, other: Decimal, operation: Operation) -> Option<Decimal> {
        let exponent = self.exponent.min(other.exponent);
        match operation {
            Operation::Add => Some(Decimal {
                mantissa: self.scaled_to(exponent)?.checked_add(other.scaled_to(exponent)?)?,
                exponent,
            }),
            Operation::Subtract => Some(Decimal {
                mantissa: self.scaled_to(exponent)?.checked_sub(other.scaled_to(exponent)?)?,
                exponent,
            }),
            Operation::Multiply => Some(Decimal {
                mantissa: self.mantissa.checked_mul(other.mantissa)?,
                exponent: self.exponent + other.exponent,
            }),
            Operation::Divide => {
                let divisor = other.mantissa;
                let scale = self.exponent - other.exponent + DIVISION_DIGITS;
                let power = 10_i128.checked_pow(u32::try_from(scale.abs()).ok()?)?;
                let (dividend, divisor) = match scale {
                    0.. => (self.mantissa.checked_mul(power)?, divisor),
                    _ => (self.mantissa, divisor.checked_mul(power)?),
                };
                let (quotient, rest) = (dividend.checked_div(divisor)?, dividend.checked_rem(divisor)?);
                let away = i128::from(rest.unsigned_abs().checked_mul(2)? >= divisor.unsigned_abs());
                let sign = if (dividend < 0) == (divisor < 0) { 1 } else { -1 };
                Some(Decimal { mantissa: quotient + away * sign, exponent: -DIVISION_DIGITS })
            }
        }
    }
}
