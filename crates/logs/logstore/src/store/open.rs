//! Opening a store: what is there, what was left unfinished, what the write-ahead log still holds.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    time::Instant,
};

use disk::{DirLock, Fs};
use parking_lot::{Mutex, RwLock};
use serde::{Deserialize, Serialize};
use streams::Stream;
use tracing::{info, warn};
use ulid::Ulid;

use super::{Inner, Reason, Reported, UNKNOWN};
use crate::{
    MaintainError, Metrics, OpenError, ReplayReport, StoreOptions,
    files::{LOCK, SEGMENTS_DIR, STORE, WAL_DIR, wal_name, wal_numbers},
    head::Generation,
    metrics::Corruption,
    segment::load_all,
    stream_index::StreamIndex,
    view::View,
    wal::{
        Wal, WalSettings,
        replay::{ReplayError, replay},
    },
};

/// The version of what lies in a store's folder.
const FORMAT: u32 = 1;

/// `store.json`.
#[derive(Serialize, Deserialize)]
struct StoreFile {
    format: u32,
    /// Tells this store's segments from copies of another's: only for its own do numbers of log segments mean anything.
    id: String,
}

// === impl Inner ===

impl Inner {
    pub(super) fn open(options: StoreOptions, metrics: Metrics) -> Result<Self, OpenError> {
        let segments_dir = options.dir.join(SEGMENTS_DIR);
        let wal_dir = options.wal.dir.clone().unwrap_or_else(|| options.dir.join(WAL_DIR));
        for dir in [&options.dir, &segments_dir, &wal_dir] {
            fs::create_dir_all(dir).map_err(folder(dir))?;
        }
        let lock = DirLock::acquire(&options.dir, LOCK).map_err(OpenError::Locked)?;
        let id = store_id(&options)?;
        let mut index = StreamIndex::default();
        let loaded = load_all(&segments_dir, &options.fs, &mut index).map_err(folder(&segments_dir))?;
        metrics.segments_damaged.inc_by(loaded.damaged);
        let own =
            loaded.segments.iter().map(|segment| &segment.layout.origin).filter(|origin| origin.store == id);
        let sealed_before = own.map(|origin| origin.wal_before).max().unwrap_or(0);
        let inner = Self {
            segments_dir,
            id,
            metrics,
            maintenance: Mutex::new(()),
            compacting: Mutex::new(()),
            gate: RwLock::new(()),
            view: RwLock::new(View {
                active: Arc::new(Generation::new()),
                sealing: None,
                segments: Arc::new(loaded.segments),
                index: Arc::new(RwLock::new(index)),
            }),
            wal: OnceLock::new(),
            replaying: AtomicU64::new(0),
            clock: AtomicI64::new(UNKNOWN),
            closed: AtomicBool::new(false),
            disk_full: AtomicBool::new(false),
            seal_again_at: AtomicI64::new(UNKNOWN),
            wal_dir,
            replay: OnceLock::new(),
            reported: Mutex::new(Reported::default()),
            _lock: lock,
            options,
        };
        inner.open_wal(sealed_before)?;
        Ok(inner)
    }

    fn open_wal(&self, sealed_before: u64) -> Result<(), OpenError> {
        let dir = &self.wal_dir;
        remove_sealed(dir, sealed_before, &*self.options.fs).map_err(folder(dir))?;
        // Also where the log is not enabled any more: what an earlier run logged is still to be had.
        let next = self.replay(dir, sealed_before)?;
        self.replaying.store(next, Ordering::Release);
        let wal = &self.options.wal;
        if !wal.enabled {
            return Ok(());
        }
        let settings = WalSettings {
            dir: dir.to_owned(),
            segment_bytes: wal.segment_bytes,
            sync: wal.sync,
            compression: wal.compression,
            fs: Arc::clone(&self.options.fs),
        };
        let wal = Wal::start(settings, next, self.metrics.clone()).map_err(OpenError::Start)?;
        // Nobody else has this store yet, so this is the first one set.
        let _ = self.wal.set(wal);
        Ok(())
    }

