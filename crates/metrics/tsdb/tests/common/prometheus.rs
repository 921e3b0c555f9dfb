//! A running Prometheus on a data folder, where one is installed.

use std::path::Path;

use model::{Columns, FloatHistogram, Histogram, HistogramPoint, Labels, Millis, Span};

const REMOTE_WRITE: [(&str, &str); 3] = [
    ("Content-Encoding", "snappy"),
    ("Content-Type", "application/x-protobuf"),
    ("X-Prometheus-Remote-Write-Version", "0.1.0"),
];

pub struct Prometheus(testkit::Prometheus);

impl Prometheus {
    /// Starts it and waits until it is ready; none where it is not installed.
    pub fn start(data: &Path) -> Option<Self> {
        Self::start_with(data, "global: {}\n")
    }

    /// [`Self::start`] with a configuration of its own.
    pub fn start_with(data: &Path, config: &str) -> Option<Self> {
        let flags = ["--web.enable-remote-write-receiver", "--enable-feature=native-histograms"];
        testkit::Prometheus::start(config, Some(data), &flags).map(Self)
    }

    pub fn log(&self) -> String {
        self.0.log()
    }

    /// Ends it as an operator does.
    pub fn stop(self) {
        self.0.stop();
    }

    /// Pushes samples of some series by remote write.
    pub fn push(&self, series: &[(Labels, Columns)]) {
        let mut request = Vec::new();
        for (labels, columns) in series {
            let mut message = labels_message(labels);
            for (timestamp, value) in columns.timestamps.iter().zip(&columns.values) {
                let mut sample = vec![1 << 3 | 1];
                sample.extend(value.to_le_bytes());
                sample.push(2 << 3);
                put_varint(&mut sample, *timestamp as u64);
                put_bytes(&mut message, 2, &sample);
            }
            put_bytes(&mut request, 1, &message);
        }
        assert_eq!(self.write(&request), (204, String::new()));
    }

    /// Pushes native histograms of some series by remote write, each series' in a request of its own; returns the last answer.
    pub fn push_histograms(&self, series: &[(Labels, Vec<(Millis, AnyHistogram)>)]) -> (u16, String) {
        let mut answer = (204, String::new());
        for (labels, histograms) in series {
            let mut message = labels_message(labels);
            for (timestamp, histogram) in histograms {
                put_bytes(&mut message, 4, &histogram.message(*timestamp));
            }
            let mut request = Vec::new();
            put_bytes(&mut request, 1, &message);
            answer = self.write(&request);
        }
        answer
    }

    /// The status and the text of the answer to a remote write.
    fn write(&self, request: &[u8]) -> (u16, String) {
        let body = snap::raw::Encoder::new().compress_vec(request).unwrap();
        self.0.request("POST", "/api/v1/write", &REMOTE_WRITE, &body).unwrap()
    }

    /// The samples of all series with the label `job="test"` in the three hours up to `end`, in order of labels. Of native histograms
    /// only [`Seen`] is told: see [`Prometheus::histograms`].
    pub fn samples(&self, end: Millis) -> Vec<(Labels, Columns)> {
        self.select(end, series)
    }

    /// The native histograms of the same series.
    pub fn histograms(&self, end: Millis) -> Vec<(Labels, Vec<Seen>)> {
        self.select(end, seen_series)
    }

    fn select<T>(&self, end: Millis, series: impl Fn(&serde_json::Value) -> (Labels, T)) -> Vec<(Labels, T)> {
        let query = "%7Bjob%3D%22test%22%7D%5B3h%5D";
        let path = format!("/api/v1/query?query={query}&time={}.{:03}", end / 1000, end % 1000);
        let (status, text) = self.0.request("GET", &path, &[], &[]).unwrap();
        assert_eq!(status, 200, "{text}");
        let answer: serde_json::Value = serde_json::from_str(&text).unwrap();
        let mut all: Vec<_> = answer["data"]["result"].as_array().unwrap().iter().map(series).collect();
        all.sort_by(|(a, _), (b, _)| a.cmp(b));
        all
    }

    /// The value of a metric without labels that it has of itself.
    pub fn metric(&self, name: &str) -> f64 {
        let (_, text) = self.0.request("GET", "/metrics", &[], &[]).unwrap();
        let line = text.lines().find(|line| line.split(' ').next() == Some(name));
        line.unwrap_or_else(|| panic!("no {name}")).rsplit(' ').next().unwrap().parse().unwrap()
    }
}

