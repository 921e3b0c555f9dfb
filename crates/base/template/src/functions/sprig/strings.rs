//! Texts: case, trimming, cutting, searching.

use crate::exec::{Call, FunctionError};
use crate::format::quote;
use crate::functions::set::{Functions, Kind, Signature};
use crate::functions::text::{
    ANYS, Answer, INT_STR, STR, STR2, STR3, blanks, cut, replace, to_lower, to_upper, upper_char,
};
use crate::value::Value;

pub(super) fn add_to(functions: &mut Functions) {
    add_changes(functions);
    add_trims(functions);
    add_tests(functions);
    functions.add("trunc", INT_STR, |call| Ok(trunc(call.int(0), call.str(1)).into()));
    functions.add("substr", Signature::new(&[Kind::Int, Kind::Int, Kind::Str]), substr);
    functions.add("repeat", INT_STR, repeat);
    functions.add("replace", STR3, |call| {
        let (old, new, text) = (call.str(0), call.str(1), call.str(2));
        replace(call, text, old, new, -1)
    });
    functions.add("indent", INT_STR, |call| indent(call, ""));
    functions.add("nindent", INT_STR, |call| indent(call, "\n"));
    functions.add("quote", ANYS, |call| join_with(call, |text| quote::quote(text, false)));
    functions.add("squote", ANYS, |call| join_with(call, |text| format!("'{text}'")));
    functions.add("cat", ANYS, |call| join_with(call, str::to_owned));
    functions.add("plural", Signature::new(&[Kind::Str, Kind::Str, Kind::Int]), |call| {
        Ok(call.str(usize::from(call.int(2) != 1)).into())
    });
    functions.add("abbrev", INT_STR, |call| Ok(abbrev(call.int(0), call.str(1)).into()));
    functions.add("toString", Signature::new(&[Kind::Any]), |call| {
        let value = call.get(0);
        call.write(|out| {
            use std::fmt::Write;
            write!(out, "{value}")
        })
    });
}

fn add_changes(functions: &mut Functions) {
    let mut add = |name: &'static str, change: fn(&str) -> String| {
        functions.add(name, STR, move |call| -> Answer {
            let text = change(call.str(0));
            call.check_size(text.len())?;
            Ok(text.into())
        });
    };
    add("upper", to_upper);
    add("lower", to_lower);
    add("title", title);
    add("untitle", untitle);
    add("swapcase", swap_case);
    add("nospace", |text| text.chars().filter(|char| !char.is_whitespace()).collect());
    add("initials", |text| text.split_whitespace().filter_map(|word| word.chars().next()).collect());
    add("snakecase", |text| words(text).join("_"));
    add("kebabcase", |text| words(text).join("-"));
    add("camelcase", |text| words(text).iter().map(|word| title(word)).collect());
}

fn add_trims(functions: &mut Functions) {
    functions.add("trim", STR, |call| Ok(call.str(0).trim().into()));
    for name in ["trimAll", "trimall"] {
        functions
            .add(name, STR2, |call| Ok(call.str(1).trim_matches(|char| call.str(0).contains(char)).into()));
    }
    functions.add("trimPrefix", STR2, |call| {
        Ok(call.str(1).strip_prefix(call.str(0)).unwrap_or(call.str(1)).into())
    });
    functions.add("trimSuffix", STR2, |call| {
        Ok(call.str(1).strip_suffix(call.str(0)).unwrap_or(call.str(1)).into())
    });
}

fn add_tests(functions: &mut Functions) {
    functions.add("contains", STR2, |call| Ok(call.str(1).contains(call.str(0)).into()));
    functions.add("hasPrefix", STR2, |call| Ok(call.str(1).starts_with(call.str(0)).into()));
    functions.add("hasSuffix", STR2, |call| Ok(call.str(1).ends_with(call.str(0)).into()));
}

/// By bytes, as sprig cuts; a negative count takes from the end.
fn trunc(count: i64, text: &str) -> String {
    let size = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    match count {
        0.. if text.len() > size => cut(text, 0, size),
        ..0 if text.len() > size => cut(text, text.len() - size, text.len()),
        _ => text.to_owned(),
    }
}

