//! Quantiles of plain numbers.

use crate::Row;

/// The φ-quantile of `values`, linear between neighbours; sorts them. NaN counts as the least value.
///
/// NaN for no values or a φ that is NaN, −Inf for φ < 0, +Inf for φ > 1 (Prometheus' documented edges).
pub fn quantile(phi: f64, values: &mut [f64]) -> f64 {
    if values.is_empty() || phi.is_nan() {
        return f64::NAN;
    }
    if phi < 0.0 {
        return f64::NEG_INFINITY;
    }
    if phi > 1.0 {
        return f64::INFINITY;
    }
    values.sort_unstable_by(|a, b| match (a.is_nan(), b.is_nan()) {
        (false, false) => a.total_cmp(b),
        (a, b) => b.cmp(&a),
    });
    sorted_quantile(phi, values)
}

/// As [`quantile`] for φ in 0 … 1 and at least one value, sorted already.
fn sorted_quantile(phi: f64, sorted: &[f64]) -> f64 {
    let last = sorted.len() - 1;
    let rank = phi * last as f64;
    let lower = (rank.floor() as usize).min(last);
    let upper = (lower + 1).min(last);
    let weight = rank - rank.floor();
    sorted[lower] * (1.0 - weight) + sorted[upper] * weight
}

/// `quantile` as an aggregation: keeps every row until the end.
#[derive(Debug)]
pub struct QuantileReducer {
    phis: Vec<f64>,
    /// The rows of each group.
    groups: Vec<Vec<Row>>,
    kept: usize,
}

impl QuantileReducer {
    /// `phis` holds φ for each step.
    pub fn new(phis: Vec<f64>) -> Self {
        Self { phis, groups: Vec::new(), kept: 0 }
    }

    /// Adds a series' row to a group; groups up to that number come into being.
    pub fn add(&mut self, group: usize, row: Row) {
        while self.groups.len() <= group {
            self.groups.push(Vec::new());
        }
        self.kept += row.len();
        self.groups[group].push(row);
    }

    /// How many numbers are kept in memory, for a budget.
    pub fn samples(&self) -> usize {
        self.kept
    }

    /// One row a group, in order of their numbers.
    pub fn finish(self) -> Vec<Row> {
        let Self { phis, groups, .. } = self;
        let mut values = Vec::new();
        let mut row = |rows: Vec<Row>| {
            Row::from_fn(phis.len(), |step| {
                values.clear();
                values.extend(rows.iter().filter_map(|row| row.get(step)));
                (!values.is_empty()).then(|| quantile(phis[step], &mut values))
            })
        };
        groups.into_iter().map(&mut row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::quantile;

    #[test]
    fn interpolates_between_neighbours() {
        let check = |phi, values: &[f64], want: f64| {
            let got = quantile(phi, &mut values.to_vec());
            assert!((got - want).abs() < 1e-12 || got == want, "{phi} of {values:?}: {got}");
        };
        check(0.8, &[1.0, 0.0], 0.8);
        check(0.8, &[4.0, 0.0, 1.0], 2.8);
        check(0.8, &[0.0, 1.0, f64::NAN], 0.6);
        check(1.0, &[3.0], 3.0);
        check(-0.1, &[3.0], f64::NEG_INFINITY);
        check(1.1, &[3.0], f64::INFINITY);
        assert!(quantile(0.5, &mut []).is_nan());
        assert!(quantile(f64::NAN, &mut [1.0]).is_nan());
        assert!(quantile(0.2, &mut [0.0, 1.0, f64::NAN]).is_nan());
    }
}
