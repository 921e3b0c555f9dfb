//! Double-quoted strings as Go's `strconv.Quote` writes them, which is how every peer prints label values.

use std::fmt::{self, Write};

/// `text` in double quotes with Go's escapes.
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    write_quoted(&mut out, text).expect("BUG: writing to a String cannot fail");
    out
}

/// Writes `text` in double quotes with Go's escapes.
pub fn write_quoted(out: &mut impl Write, text: &str) -> fmt::Result {
    out.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' => out.write_str("\\\"")?,
            '\\' => out.write_str("\\\\")?,
            '\n' => out.write_str("\\n")?,
            '\r' => out.write_str("\\r")?,
            '\t' => out.write_str("\\t")?,
            '\u{7}' => out.write_str("\\a")?,
            '\u{8}' => out.write_str("\\b")?,
            '\u{b}' => out.write_str("\\v")?,
            '\u{c}' => out.write_str("\\f")?,
            c if (c as u32) < 0x20 || c as u32 == 0x7f => write!(out, "\\x{:02x}", c as u32)?,
            c if is_printable(c) => out.write_char(c)?,
            c if (c as u32) < 0x10000 => write!(out, "\\u{:04x}", c as u32)?,
            c => write!(out, "\\U{:08x}", c as u32)?,
        }
    }
    out.write_char('"')
}

/// Go's `strconv.IsPrint`, as far as characters beyond ASCII go: no controls, no spaces but U+0020, no surrogates or private use.
fn is_printable(c: char) -> bool {
    let code = c as u32;
    !(c.is_control()
        || (c.is_whitespace() && c != ' ')
        || matches!(code, 0xad | 0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x206f | 0xfeff)
        || matches!(code, 0xe000..=0xf8ff | 0xfff0..=0xfffb | 0xf0000..=0x10ffff))
}

#[cfg(test)]
mod tests {
    use super::quote;

    #[test]
    fn escapes_as_go_does() {
        let check = |text: &str, want: &str| assert_eq!(quote(text), want, "{text:?}");
        check("plain", r#""plain""#);
        check("a\"b\\c", r#""a\"b\\c""#);
        check("\n\t\r\u{7}\u{0}", r#""\n\t\r\a\x00""#);
        check("übung ☃ 🦀", r#""übung ☃ 🦀""#);
        check("\u{a0}\u{feff}", r#""\u00a0\ufeff""#);
    }
}
