//! Label names and label sets as Alertmanager writes them.

use model::{Labels, write_quoted};

use crate::MatcherMode;

/// Whether `name` may be the name of a label: anything but the empty string, or `[a-zA-Z_][a-zA-Z0-9_]*` in classic mode.
pub fn is_label_name(name: &str, mode: MatcherMode) -> bool {
    match mode {
        MatcherMode::Classic => model::is_legacy_label_name(name),
        MatcherMode::Fallback | MatcherMode::Utf8Strict => !name.is_empty(),
    }
}

/// `{alertname="x", job="y"}`: how group keys hold their labels. Names are never quoted, unlike in [`Labels`]' own text.
pub fn label_set_text(labels: &Labels) -> String {
    let mut text = String::from("{");
    for (at, (name, value)) in labels.iter().enumerate() {
        if at > 0 {
            text.push_str(", ");
        }
        text.push_str(name);
        text.push('=');
        let _ = write_quoted(&mut text, value);
    }
    text.push('}');
    text
}
