//! `label_replace` and `label_join`.

use go_regex::Locations;
use model::Labels;

use super::{Done, Executor, Sink};
use crate::plan::{Relabel, Vector};

impl Executor<'_> {
    pub(super) fn relabel(&self, relabel: &Relabel, input: &Vector, sink: Sink<'_>) -> Done {
        let mut names = self.name_removal();
        let mut groups = relabel.groups();
        let mut value = String::new();
        self.vector(input, &mut |mut series| {
            value.clear();
            if let Some(target) = relabel.write_value(&series.labels, &mut groups, &mut value) {
                series.labels = series.labels.with(target, &value);
                if target == model::METRIC_NAME {
                    series.drop_name = false;
                }
            }
            names.check(&series)?;
            sink(series)
        })
    }
}

impl Relabel {
    /// Room for what [`Relabel::write_value`] finds.
    fn groups(&self) -> Option<Locations> {
        match self {
            Self::Replace { regex, .. } => Some(regex.locations()),
            Self::Join { .. } => None,
        }
    }

    /// Appends the value to be set, and returns the name of its label; none where the labels stay as they are.
    fn write_value(
        &self,
        labels: &Labels,
        groups: &mut Option<Locations>,
        value: &mut String,
    ) -> Option<&str> {
        match self {
            Self::Replace { target, replacement, source, regex } => {
                let source = labels.value(source);
                let groups = groups.as_mut()?;
                regex.captures_at(source, 0, groups).then(|| {
                    regex.expand(replacement, source, groups, value);
                    target.as_str()
                })
            }
            Self::Join { target, separator, sources } => {
                for (at, source) in sources.iter().enumerate() {
                    if at > 0 {
                        value.push_str(separator);
                    }
                    value.push_str(labels.value(source));
                }
                Some(target)
            }
        }
    }
}
