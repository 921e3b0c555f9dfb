//! Notification data as values that templates compute with: `.Alerts.Firing`, `.GroupLabels.SortedPairs`, `.Labels.Remove`.

use std::{collections::BTreeMap, fmt, sync::Arc};

use template::{FunctionError, Object, Value, gotime::Time};

use crate::{
    AlertData, Data,
    message::{FIRING, RESOLVED},
};

impl Data {
    /// The data as the dot of a template.
    pub fn to_value(&self) -> Value {
        Value::object(DataObject {
            receiver: self.receiver.as_str().into(),
            status: self.status,
            reason: self.notification_reason,
            alerts: AlertList::of(&self.alerts),
            group_labels: Kv::value(&self.group_labels),
            common_labels: Kv::value(&self.common_labels),
            common_annotations: Kv::value(&self.common_annotations),
            route_labels: Kv::value(&self.route_labels),
            external_url: self.external_url.as_str().into(),
        })
    }
}

struct DataObject {
    receiver: Value,
    status: &'static str,
    reason: &'static str,
    alerts: Value,
    group_labels: Value,
    common_labels: Value,
    common_annotations: Value,
    route_labels: Value,
    external_url: Value,
}

impl Object for DataObject {
    fn type_name(&self) -> &str {
        "*template.Data"
    }

    fn field(&self, name: &str) -> Option<Value> {
        Some(match name {
            "Receiver" => self.receiver.clone(),
            "Status" => self.status.into(),
            "NotificationReason" => self.reason.into(),
            "Alerts" => self.alerts.clone(),
            "GroupLabels" => self.group_labels.clone(),
            "CommonLabels" => self.common_labels.clone(),
            "CommonAnnotations" => self.common_annotations.clone(),
            "RouteLabels" => self.route_labels.clone(),
            "ExternalURL" => self.external_url.clone(),
            _ => return None,
        })
    }

    fn plain(&self) -> Option<Value> {
        let names = [
            ("receiver", &self.receiver),
            ("alerts", &self.alerts),
            ("groupLabels", &self.group_labels),
            ("commonLabels", &self.common_labels),
            ("commonAnnotations", &self.common_annotations),
            ("routeLabels", &self.route_labels),
            ("externalURL", &self.external_url),
        ];
        let texts = [("status", self.status), ("notification_reason", self.reason)];
        let values = names.into_iter().map(|(name, value)| (name.into(), value.clone()));
        Some(Value::map(values.chain(texts.into_iter().map(|(name, text)| (name.into(), text.into())))))
    }

    fn display(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "&{{{} {} {} {}}}", self.receiver, self.status, self.alerts, self.group_labels)
    }
}

