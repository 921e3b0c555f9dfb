//! A configuration as a tree, whatever it was written in.

/// Line and column, from 1.
pub(crate) type Place = (usize, usize);

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) place: Option<Place>,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) enum Value {
    #[default]
    Null,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// One key of a map.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) place: Option<Place>,
    pub(crate) node: Node,
}

impl Node {
    pub(crate) fn new(value: Value, place: Option<Place>) -> Self {
        Self { value, place }
    }

    /// An empty map.
    pub(crate) fn map() -> Self {
        Self::new(Value::Map(Vec::new()), None)
    }

    /// The entries of a map; none of anything else.
    pub(crate) fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The value of a key, whatever its case.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|entry| entry.key.eq_ignore_ascii_case(key)).map(|entry| &entry.node)
    }

    /// Sets the value at a path of keys, making maps on the way; `name[2]` is an item of a list. What was there is replaced.
    pub(crate) fn set(&mut self, path: &[&str], text: &str) {
        let Some((first, rest)) = path.split_first() else {
            self.value = Value::Text(text.to_owned());
            self.place = None;
            return;
        };
        let (key, index) = split_index(first);
        let slot = self.slot(key, None, str::eq_ignore_ascii_case);
        match index {
            None => slot.set(rest, text),
            Some(index) => {
                let items = slot.make_list();
                if items.len() <= index {
                    items.resize(index + 1, Self::default());
                }
                items[index].set(rest, text);
            }
        }
    }

    /// The value of a key; `Null` if it is new. What is no map becomes one.
    pub(crate) fn slot(
        &mut self,
        key: &str,
        place: Option<Place>,
        is_same: fn(&str, &str) -> bool,
    ) -> &mut Self {
        let entries = self.make_map();
        let at = match entries.iter().position(|entry| is_same(&entry.key, key)) {
            Some(at) => at,
            None => {
                entries.push(Entry { key: key.to_owned(), place, node: Self::default() });
                entries.len() - 1
            }
        };
        &mut entries[at].node
    }

    fn make_map(&mut self) -> &mut Vec<Entry> {
        if !matches!(self.value, Value::Map(_)) {
            self.value = Value::Map(Vec::new());
        }
        match &mut self.value {
            Value::Map(entries) => entries,
            _ => unreachable!("BUG: a map was made just now"),
        }
    }

    fn make_list(&mut self) -> &mut Vec<Self> {
        if !matches!(self.value, Value::List(_)) {
            self.value = Value::List(Vec::new());
        }
        match &mut self.value {
            Value::List(items) => items,
            _ => unreachable!("BUG: a list was made just now"),
        }
    }
}

/// Largest index that `name[n]` may have; a flag must not be able to ask for gigabytes.
const MAX_INDEX: usize = 1000;

fn split_index(segment: &str) -> (&str, Option<usize>) {
    let split = || {
        let (key, index) = segment.strip_suffix(']')?.split_once('[')?;
        Some((key, index.parse().ok().filter(|index| *index <= MAX_INDEX)?))
    };
    match split() {
        Some((key, index)) => (key, Some(index)),
        None => (segment, None),
    }
}
