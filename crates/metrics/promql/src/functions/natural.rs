//! The order in which people sort: numbers inside texts by their value.

use std::cmp::Ordering;

/// Compares piece by piece: digits by value, everything else by bytes.
pub(crate) fn compare(left: &str, right: &str) -> Ordering {
    let (mut left_rest, mut right_rest) = (left, right);
    loop {
        let (left_piece, left_next) = take_piece(left_rest);
        let (right_piece, right_next) = take_piece(right_rest);
        if left_piece.is_empty() || right_piece.is_empty() {
            return left_piece.len().cmp(&right_piece.len());
        }
        let order = if is_number(left_piece) && is_number(right_piece) {
            compare_numbers(left_piece, right_piece)
        } else {
            left_piece.cmp(right_piece)
        };
        if order != Ordering::Equal {
            return order;
        }
        (left_rest, right_rest) = (left_next, right_next);
    }
}

/// The longest start that is all digits or free of digits.
fn take_piece(text: &str) -> (&str, &str) {
    let digits = text.as_bytes().first().is_some_and(u8::is_ascii_digit);
    let end = text.bytes().position(|byte| byte.is_ascii_digit() != digits).unwrap_or(text.len());
    text.split_at(end)
}

fn is_number(piece: &str) -> bool {
    piece.as_bytes()[0].is_ascii_digit()
}

/// Of equal numbers the one with fewer leading zeros comes first.
fn compare_numbers(left: &str, right: &str) -> Ordering {
    let (l, r) = (left.trim_start_matches('0'), right.trim_start_matches('0'));
    l.len().cmp(&r.len()).then(l.cmp(r)).then(left.len().cmp(&right.len()))
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use super::compare;

    #[test]
    fn numbers_by_value() {
        let mut texts = ["4m1000", "4m5", "1.111.3", "1.2.3", "1.11.3", "", "10", "9", "a"];
        texts.sort_by(|a, b| compare(a, b));
        assert_eq!(texts, ["", "1.2.3", "1.11.3", "1.111.3", "4m5", "4m1000", "9", "10", "a"]);
        assert_eq!(compare("x", "x"), Ordering::Equal);
    }
}
