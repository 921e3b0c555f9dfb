//! Named sets of characters and case folding.

use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, HirKind};

use super::class::range;

/// Adds everything that differs from a member by case alone (Unicode's simple folding, as Go's `unicode.SimpleFold`).
pub(super) fn fold(class: &mut ClassUnicode) {
    // Fails only if the folding tables were compiled out.
    let _ = class.try_case_fold_simple();
}

/// The characters equal to `char` but for case, or `None` if it is alone.
pub(super) fn folded(char: char) -> Option<ClassUnicode> {
    if char.is_ascii() && !char.is_ascii_alphabetic() {
        return None;
    }
    let mut class = ClassUnicode::new([range(char, char)]);
    fold(&mut class);
    let [only] = class.ranges() else {
        return Some(class);
    };
    (only.start() != only.end()).then_some(class)
}

/// The characters from `low` to `high`, which are code points. Surrogates, which Go's patterns may name and no text
/// holds, are left out.
pub(super) fn code_points(low: u32, high: u32) -> Option<ClassUnicodeRange> {
    let low = char::from_u32(low).unwrap_or('\u{e000}');
    let high = char::from_u32(high).unwrap_or('\u{d7ff}');
    (low <= high).then(|| range(low, high))
}

/// All other characters. (`ClassUnicode::negate` takes U+D7FF and U+E000 for the ends of a gap, when ranges meet there.)
pub(super) fn negate(class: &mut ClassUnicode) {
    let mut others = Vec::with_capacity(class.ranges().len() + 1);
    let mut next = Some('\0');
    for found in class.ranges() {
        if let Some(next) = next
            && let Some(last) = previous_char(found.start())
            && next <= last
        {
            others.push(range(next, last));
        }
        next = next_char(found.end());
    }
    if let Some(next) = next {
        others.push(range(next, char::MAX));
    }
    *class = ClassUnicode::new(others);
}

fn next_char(char: char) -> Option<char> {
    match char {
        '\u{d7ff}' => Some('\u{e000}'),
        _ => char::from_u32(char as u32 + 1),
    }
}

fn previous_char(char: char) -> Option<char> {
    match char {
        '\u{e000}' => Some('\u{d7ff}'),
        _ => char::from_u32((char as u32).checked_sub(1)?),
    }
}

/// Is the letter one of `\d \s \w` or their negations?
pub(super) fn is_perl_class(letter: u8) -> bool {
    matches!(letter, b'd' | b'D' | b's' | b'S' | b'w' | b'W')
}

/// `\d` and so on, ASCII as in Go.
pub(super) fn perl_class(letter: u8, fold_case: bool) -> ClassUnicode {
    let ranges: &[(char, char)] = match letter.to_ascii_lowercase() {
        b'd' => &[('0', '9')],
        b's' => &[('\t', '\n'), ('\x0c', '\r'), (' ', ' ')],
        _ => WORD,
    };
    group(ranges, letter.is_ascii_uppercase(), fold_case)
}

/// `[:name:]` or `[:^name:]`.
pub(super) fn posix_class(name: &str, fold_case: bool) -> Option<ClassUnicode> {
    let (name, negated) = match name.strip_prefix('^') {
        Some(name) => (name, true),
        None => (name, false),
    };
    let ranges: &[(char, char)] = match name {
        "alnum" => &[('0', '9'), ('A', 'Z'), ('a', 'z')],
        "alpha" => &[('A', 'Z'), ('a', 'z')],
        "ascii" => &[('\0', '\x7f')],
        "blank" => &[('\t', '\t'), (' ', ' ')],
        "cntrl" => &[('\0', '\x1f'), ('\x7f', '\x7f')],
        "digit" => &[('0', '9')],
        "graph" => &[('!', '~')],
        "lower" => &[('a', 'z')],
        "print" => &[(' ', '~')],
        "punct" => &[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')],
        "space" => &[('\t', '\r'), (' ', ' ')],
        "upper" => &[('A', 'Z')],
        "word" => WORD,
        "xdigit" => &[('0', '9'), ('A', 'F'), ('a', 'f')],
        _ => return None,
    };
    Some(group(ranges, negated, fold_case))
}

const WORD: &[(char, char)] = &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')];

fn group(ranges: &[(char, char)], negated: bool, fold_case: bool) -> ClassUnicode {
    let mut class = ClassUnicode::new(ranges.iter().map(|&(low, high)| range(low, high)));
    if fold_case {
        fold(&mut class);
    }
    if negated {
        negate(&mut class);
    }
    class
}

/// A Unicode general category (`L`, `Lu`, `Uppercase_Letter`) or script (`Greek`), with Go's loose reading of names:
/// case, blanks, underscores and dashes do not count.
pub(super) fn property(name: &str) -> Option<ClassUnicode> {
    let name: String = name
        .chars()
        .filter(|char| !matches!(char, '_' | '-' | ' '))
        .map(|char| char.to_ascii_lowercase())
        .collect();
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    match name.as_str() {
        "any" => return Some(ClassUnicode::new([range('\0', char::MAX)])),
        "ascii" => return Some(ClassUnicode::new([range('\0', '\x7f')])),
        "assigned" => {
            let mut class = table("gc", "cn")?;
            negate(&mut class);
            return Some(class);
        }
        // Rust's tables take these as categories; Unicode and Go do not know them. Surrogates match nothing.
        "cs" | "surrogate" => return Some(ClassUnicode::empty()),
        _ => {}
    }
    // The tables also read an `is` before a name and the four-letter codes of scripts, which Go does not.
    if name.starts_with("is") {
        return None;
    }
    table("gc", &name).or_else(|| {
        let is_code = name.len() == 4 && !FOUR_LETTER_SCRIPTS.contains(&name.as_str());
        if is_code { None } else { table("sc", &name) }
    })
}

/// Scripts whose full name has four letters, as the codes have.
const FOUR_LETTER_SCRIPTS: [&str; 8] = ["ahom", "cham", "kawi", "lisu", "modi", "newa", "thai", "toto"];

/// Looks a name up in the tables that the automaton's own parser carries.
fn table(property: &str, name: &str) -> Option<ClassUnicode> {
    let hir = regex_syntax::parse(&format!("\\p{{{property}={name}}}")).ok()?;
    match hir.into_kind() {
        HirKind::Class(Class::Unicode(class)) => Some(class),
        // A set of one character, such as `Zl`.
        HirKind::Literal(literal) => {
            let char = str::from_utf8(&literal.0).ok()?.chars().next()?;
            Some(ClassUnicode::new([range(char, char)]))
        }
        _ => None,
    }
}
