//! Replacement by Go's templates: `$1`, `$name`, `${name}`, `$$`.

use std::borrow::Cow;

use super::{Locations, Regex};

impl Regex {
    /// Appends `template` to `out`, with references to groups replaced by their texts, as Go's `ExpandString`.
    ///
    /// A reference is `$name` (as many letters, digits and underscores as follow) or `${name}`; digits alone are a
    /// group's number. Unknown groups and groups that took no part are empty. `$$` is a dollar, and so is a `$` that
    /// begins no reference. `locations` must be those of a match in `text`.
    pub fn expand(&self, template: &str, text: &str, locations: &Locations, out: &mut String) {
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('$') {
            out.push_str(before);
            rest = after;
            if let Some(after) = rest.strip_prefix('$') {
                out.push('$');
                rest = after;
                continue;
            }
            let Some((reference, after)) = Reference::parse(rest) else {
                out.push('$');
                continue;
            };
            rest = after;
            out.push_str(self.group_text(&reference, text, locations).unwrap_or(""));
        }
        out.push_str(rest);
    }

    fn group_text<'t>(
        &self,
        reference: &Reference<'_>,
        text: &'t str,
        locations: &Locations,
    ) -> Option<&'t str> {
        match reference {
            Reference::Number(index) => locations.text(text, *index),
            Reference::Name(name) => (self.capture_names().enumerate())
                .filter(|(_, group)| *group == Some(name))
                .find_map(|(index, _)| locations.text(text, index)),
        }
    }

    /// Replaces all matches by `template`, expanded for each as in [`Regex::expand`]. Borrowed if nothing matches.
    pub fn replace_all<'t>(&self, text: &'t str, template: &str) -> Cow<'t, str> {
        if !template.contains('$') {
            return self.replace_all_literal(text, template);
        }
        self.replace_all_with(text, |locations, out| self.expand(template, text, locations, out))
    }

    /// Replaces all matches by `replacement` as it stands. Borrowed if nothing matches.
    pub fn replace_all_literal<'t>(&self, text: &'t str, replacement: &str) -> Cow<'t, str> {
        self.replace_all_with(text, |_, out| out.push_str(replacement))
    }

    /// Replaces all matches by what `replace` appends for each. An empty match right after another match is left alone,
    /// as in Go.
    pub fn replace_all_with<'t>(
        &self,
        text: &'t str,
        mut replace: impl FnMut(&Locations, &mut String),
    ) -> Cow<'t, str> {
        let mut locations = self.locations();
        let mut out = String::new();
        let mut copied = 0;
        let mut start = 0;
        let mut found_any = false;
        while self.captures_at(text, start, &mut locations) {
            let Some(found) = locations.get(0) else { break };
            found_any = true;
            out.push_str(text.get(copied..found.start).unwrap_or(""));
            if found.end > copied || found.start == 0 {
                replace(&locations, &mut out);
            }
            copied = found.end;
            let next_char = text.get(start..).and_then(|rest| rest.chars().next());
            start = (start + next_char.map_or(1, char::len_utf8)).max(found.end);
        }
        if !found_any {
            return Cow::Borrowed(text);
        }
        out.push_str(text.get(copied..).unwrap_or(""));
        Cow::Owned(out)
    }
}

/// What follows a `$`.
enum Reference<'t> {
    Number(usize),
    Name(&'t str),
}

impl<'t> Reference<'t> {
    /// The reference and the text after it; `None` if there is none.
    fn parse(text: &'t str) -> Option<(Reference<'t>, &'t str)> {
        let braced = text.strip_prefix('{');
        let body = braced.unwrap_or(text);
        let is_name = |char: char| char == '_' || char.is_alphabetic() || char.is_numeric();
        let (name, rest) = body.split_at(body.find(|char| !is_name(char)).unwrap_or(body.len()));
        if name.is_empty() {
            return None;
        }
        let rest = if braced.is_some() { rest.strip_prefix('}')? } else { rest };
        let is_number =
            name.bytes().all(|byte| byte.is_ascii_digit()) && (name == "0" || !name.starts_with('0'));
        let reference = match name.parse() {
            Ok(index) if is_number => Reference::Number(index),
            _ => Reference::Name(name),
        };
        Some((reference, rest))
    }
}