/// `Alerts`: a list that can be narrowed to those firing or resolved.
struct AlertList(Vec<(&'static str, Value)>);

impl AlertList {
    fn of(alerts: &[AlertData]) -> Value {
        Value::object(Self(
            alerts.iter().map(|alert| (alert.status, Value::object(AlertObject::of(alert)))).collect(),
        ))
    }

    fn with_status(&self, status: &str) -> Value {
        Value::list(self.0.iter().filter(|(own, _)| *own == status).map(|(_, alert)| alert.clone()))
    }
}

impl Object for AlertList {
    fn type_name(&self) -> &str {
        "template.Alerts"
    }

    fn field(&self, _name: &str) -> Option<Value> {
        None
    }

    fn call(&self, name: &str, _arguments: &[Value]) -> Option<Result<Value, FunctionError>> {
        match name {
            "Firing" => Some(Ok(self.with_status(FIRING))),
            "Resolved" => Some(Ok(self.with_status(RESOLVED))),
            _ => None,
        }
    }

    fn len(&self) -> Option<usize> {
        Some(self.0.len())
    }

    fn items(&self) -> Option<Vec<(Value, Value)>> {
        let items = self.0.iter().enumerate();
        Some(items.map(|(at, (_, alert))| (Value::Int(at as i64), alert.clone())).collect())
    }

    fn index(&self, key: &Value) -> Option<Value> {
        let Value::Int(at) = key else { return None };
        usize::try_from(*at).ok().and_then(|at| self.0.get(at)).map(|(_, alert)| alert.clone())
    }

    fn plain(&self) -> Option<Value> {
        Some(Value::list(self.0.iter().map(|(_, alert)| alert.clone())))
    }

    fn display(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (at, (_, alert)) in self.0.iter().enumerate() {
            write!(f, "{}{alert}", if at > 0 { " " } else { "" })?;
        }
        f.write_str("]")
    }
}

struct AlertObject {
    fields: [(&'static str, &'static str, Value); 7],
}

impl AlertObject {
    fn of(alert: &AlertData) -> Self {
        let ends_at = alert.ends_at.map_or_else(Time::zero, Time::utc);
        Self {
            fields: [
                ("Status", "status", alert.status.into()),
                ("Labels", "labels", Kv::value(&alert.labels)),
                ("Annotations", "annotations", Kv::value(&alert.annotations)),
                ("StartsAt", "startsAt", Time::utc(alert.starts_at).into()),
                ("EndsAt", "endsAt", ends_at.into()),
                ("GeneratorURL", "generatorURL", alert.generator_url.as_str().into()),
                ("Fingerprint", "fingerprint", alert.fingerprint.as_str().into()),
            ],
        }
    }
}

impl Object for AlertObject {
    fn type_name(&self) -> &str {
        "template.Alert"
    }

    fn field(&self, name: &str) -> Option<Value> {
        self.fields.iter().find(|(field, ..)| *field == name).map(|(.., value)| value.clone())
    }

    fn plain(&self) -> Option<Value> {
        Some(Value::map(self.fields.iter().map(|(_, key, value)| ((*key).into(), value.clone()))))
    }

    fn display(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (at, (.., value)) in self.fields.iter().enumerate() {
            write!(f, "{}{value}", if at > 0 { " " } else { "" })?;
        }
        f.write_str("}")
    }
}

/// `KV`: a map of strings with methods.
struct Kv(Arc<BTreeMap<String, String>>);

impl Kv {
    fn value(map: &BTreeMap<String, String>) -> Value {
        Value::object(Self(Arc::new(map.clone())))
    }

    /// The pairs by name, the alert's name first.
    fn sorted(&self) -> Vec<(String, String)> {
        let mut pairs: Vec<_> = self.0.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        pairs.sort_by_key(|(name, _)| name != model::ALERT_NAME);
        pairs
    }
}

impl Object for Kv {
    fn type_name(&self) -> &str {
        "template.KV"
    }

    fn field(&self, name: &str) -> Option<Value> {
        self.0.get(name).map(|value| value.as_str().into())
    }

    fn call(&self, name: &str, arguments: &[Value]) -> Option<Result<Value, FunctionError>> {
        let pairs = || Pairs(self.sorted());
        Some(Ok(match name {
            "SortedPairs" => Value::object(pairs()),
            "Names" => pairs().names(),
            "Values" => pairs().values(),
            "String" => pairs().text().into(),
            "Remove" => {
                let removed = arguments.first().map(texts).unwrap_or_default();
                let mut map = (*self.0).clone();
                map.retain(|name, _| !removed.contains(name));
                Value::object(Self(Arc::new(map)))
            }
            _ => return None,
        }))
    }

    fn map_zero(&self) -> Option<Value> {
        Some("".into())
    }

    fn len(&self) -> Option<usize> {
        Some(self.0.len())
    }

    fn items(&self) -> Option<Vec<(Value, Value)>> {
        Some(self.0.iter().map(|(name, value)| (name.as_str().into(), value.as_str().into())).collect())
    }

    fn plain(&self) -> Option<Value> {
        Some(Value::strings(self.0.iter().map(|(name, value)| (name.as_str().into(), value.as_str().into()))))
    }

    fn display(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Pairs(self.sorted()).text())
    }
}

/// `Pairs`: what `SortedPairs` gives.
struct Pairs(Vec<(String, String)>);

impl Pairs {
    fn names(&self) -> Value {
        Value::object(Strings(self.0.iter().map(|(name, _)| name.clone()).collect()))
    }

    fn values(&self) -> Value {
        Value::object(Strings(self.0.iter().map(|(_, value)| value.clone()).collect()))
    }

    fn text(&self) -> String {
        self.0.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(", ")
    }

    fn pair((name, value): &(String, String)) -> Value {
        Value::object(Pair(name.clone(), value.clone()))
    }
}

impl Object for Pairs {
    fn type_name(&self) -> &str {
        "template.Pairs"
    }

    fn field(&self, _name: &str) -> Option<Value> {
        None
    }

    fn call(&self, name: &str, _arguments: &[Value]) -> Option<Result<Value, FunctionError>> {
        match name {
            "Names" => Some(Ok(self.names())),
            "Values" => Some(Ok(self.values())),
            "String" => Some(Ok(self.text().into())),
            _ => None,
        }
    }

    fn len(&self) -> Option<usize> {
        Some(self.0.len())
    }

    fn items(&self) -> Option<Vec<(Value, Value)>> {
        Some(self.0.iter().enumerate().map(|(at, pair)| (Value::Int(at as i64), Self::pair(pair))).collect())
    }

    fn index(&self, key: &Value) -> Option<Value> {
        let Value::Int(at) = key else { return None };
        usize::try_from(*at).ok().and_then(|at| self.0.get(at)).map(Self::pair)
    }

    fn plain(&self) -> Option<Value> {
        Some(Value::list(self.0.iter().map(Self::pair)))
    }

    fn display(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

struct Pair(String, String);

impl Object for Pair {
    fn type_name(&self) -> &str {
        "template.Pair"
    }

    fn field(&self, name: &str) -> Option<Value> {
        match name {
            "Name" => Some(self.0.as_str().into()),
            "Value" => Some(self.1.as_str().into()),
            _ => None,
        }
    }

    fn plain(&self) -> Option<Value> {
        Some(Value::strings([
            ("Name".into(), self.0.as_str().into()),
            ("Value".into(), self.1.as_str().into()),
        ]))
    }

    fn display(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{} {}}}", self.0, self.1)
    }
}

/// `Strings`: a list of strings that can be joined.
struct Strings(Vec<String>);

impl Object for Strings {
    fn type_name(&self) -> &str {
        "template.Strings"
    }

    fn field(&self, _name: &str) -> Option<Value> {
        None
    }

    fn call(&self, name: &str, arguments: &[Value]) -> Option<Result<Value, FunctionError>> {
        let separator = arguments.first().and_then(Value::as_str).unwrap_or_default();
        (name == "Join").then(|| Ok(self.0.join(separator).into()))
    }

    fn len(&self) -> Option<usize> {
        Some(self.0.len())
    }

    fn items(&self) -> Option<Vec<(Value, Value)>> {
        let items = self.0.iter().enumerate();
        Some(items.map(|(at, text)| (Value::Int(at as i64), text.as_str().into())).collect())
    }

    fn index(&self, key: &Value) -> Option<Value> {
        let Value::Int(at) = key else { return None };
        usize::try_from(*at).ok().and_then(|at| self.0.get(at)).map(|text| text.as_str().into())
    }

    fn plain(&self) -> Option<Value> {
        Some(Value::list(self.0.iter().map(|text| text.as_str().into())))
    }

    fn display(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}]", self.0.join(" "))
    }
}

