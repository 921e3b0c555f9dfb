//! Lines that are not UTF-8.
//!
//! Log files hold whatever programs write, and what was read must be sent byte for byte. Stages work on text, so each stray byte becomes
//! one private character (as Go's regular expressions see it: one character that is no letter), and turns back into its byte at the end.

use bytes::Bytes;

/// Character of the stray byte 0x80; those up to 0xff follow. The last 128 code points of Unicode, private use.
const FIRST: u32 = 0x10_ff80;

/// Text of bytes, and whether it holds stray bytes.
pub(crate) fn decode(bytes: &[u8]) -> (String, bool) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return (text.to_owned(), false);
    }
    let mut text = String::with_capacity(bytes.len() * 2);
    for chunk in bytes.utf8_chunks() {
        for char in chunk.valid().chars() {
            if is_stray(char) {
                // The private characters themselves, in a line that is broken anyway: kept as their bytes.
                text.extend(char.encode_utf8(&mut [0; 4]).bytes().map(stray));
            } else {
                text.push(char);
            }
        }
        text.extend(chunk.invalid().iter().copied().map(stray));
    }
    (text, true)
}

/// The bytes of a text; `has_stray` as told by [`decode`].
pub(crate) fn encode(text: String, has_stray: bool) -> Bytes {
    if !has_stray {
        return text.into_bytes().into();
    }
    let mut bytes = Vec::with_capacity(text.len());
    for char in text.chars() {
        if is_stray(char) {
            bytes.push((char as u32 - FIRST + 0x80) as u8);
        } else {
            bytes.extend(char.encode_utf8(&mut [0; 4]).bytes());
        }
    }
    bytes.into()
}

/// Whether a text of a line with stray bytes has one itself.
pub(crate) fn has_stray(text: &str) -> bool {
    text.chars().any(is_stray)
}

fn is_stray(char: char) -> bool {
    char as u32 >= FIRST
}

fn stray(byte: u8) -> char {
    char::from_u32(FIRST + u32::from(byte & 0x7f)).unwrap_or(char::REPLACEMENT_CHARACTER)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_broken_lines_are_changed() {
        assert_eq!(decode("a\u{10ffff}".as_bytes()), ("a\u{10ffff}".into(), false));
        let (text, has_stray) = decode(b"caf\xe9");
        assert!(has_stray && text.starts_with("caf") && text.chars().count() == 4);
    }

    proptest! {
        #[test]
        fn bytes_survive(bytes in prop::collection::vec(any::<u8>(), 0..40), text in ".{0,10}\u{10ff80}?") {
            let bytes = [bytes.as_slice(), text.as_bytes()].concat();
            let (text, stray) = decode(&bytes);
            prop_assert_eq!(encode(text, stray), bytes);
        }
    }
}
