//! Names of extracted labels.

/// What a field's name ends in when a label of the stream or the metadata has the name already.
pub(super) const EXTRACTED: &str = "_extracted";

/// Appends a field's name as a label's: spaces around it go, what is no letter, digit or `_` becomes `_`, and a digit does not come first.
///
/// `name` may already hold the names of enclosing fields.
pub(super) fn push_sanitized(name: &mut String, field: &str) {
    let field = field.trim();
    if name.is_empty() && field.starts_with(|c: char| c.is_ascii_digit()) {
        name.push('_');
    }
    let is_clean = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if field.bytes().all(is_clean) {
        name.push_str(field);
        return;
    }
    name.extend(field.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' }));
}

/// A decoded value: characters that were no UTF-8 become spaces.
pub(super) fn push_clean(out: &mut String, value: &str) {
    if value.contains(char::REPLACEMENT_CHARACTER) {
        out.extend(value.chars().map(|c| if c == char::REPLACEMENT_CHARACTER { ' ' } else { c }));
    } else {
        out.push_str(value);
    }
}
