//! Samples of any kind as records of the logs.

use model::Millis;

use crate::{
    encoding::Malformed,
    recode::Sample,
    wal::record::{self, HistogramRecord, Recorded, RefHistogram, RefSample},
};

/// The records of samples, each with the number of its series: one for each kind that is there, floats first.
pub(super) fn encode<'a>(samples: impl Iterator<Item = (u64, Millis, &'a Sample)>) -> Vec<Vec<u8>> {
    let (mut floats, mut histograms, mut float_histograms) = (Vec::new(), Vec::new(), Vec::new());
    for (series_ref, timestamp, sample) in samples {
        match sample {
            Sample::Float(value) => floats.push(RefSample { series_ref, timestamp, value: *value }),
            Sample::Histogram(histogram) => {
                histograms.push(RefHistogram { series_ref, timestamp, histogram: &**histogram });
            }
            Sample::FloatHistogram(histogram) => {
                float_histograms.push(RefHistogram { series_ref, timestamp, histogram: &**histogram });
            }
        }
    }
    std::iter::once(record::encode_samples(floats))
        .chain(record::encode_histograms(&histograms))
        .chain(record::encode_histograms(&float_histograms))
        .filter(|record| !record.is_empty())
        .collect()
}

/// Hands each histogram of a record of this kind to `visit`; returns how many were left out because they are of later versions, or broken.
pub(super) fn decode_histograms(
    record: &[u8],
    kind: HistogramRecord,
    visit: impl FnMut(RefHistogram<Sample>),
) -> Result<usize, Malformed> {
    if kind.float {
        decode(record, kind, |histogram| Sample::FloatHistogram(Box::new(histogram)), visit)
    } else {
        decode(record, kind, |histogram| Sample::Histogram(Box::new(histogram)), visit)
    }
}

fn decode<H: Recorded>(
    record: &[u8],
    kind: HistogramRecord,
    sample: impl Fn(H) -> Sample,
    mut visit: impl FnMut(RefHistogram<Sample>),
) -> Result<usize, Malformed> {
    record::decode_histograms(record, kind, |decoded: RefHistogram<H>| {
        let RefHistogram { series_ref, timestamp, histogram } = decoded;
        visit(RefHistogram { series_ref, timestamp, histogram: sample(histogram) });
    })
}
