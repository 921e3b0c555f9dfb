//! `| unwrap`: a label's value becomes the sample.

use super::label_filter::{self, LabelCondition};
use super::{EntryLabels, errors};
use crate::syntax::{Conversion, ParseError, Unwrap};
use crate::units;

/// A compiled `unwrap` with the filters after it.
pub(crate) struct Unwrapper {
    name: String,
    conversion: Option<Conversion>,
    filters: Vec<LabelCondition>,
    /// Labels that the filters read.
    filtered: Vec<String>,
}

impl Unwrapper {
    pub fn new(unwrap: &Unwrap) -> Result<Self, ParseError> {
        let filters = unwrap
            .filters
            .iter()
            .map(|filter| LabelCondition::new(filter).map_err(|error| ParseError::of(error, unwrap.span)))
            .collect::<Result<_, _>>()?;
        let mut filtered = Vec::new();
        for filter in &unwrap.filters {
            label_filter::names(filter, &mut |name| filtered.push(name.to_owned()));
        }
        Ok(Self { filtered, name: unwrap.name.clone(), conversion: unwrap.conversion, filters })
    }

    /// The label that holds the sample.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Calls `add` with each label that is read.
    pub fn each_label(&self, add: &mut dyn FnMut(&str)) {
        add(&self.name);
        self.filtered.iter().for_each(|name| add(name));
    }

    /// The sample of an entry with these labels; `None` where the label is missing or empty, or a filter does not hold.
    ///
    /// A value that is no number gives 0 and an error, for a filter to see.
    pub fn sample(&self, labels: &mut EntryLabels) -> Option<f64> {
        let text = labels.get(&self.name).filter(|text| !text.is_empty())?;
        let result = match self.conversion {
            None => units::parse_number(text),
            Some(Conversion::Bytes) => units::parse_bytes(text).map(|bytes| bytes as f64),
            Some(Conversion::Duration | Conversion::DurationSeconds) => {
                units::parse_go_duration(text).map(|nanos| nanos as f64 / units::SECOND as f64)
            }
        };
        let value = match result {
            Ok(value) => value,
            Err(error) => {
                labels.set_error(errors::SAMPLE, &error);
                0.0
            }
        };
        self.filters.iter().all(|filter| filter.holds(labels)).then_some(value)
    }
}
