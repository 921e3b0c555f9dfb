//! Finds the series of a block: lists are read where they lie in the mapped index.

use model::Matcher;
use rustc_hash::FxHashMap;

use super::{BlockError, IndexReader, index_reader::reader_error};
use crate::{
    encoding::{Decoder, Malformed},
    query::{FileNumber, PostingsSource, keep, meets, remove, unite},
};

const POSTINGS: &str = "postings";
/// Lists of more bytes than this are checked once, others each time.
const CHECKED_ONCE: usize = 4096;

/// Finds the values of one label, series by series.
struct LabelReader<'a> {
    index: &'a IndexReader,
    name: &'a str,
    /// Whether a symbol is the label's name, of those met so far.
    names: FxHashMap<u32, bool>,
}

// === impl IndexReader ===

impl IndexReader {
    /// The series of a list.
    ///
    /// The checksum of a long list is looked at once: reading all of it costs far more than the few looks that most queries need.
    fn list(&self, list: u64) -> Result<&[FileNumber], BlockError> {
        let is_checked = self.checked_lists.lock().contains(&list);
        if !is_checked {
            self.checked_section(POSTINGS, list)?;
        }
        let numbers = self.unchecked_list(list)?;
        if !is_checked && size_of_val(numbers) > CHECKED_ONCE {
            self.checked_lists.lock().insert(list);
        }
        Ok(numbers)
    }

    fn unchecked_list(&self, list: u64) -> Result<&[FileNumber], BlockError> {
        let read = || {
            let start = usize::try_from(list).unwrap_or(usize::MAX);
            let bytes = self.file.get(start..).ok_or(Malformed("list lies outside of the file"))?;
            let mut decoder = Decoder::new(bytes);
            let size = decoder.be32()? as usize;
            let count = decoder.be32()? as usize;
            let bytes = count.checked_mul(size_of::<FileNumber>());
            let bytes = bytes.filter(|bytes| bytes.checked_add(4).is_some_and(|all| all <= size));
            Ok(decoder.take(bytes.ok_or(Malformed("count is larger than the data"))?)?.as_chunks().0)
        };
        read().map_err(|source| reader_error(&self.path, POSTINGS, source))
    }

    fn lists(&self, lists: &[u64]) -> Result<Vec<&[FileNumber]>, BlockError> {
        lists.iter().map(|list| self.list(*list)).collect()
    }

    /// Appends the series of a list, ascending.
    pub(crate) fn read(&self, list: u64, out: &mut Vec<u32>) -> Result<(), BlockError> {
        out.extend(self.list(list)?.iter().map(|number| u32::from_be_bytes(*number)));
        Ok(())
    }
}

impl PostingsSource for IndexReader {
    /// Where the list is in the file.
    type List<'a> = u64;
    type Set = Vec<u32>;
    type Error = BlockError;

    fn all(&self) -> Result<Vec<u32>, BlockError> {
        let mut all = Vec::new();
        if let Some(list) = self.table.all() {
            self.read(list, &mut all)?;
        }
        Ok(all)
    }

    fn series_count(&self) -> Result<usize, BlockError> {
        self.table.all().map_or(Ok(0), |list| self.list_len(list))
    }

    fn value_count(&self, name: &str) -> usize {
        self.table.value_count(name)
    }

    fn find(&self, name: &str, value: &str) -> Result<Option<u64>, BlockError> {
        let found = self.table.find(&self.file, name, value);
        found.map_err(|source| reader_error(&self.path, "postings offset table", source))
    }

    fn values<'a>(
        &'a self,
        name: &str,
        prefix: &str,
        visit: &mut dyn FnMut(&str, u64),
    ) -> Result<(), BlockError> {
        let walked = self.table.values(&self.file, name, prefix, visit);
        walked.map_err(|source| reader_error(&self.path, "postings offset table", source))
    }

    fn list_len(&self, list: u64) -> Result<usize, BlockError> {
        Ok(self.unchecked_list(list)?.len())
    }

    fn unite(&self, lists: &[u64]) -> Result<Vec<u32>, BlockError> {
        Ok(unite(&self.lists(lists)?))
    }

    fn keep(&self, set: &mut Vec<u32>, lists: &[u64]) -> Result<(), BlockError> {
        keep(set, &self.lists(lists)?);
        Ok(())
    }

    fn meets(&self, set: &Vec<u32>, list: u64) -> Result<bool, BlockError> {
        Ok(meets(set, self.list(list)?))
    }

    fn remove(&self, set: &mut Vec<u32>, lists: &[u64]) -> Result<(), BlockError> {
        remove(set, &self.lists(lists)?);
        Ok(())
    }

    fn keep_matching(&self, set: &mut Vec<u32>, matcher: &Matcher) -> Result<(), BlockError> {
        let absent = matcher.matches_empty();
        let mut label = LabelReader::new(self, matcher.name());
        let mut verdicts: FxHashMap<u32, bool> = FxHashMap::default();
        let mut kept = Vec::new();
        for series in set.iter() {
            let satisfies = match label.value(*series)? {
                None => absent,
                Some(value) => match verdicts.get(&value) {
                    Some(verdict) => *verdict,
                    None => {
                        let verdict = matcher.matches(self.symbol_text(value)?);
                        verdicts.insert(value, verdict);
                        verdict
                    }
                },
            };
            if satisfies {
                kept.push(*series);
            }
        }
        *set = kept;
        Ok(())
    }

    fn values_of(&self, series: &[u32], name: &str, visit: &mut dyn FnMut(&str)) -> Result<(), BlockError> {
        let mut label = LabelReader::new(self, name);
        let mut last = None;
        for series in series {
            let value = label.value(*series)?;
            if let Some(value) = value.filter(|_| value != last) {
                visit(self.symbol_text(value)?);
            }
            last = value;
        }
        Ok(())
    }
}

// === impl LabelReader ===

impl<'a> LabelReader<'a> {
    fn new(index: &'a IndexReader, name: &'a str) -> Self {
        Self { index, name, names: FxHashMap::default() }
    }

    /// The symbol of the label's value, if the series has the label.
    fn value(&mut self, series: u32) -> Result<Option<u32>, BlockError> {
        let entry = self.index.entry(series);
        let entry = entry.map_err(|source| reader_error(&self.index.path, "series", source))?;
        for (name, value) in entry.pairs() {
            if self.is_name(name)? {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    fn is_name(&mut self, symbol: u32) -> Result<bool, BlockError> {
        if let Some(known) = self.names.get(&symbol) {
            return Ok(*known);
        }
        let is_name = self.index.symbol_text(symbol)? == self.name;
        self.names.insert(symbol, is_name);
        Ok(is_name)
    }
}