    /// Brings back what the log holds; returns the number of the next log segment.
    fn replay(&self, dir: &Path, from: u64) -> Result<u64, OpenError> {
        let started = Instant::now();
        self.metrics.wal_replay_active.set(1);
        let result = replay(dir, from, |number, streams| self.recover(number, streams));
        self.metrics.wal_replay_active.set(0);
        let (report, next) =
            result.map_err(|error: ReplayError<MaintainError>| OpenError::Replay(Box::new(error)))?;
        self.metrics.wal_replay_seconds.set(started.elapsed().as_secs_f64());
        let active = Arc::clone(&self.view.read().active);
        self.metrics.wal_recovered_streams.inc_by(active.streams());
        self.count_damage(&report);
        if report.segments > 0 {
            info!(
                segments = report.segments,
                records = report.records,
                streams = active.streams(),
                seconds = started.elapsed().as_secs_f64(),
                "write-ahead log replayed"
            );
        }
        let _ = self.replay.set(report);
        Ok(next)
    }

    fn recover(&self, number: u64, streams: Vec<Stream>) -> Result<(), MaintainError> {
        self.replaying.store(number, Ordering::Release);
        let (active, index) = {
            let view = self.view.read();
            (Arc::clone(&view.active), Arc::clone(&view.index))
        };
        for Stream { labels, entries } in streams {
            // Limits were checked when it was pushed.
            let Ok((buffer, _)) = active.buffer(&labels, &index, 0) else {
                continue;
            };
            let bytes: usize = entries.iter().map(|entry| entry.line.len()).sum();
            self.metrics.wal_recovered_bytes.inc_by(bytes as u64);
            self.metrics.wal_recovered_entries.inc_by(entries.len() as u64);
            active.insert(&buffer, entries, UNKNOWN);
        }
        // Replay must not need more memory than running did.
        if active.bytes() >= self.options.seal_bytes
            && let Err(error) = self.seal(Reason::Full)
        {
            let cause: &dyn std::error::Error = &error;
            warn!(error = cause, "cannot seal during replay, entries stay in memory");
        }
        Ok(())
    }

    fn count_damage(&self, report: &ReplayReport) {
        let count = |r#type, amount: u64| {
            if amount > 0 {
                self.metrics.wal_corruptions.get_or_create(&Corruption { r#type }).inc_by(amount);
            }
        };
        count("tail", report.torn_tails);
        count("segment", report.damaged.len() as u64);
    }
}

/// The id in `store.json`, which is written where it is missing.
fn store_id(options: &StoreOptions) -> Result<String, OpenError> {
    let path = options.dir.join(STORE);
    let broken = |reason: String| OpenError::Store { path: path.clone(), reason };
    match fs::read(&path) {
        Ok(bytes) => {
            let file: StoreFile =
                serde_json::from_slice(&bytes).map_err(|error| broken(error.to_string()))?;
            if file.format != FORMAT {
                return Err(broken(format!("not supported yet: store format {}", file.format)));
            }
            Ok(file.id)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let file = StoreFile { format: FORMAT, id: Ulid::generate().to_string() };
            let bytes = serde_json::to_vec(&file).map_err(|error| broken(error.to_string()))?;
            disk::write_atomic(&*options.fs, &path, &bytes).map_err(folder(&path))?;
            Ok(file.id)
        }
        Err(error) => Err(folder(&path)(error)),
    }
}

/// Removes log segments whose entries are all sealed.
fn remove_sealed(dir: &Path, before: u64, files: &dyn Fs) -> io::Result<()> {
    for number in wal_numbers(dir)? {
        if number < before {
            files.remove_file(&dir.join(wal_name(number)))?;
        }
    }
    Ok(())
}

fn folder(path: &Path) -> impl FnOnce(io::Error) -> OpenError {
    let path: PathBuf = path.to_owned();
    move |source| OpenError::Folder { path, source }
}
