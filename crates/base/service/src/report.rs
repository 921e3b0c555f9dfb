//! Errors as one line.

use std::{error::Error, fmt::Write};

/// An error with its causes, `a: b: c`, for logs, exits and answers to operators.
pub fn report(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let _ = write!(text, ": {inner}");
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    #[derive(Debug, thiserror::Error)]
    #[error("cannot open `x`")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn names_every_cause_once() {
        let error = Outer(std::io::Error::other("disk on fire"));
        assert_eq!(super::report(&error), "cannot open `x`: disk on fire");
    }
}
