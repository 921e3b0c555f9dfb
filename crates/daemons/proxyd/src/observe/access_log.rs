//! The access log: which requests, in which form, written by one thread off the request's path.

mod common;
mod json;

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    path::Path,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use middleware::Facts;
use tokio::{
    sync::mpsc::{Receiver, Sender, channel},
    task::JoinHandle,
};
use tracing::{error, warn};

use super::exchange::Exchange;
use crate::config::settings::{AccessLogFormat, AccessLogSettings, FieldMode};

/// Lines that wait for the disk; more are dropped and counted.
const QUEUED_LINES: usize = 10_000;

/// Where finished requests are told. Its writer ends when the last handle is gone.
pub(crate) struct AccessLog {
    settings: AccessLogSettings,
    lines: Sender<Message>,
    dropped: AtomicU64,
    requests: AtomicU64,
}

enum Message {
    Line(String),
    Reopen,
}

impl AccessLog {
    /// Opens the file and starts the writer, to be awaited after the last handle is dropped.
    pub(crate) fn start(settings: AccessLogSettings) -> io::Result<(Self, JoinHandle<()>)> {
        let (lines, queue) = channel(QUEUED_LINES);
        let mut output = Output::open(settings.file.as_deref())?;
        let path = settings.file.clone();
        let writer = service::spawn_blocking(move || write_all(queue, &mut output, path.as_deref()));
        Ok((Self { settings, lines, dropped: AtomicU64::new(0), requests: AtomicU64::new(0) }, writer))
    }

    /// Opens the file anew: the old one was rotated away.
    pub(crate) fn reopen(&self) {
        if self.lines.try_send(Message::Reopen).is_err() {
            warn!("access log is overloaded, its file is not reopened");
        }
    }

    /// Whether lines may hold headers, so that they must be kept.
    pub(crate) fn wants_headers(&self) -> bool {
        self.settings.format == AccessLogFormat::Json
            && (self.settings.default_header != FieldMode::Drop || !self.settings.headers.is_empty())
    }

    pub(super) fn write(&self, exchange: &Exchange, facts: &Facts, duration: Duration) {
        let count = self.requests.fetch_add(1, Relaxed) + 1;
        if !self.settings.keeps(exchange.status, facts.retries, duration) {
            return;
        }
        let line = match self.settings.format {
            AccessLogFormat::Common => common::line(exchange, facts, duration, Some(count)),
            AccessLogFormat::GenericClf => common::line(exchange, facts, duration, None),
            AccessLogFormat::Json => json::line(&self.settings, exchange, facts, duration, count),
        };
        if self.lines.try_send(Message::Line(line)).is_err() {
            let dropped = self.dropped.fetch_add(1, Relaxed) + 1;
            if dropped.is_power_of_two() {
                warn!(dropped, "access log is overloaded, lines are dropped");
            }
        }
    }
}

enum Output {
    Stdout,
    File(File),
}

impl Output {
    fn open(path: Option<&Path>) -> io::Result<Self> {
        let Some(path) = path else { return Ok(Self::Stdout) };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        OpenOptions::new().create(true).append(true).open(path).map(Self::File)
    }

    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        match self {
            Self::Stdout => {
                let mut stdout = io::stdout().lock();
                stdout.write_all(lines)?;
                stdout.flush()
            }
            Self::File(file) => file.write_all(lines),
        }
    }
}

/// Writes what is queued, all that is there in one go.
fn write_all(mut queue: Receiver<Message>, output: &mut Output, path: Option<&Path>) {
    let mut batch = String::new();
    while let Some(first) = queue.blocking_recv() {
        let mut next = Some(first);
        let mut reopens = false;
        while let Some(message) = next {
            match message {
                Message::Line(line) => {
                    batch.push_str(&line);
                    batch.push('\n');
                }
                Message::Reopen => reopens = true,
            }
            next = if batch.len() < 64 << 10 { queue.try_recv().ok() } else { None };
        }
        if let Err(error) = output.write(batch.as_bytes()) {
            error!(%error, "cannot write the access log");
        }
        batch.clear();
        if reopens {
            match Output::open(path) {
                Ok(opened) => *output = opened,
                Err(error) => error!(%error, "cannot reopen the access log, the old file is written on"),
            }
        }
    }
}