/// The texts of a list, or of an object that is one.
fn texts(value: &Value) -> Vec<String> {
    let of_value = |value: &Value| value.as_str().map(str::to_owned);
    match value {
        Value::List(values) => values.iter().filter_map(of_value).collect(),
        Value::Object(object) => {
            object.items().unwrap_or_default().iter().filter_map(|(_, value)| of_value(value)).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Templates, message::Subject, test_support};

    #[test]
    fn templates_see_what_the_original_shows() {
        let alerts = [
            test_support::flush_alert(&[("alertname", "Down"), ("job", "a"), ("az", "1")], false),
            test_support::flush_alert(&[("alertname", "Down"), ("job", "b"), ("az", "1")], true),
        ];
        let labels = model::Labels::from_pairs([("alertname", "Down")]);
        let subject = Subject { receiver: "web.hook", group_labels: &labels, external_url: "http://am" };
        let route_labels = BTreeMap::from([("team".to_owned(), "x".to_owned())]);
        let data = Data::of(&subject, route_labels, "first notification", &alerts);
        let templates = Templates::empty();
        let check = |text: &str, want: &str| {
            let got = templates.render("test", text, &data).expect(text);
            assert_eq!(got, want, "{text}");
        };
        check("{{ .Status }} {{ .Receiver }} {{ .ExternalURL }}", r"firing web\.hook http://am");
        check("{{ .Alerts | len }}/{{ .Alerts.Firing | len }}/{{ len .Alerts.Resolved }}", "2/1/1");
        check("{{ .GroupLabels.alertname }}{{ .GroupLabels.nothing }}", "Down");
        check("{{ range .Alerts }}[{{ .Labels.job }}:{{ .Status }}]{{ end }}", "[a:firing][b:resolved]");
        check("{{ (index .Alerts 0).Labels.job }}", "a");
        check(
            "{{ range .CommonLabels.SortedPairs }}{{ .Name }}={{ .Value }};{{ end }}",
            "alertname=Down;az=1;",
        );
        check("{{ (.CommonLabels.Remove .GroupLabels.Names).Values.Join \":\" }}", "1");
        check("{{ .CommonLabels.Names | join \",\" }}", "alertname,az");
        check("{{ .GroupLabels }}", "alertname=Down");
        check("{{ .GroupLabels | toJson }}", r#"{"alertname":"Down"}"#);
        check("{{ routeLabels \"team\" }}{{ .RouteLabels.team }}", "xx");
        check("{{ (index .Alerts 0).StartsAt.Unix }}", "1700000000");
        check("{{ if .GroupLabels }}yes{{ end }}{{ .NotificationReason }}", "yesfirst notification");
    }
}
