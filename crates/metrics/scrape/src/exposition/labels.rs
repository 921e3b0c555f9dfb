//! Decoding a sample's name and labels.

use model::{LabelsBuilder, METRIC_NAME};

use super::cursor::Cursor;

/// Reads `name{label="value",…}` or `{"name",label="value",…}` into `builder`, which is cleared first. `None` when the text is not of
/// that form or names a label twice. (A sample that [`Lines`](super::Lines) yielded has the right form.)
pub fn labels(series: &str, builder: &mut LabelsBuilder) -> Option<()> {
    builder.clear();
    let mut cursor = Cursor::new(series);
    let name = cursor.take_while(is_name_byte);
    if !name.is_empty() {
        builder.set(METRIC_NAME, name);
    }
    cursor.skip_blanks();
    if cursor.rest.is_empty() {
        return Some(());
    }
    let mut seen: Vec<String> = Vec::new();
    if !cursor.eat(b'{') {
        return None;
    }
    loop {
        cursor.skip_blanks();
        if cursor.eat(b'}') {
            return cursor.rest.trim().is_empty().then_some(());
        }
        let quoted = cursor.peek() == Some(b'"');
        let label =
            if quoted { cursor.quoted()?.into_owned() } else { cursor.take_while(is_name_byte).to_owned() };
        cursor.skip_blanks();
        if cursor.eat(b'=') {
            cursor.skip_blanks();
            if cursor.peek() != Some(b'"') || label.is_empty() || seen.contains(&label) {
                return None;
            }
            let value = cursor.quoted()?;
            builder.set(&label, &value);
            seen.push(label);
        } else if quoted && builder.get(METRIC_NAME).is_empty() {
            builder.set(METRIC_NAME, &label);
        } else {
            return None;
        }
        cursor.skip_blanks();
        if !cursor.eat(b',') && cursor.peek() != Some(b'}') {
            return None;
        }
    }
}

pub(super) fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b':'
}
