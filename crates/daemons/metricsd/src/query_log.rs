//! `global.query_log_file`: a line of JSON for every query that was evaluated. Source: Prometheus docs/guides/query-log.md.
//!
//! Queries do not wait for the disk: lines queue for one task that writes them, and what finds no room in the queue is counted and left
//! out. A reload opens the file anew, also one of the same name, so that it can be rotated.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use jiff::Timestamp;
use model::Millis;
use parking_lot::RwLock;
use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge},
    registry::Registry,
};
use serde_json::{Value, json};
use service::{Stop, spawn_blocking};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tracing::warn;

use crate::api::Spent;

/// Lines that wait to be written.
const MAX_LINES: usize = 4096;
/// Bytes of all of them together.
const MAX_BYTES: usize = 16 << 20;
/// Lines that are written at a time.
const BATCH: usize = 256;

/// Takes what is to be logged.
pub(crate) struct QueryLog {
    file: RwLock<Option<Arc<File>>>,
    lines: mpsc::Sender<Line>,
    room: Arc<Semaphore>,
    enabled: Gauge,
    failures: Counter,
    /// Whether the last line could not be written: each trouble is logged once.
    is_failing: AtomicBool,
}

/// The end of the queue that the writing task holds.
pub(crate) struct QueuedLines(mpsc::Receiver<Line>);

struct Line {
    text: String,
    _room: OwnedSemaphorePermit,
}

/// One evaluated query.
#[derive(Debug)]
pub(crate) struct QueryRecord<'a> {
    pub query: &'a str,
    pub start: Millis,
    pub end: Millis,
    /// Zero for an instant query.
    pub step: Millis,
    pub error: Option<String>,
    pub spent: Spent,
    pub origin: &'a QueryOrigin,
}

/// For whom a query was evaluated.
#[derive(Debug, Clone)]
pub(crate) enum QueryOrigin {
    HttpRequest { client_ip: String, method: String, path: String },
    RuleGroup { file: String, name: String },
}

impl QueryLog {
    /// A log without a file, whose metrics go to `registry`; [`write_until`] has to run for it.
    pub fn new(registry: &mut Registry) -> (Arc<Self>, QueuedLines) {
        let (lines, queued) = mpsc::channel(MAX_LINES);
        let log = Self {
            file: RwLock::default(),
            lines,
            room: Arc::new(Semaphore::new(MAX_BYTES)),
            enabled: Gauge::default(),
            failures: Counter::default(),
            is_failing: AtomicBool::new(false),
        };
        registry.register(
            "prometheus_engine_query_log_enabled",
            "State of the query log",
            log.enabled.clone(),
        );
        registry.register(
            "prometheus_engine_query_log_failures",
            "The number of query log failures",
            log.failures.clone(),
        );
        (Arc::new(log), QueuedLines(queued))
    }

    /// Opens a file to append to, for [`QueryLog::write_to`].
    pub fn open(path: &Path) -> io::Result<File> {
        OpenOptions::new().create(true).append(true).open(path)
    }

    /// Writes to this file from now on, or nowhere.
    pub fn write_to(&self, file: Option<File>) {
        self.enabled.set(i64::from(file.is_some()));
        *self.file.write() = file.map(Arc::new);
    }

    /// Logs a query, if there is a file.
    pub fn record(&self, record: &QueryRecord<'_>) {
        if self.file.read().is_none() {
            return;
        }
        let text = record.line(Timestamp::now());
        let room = u32::try_from(text.len()).ok();
        let room = room.and_then(|size| self.room.clone().try_acquire_many_owned(size).ok());
        let queued = room.is_some_and(|room| self.lines.try_send(Line { text, _room: room }).is_ok());
        if !queued {
            self.failures.inc();
        }
    }

    fn write(&self, lines: &[Line]) {
        let Some(file) = self.file.read().clone() else { return };
        for line in lines {
            let outcome = (&*file).write_all(line.text.as_bytes());
            let failed = outcome.is_err();
            if let Err(error) = outcome {
                self.failures.inc();
                if !self.is_failing.load(Ordering::Relaxed) {
                    warn!(%error, "cannot write to the query log");
                }
            }
            self.is_failing.store(failed, Ordering::Relaxed);
        }
    }
}

/// Writes what is logged until the stop, then what is left.
pub(crate) async fn write_until(log: Arc<QueryLog>, queued: QueuedLines, stop: Stop) {
    let QueuedLines(mut queued) = queued;
    let mut stopping = false;
    loop {
        let mut batch = Vec::new();
        tokio::select! {
            () = stop.requested(), if !stopping => {
                queued.close();
                stopping = true;
                continue;
            }
            count = queued.recv_many(&mut batch, BATCH) => if count == 0 {
                return;
            },
        }
        let log = log.clone();
        if let Err(error) = spawn_blocking(move || log.write(&batch)).await {
            tracing::error!(%error, "BUG: writing the query log panicked");
        }
    }
}

