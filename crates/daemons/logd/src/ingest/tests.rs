//! What is taken, what is refused, and with which words.

use bytes::Bytes;
use clap::Parser;
use logstore::StoreOptions;
use model::Labels;
use prometheus_client::{encoding::text::encode, registry::Registry};
use streams::{LogSource, SelectLogs, Wanted};
use tempfile::TempDir;
use wire::loki_push::{PushedEntry, PushedStream};

use super::*;
use crate::Flags;

const SECOND: Nanos = 1_000_000_000;
const NOW: Nanos = 1_768_471_200 * SECOND;

struct Fixture {
    ingester: Ingester,
    tenant: Tenant,
    registry: Registry,
    _dir: TempDir,
}

impl Fixture {
    fn new(limits: &str) -> Self {
        let text =
            format!("limits_config: {{discover_log_levels: false, discover_service_name: [], {limits}}}");
        Self::with(&text)
    }

    fn with(text: &str) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let config = Config::from_text(text, &Flags::parse_from(["logd"])).expect("a configuration");
        let mut registry = Registry::default();
        let mut options = StoreOptions::new(dir.path());
        options.max_streams = config.limits.max_streams();
        options.wal.disk_full_threshold = 0.0;
        let store = logstore::Store::open(options, &mut registry).expect("a store");
        let tenant = Tenant { name: "t".into(), store, rates: Rates::default() };
        let ingester = Ingester::new(&config, IngestMetrics::register(&mut registry));
        Self { ingester, tenant, registry, _dir: dir }
    }

    fn push(&self, streams: Vec<PushedStream>) -> Result<(), Refusal> {
        self.ingester.push(&self.tenant, streams, NOW)
    }

    fn refusal(&self, streams: Vec<PushedStream>) -> (u16, String) {
        let refusal = self.push(streams).expect_err("refused");
        (refusal.status, refusal.text)
    }

    /// Everything there is: labels, time, line and structured metadata.
    fn stored(&self) -> Vec<String> {
        let select = SelectLogs {
            matchers: Vec::new(),
            start: Nanos::MIN,
            end: Nanos::MAX,
            direction: streams::Direction::Forward,
            filters: Vec::new(),
            wanted: Wanted { lines: true, metadata: true },
        };
        let querier = self.tenant.store.querier().expect("a view");
        let mut found = Vec::new();
        for batch in querier.select(&select).expect("a selection") {
            let batch = batch.expect("a batch");
            for at in 0..batch.len() {
                let line = String::from_utf8_lossy(batch.line(at));
                let metadata = batch.metadata(at).map(Labels::to_string).unwrap_or_default();
                found.push(format!(
                    "{} {} {line} {metadata}",
                    batch.stream,
                    (batch.timestamps[at] - NOW) / SECOND
                ));
            }
        }
        found.sort();
        found.into_iter().map(|text| text.trim_end().to_owned()).collect()
    }

    fn has_metric(&self, line: &str) -> bool {
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("text");
        text.lines().any(|candidate| candidate == line)
    }
}

fn entry(at: Nanos, line: &str) -> PushedEntry {
    PushedEntry {
        timestamp: NOW + at * SECOND,
        line: Bytes::copy_from_slice(line.as_bytes()),
        metadata: Vec::new(),
    }
}

fn with_metadata(at: Nanos, line: &str, pairs: &[(&str, &str)]) -> PushedEntry {
    let metadata = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    PushedEntry { metadata, ..entry(at, line) }
}

fn stream(labels: &str, entries: Vec<PushedEntry>) -> PushedStream {
    PushedStream { labels: labels.into(), entries }
}