fn substr(call: &mut Call<'_>) -> Answer {
    let (start, end, text) = (call.int(0), call.int(1), call.str(2));
    let len = text.len() as i64;
    let (start, end) = match (start, end) {
        (..0, end) => (0, end),
        (start, end) if end < 0 || end > len => (start, len),
        bounds => bounds,
    };
    if !(0..=len).contains(&end) {
        return Err(FunctionError::Failed(format!(
            "runtime error: slice bounds out of range [:{end}] with length {len}"
        )));
    }
    if start > end {
        return Err(FunctionError::Failed(format!(
            "runtime error: slice bounds out of range [{start}:{end}]"
        )));
    }
    Ok(cut(text, start as usize, end as usize).into())
}

fn repeat(call: &mut Call<'_>) -> Answer {
    let Ok(count) = usize::try_from(call.int(0)) else {
        return Err("strings: negative Repeat count".into());
    };
    let text = call.str(1);
    call.check_size(text.len().saturating_mul(count))?;
    // So many times nothing is nothing, however many.
    Ok(if text.is_empty() { Value::from("") } else { text.repeat(count).into() })
}

fn indent(call: &mut Call<'_>, before: &str) -> Answer {
    let pad = blanks(call, call.int(0))?;
    let (text, line) = (call.str(1), format!("\n{pad}"));
    let indented = replace(call, text, "\n", &line, -1)?;
    Ok(format!("{before}{pad}{}", indented.as_str().unwrap_or("")).into())
}

/// The texts of all arguments but nothing, with blanks between.
fn join_with(call: &mut Call<'_>, change: impl Fn(&str) -> String) -> Answer {
    use std::fmt::Write;
    let values = call.arguments().iter().filter(|value| !matches!(value, Value::Nil));
    call.write(|out| {
        for (index, value) in values.enumerate() {
            if index > 0 {
                out.write_char(' ')?;
            }
            match value.as_str() {
                Some(text) => out.write_str(&change(text))?,
                None => out.write_str(&change(&value.to_string()))?,
            }
        }
        Ok(())
    })
}

/// Shortened to `width` with an ellipsis; widths below 4 are ignored.
fn abbrev(width: i64, text: &str) -> String {
    match usize::try_from(width) {
        Ok(width) if width >= 4 && text.len() > width => cut(text, 0, width - 3) + "...",
        _ => text.to_owned(),
    }
}

/// Go's `strings.Title`: letters after what is neither letter, digit nor underscore.
fn title(text: &str) -> String {
    let is_separator = |char: char| match char {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '_' => false,
        _ if char.is_ascii() => true,
        _ => !char.is_alphanumeric() && char.is_whitespace(),
    };
    let mut before = ' ';
    let upper_first = |char: char| {
        let starts = is_separator(std::mem::replace(&mut before, char));
        if starts { upper_char(char) } else { char }
    };
    text.chars().map(upper_first).collect()
}

/// The first letter of each word in lower case.
fn untitle(text: &str) -> String {
    let mut before = ' ';
    let lower_first = |char: char| {
        let starts = std::mem::replace(&mut before, char).is_whitespace();
        if starts { char.to_lowercase().next().unwrap_or(char) } else { char }
    };
    text.chars().map(lower_first).collect()
}

fn swap_case(text: &str) -> String {
    let swap = |char: char| match char {
        _ if char.is_uppercase() => char.to_lowercase().next().unwrap_or(char),
        _ if char.is_lowercase() => upper_char(char),
        _ => char,
    };
    text.chars().map(swap).collect()
}

/// Words in lower case: split at what is no letter or digit, and where small letters meet capitals (`fooBar`, `HTTPServer`).
fn words(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let mut words: Vec<String> = Vec::new();
    let mut before = ' ';
    for (at, &char) in chars.iter().enumerate() {
        if char.is_alphanumeric() {
            let next_is_lower = chars.get(at + 1).is_some_and(|next| next.is_lowercase());
            let turns = char.is_uppercase()
                && (before.is_lowercase() || before.is_numeric() || (before.is_uppercase() && next_is_lower));
            if turns || !before.is_alphanumeric() {
                words.push(String::new());
            }
            if let Some(word) = words.last_mut() {
                word.extend(char.to_lowercase());
            }
        }
        before = char;
    }
    words
}
