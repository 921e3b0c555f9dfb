//! Remote write 1.0 requests (`prometheus.WriteRequest`), read in place.
//!
//! A sender repeats the same label bytes for a series in every request: [`TimeSeries::raw_labels`] hands them out undecoded, so that a
//! receiver can find a known series by their hash and decode labels only for new ones.

use crate::{
    DecodeError,
    protobuf::{Fields, Value},
};

/// The series of a decompressed request.
#[derive(Debug, Clone)]
pub struct WriteRequest<'a>(Fields<'a>);

/// One series of a request.
#[derive(Debug, Clone, Copy)]
pub struct TimeSeries<'a> {
    /// The part of the message that holds all labels.
    labels: &'a [u8],
    /// The part that holds everything else.
    rest: &'a [u8],
}

/// One sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// Milliseconds since the Unix epoch.
    pub timestamp: i64,
    /// Its value.
    pub value: f64,
}

/// An exemplar as it came.
#[derive(Debug, Clone, PartialEq)]
pub struct Exemplar<'a> {
    /// Its labels.
    pub labels: Vec<(&'a str, &'a str)>,
    /// The observed value.
    pub value: f64,
    /// Milliseconds since the Unix epoch.
    pub timestamp: i64,
}

/// What a request says about a metric family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Metadata<'a> {
    /// Number of `prometheus.MetricMetadata.MetricType`.
    pub metric_type: u64,
    /// The family's name.
    pub family: &'a str,
    /// Help text.
    pub help: &'a str,
    /// Unit.
    pub unit: &'a str,
}

/// A part of a request.
#[derive(Debug, Clone, Copy)]
pub enum Item<'a> {
    /// A series with samples, exemplars or histograms.
    Series(TimeSeries<'a>),
    /// Metadata of a family.
    Metadata(Metadata<'a>),
}

const SERIES: u32 = 1;
const METADATA: u32 = 3;
const LABEL: u32 = 1;
const SAMPLE: u32 = 2;
const EXEMPLAR: u32 = 3;
const HISTOGRAM: u32 = 4;

impl<'a> WriteRequest<'a> {
    /// Starts reading. Nothing is checked yet.
    pub fn new(body: &'a [u8]) -> Self {
        Self(Fields::new(body))
    }

    fn read_next(&mut self) -> Result<Option<Item<'a>>, DecodeError> {
        while let Some((field, value)) = self.0.next()? {
            match field {
                SERIES => {
                    return TimeSeries::new(value.bytes(field)?).map(|series| Some(Item::Series(series)));
                }
                METADATA => {
                    return metadata(value.bytes(field)?).map(|metadata| Some(Item::Metadata(metadata)));
                }
                _ => {}
            }
        }
        Ok(None)
    }
}

impl<'a> Iterator for WriteRequest<'a> {
    type Item = Result<Item<'a>, DecodeError>;

    /// The next part. After an error the request is at its end.
    fn next(&mut self) -> Option<Self::Item> {
        let item = self.read_next().transpose();
        if let Some(Err(_)) = &item {
            self.0 = Fields::new(&[]);
        }
        item
    }
}

impl<'a> TimeSeries<'a> {
    fn new(message: &'a [u8]) -> Result<Self, DecodeError> {
        let mut fields = Fields::new(message);
        fields.skip_leading(LABEL)?;
        let (labels, rest) = message.split_at(message.len() - fields.remaining());
        let mut scattered = false;
        while let Some((field, _)) = fields.next()? {
            scattered |= field == LABEL;
        }
        // Labels come first and together in every known sender's messages. Where they do not, the whole message stands for them: it is
        // as true a key, though one that is never met again.
        Ok(if scattered { Self { labels: message, rest: message } } else { Self { labels, rest } })
    }

    /// The labels' bytes as sent. Equal bytes mean equal labels; the reverse does not hold.
    pub fn raw_labels(&self) -> &'a [u8] {
        self.labels
    }

    /// The labels in the order in which they were sent.
    pub fn labels(&self) -> impl Iterator<Item = Result<(&'a str, &'a str), DecodeError>> + use<'a> {
        values(self.labels, LABEL).map(|bytes| label(bytes?))
    }

    /// The samples in the order in which they were sent.
    pub fn samples(&self) -> impl Iterator<Item = Result<Sample, DecodeError>> + use<'a> {
        values(self.rest, SAMPLE).map(|bytes| {
            let (value, timestamp) = value_and_time(bytes?, 1, 2)?;
            Ok(Sample { timestamp, value })
        })
    }

    /// The exemplars in the order in which they were sent.
    pub fn exemplars(&self) -> impl Iterator<Item = Result<Exemplar<'a>, DecodeError>> + use<'a> {
        values(self.rest, EXEMPLAR).map(|bytes| {
            let bytes = bytes?;
            let (value, timestamp) = value_and_time(bytes, 2, 3)?;
            let labels = values(bytes, LABEL).map(|bytes| label(bytes?)).collect::<Result<_, _>>()?;
            Ok(Exemplar { labels, value, timestamp })
        })
    }

    /// The native histograms, encoded as `prometheus.Histogram`.
    pub fn histograms(&self) -> impl Iterator<Item = Result<&'a [u8], DecodeError>> + use<'a> {
        values(self.rest, HISTOGRAM)
    }
}

/// The values of one length-delimited field of a message.
fn values(message: &[u8], wanted: u32) -> impl Iterator<Item = Result<&[u8], DecodeError>> {
    let mut fields = Fields::new(message);
    std::iter::from_fn(move || {
        loop {
            match fields.next() {
                Ok(None) => return None,
                Ok(Some((field, value))) if field == wanted => return Some(value.bytes(field)),
                Ok(Some(_)) => {}
                Err(error) => {
                    fields = Fields::new(&[]);
                    return Some(Err(error));
                }
            }
        }
    })
}