/// A native histogram of either kind.
#[derive(Debug, Clone)]
pub enum AnyHistogram {
    Integer(Histogram),
    Float(FloatHistogram),
}

/// What an answer tells of a native histogram: its time, count and sum, and the counts of the buckets that are not empty.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    pub timestamp: Millis,
    pub count: f64,
    pub sum: f64,
    pub buckets: Vec<f64>,
}

// === impl AnyHistogram ===

impl AnyHistogram {
    /// As `prometheus.Histogram` of remote write.
    fn message(&self, timestamp: Millis) -> Vec<u8> {
        let mut out = Vec::new();
        let (sum, schema, threshold, spans) = match self {
            Self::Integer(h) => {
                put_number(&mut out, 1, h.count);
                put_number(&mut out, 6, h.zero_count);
                for (field, buckets) in [(9, &h.negative_buckets), (12, &h.positive_buckets)] {
                    buckets.iter().for_each(|delta| put_number(&mut out, field, zigzag(*delta)));
                }
                (h.sum, h.schema, h.zero_threshold, [(8, &h.negative_spans), (11, &h.positive_spans)])
            }
            Self::Float(h) => {
                put_float(&mut out, 2, h.count);
                put_float(&mut out, 7, h.zero_count);
                for (field, buckets) in [(10, &h.negative_buckets), (13, &h.positive_buckets)] {
                    buckets.iter().for_each(|count| put_float(&mut out, field, *count));
                }
                (h.sum, h.schema, h.zero_threshold, [(8, &h.negative_spans), (11, &h.positive_spans)])
            }
        };
        put_float(&mut out, 3, sum);
        put_number(&mut out, 4, zigzag(schema.into()));
        put_float(&mut out, 5, threshold);
        for (field, spans) in spans {
            for Span { offset, length } in spans {
                let mut span = Vec::new();
                put_number(&mut span, 1, zigzag((*offset).into()));
                put_number(&mut span, 2, (*length).into());
                put_bytes(&mut out, field, &span);
            }
        }
        put_number(&mut out, 15, timestamp as u64);
        out
    }
}

// === impl Seen ===

impl Seen {
    pub fn of(point: &HistogramPoint) -> Self {
        let HistogramPoint { timestamp, histogram } = point;
        let negative = histogram.negative_buckets.iter().rev();
        let buckets = negative.chain([&histogram.zero_count]).chain(&histogram.positive_buckets);
        Self {
            timestamp: *timestamp,
            count: histogram.count,
            sum: histogram.sum,
            buckets: buckets.copied().filter(|count| *count != 0.0).collect(),
        }
    }
}

fn series(json: &serde_json::Value) -> (Labels, Columns) {
    let labels = json["metric"].as_object().unwrap().iter();
    let labels = Labels::from_pairs(labels.map(|(name, value)| (name.as_str(), value.as_str().unwrap())));
    let mut columns = Columns::default();
    for sample in json["values"].as_array().into_iter().flatten() {
        columns.timestamps.push((sample[0].as_f64().unwrap() * 1000.0).round() as Millis);
        columns.values.push(sample[1].as_str().unwrap().parse().unwrap());
    }
    (labels, columns)
}

fn seen_series(json: &serde_json::Value) -> (Labels, Vec<Seen>) {
    let number = |text: &serde_json::Value| text.as_str().unwrap().parse::<f64>().unwrap();
    let seen = |sample: &serde_json::Value| Seen {
        timestamp: (sample[0].as_f64().unwrap() * 1000.0).round() as Millis,
        count: number(&sample[1]["count"]),
        sum: number(&sample[1]["sum"]),
        buckets: sample[1]["buckets"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|bucket| number(&bucket[3]))
            .collect(),
    };
    (series(json).0, json["histograms"].as_array().into_iter().flatten().map(seen).collect())
}

fn labels_message(labels: &Labels) -> Vec<u8> {
    let mut message = Vec::new();
    for (name, value) in labels.iter() {
        let mut label = Vec::new();
        put_bytes(&mut label, 1, name.as_bytes());
        put_bytes(&mut label, 2, value.as_bytes());
        put_bytes(&mut message, 1, &label);
    }
    message
}

fn put_number(out: &mut Vec<u8>, field: u8, value: u64) {
    out.push(field << 3);
    put_varint(out, value);
}

fn put_float(out: &mut Vec<u8>, field: u8, value: f64) {
    out.push(field << 3 | 1);
    out.extend(value.to_le_bytes());
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

fn put_bytes(out: &mut Vec<u8>, field: u8, bytes: &[u8]) {
    out.push(field << 3 | 2);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
