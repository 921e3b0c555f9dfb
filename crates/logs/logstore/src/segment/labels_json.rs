//! Label sets as JSON objects of strings: how they lie in a segment's columns, where SQL engines can look into them.

use std::fmt;

use model::{Labels, LabelsBuilder};
use serde::de::{Deserializer, MapAccess, Visitor};

/// Writes `{"name":"value",…}` behind what `out` holds.
pub(super) fn write(out: &mut Vec<u8>, labels: &Labels) {
    serde_json::to_writer(out, labels).expect("BUG: labels always serialise");
}

/// Reads a JSON object of strings.
pub(super) fn read(text: &str) -> Result<Labels, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let labels = deserializer.deserialize_map(LabelsVisitor)?;
    deserializer.end()?;
    Ok(labels)
}

struct LabelsVisitor;

impl<'de> Visitor<'de> for LabelsVisitor {
    type Value = Labels;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of strings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Labels, A::Error> {
        let mut builder = LabelsBuilder::new();
        while let Some((name, value)) =
            map.next_entry::<std::borrow::Cow<'de, str>, std::borrow::Cow<'de, str>>()?
        {
            builder.set(&name, &value);
        }
        Ok(builder.build())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_object_of_strings_is_refused() {
        for bad in ["", "null", "[]", r#"{"a":1}"#, r#"{"a":"b"} x"#, r#"{"a""#] {
            read(bad).expect_err(bad);
        }
    }

    proptest! {
        #[test]
        fn labels_read_back(pairs in prop::collection::vec(("\\PC{0,8}", ".{0,8}"), 0..5)) {
            let labels = Labels::from_pairs(pairs);
            let mut json = Vec::new();
            write(&mut json, &labels);
            let text = std::str::from_utf8(&json).expect("JSON is UTF-8");
            prop_assert_eq!(read(text).expect("it was just written"), labels);
        }

        #[test]
        fn anything_is_read_without_panic(text in ".{0,40}") {
            let _ = read(&text);
        }
    }
}
