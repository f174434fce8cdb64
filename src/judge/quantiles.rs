//! Quantiles of how long rows took.

/// How long each of some rows took.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Quantiles {
    microseconds: Vec<i64>,
}

impl Quantiles {
    /// Every quantile that is shown, with the value of its label.
    pub const ALL: [(&'static str, f64); 2] = [("0.5", 0.5), ("0.9", 0.9)];

    /// Adds rows: microseconds with commas between them.
    pub(super) fn add(&mut self, list: &str) {
        let numbers = list
            .split(',')
            .filter_map(|number| number.parse::<i64>().ok());
        self.microseconds.extend(numbers);
        self.microseconds.sort_unstable();
    }

    /// Returns a quantile in seconds, between two rows in proportion; nothing where there are no
    /// rows.
    pub fn seconds(&self, quantile: f64) -> Option<f64> {
        let last = self.microseconds.len().checked_sub(1)?;
        let place = quantile * last as f64;
        let (below, above) = (place.floor(), place.ceil());
        let at = |place: f64| self.microseconds[place as usize] as f64;
        let between = at(below) + (at(above) - at(below)) * (place - below);
        Some(between / 1e6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_lies_between_two_rows_in_proportion() {
        let mut quantiles = Quantiles::default();
        assert_eq!(quantiles.seconds(0.5), None);
        quantiles.add("");
        assert_eq!(quantiles.seconds(0.5), None);
        quantiles.add("3000000,-1000000");
        assert_eq!(quantiles.seconds(0.5), Some(1.0));
        quantiles.add("10000000");
        assert_eq!(quantiles.seconds(0.5), Some(3.0));
        assert_eq!(quantiles.seconds(0.9), Some(8.6));
    }
}
