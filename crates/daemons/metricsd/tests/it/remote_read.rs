//! Remote read: as Prometheus' own clients see it, and as Prometheus answers itself.

use wire::prometheus::{
    BucketSpan, ChunkedReadResponse, Histogram, LabelMatcher, Query, ReadRequest, ReadResponse,
    histogram::Count, label_matcher::Type, read_request::ResponseType,
};

use super::{
    peer::{Peer, write_to},
    *,
};

const EXTERNAL: &str = "global: {external_labels: {region: north, job: outer}}\n";

fn matcher(op: Type, name: &str, value: &str) -> LabelMatcher {
    LabelMatcher { r#type: op.into(), name: name.into(), value: value.into() }
}

fn request(types: &[ResponseType], queries: &[(i64, i64, Vec<LabelMatcher>)]) -> ReadRequest {
    let query = |(start, end, matchers): &(i64, i64, Vec<LabelMatcher>)| Query {
        start_timestamp_ms: *start,
        end_timestamp_ms: *end,
        matchers: matchers.clone(),
        hints: None,
    };
    ReadRequest {
        queries: queries.iter().map(query).collect(),
        accepted_response_types: types.iter().map(|kind| (*kind).into()).collect(),
    }
}

async fn read(url: &str, request: &ReadRequest) -> reqwest::Response {
    let body = wire::snappy_compress(&request.encode_to_vec());
    reqwest::Client::new().post(format!("{url}/api/v1/read")).body(body).send().await.expect("request")
}

async fn body(mut answer: reqwest::Response) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.expect("body") {
        body.extend_from_slice(&chunk);
    }
    body
}

async fn read_samples(url: &str, request: &ReadRequest) -> ReadResponse {
    let answer = read(url, request).await;
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["content-encoding"]),
        (200, &"snappy".parse().unwrap())
    );
    let body = body(answer).await;
    ReadResponse::decode(&*wire::snappy_decompress(&body, 1 << 26).expect("snappy")).expect("message")
}

async fn read_frames(url: &str, request: &ReadRequest) -> Vec<ChunkedReadResponse> {
    let answer = read(url, request).await;
    assert_eq!(answer.status().as_u16(), 200);
    let content_type = &answer.headers()["content-type"];
    assert_eq!(content_type, "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse");
    let body = body(answer).await;
    let mut rest = &*body;
    let mut frames = Vec::new();
    while !rest.is_empty() {
        let size = prost::encoding::decode_varint(&mut rest).expect("a size") as usize;
        let (checksum, behind) = rest.split_at(4);
        let (message, behind) = behind.split_at(size);
        assert_eq!(u32::from_be_bytes(checksum.try_into().expect("four bytes")), crc32c::crc32c(message));
        frames.push(ChunkedReadResponse::decode(message).expect("message"));
        rest = behind;
    }
    frames
}

fn labels(name: &str, job: &str) -> Vec<Label> {
    let label = |name: &str, value: &str| Label { name: name.into(), value: value.into() };
    vec![label("__name__", name), label("job", job)]
}

