//! JSON by hand, for answers of millions of samples and lines: no tree, no serializer state, no allocation.

use crate::Labels;

/// Appends a JSON string. Most texts need few escapes or none.
pub fn write_json_text(out: &mut String, text: &str) {
    out.push('"');
    let mut clean_from = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..0x20 => "",
            _ => continue,
        };
        out.push_str(&text[clean_from..at]);
        if escape.is_empty() {
            out.push_str(&format!("\\u{byte:04x}"));
        } else {
            out.push_str(escape);
        }
        clean_from = at + 1;
    }
    out.push_str(&text[clean_from..]);
    out.push('"');
}

/// Appends labels as the members of a JSON object, without its braces.
pub fn write_json_members(out: &mut String, labels: &Labels) {
    for (at, (name, value)) in labels.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        write_json_text(out, name);
        out.push(':');
        write_json_text(out, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_labels() {
        let mut out = String::new();
        write_json_text(&mut out, "a\"b\\c\n\u{1}ü");
        assert_eq!(out, r#""a\"b\\c\n\u0001ü""#);
        out.clear();
        write_json_members(&mut out, &Labels::from_pairs([("a", "1"), ("b", "\"")]));
        assert_eq!(out, r#""a":"1","b":"\"""#);
    }
}