fn label(message: &[u8]) -> Result<(&str, &str), DecodeError> {
    let mut fields = Fields::new(message);
    let (mut name, mut text) = ("", "");
    while let Some((field, value)) = fields.next()? {
        match field {
            1 => name = value.string(field)?,
            2 => text = value.string(field)?,
            _ => {}
        }
    }
    Ok((name, text))
}

fn value_and_time(message: &[u8], value_field: u32, time_field: u32) -> Result<(f64, i64), DecodeError> {
    let mut fields = Fields::new(message);
    let (mut number, mut timestamp) = (0.0, 0);
    while let Some((field, value)) = fields.next()? {
        if field == value_field {
            number = value.double(field)?;
        } else if field == time_field {
            // int64 is sent as its two's complement.
            timestamp = value.varint(field)? as i64;
        }
    }
    Ok((number, timestamp))
}

fn metadata(message: &[u8]) -> Result<Metadata<'_>, DecodeError> {
    let mut fields = Fields::new(message);
    let mut metadata = Metadata::default();
    while let Some((field, value)) = fields.next()? {
        match (field, value) {
            (1, Value::Varint(number)) => metadata.metric_type = number,
            (2, value) => metadata.family = value.string(field)?,
            (4, value) => metadata.help = value.string(field)?,
            (5, value) => metadata.unit = value.string(field)?,
            _ => {}
        }
    }
    Ok(metadata)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use prost::Message;

    use super::*;
    use crate::prometheus as generated;

    fn request() -> generated::WriteRequest {
        let label = |name: &str, value: &str| generated::Label { name: name.into(), value: value.into() };
        generated::WriteRequest {
            timeseries: vec![generated::TimeSeries {
                labels: vec![label("__name__", "up"), label("job", "x")],
                samples: vec![
                    generated::Sample { value: 1.5, timestamp: 1000 },
                    generated::Sample { value: f64::NEG_INFINITY, timestamp: -5 },
                ],
                exemplars: vec![generated::Exemplar {
                    labels: vec![label("trace_id", "abc")],
                    value: 0.25,
                    timestamp: 999,
                }],
                histograms: vec![],
            }],
            metadata: vec![generated::MetricMetadata {
                r#type: 1,
                metric_family_name: "up".into(),
                help: "Help.".into(),
                unit: String::new(),
            }],
        }
    }

    #[test]
    fn reads_what_the_generated_code_writes() {
        let body = request().encode_to_vec();
        let items: Vec<_> = WriteRequest::new(&body).collect::<Result<_, _>>().expect("decodes");
        let [Item::Series(series), Item::Metadata(metadata)] = items.as_slice() else { panic!("{items:?}") };
        let labels: Vec<_> = series.labels().collect::<Result<_, _>>().expect("labels");
        assert_eq!(labels, [("__name__", "up"), ("job", "x")]);
        let samples: Vec<_> = series.samples().collect::<Result<_, _>>().expect("samples");
        assert_eq!(
            samples,
            [Sample { timestamp: 1000, value: 1.5 }, Sample { timestamp: -5, value: f64::NEG_INFINITY }]
        );
        let exemplars: Vec<_> = series.exemplars().collect::<Result<_, _>>().expect("exemplars");
        assert_eq!(exemplars, [Exemplar { labels: vec![("trace_id", "abc")], value: 0.25, timestamp: 999 }]);
        assert_eq!(*metadata, Metadata { metric_type: 1, family: "up", help: "Help.", unit: "" });
    }

    #[test]
    fn raw_labels_depend_on_labels_alone() {
        let mut other = request();
        other.timeseries[0].samples[0].timestamp += 15_000;
        let (a, b) = (request().encode_to_vec(), other.encode_to_vec());
        let raw = |body: &'static [u8]| match WriteRequest::new(body).next() {
            Some(Ok(Item::Series(series))) => series.raw_labels(),
            other => panic!("{other:?}"),
        };
        assert_eq!(raw(a.leak()), raw(b.leak()));
    }

    #[test]
    fn labels_after_samples_are_found() {
        let one = generated::TimeSeries {
            samples: vec![generated::Sample { value: 1.0, timestamp: 2 }],
            ..Default::default()
        }
        .encode_to_vec();
        let two = generated::TimeSeries {
            labels: vec![generated::Label { name: "a".into(), value: "b".into() }],
            ..Default::default()
        }
        .encode_to_vec();
        let message = [one, two].concat();
        let series = TimeSeries::new(&message).expect("decodes");
        assert_eq!(series.labels().collect::<Result<Vec<_>, _>>().expect("labels"), [("a", "b")]);
        assert!(!series.raw_labels().is_empty());
    }

    #[test]
    fn every_cut_is_an_error_or_a_shorter_request() {
        let body = request().encode_to_vec();
        for end in 0..body.len() {
            for item in WriteRequest::new(&body[..end]).flatten() {
                if let Item::Series(series) = item {
                    series.labels().for_each(drop);
                    series.samples().for_each(drop);
                    series.exemplars().for_each(drop);
                }
            }
        }
    }

    proptest! {
        #[test]
        fn garbage_never_panics(body in prop::collection::vec(any::<u8>(), 0..200)) {
            for item in WriteRequest::new(&body).flatten() {
                if let Item::Series(series) = item {
                    series.labels().for_each(drop);
                    series.samples().for_each(drop);
                    series.exemplars().for_each(drop);
                    series.histograms().for_each(drop);
                }
            }
        }
    }
}
