//! `${VAR}` in configuration files, in the two forms the peers know.

/// An expansion could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExpandError {
    /// `${` without its `}`.
    #[error("line {line}: `${{` is not closed")]
    Unclosed {
        /// Line, from 1.
        line: usize,
    },
    /// `${VAR:?message}` and the variable is not set.
    #[error("line {line}: {name}: {message}")]
    Required {
        /// Line, from 1.
        line: usize,
        /// The variable.
        name: String,
        /// What the file says about it.
        message: String,
    },
}

/// Looks variables up in the process' environment.
pub fn process_environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Loki's and Promtail's `-config.expand-env`: `${VAR}` and `${VAR:-default}` anywhere in the text, `$$` for a dollar sign; a bare
/// `$VAR` is expanded too. An unset variable without default becomes empty.
pub fn expand_defaults(text: &str, lookup: impl Fn(&str) -> Option<String>) -> Result<String, ExpandError> {
    expand(text, |name, line| {
        let (name, operator, argument) = split_operator(name);
        let value = lookup(name);
        Ok(match operator {
            ":-" | ":=" => value.filter(|v| !v.is_empty()).unwrap_or_else(|| argument.to_owned()),
            "-" | "=" => value.unwrap_or_else(|| argument.to_owned()),
            ":?" | "?" if value.as_deref().unwrap_or_default().is_empty() => {
                return Err(ExpandError::Required {
                    line,
                    name: name.to_owned(),
                    message: argument.to_owned(),
                });
            }
            _ => value.unwrap_or_default(),
        })
    })
}

/// Go's `os.Expand` as Prometheus applies it to external labels and Grafana to provisioned values: `$VAR`, `${VAR}`, and `$$` for a
/// dollar sign. An unset variable becomes empty.
pub fn expand_values(text: &str, lookup: impl Fn(&str) -> Option<String>) -> String {
    expand(text, |name, _| Ok(lookup(name).unwrap_or_default()))
        .unwrap_or_else(|_: ExpandError| text.to_owned())
}

fn split_operator(inside: &str) -> (&str, &str, &str) {
    let end = inside.find(|c: char| !is_name(c)).unwrap_or(inside.len());
    let (name, rest) = inside.split_at(end);
    for operator in [":-", ":=", ":?", "-", "=", "?"] {
        if let Some(argument) = rest.strip_prefix(operator) {
            return (name, operator, argument);
        }
    }
    (name, "", "")
}

fn expand(
    text: &str,
    mut value_of: impl FnMut(&str, usize) -> Result<String, ExpandError>,
) -> Result<String, ExpandError> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut line = 1;
    while let Some(at) = rest.find('$') {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        line += before.matches('\n').count();
        let after = &after[1..];
        if let Some(tail) = after.strip_prefix('$') {
            out.push('$');
            rest = tail;
        } else if let Some(inside) = after.strip_prefix('{') {
            let end = inside.find('}').ok_or(ExpandError::Unclosed { line })?;
            out.push_str(&value_of(&inside[..end], line)?);
            rest = &inside[end + 1..];
        } else {
            let end = after.find(|c: char| !is_name(c)).unwrap_or(after.len());
            let starts_name = after.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
            if starts_name {
                out.push_str(&value_of(&after[..end], line)?);
                rest = &after[end..];
            } else {
                out.push('$');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    Ok(out)
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup(name: &str) -> Option<String> {
        match name {
            "HOME" => Some("/root".into()),
            "EMPTY" => Some(String::new()),
            _ => None,
        }
    }

    #[test]
    fn defaults_form() {
        let check =
            |text: &str, want: &str| assert_eq!(expand_defaults(text, lookup).as_deref(), Ok(want), "{text}");
        check("a ${HOME} b", "a /root b");
        check("$HOME/x", "/root/x");
        check("${NONE}", "");
        check("${NONE:-x y}", "x y");
        check("${EMPTY:-x}", "x");
        check("${EMPTY-x}", "");
        check("cost 5$ $$HOME", "cost 5$ $HOME");
        assert_eq!(
            expand_defaults("a\n${NONE:?set it}", lookup).expect_err("required").to_string(),
            "line 2: NONE: set it"
        );
        assert_eq!(expand_defaults("${", lookup), Err(ExpandError::Unclosed { line: 1 }));
    }

    #[test]
    fn values_form() {
        assert_eq!(expand_values("$${__value.raw} ${HOME} $HOME.x", lookup), "${__value.raw} /root /root.x");
    }
}