impl QueryRecord<'_> {
    /// The line with its end. The moment stands in it twice: `ts` is Prometheus 2's name for it, `time` is Prometheus 3's.
    fn line(&self, now: Timestamp) -> String {
        let time = format!("{now:.3}");
        let mut line = json!({
            "ts": time,
            "time": time,
            "level": "INFO",
            "msg": "promql query logged",
            "params": {
                "query": self.query,
                "start": date(self.start),
                "end": date(self.end),
                // In seconds, as they are asked for.
                "step": self.step / 1000,
            },
            "stats": self.spent.to_json(&[]),
        });
        if let Some(error) = &self.error {
            line["error"] = error.as_str().into();
        }
        let (key, origin) = self.origin.to_json();
        line[key] = origin;
        format!("{line}\n")
    }
}

impl QueryOrigin {
    fn to_json(&self) -> (&'static str, Value) {
        match self {
            Self::HttpRequest { client_ip, method, path } => {
                ("httpRequest", json!({"clientIP": client_ip, "method": method, "path": path}))
            }
            Self::RuleGroup { file, name } => ("ruleGroup", json!({"file": file, "name": name})),
        }
    }
}

/// RFC 3339 with milliseconds, the epoch where the calendar ends.
fn date(at: Millis) -> String {
    format!("{:.3}", Timestamp::from_millisecond(at).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use service::{Stopper, Tasks};

    use super::*;

    static ORIGIN: QueryOrigin = QueryOrigin::RuleGroup { file: String::new(), name: String::new() };

    fn record(query: &str) -> QueryRecord<'_> {
        QueryRecord {
            query,
            start: 1_500,
            end: 1_000_000,
            step: 15_000,
            error: Some("query timed out".into()),
            spent: Spent::default(),
            origin: &ORIGIN,
        }
    }

    #[test]
    fn a_line_says_what_for_whom_and_how_long() {
        let origin =
            QueryOrigin::HttpRequest { client_ip: "::1".into(), method: "GET".into(), path: "/q".into() };
        let line = QueryRecord { origin: &origin, ..record("up == \"a\n\"") }.line(Timestamp::UNIX_EPOCH);
        assert!(line.ends_with("}\n") && line.matches('\n').count() == 1, "{line}");
        let line: Value = serde_json::from_str(&line).expect("json");
        assert_eq!(
            line["params"],
            json!({
                "query": "up == \"a\n\"", "step": 15,
                "start": "1970-01-01T00:00:01.500Z", "end": "1970-01-01T00:16:40.000Z",
            })
        );
        assert_eq!(line["httpRequest"], json!({"clientIP": "::1", "method": "GET", "path": "/q"}));
        assert_eq!((&line["ts"], &line["error"]), (&line["time"], &json!("query timed out")));
        assert_eq!(line["stats"]["timings"]["execTotalTime"], 0.0);
    }

    #[tokio::test]
    async fn what_is_queued_is_written_before_the_end_and_what_does_not_fit_is_counted() {
        let dir = tempfile::tempdir().expect("tempdir");
        let path = dir.path().join("query.log");
        let (log, queued) = QueryLog::new(&mut Registry::default());
        log.record(&record("before there is a file"));
        log.write_to(Some(QueryLog::open(&path).expect("opens")));
        let huge = "x".repeat(MAX_BYTES / 2);
        log.record(&record(&huge));
        log.record(&record(&huge));
        log.record(&record("small"));
        assert_eq!(log.failures.get(), 1);
        let stopper = Stopper::new();
        let tasks = Tasks::new(&stopper.token());
        tasks.spawn("query log", write_until(log.clone(), queued, tasks.stop()));
        tasks.finish(std::time::Duration::from_secs(20)).await.expect("ends");
        let written = std::fs::read_to_string(&path).expect("file");
        let queries: Vec<Value> = written
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("json")["params"]["query"].take())
            .collect();
        assert_eq!(queries, [json!(huge), json!("small")]);
    }

    #[tokio::test]
    async fn a_rotated_file_is_left_when_it_is_opened_anew() {
        let dir = tempfile::tempdir().expect("tempdir");
        let path = dir.path().join("query.log");
        let (log, _queued) = QueryLog::new(&mut Registry::default());
        let write = |query: &str| {
            let text = record(query).line(Timestamp::UNIX_EPOCH);
            let room = log.room.clone().try_acquire_many_owned(1).expect("room");
            log.write(&[Line { text, _room: room }]);
        };
        log.write_to(Some(QueryLog::open(&path).expect("opens")));
        write("a");
        std::fs::rename(&path, dir.path().join("query.log.1")).expect("rotates");
        write("b");
        log.write_to(Some(QueryLog::open(&path).expect("opens")));
        write("c");
        log.write_to(None);
        write("d");
        let count =
            |name: &str| std::fs::read_to_string(dir.path().join(name)).expect("file").lines().count();
        assert_eq!((count("query.log.1"), count("query.log")), (2, 1));
    }
}
