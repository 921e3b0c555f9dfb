//! Remote write requests: encoded once, then filled in for every step.

use std::{fs::File, io::Write, os::unix::fs::FileExt, path::Path};

use anyhow::{Context, ensure};
use bytes::Bytes;
use prost::Message;
use wire::prometheus::{Label, Sample, TimeSeries, WriteRequest};

use super::{
    Lane, Plan, STEP,
    series::{SERIES_PER_TARGET, Shape, series_labels, shapes, target_labels},
    values::Target,
};

/// Targets of one body: 2,500 series, about half a megabyte before it is compressed.
const TARGETS_PER_BODY: usize = 10;

/// Series of one body.
pub const SERIES_PER_BODY: usize = TARGETS_PER_BODY * SERIES_PER_TARGET;

/// A sample at the end of its series: the value's eight bytes, the tag of the time, the time in six.
const VALUE_FROM_END: usize = 15;
const TIME_FROM_END: usize = 6;

/// Times that take six bytes as varints: from 1971 to 2109.
const TIMES: std::ops::Range<i64> = 1 << 35..1 << 42;

/// A request, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// Which body of a step it is; bodies of one number must be sent in order.
    pub number: u32,
    /// Which step it is.
    pub step: u32,
    /// How many samples it carries.
    pub samples: u32,
    /// Snappy's block format.
    pub bytes: Bytes,
}

/// Makes every `lanes`-th body of each step, in order of steps.
///
/// Holds the values of its series, some 16 bytes each; the encoded labels wait in an unnamed file.
#[derive(Debug)]
pub struct Generator {
    plan: Plan,
    shapes: Vec<Shape>,
    templates: File,
    batches: Vec<Batch>,
    step: u32,
    /// The next body of this step.
    at: usize,
    /// A body being filled in.
    raw: Vec<u8>,
    compressor: snap::raw::Encoder,
}

/// The series of one body.
#[derive(Debug)]
struct Batch {
    number: u32,
    targets: Vec<Target>,
    /// Where in the template each series ends.
    ends: Vec<u32>,
    /// Where the template is in the file.
    template: u64,
}

impl Generator {
    /// The share of connection number `lane` of `lanes`; its unnamed file is made in `scratch`.
    pub fn new(plan: Plan, scratch: &Path, lane: usize, lanes: usize) -> anyhow::Result<Self> {
        ensure!(
            TIMES.contains(&plan.start()) && TIMES.contains(&plan.end),
            "samples must lie between 1971 and 2109"
        );
        let mut templates = tempfile::tempfile_in(scratch)
            .with_context(|| format!("cannot make a file in `{}`", scratch.display()))?;
        let shapes = shapes();
        let mut batches = Vec::new();
        let mut written = 0;
        for number in (lane..plan.series.div_ceil(SERIES_PER_BODY)).step_by(lanes) {
            let series = SERIES_PER_BODY.min(plan.series - number * SERIES_PER_BODY);
            let targets = number * TARGETS_PER_BODY..;
            let (template, ends) = encode(targets.clone(), series, &shapes);
            templates.write_all(&template).context("cannot write the encoded labels")?;
            let targets = targets.take(series.div_ceil(SERIES_PER_TARGET));
            let targets = targets.map(|target| Target::new(plan.seed, target, &shapes)).collect();
            batches.push(Batch { number: number as u32, targets, ends, template: written });
            written += template.len() as u64;
        }
        let compressor = snap::raw::Encoder::new();
        Ok(Self { plan, shapes, templates, batches, step: 0, at: 0, raw: Vec::new(), compressor })
    }
}

impl Lane for Generator {
    fn next(&mut self) -> anyhow::Result<Option<Body>> {
        if self.at == self.batches.len() {
            self.at = 0;
            self.step += 1;
        }
        if self.step >= self.plan.steps || self.batches.is_empty() {
            return Ok(None);
        }
        let batch = &mut self.batches[self.at];
        self.at += 1;
        let size = batch.ends.last().map_or(0, |end| *end as usize);
        self.raw.resize(size, 0);
        self.templates
            .read_exact_at(&mut self.raw, batch.template)
            .context("cannot read the encoded labels")?;
        batch.fill(&mut self.raw, self.plan.start() + i64::from(self.step) * STEP, &self.shapes);
        let bytes = self.compressor.compress_vec(&self.raw).context("cannot compress a request")?.into();
        let samples = batch.ends.len() as u32;
        Ok(Some(Body { number: batch.number, step: self.step, samples, bytes }))
    }
}

impl Batch {
    /// Goes on by a step, and puts its values and time in their places.
    fn fill(&mut self, raw: &mut [u8], time: i64, shapes: &[Shape]) {
        let time = six_byte_varint(time);
        let mut ends = self.ends.iter();
        for target in &mut self.targets {
            target.step(shapes, |value| {
                // The last target of a load may be cut short.
                let Some(&end) = ends.next() else { return };
                let sample = &mut raw[end as usize - VALUE_FROM_END..end as usize];
                sample[..8].copy_from_slice(&value.to_le_bytes());
                sample[VALUE_FROM_END - TIME_FROM_END..].copy_from_slice(&time);
            });
        }
    }
}

/// The request of `series` series of some targets with a sample each, and where each series ends in it.
fn encode(targets: impl Iterator<Item = usize>, series: usize, shapes: &[Shape]) -> (Vec<u8>, Vec<u32>) {
    let mut template = Vec::new();
    let mut ends = Vec::with_capacity(series);
    for target in targets {
        let target = target_labels(target);
        for shape in shapes {
            if ends.len() == series {
                return (template, ends);
            }
            let labels = series_labels(&target, shape)
                .into_iter()
                .map(|(name, value)| Label { name: name.to_owned(), value })
                .collect();
            // Neither is its default, which would be left out.
            let samples = vec![Sample { value: 1.0, timestamp: TIMES.start }];
            let timeseries = vec![TimeSeries { labels, samples, ..TimeSeries::default() }];
            // Requests can be concatenated: their repeated fields are.
            WriteRequest { timeseries, ..WriteRequest::default() }
                .encode(&mut template)
                .expect("BUG: a vector grows");
            ends.push(u32::try_from(template.len()).expect("BUG: a body is far below 4 GiB"));
        }
    }
    (template, ends)
}

fn six_byte_varint(value: i64) -> [u8; TIME_FROM_END] {
    let mut bytes = [0; TIME_FROM_END];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = (value >> (7 * at)) as u8 & 0x7f | 0x80;
    }
    bytes[TIME_FROM_END - 1] &= 0x7f;
    bytes
}