#[test]
fn good_entries_are_stored_beside_bad_ones() {
    let fixture = Fixture::new("max_line_size: 8B");
    let pushed = stream(r#"{a="b"}"#, vec![entry(0, "one"), entry(1, "far too long"), entry(2, "two")]);
    assert_eq!(
        fixture.refusal(vec![pushed]),
        (
            400,
            "max entry size '8' bytes exceeded for stream '{a=\"b\"}' while adding an entry with length '12' bytes".into()
        )
    );
    assert_eq!(fixture.stored(), [r#"{a="b"} 0 one"#, r#"{a="b"} 2 two"#]);
    assert!(fixture.has_metric(r#"loki_discarded_samples_total{reason="line_too_long",tenant="t"} 1"#));
    assert!(fixture.has_metric(r#"loki_discarded_bytes_total{reason="line_too_long",tenant="t"} 12"#));
    assert!(fixture.has_metric(r#"loki_distributor_lines_received_total{tenant="t"} 3"#));
    assert!(fixture.has_metric(r#"loki_distributor_bytes_received_total{tenant="t"} 18"#));
}

#[test]
fn texts_of_entries() {
    let fixture = Fixture::new("max_structured_metadata_size: 10B, max_structured_metadata_entries_count: 1");
    let check = |entry: PushedEntry, want: &str| {
        let (status, text) = fixture.refusal(vec![stream(r#"{a="b"}"#, vec![entry])]);
        assert_eq!((status, text.as_str()), (400, want));
    };
    check(
        entry(-8 * 86_400, "x"),
        "entry for stream '{a=\"b\"}' has timestamp too old: 2026-01-07T10:00:00Z, oldest acceptable timestamp is: 2026-01-08T10:00:00Z",
    );
    check(entry(601, "x"), "entry for stream '{a=\"b\"}' has timestamp too new: 2026-01-15T10:10:01Z");
    check(
        with_metadata(0, "x", &[("k", "0123456789")]),
        "stream '{a=\"b\"}' has structured metadata too large: '11' bytes, limit: '10' bytes. Please see \
         `limits_config.max_structured_metadata_size` or contact your Loki administrator to increase it",
    );
    check(
        with_metadata(0, "x", &[("k", "1"), ("l", "2")]),
        "stream '{a=\"b\"}' has too many structured metadata labels: '2', limit: '1'. Please see \
         `limits_config.max_structured_metadata_entries_count` or contact your Loki administrator to increase it",
    );
    let fixture = Fixture::new("allow_structured_metadata: false");
    assert_eq!(
        fixture.refusal(vec![stream(r#"{a="b"}"#, vec![with_metadata(0, "x", &[("k", "1")])])]).1,
        "stream '{a=\"b\"}' includes structured metadata, but this feature is disallowed. Please see \
         `limits_config.allow_structured_metadata` or contact your Loki administrator to enable it"
    );
}

#[test]
fn texts_of_streams() {
    let fixture = Fixture::new(
        "max_label_name_length: 3, max_label_value_length: 3, max_label_names_per_series: 2, enforced_labels: [env, app]",
    );
    let check = |labels: &str, status: u16, want: &str| {
        let got = fixture.refusal(vec![stream(labels, vec![entry(0, "x")])]);
        assert_eq!((got.0, got.1.as_str()), (status, want));
    };
    check("{}", 400, "error at least one label pair is required per stream");
    check(r#"{long="x"}"#, 400, "stream '{long=\"x\"}' has label name too long: 'long'");
    check(r#"{a="long"}"#, 400, "stream '{a=\"long\"}' has label value too long: 'long'");
    check(
        r#"{a="1", b="2", c="3"}"#,
        400,
        "entry for stream '{a=\"1\", b=\"2\", c=\"3\"}' has 3 label names; limit 2",
    );
    check(r#"{a="1", a="2"}"#, 400, "stream '{a=\"1\", a=\"2\"}' has duplicate label name: 'a'");
    check(
        r#"{env="x"}"#,
        400,
        "missing required labels 'app' for user 't' for stream '{env=\"x\"}' (policy: '')",
    );
    assert_eq!(fixture.refusal(Vec::new()).0, 422);
    assert!(
        fixture.has_metric(r#"loki_discarded_samples_total{reason="missing_enforced_labels",tenant="t"} 1"#)
    );
}

#[test]
fn a_mistake_in_labels_refuses_the_whole_push() {
    let fixture = Fixture::new("");
    let streams = vec![stream(r#"{a="b"}"#, vec![entry(0, "x")]), stream("{a-b=\"c\"}", vec![entry(0, "y")])];
    assert_eq!(
        fixture.refusal(streams),
        (400, "couldn't parse labels: 1:3: parse error: unexpected character inside braces: '-'".into())
    );
    assert_eq!(fixture.stored(), [""; 0]);
}

#[test]
fn equal_texts_are_counted() {
    let fixture = Fixture::new("max_line_size: 1B");
    let long = || entry(0, "xx");
    let check = |entries: Vec<PushedEntry>, want: &str| {
        assert_eq!(fixture.refusal(vec![stream(r#"{a="b"}"#, entries)]).1, want);
    };
    let text = "max entry size '1' bytes exceeded for stream '{a=\"b\"}' while adding an entry with length";
    check(vec![long()], &format!("{text} '2' bytes"));
    check(vec![long(), long()], &format!("2 errors like: {text} '2' bytes"));
    check(
        vec![long(), entry(0, "xxx"), long()],
        &format!("2 errors like: {text} '2' bytes; 1 errors like: {text} '3' bytes"),
    );
}

#[test]
fn the_tenants_rate_is_all_or_nothing() {
    let fixture = Fixture::new("ingestion_rate_mb: 0.00001, ingestion_burst_size_mb: 0.00001");
    let line = "0123456789";
    assert_eq!(fixture.push(vec![stream(r#"{a="b"}"#, vec![entry(0, line)])]), Ok(()));
    assert_eq!(
        fixture.refusal(vec![stream(r#"{a="b"}"#, vec![entry(1, line)])]),
        (
            429,
            "ingestion rate limit exceeded for user t (limit: 10 bytes/sec) while attempting to ingest '1' lines totaling '10' bytes, \
             reduce log volume or contact your Loki administrator to see if the limit can be increased"
                .into()
        )
    );
    assert_eq!(fixture.stored().len(), 1);
    assert!(fixture.has_metric(r#"loki_discarded_samples_total{reason="rate_limited",tenant="t"} 1"#));
}

#[test]
fn a_streams_rate_leaves_out_what_is_too_much() {
    let fixture = Fixture::new("per_stream_rate_limit: 2KB, per_stream_rate_limit_burst: 10B");
    let entries = vec![entry(0, "12345678"), entry(1, "12345678"), entry(2, "12")];
    let (status, text) = fixture.refusal(vec![stream(r#"{a="b"}"#, entries)]);
    assert_eq!(
        (status, text.as_str()),
        (
            429,
            "entry with timestamp 2026-01-15 10:00:01 +0000 UTC ignored, reason: 'Per stream rate limit exceeded (limit: 2KB/sec) while \
             attempting to ingest for stream '{a=\"b\"}' totaling 8B, consider splitting a stream via additional labels or contact your \
             Loki administrator to see if the limit can be increased',\nuser 't', total ignored: 1 out of 3 for stream: {a=\"b\"}"
        )
    );
    assert_eq!(fixture.stored(), [r#"{a="b"} 0 12345678"#, r#"{a="b"} 2 12"#]);
}

#[test]
fn late_entries_are_named() {
    let fixture = Fixture::with(
        "limits_config: {discover_log_levels: false, discover_service_name: []}\ningester: {max_returned_stream_errors: 1}",
    );
    let entries = vec![entry(0, "new"), entry(-3601, "late"), entry(-3602, "later"), entry(-3600, "in time")];
    assert_eq!(
        fixture.refusal(vec![stream(r#"{a="b"}"#, entries)]),
        (
            400,
            "entry with timestamp 2026-01-15 08:59:59 +0000 UTC ignored, reason: 'entry too far behind, entry timestamp is: \
             2026-01-15T08:59:59Z, oldest acceptable timestamp is: 2026-01-15T09:00:00Z',\n\
             user 't', total ignored: 2 out of 4 for stream: {a=\"b\"}"
                .into()
        )
    );
    assert_eq!(fixture.stored(), [r#"{a="b"} -3600 in time"#, r#"{a="b"} 0 new"#]);
    assert!(fixture.has_metric(r#"loki_discarded_samples_total{reason="too_far_behind",tenant="t"} 2"#));
}

#[test]
fn one_stream_too_many_is_refused_and_known_ones_go_on() {
    let fixture = Fixture::new("max_global_streams_per_user: 1");
    assert_eq!(fixture.push(vec![stream(r#"{a="b"}"#, vec![entry(0, "x")])]), Ok(()));
    let streams = vec![stream(r#"{a="c"}"#, vec![entry(0, "x")]), stream(r#"{a="b"}"#, vec![entry(1, "y")])];
    let (status, text) = fixture.refusal(streams);
    assert_eq!(status, 429);
    assert!(
        text.starts_with(
            "maximum active stream limit exceeded when trying to create stream {a=\"c\"}, reduce"
        ),
        "{text}"
    );
    assert_eq!(fixture.stored(), [r#"{a="b"} 0 x"#, r#"{a="b"} 1 y"#]);
}

#[test]
fn a_block_is_told_unless_its_status_is_200() {
    let push = |code: u16| {
        let fixture =
            Fixture::new(&format!("block_ingestion_until: 2026-02-01, block_ingestion_status_code: {code}"));
        let outcome = fixture.push(vec![stream(r#"{a="b"}"#, vec![entry(0, "x")])]);
        assert_eq!(fixture.stored(), [""; 0]);
        outcome
    };
    assert_eq!(
        push(260),
        Err(Refusal::new(
            260,
            "ingestion blocked for user 't' until '2026-02-01T00:00:00Z' with status code '260'"
        ))
    );
    assert_eq!(push(200), Ok(()));
    let over = Fixture::new("block_ingestion_until: 2026-01-01");
    assert_eq!(over.push(vec![stream(r#"{a="b"}"#, vec![entry(0, "x")])]), Ok(()));
}

#[test]
fn service_name_and_level_are_found() {
    let fixture = Fixture::with("");
    let entries = vec![
        entry(0, "level=error x"),
        with_metadata(1, "x", &[("trace.id", "1"), ("severity", "WARN")]),
        with_metadata(2, "info: x", &[("detected_level", "ERR"), ("9", "bad \u{fffd}")]),
    ];
    let streams = vec![
        stream(r#"{job="j", app="p"}"#, entries),
        stream(r#"{level="Debug", z="1"}"#, vec![entry(0, "an error")]),
        stream(r#"{service_name="s"}"#, vec![entry(0, "x")]),
    ];
    assert_eq!(fixture.push(streams), Ok(()));
    assert_eq!(
        fixture.stored(),
        [
            r#"{app="p", job="j", service_name="p"} 0 level=error x {detected_level="error"}"#,
            r#"{app="p", job="j", service_name="p"} 1 x {detected_level="warn", severity="WARN", trace_id="1"}"#,
            r#"{app="p", job="j", service_name="p"} 2 info: x {detected_level="error", key_9="bad  "}"#,
            r#"{level="Debug", service_name="unknown_service", z="1"} 0 an error {detected_level="debug"}"#,
            r#"{service_name="s"} 0 x {detected_level="unknown"}"#,
        ]
    );
}

#[test]
fn lines_are_cut_and_moved_on_demand() {
    let fixture = Fixture::new(
        "max_line_size: 6B, max_line_size_truncate: true, max_line_size_truncate_identifier: '..', increment_duplicate_timestamp: true",
    );
    let mut broken = entry(1, "");
    broken.line = Bytes::from_static(b"a\xff\xfeb");
    let entries = vec![entry(0, "0123456789"), entry(0, "aaaü567"), broken, entry(2, "")];
    assert_eq!(fixture.push(vec![stream(r#"{a="b"}"#, entries)]), Ok(()));
    assert_eq!(
        fixture.stored(),
        [r#"{a="b"} 0 0123.."#, r#"{a="b"} 0 aaa.."#, "{a=\"b\"} 1 a\u{fffd}\u{fffd}b"]
    );
}
