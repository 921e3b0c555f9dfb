//! The postings offset table of an index: from a label to the list of its series.

use std::collections::HashMap;

use super::index_format::SAMPLING;
use crate::{
    encoding::{Decoder, Malformed},
    query::has_prefix,
};

/// What is remembered of the table: per name, every 32nd value. In version 1, whose table is not sorted, everything.
#[derive(Debug, Default)]
pub(super) struct PostingsTable {
    names: HashMap<Box<str>, Values>,
    /// Where the list of all series is.
    all: Option<u64>,
    entries: usize,
}

#[derive(Debug)]
enum Values {
    Sampled {
        /// Every 32nd value with the position of its entry in the file, sorted.
        sampled: Vec<(Box<str>, usize)>,
        count: usize,
    },
    Whole(HashMap<Box<str>, u64>),
}

struct Entry<'a> {
    name: &'a str,
    value: &'a str,
    postings: u64,
}

// === impl PostingsTable ===

impl PostingsTable {
    /// Walks over the table once. `content` is the section, `start` its position in the file.
    pub(super) fn read(content: &[u8], start: usize, sorted: bool) -> Result<Self, Malformed> {
        let mut table = Self::default();
        let mut decoder = Decoder::new(content);
        let count = decoder.be32()?;
        let mut current: Option<(&str, Values)> = None;
        for _ in 0..count {
            let position = start + content.len() - decoder.remaining();
            let entry = Entry::read(&mut decoder)?;
            if entry.name.is_empty() {
                table.all = Some(entry.postings);
                continue;
            }
            table.entries += 1;
            match &mut current {
                Some((name, values)) if *name == entry.name => values.add(&entry, position),
                _ => {
                    table.keep(current.take());
                    // In version 1 a name may come back.
                    let mut values = table.names.remove(entry.name).unwrap_or_else(|| Values::new(sorted));
                    values.add(&entry, position);
                    current = Some((entry.name, values));
                }
            }
        }
        table.keep(current);
        Ok(table)
    }

    fn keep(&mut self, named: Option<(&str, Values)>) {
        if let Some((name, values)) = named {
            self.names.insert(name.into(), values);
        }
    }

    /// Where the list of all series is.
    pub(super) fn all(&self) -> Option<u64> {
        self.all
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.keys().map(|name| &**name)
    }

    /// Where the list of the series with a label is.
    pub(super) fn find(&self, file: &[u8], name: &str, value: &str) -> Result<Option<u64>, Malformed> {
        match self.names.get(name) {
            None => Ok(None),
            Some(Values::Whole(values)) => Ok(values.get(value).copied()),
            Some(Values::Sampled { sampled, .. }) => {
                let at = sampled.partition_point(|(known, _)| **known <= *value);
                let Some((_, position)) = at.checked_sub(1).and_then(|at| sampled.get(at)) else {
                    return Ok(None);
                };
                let mut decoder = entries_from(file, *position)?;
                for _ in 0..SAMPLING {
                    if decoder.is_empty() {
                        break;
                    }
                    let Ok(entry) = Entry::read(&mut decoder) else {
                        break; // behind the last entry
                    };
                    if entry.name != name || entry.value > value {
                        break;
                    }
                    if entry.value == value {
                        return Ok(Some(entry.postings));
                    }
                }
                Ok(None)
            }
        }
    }

    /// How many values a label has.
    pub(super) fn value_count(&self, name: &str) -> usize {
        match self.names.get(name) {
            None => 0,
            Some(Values::Whole(values)) => values.len(),
            Some(Values::Sampled { count, .. }) => *count,
        }
    }

    /// Shows each value of a label that begins with `prefix`, with the place of its list.
    pub(super) fn values(
        &self,
        file: &[u8],
        name: &str,
        prefix: &str,
        visit: &mut dyn FnMut(&str, u64),
    ) -> Result<(), Malformed> {
        match self.names.get(name) {
            None => {}
            Some(Values::Whole(values)) => {
                let values = values.iter().filter(|(value, _)| has_prefix(value, prefix));
                values.for_each(|(value, postings)| visit(value, *postings));
            }
            Some(Values::Sampled { sampled, count }) => {
                // Values are sorted: those with the prefix are a run, and no larger one has it.
                let before = sampled.partition_point(|(value, _)| **value < *prefix).saturating_sub(1);
                let Some((_, position)) = sampled.get(before) else {
                    return Ok(());
                };
                let mut decoder = entries_from(file, *position)?;
                for _ in before * SAMPLING..*count {
                    let (value, postings) = Entry::read_value(&mut decoder)?;
                    if has_prefix(value, prefix) {
                        visit(value, postings);
                    } else if value > prefix {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// About how much memory it takes.
    pub(super) fn table_bytes(&self) -> usize {
        let entry = size_of::<(Box<str>, usize)>() + 16;
        let values: usize = self
            .names
            .values()
            .map(|values| match values {
                Values::Sampled { sampled, .. } => sampled.len(),
                Values::Whole(values) => values.len(),
            })
            .sum();
        values * entry
    }
}

// === impl Values ===

impl Values {
    fn new(sorted: bool) -> Self {
        if sorted { Self::Sampled { sampled: Vec::new(), count: 0 } } else { Self::Whole(HashMap::new()) }
    }

    fn add(&mut self, entry: &Entry<'_>, position: usize) {
        match self {
            Self::Sampled { sampled, count } => {
                if *count % SAMPLING == 0 {
                    sampled.push((entry.value.into(), position));
                }
                *count += 1;
            }
            Self::Whole(values) => {
                values.insert(entry.value.into(), entry.postings);
            }
        }
    }
}

// === impl Entry ===

impl<'a> Entry<'a> {
    fn read(decoder: &mut Decoder<'a>) -> Result<Self, Malformed> {
        Self::expect_two_keys(decoder)?;
        Ok(Self { name: decoder.str()?, value: decoder.str()?, postings: decoder.uvarint()? })
    }

    /// The value and the place of the list, where the name is known.
    fn read_value(decoder: &mut Decoder<'a>) -> Result<(&'a str, u64), Malformed> {
        Self::expect_two_keys(decoder)?;
        decoder.bytes()?;
        Ok((decoder.str()?, decoder.uvarint()?))
    }

    fn expect_two_keys(decoder: &mut Decoder<'a>) -> Result<(), Malformed> {
        match decoder.uvarint()? {
            2 => Ok(()),
            _ => Err(Malformed("entry of the postings table has not two keys")),
        }
    }
}

fn entries_from(file: &[u8], position: usize) -> Result<Decoder<'_>, Malformed> {
    Ok(Decoder::new(file.get(position..).ok_or(Malformed("entry lies outside of the file"))?))
}
