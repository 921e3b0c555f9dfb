//! A dashboard: its JSON and what we know about it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A dashboard. The JSON is kept as it came but for `id`, `uid` and `version`, which follow the fields here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Dashboard {
    /// Number, shared with folders.
    pub id: u64,
    /// Public identifier.
    pub uid: String,
    /// Its name.
    pub title: String,
    /// Its tags, in the dashboard's order.
    pub tags: Vec<String>,
    /// The folder; empty at the top.
    pub folder_uid: String,
    /// Grows with every change, from 1.
    pub version: u64,
    /// When it was made, milliseconds since 1970.
    pub created_ms: i64,
    /// By whom.
    pub created_by: String,
    /// When it was changed last, milliseconds since 1970.
    pub updated_ms: i64,
    /// By whom.
    pub updated_by: String,
    /// The file it comes from, if it does.
    pub provisioned: Option<Provisioned>,
    /// The dashboard's model.
    pub json: Map<String, Value>,
}

/// The file behind a dashboard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Provisioned {
    /// The provider's name.
    pub provider: String,
    /// The file, relative to the provider's folder.
    pub file: String,
    /// Hash of the file's content when it was read last.
    pub checksum: String,
    /// Whether people may save over it; the file wins again when it changes.
    pub allow_ui_updates: bool,
}

/// Why JSON is not a dashboard. The texts are Grafana's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DashboardError {
    /// It is not an object.
    #[error("dashboard must be a JSON object")]
    NotAnObject,
    /// It has no title.
    #[error("Dashboard title cannot be empty")]
    NoTitle,
    /// Its uid is too long or has other characters than letters, digits, `-` and `_`.
    #[error("{0}")]
    Uid(&'static str),
}

impl Dashboard {
    /// A dashboard of this model, not kept anywhere yet: id and version are 0, the uid is the model's, perhaps empty.
    pub(crate) fn from_json(json: Value) -> Result<Self, DashboardError> {
        let Value::Object(mut json) = json else { return Err(DashboardError::NotAnObject) };
        // What tools export: `{"dashboard": {…}, "meta": {…}}`.
        if !json.contains_key("title")
            && let Some(Value::Object(inner)) = json.get_mut("dashboard")
        {
            json = std::mem::take(inner);
        }
        let text = |key: &str| json.get(key).and_then(Value::as_str).unwrap_or_default().trim().to_owned();
        let (title, uid) = (text("title"), text("uid"));
        if title.is_empty() {
            return Err(DashboardError::NoTitle);
        }
        super::check_uid(&uid).map_err(DashboardError::Uid)?;
        let tags = json
            .get("tags")
            .and_then(Value::as_array)
            .map_or_else(Vec::new, |tags| tags.iter().filter_map(Value::as_str).map(str::to_owned).collect());
        Ok(Self {
            id: 0,
            uid,
            title,
            tags,
            folder_uid: String::new(),
            version: 0,
            created_ms: 0,
            created_by: String::new(),
            updated_ms: 0,
            updated_by: String::new(),
            provisioned: None,
            json,
        })
    }

    /// Brings `id`, `uid` and `version` of the JSON in line with the fields.
    pub(crate) fn stamp(&mut self) {
        self.json.insert("id".into(), self.id.into());
        self.json.insert("uid".into(), self.uid.as_str().into());
        self.json.insert("version".into(), self.version.into());
    }

    /// The title for addresses.
    pub(crate) fn slug(&self) -> String {
        slugify(&self.title)
    }
}

/// A title as part of an address: lower case, everything but letters and digits as single dashes.
pub(crate) fn slugify(title: &str) -> String {
    let mut slug = String::with_capacity(title.len());
    for c in title.chars().flat_map(char::to_lowercase) {
        if c.is_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    while slug.ends_with('-') {
        slug.pop();
    }
    // The address must hold in any header: letters outside ASCII are left to the uid.
    slug.retain(|c| c.is_ascii());
    if slug.is_empty() { "-".to_owned() } else { slug }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs() {
        let check = |title: &str, want: &str| assert_eq!(slugify(title), want, "{title}");
        check("Plugged.in - System Overview", "plugged-in-system-overview");
        check("Registry Proxy (Go Service)", "registry-proxy-go-service");
        check("  A  ", "a");
        check("日本", "-");
    }

    #[test]
    fn models() {
        let check = |json: Value, want: DashboardError| {
            assert_eq!(Dashboard::from_json(json.clone()).expect_err("refused"), want, "{json}");
        };
        check(serde_json::json!([]), DashboardError::NotAnObject);
        check(serde_json::json!({"title": " "}), DashboardError::NoTitle);
        check(
            serde_json::json!({"title": "a", "uid": "a/b"}),
            DashboardError::Uid("uid contains illegal characters"),
        );
        let wrapped = serde_json::json!({"dashboard": {"title": "a", "tags": ["x", 1]}, "meta": {}});
        let dashboard = Dashboard::from_json(wrapped).expect("a dashboard");
        assert_eq!((dashboard.title.as_str(), dashboard.tags), ("a", vec!["x".to_owned()]));
    }
}