/// Two hours of three series, one of them of native histograms.
fn series(end: i64) -> Vec<TimeSeries> {
    let times = || (-480..=0).map(move |step| end + step * 15_000);
    let histogram = |timestamp: i64| {
        let count = (timestamp / 15_000 % 1000) as u64;
        Histogram {
            count: Some(Count::CountInt(count)),
            sum: count as f64,
            positive_spans: vec![BucketSpan { offset: 0, length: 1 }],
            positive_deltas: vec![count as i64],
            timestamp,
            ..Histogram::default()
        }
    };
    let floats = |factor: f64| {
        times()
            .map(|timestamp| Sample { value: factor * (timestamp / 15_000 % 77) as f64, timestamp })
            .collect()
    };
    vec![
        TimeSeries { labels: labels("a", "w"), samples: floats(1.0), ..TimeSeries::default() },
        TimeSeries { labels: labels("b", "w"), samples: floats(0.3), ..TimeSeries::default() },
        TimeSeries {
            labels: labels("h", "w"),
            histograms: times().map(histogram).collect(),
            ..TimeSeries::default()
        },
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn is_answered_as_prometheus_does() {
    let Some(peer) = Peer::start(EXTERNAL).await else {
        return;
    };
    let dir = tempfile::tempdir().expect("tempdir");
    let running = start(dir.path(), EXTERNAL, &["--storage.remote.read-max-bytes-in-frame=500"]).await;
    let end = now() / 15_000 * 15_000 - 60_000;
    let series = series(end);
    for url in [&running.url, &peer.url] {
        assert_eq!(write_to(url, &series).await, 204);
    }
    let all = || vec![matcher(Type::Re, "__name__", ".+")];
    let requests = [
        request(&[], &[(end - 3_600_000, end - 1, all())]),
        request(&[ResponseType::Samples], &[(end - 90_000, end, vec![matcher(Type::Eq, "__name__", "a")])]),
        // Those of the external labels are not asked of the series; a series' own label comes first.
        request(
            &[],
            &[(
                end - 90_000,
                end,
                vec![matcher(Type::Eq, "region", "north"), matcher(Type::Neq, "__name__", "h")],
            )],
        ),
        request(&[], &[(end - 90_000, end, vec![matcher(Type::Eq, "region", "south")])]),
        request(&[], &[(0, end, vec![matcher(Type::Nre, "__name__", "a|h")]), (end, end, all())]),
        request(&[], &[]),
    ];
    for request in &requests {
        let [ours, theirs] =
            [read_samples(&running.url, request).await, read_samples(&peer.url, request).await];
        assert_eq!(ours.results.len(), theirs.results.len());
        for ((ours, theirs), query) in ours.results.iter().zip(&theirs.results).zip(&request.queries) {
            assert_eq!(ours.timeseries.len(), theirs.timeseries.len(), "{request:?}");
            for (ours, theirs) in ours.timeseries.iter().zip(&theirs.timeseries) {
                assert_eq!((&ours.labels, &ours.samples), (&theirs.labels, &theirs.samples));
                // Prometheus 2.42 has histograms in chunks alone.
                let wanted = if ours.labels[0].value == "h" { &series[2].histograms[..] } else { &[] };
                let plain = |histogram: &Histogram| (histogram.timestamp, histogram.sum, histogram.schema);
                let range = query.start_timestamp_ms..=query.end_timestamp_ms;
                let in_range = |histogram: &&Histogram| range.contains(&histogram.timestamp);
                assert!(
                    ours.histograms.iter().map(plain).eq(wanted.iter().filter(in_range).map(plain)),
                    "{request:?}"
                );
            }
        }
    }
    // Chunks may be cut elsewhere; what is in them is the same.
    let streamed =
        request(&[ResponseType::StreamedXorChunks], &[(end - 3_600_000, end, all()), (end, end, all())]);
    let summary = |frames: &[ChunkedReadResponse]| {
        let mut all = std::collections::BTreeMap::new();
        for frame in frames {
            for series in &frame.chunked_series {
                let key = (frame.query_index, format!("{:?}", series.labels));
                let (first, last, kinds, samples) = all.entry(key).or_insert((i64::MAX, i64::MIN, vec![], 0));
                for chunk in &series.chunks {
                    *first = chunk.min_time_ms.min(*first);
                    *last = chunk.max_time_ms.max(*last);
                    *samples += u64::from(u16::from_be_bytes([chunk.data[0], chunk.data[1]]));
                    kinds.push(chunk.r#type);
                    kinds.dedup();
                }
            }
        }
        all
    };
    let [ours, theirs] =
        [read_frames(&running.url, &streamed).await, read_frames(&peer.url, &streamed).await];
    assert_eq!(summary(&ours), summary(&theirs));
    assert!(ours.len() > theirs.len(), "frames of 500 bytes");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prometheus_reads_from_us() {
    let dir = tempfile::tempdir().expect("tempdir");
    let running = start(dir.path(), "{}", &[]).await;
    let config = format!("remote_read: [{{url: '{}/api/v1/read', read_recent: true}}]\n", running.url);
    let Some(peer) = Peer::start(&config).await else {
        return;
    };
    let end = now() / 15_000 * 15_000 - 60_000;
    assert_eq!(write_to(&running.url, &series(end)).await, 204);
    for query in ["a", "rate(b[5m])", "sum(a + on(job) b)"] {
        let (from, to) = (end / 1000 - 7000, end / 1000);
        let path = format!("/api/v1/query_range?query={}&start={from}&end={to}&step=60", encode(query));
        histograms::check_same(&running, &peer, &path).await;
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refuses_what_it_cannot_answer() {
    let dir = tempfile::tempdir().expect("tempdir");
    let running = start(dir.path(), "{}", &["--storage.remote.read-sample-limit=100"]).await;
    let end = now() / 15_000 * 15_000 - 60_000;
    assert_eq!(write_to(&running.url, &series(end)).await, 204);
    let all = vec![matcher(Type::Re, "__name__", ".+")];
    let refused = async |request: ReadRequest| {
        let answer = read(&running.url, &request).await;
        (answer.status().as_u16(), answer.text().await.expect("text"))
    };
    let (status, text) = refused(request(&[], &[(0, end, all.clone())])).await;
    assert_eq!((status, text.trim()), (400, "exceeded sample limit (100)"));
    let bad_regex = vec![matcher(Type::Re, "a", "(")];
    assert_eq!(refused(request(&[], &[(0, end, bad_regex)])).await.0, 400);
    let mut unknown = request(&[], &[(0, end, all.clone())]);
    unknown.accepted_response_types = vec![7];
    let (status, text) = refused(unknown.clone()).await;
    assert!(status == 400 && text.contains("response types"), "{status} {text}");
    // The first that is known.
    unknown.accepted_response_types = vec![7, ResponseType::StreamedXorChunks.into()];
    assert!(!read_frames(&running.url, &unknown).await.is_empty(), "streams have no limit");
    let answer =
        reqwest::Client::new().post(format!("{}/api/v1/read", running.url)).body("junk").send().await;
    assert_eq!(answer.expect("request").status().as_u16(), 400);
    running.stop().await;
}
