//! Data frames and their JSON. Source: Grafana docs, developers/plugins, data frames.

use std::collections::BTreeMap;

use serde::{
    Serialize, Serializer,
    ser::{SerializeSeq, SerializeStruct},
};
use serde_json::{Map, Value, json};

/// Columns of one length.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Frame {
    pub name: String,
    pub ref_id: String,
    pub meta: Map<String, Value>,
    pub fields: Vec<Field>,
}

/// One column.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Field {
    pub name: String,
    pub labels: BTreeMap<String, String>,
    pub config: Map<String, Value>,
    pub values: Column,
}

/// A column's values.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Column {
    /// Nanoseconds since 1970; sent as milliseconds and what is left over.
    Time(Vec<i64>),
    Number(Vec<f64>),
    Text(Vec<String>),
    Labels(Vec<BTreeMap<String, String>>),
}

impl Field {
    pub(super) fn new(name: impl Into<String>, values: Column) -> Self {
        Self { name: name.into(), labels: BTreeMap::new(), config: Map::new(), values }
    }

    pub(super) fn config(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.config.insert(key.to_owned(), value.into());
        self
    }
}

impl Frame {
    /// Adds a notice for people to its meta data.
    pub(super) fn notice(&mut self, severity: &str, text: &str) {
        let notices = self.meta.entry("notices").or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(notices) = notices {
            notices.push(json!({"severity": severity, "text": text}));
        }
    }
}

impl Column {
    fn type_name(&self) -> &'static str {
        match self {
            Self::Time(_) => "time",
            Self::Number(_) => "number",
            Self::Text(_) => "string",
            Self::Labels(_) => "other",
        }
    }

    fn go_type(&self) -> &'static str {
        match self {
            Self::Time(_) => "time.Time",
            Self::Number(_) => "float64",
            Self::Text(_) => "string",
            Self::Labels(_) => "json.RawMessage",
        }
    }

    /// Where values are that JSON does not have.
    fn entities(&self) -> Option<Value> {
        let Self::Number(values) = self else { return None };
        if values.iter().all(|value| value.is_finite()) {
            return None;
        }
        let mut entities = Map::new();
        for (name, holds) in [
            ("NaN", (|value| value.is_nan()) as fn(f64) -> bool),
            ("Inf", |value| value == f64::INFINITY),
            ("NegInf", |value| value == f64::NEG_INFINITY),
        ] {
            let at: Vec<_> =
                values.iter().enumerate().filter(|(_, value)| holds(**value)).map(|(at, _)| at).collect();
            if !at.is_empty() {
                entities.insert(name.to_owned(), at.into());
            }
        }
        Some(entities.into())
    }

    /// What milliseconds leave over, if anything.
    fn nanos(&self) -> Option<Vec<i64>> {
        let Self::Time(values) = self else { return None };
        let nanos: Vec<_> = values.iter().map(|value| value.rem_euclid(1_000_000)).collect();
        nanos.iter().any(|nanos| *nanos != 0).then_some(nanos)
    }
}

// === JSON ===

impl Serialize for Frame {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut frame = serializer.serialize_struct("Frame", 2)?;
        frame.serialize_field("schema", &Schema(self))?;
        frame.serialize_field("data", &Data(self))?;
        frame.end()
    }
}

struct Schema<'a>(&'a Frame);

impl Serialize for Schema<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Frame { name, ref_id, meta, fields } = self.0;
        let mut schema = serializer.serialize_struct("Schema", 4)?;
        if name.is_empty() {
            schema.skip_field("name")?;
        } else {
            schema.serialize_field("name", name)?;
        }
        schema.serialize_field("refId", ref_id)?;
        if meta.is_empty() {
            schema.skip_field("meta")?;
        } else {
            schema.serialize_field("meta", meta)?;
        }
        schema.serialize_field("fields", &fields.iter().map(FieldSchema).collect::<Vec<_>>())?;
        schema.end()
    }
}

struct FieldSchema<'a>(&'a Field);

impl Serialize for FieldSchema<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Field { name, labels, config, values } = self.0;
        let mut field = serializer.serialize_struct("Field", 5)?;
        field.serialize_field("name", name)?;
        field.serialize_field("type", values.type_name())?;
        field.serialize_field("typeInfo", &BTreeMap::from([("frame", values.go_type())]))?;
        if labels.is_empty() {
            field.skip_field("labels")?;
        } else {
            field.serialize_field("labels", labels)?;
        }
        if config.is_empty() {
            field.skip_field("config")?;
        } else {
            field.serialize_field("config", config)?;
        }
        field.end()
    }
}

struct Data<'a>(&'a Frame);

impl Serialize for Data<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = &self.0.fields;
        let mut data = serializer.serialize_struct("Data", 3)?;
        data.serialize_field(
            "values",
            &fields.iter().map(|field| Values(&field.values)).collect::<Vec<_>>(),
        )?;
        let nanos: Vec<_> = fields.iter().map(|field| field.values.nanos()).collect();
        if nanos.iter().any(Option::is_some) {
            data.serialize_field("nanos", &nanos)?;
        } else {
            data.skip_field("nanos")?;
        }
        let entities: Vec<_> = fields.iter().map(|field| field.values.entities()).collect();
        if entities.iter().any(Option::is_some) {
            data.serialize_field("entities", &entities)?;
        } else {
            data.skip_field("entities")?;
        }
        data.end()
    }
}

struct Values<'a>(&'a Column);

impl Serialize for Values<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Column::Time(values) => {
                serializer.collect_seq(values.iter().map(|nanos| nanos.div_euclid(1_000_000)))
            }
            Column::Number(values) => {
                let mut numbers = serializer.serialize_seq(Some(values.len()))?;
                for value in values {
                    match value {
                        value if !value.is_finite() => numbers.serialize_element(&())?,
                        // Whole numbers without a fraction, as Go writes them.
                        value if value.fract() == 0.0 && value.abs() < 1e15 => {
                            numbers.serialize_element(&(*value as i64))?;
                        }
                        value => numbers.serialize_element(value)?,
                    }
                }
                numbers.end()
            }
            Column::Text(values) => values.serialize(serializer),
            Column::Labels(values) => values.serialize(serializer),
        }
    }
}
