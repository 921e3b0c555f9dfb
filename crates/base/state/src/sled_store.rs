//! The store on disk, on sled, with what sled leaves to its users: a real fsync, repair of torn snapshots, and a backup to go back to.
//!
//! ```text
//! <path>/lock            one process at a time
//! <path>/sled/           the engine's files
//! <path>/backup.jsonl    the newest export, see SledStore::write_backup
//! <path>/set-aside-N.*   what did not hold at an open, for people to look at
//! ```
//!
//! All trees share one engine tree, their names in front of the keys: the engine's batches are atomic within a tree only.

use std::{
    collections::HashSet,
    ffi::OsString,
    fs::{self, File},
    io,
    os::unix::fs::DirBuilderExt,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use bytes::Bytes;
use disk::{DirLock, RealFs, fsync_dir, write_atomic};
use parking_lot::Mutex;
use tracing::{error, info, warn};

use crate::{ApplyError, Batch, Entry, StateError, StateStore, batch::check_tree, export};

const LOCK_FILE: &str = "lock";
const ENGINE_DIR: &str = "sled";
const BACKUP_FILE: &str = "backup.jsonl";
/// The engine's log file; it is the one that [`StateStore::flush`] syncs.
const ENGINE_LOG: &str = "db";
/// Where the engine puts pages that do not fit its segments.
const ENGINE_BLOBS: &str = "blobs";
/// The engine writes snapshots under this name and renames them; a killed process leaves one behind.
const TORN_SNAPSHOT: (&str, &str) = ("snap.", ".generating");

/// Bounds of the page cache: below, small stores thrash; above, it is memory that nobody needs.
const CACHE_BYTES: (u64, u64) = (16 << 20, 64 << 20);

/// How to open a store.
#[derive(Debug, Clone)]
pub struct SledOptions {
    /// Its folder; made if it is missing, readable by its owner only.
    pub path: PathBuf,
    /// Size of the page cache in bytes; held between 16 and 64 MiB.
    pub cache_bytes: u64,
}

/// A store and what had to be done to open it.
#[derive(Debug)]
pub struct Opened {
    /// The store.
    pub store: SledStore,
    /// One sentence for each repair; empty for a clean open. Worth a line on a status page.
    pub repairs: Vec<String>,
}

/// A store on disk. One process at a time has it open.
#[derive(Debug)]
pub struct SledStore {
    db: sled::Db,
    path: PathBuf,
    /// Orders batches with requirements; plain reads do not take it.
    writing: Mutex<()>,
    /// Blob files that are known to be durable; also makes flushes one at a time.
    synced_blobs: Mutex<HashSet<OsString>>,
    _lock: DirLock,
}

impl SledOptions {
    /// A store in this folder with the smallest cache.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), cache_bytes: CACHE_BYTES.0 }
    }
}

// === impl SledStore ===

impl SledStore {
    /// Opens a store, making it if it is not there.
    ///
    /// If the engine does not open, torn snapshots are set aside and it is tried again. If it still does not, the engine's folder is
    /// set aside and the newest backup is restored; without a backup that is an error and everything stays where it is.
    pub fn open(options: &SledOptions) -> Result<Opened, StateError> {
        let path = &options.path;
        let io_error = |action| {
            let path = path.clone();
            move |source| StateError::Io { action, path, source }
        };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(io_error("create"))?;
        let lock = DirLock::acquire(path, LOCK_FILE).map_err(StateError::Locked)?;
        let mut repairs = Vec::new();
        let db = match open_engine(options) {
            Ok(db) => db,
            Err(first) => {
                let torn = set_torn_snapshots_aside(path).map_err(io_error("set aside files in"))?;
                for name in &torn {
                    warn!(path = %path.display(), file = name, "torn snapshot set aside");
                    repairs.push(format!("torn snapshot {name} set aside"));
                }
                let second = if torn.is_empty() { Err(first) } else { open_engine(options) };
                match second {
                    Ok(db) => db,
                    Err(reason) => restore_backup(options, reason, &mut repairs)?,
                }
            }
        };
        let store = Self {
            db,
            path: path.clone(),
            writing: Mutex::default(),
            synced_blobs: Mutex::default(),
            _lock: lock,
        };
        Ok(Opened { store, repairs })
    }

    /// Writes everything to `backup.jsonl`, which a later [`SledStore::open`] goes back to if the engine's files are damaged.
    pub fn write_backup(&self) -> Result<(), StateError> {
        let path = self.path.join(BACKUP_FILE);
        let mut text = Vec::new();
        let io_error =
            |source: io::Error| StateError::Io { action: "write the backup", path: path.clone(), source };
        export(self, &mut text).map_err(|error| match error {
            crate::ExportError::Store(error) => error,
            crate::ExportError::Write(source) => io_error(source),
            other => io_error(io::Error::other(other)),
        })?;
        write_atomic(&RealFs, &path, &text).map_err(io_error)
    }

    fn sync_files(&self) -> io::Result<()> {
        let engine = self.path.join(ENGINE_DIR);
        let mut synced = self.synced_blobs.lock();
        let blobs = engine.join(ENGINE_BLOBS);
        let mut present = HashSet::new();
        for file in fs::read_dir(&blobs)? {
            let file = file?;
            let name = file.file_name();
            if !synced.contains(&name) {
                // The engine removes blobs it has replaced; one that is gone needs no sync.
                match File::open(file.path()) {
                    Ok(blob) => blob.sync_data()?,
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    Err(error) => return Err(error),
                }
            }
            present.insert(name);
        }
        if present.iter().any(|name| !synced.contains(name)) {
            fsync_dir(&blobs)?;
        }
        *synced = present;
        File::open(engine.join(ENGINE_LOG))?.sync_data()
    }
}

impl StateStore for SledStore {
    fn get(&self, tree: &str, key: &[u8]) -> Result<Option<Bytes>, StateError> {
        check_tree(tree)?;
        let value = self.db.get(engine_key(tree, key)).map_err(StateError::Engine)?;
        Ok(value.map(|value| Bytes::copy_from_slice(&value)))
    }

    fn scan(&self, tree: &str, prefix: &[u8]) -> Result<Vec<Entry>, StateError> {
        check_tree(tree)?;
        let skip = engine_key(tree, b"").len();
        self.db
            .scan_prefix(engine_key(tree, prefix))
            .map(|entry| {
                let (key, value) = entry.map_err(StateError::Engine)?;
                let key = key.get(skip..).unwrap_or_default();
                Ok((Bytes::copy_from_slice(key), Bytes::copy_from_slice(&value)))
            })
            .collect()
    }

    fn trees(&self) -> Result<Vec<String>, StateError> {
        let mut trees = Vec::new();
        let mut from: Vec<u8> = Vec::new();
        // One look-up a tree: after a key, the next one that is not of its tree.
        while let Some((key, _)) = self.db.range(from..).next().transpose().map_err(StateError::Engine)? {
            let Some(name) = tree_of(&key) else { break };
            // Names are plain ASCII, so 0xff is behind every key of the tree.
            from = engine_key(&name, &[0xff; crate::MAX_KEY_BYTES + 1]);
            trees.push(name);
        }
        trees.sort();
        Ok(trees)
    }

    fn apply(&self, batch: Batch) -> Result<(), ApplyError> {
        batch.check()?;
        let _writing = self.writing.lock();
        for (tree, key, value) in &batch.required {
            let found = self.db.get(engine_key(tree, key)).map_err(StateError::Engine)?;
            if found.as_deref() != value.as_deref() {
                let key = String::from_utf8_lossy(key).into_owned();
                return Err(ApplyError::Conflict { tree: tree.clone(), key });
            }
        }
        let mut changes = sled::Batch::default();
        for (tree, key, value) in &batch.changes {
            match value {
                Some(value) => changes.insert(engine_key(tree, key), value.as_ref()),
                None => changes.remove(engine_key(tree, key)),
            }
        }
        self.db.apply_batch(changes).map_err(StateError::Engine)?;
        Ok(())
    }

    fn flush(&self) -> Result<(), StateError> {
        self.db.flush().map_err(StateError::Engine)?;
        // The engine only starts the write-back (sync_file_range); power loss would take what it calls flushed.
        self.sync_files().map_err(|source| StateError::Io {
            action: "sync",
            path: self.path.join(ENGINE_DIR),
            source,
        })
    }
}

/// Length of the tree's name, the name, the key.
fn engine_key(tree: &str, key: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(1 + tree.len() + key.len());
    out.push(u8::try_from(tree.len()).unwrap_or(u8::MAX));
    out.extend_from_slice(tree.as_bytes());
    out.extend_from_slice(key);
    out
}

fn tree_of(engine_key: &[u8]) -> Option<String> {
    let (length, rest) = engine_key.split_first()?;
    let name = rest.get(..usize::from(*length))?;
    String::from_utf8(name.to_vec()).ok()
}

/// The engine panics on some damage instead of returning an error; either way the text says what it found.
fn open_engine(options: &SledOptions) -> Result<sled::Db, String> {
    let config = sled::Config::new()
        .path(options.path.join(ENGINE_DIR))
        .cache_capacity(options.cache_bytes.clamp(CACHE_BYTES.0, CACHE_BYTES.1));
    match catch_unwind(AssertUnwindSafe(|| config.open())) {
        Ok(Ok(db)) => Ok(db),
        Ok(Err(error)) => Err(error.to_string()),
        Err(panic) => Err(panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_else(|| "the engine panicked".to_owned())),
    }
}

fn set_torn_snapshots_aside(path: &Path) -> io::Result<Vec<String>> {
    let engine = path.join(ENGINE_DIR);
    let mut moved = Vec::new();
    let Ok(files) = fs::read_dir(&engine) else { return Ok(moved) };
    for file in files {
        let file = file?;
        let name = file.file_name().to_string_lossy().into_owned();
        if name.starts_with(TORN_SNAPSHOT.0) && name.ends_with(TORN_SNAPSHOT.1) {
            fs::rename(file.path(), aside(path, &name))?;
            moved.push(name);
        }
    }
    if !moved.is_empty() {
        fsync_dir(&engine)?;
    }
    Ok(moved)
}

/// A name that is not taken yet.
fn aside(path: &Path, name: &str) -> PathBuf {
    (0u32..)
        .map(|number| path.join(format!("set-aside-{number}.{name}")))
        .find(|candidate| !candidate.exists())
        .unwrap_or_else(|| path.join(format!("set-aside.{name}")))
}

fn restore_backup(
    options: &SledOptions,
    reason: String,
    repairs: &mut Vec<String>,
) -> Result<sled::Db, StateError> {
    let path = &options.path;
    let backup = path.join(BACKUP_FILE);
    if !backup.is_file() {
        return Err(StateError::Damaged { path: path.clone(), reason });
    }
    error!(path = %path.display(), reason, "state store is damaged, going back to its newest backup");
    let io_error = |action| {
        let path = path.clone();
        move |source| StateError::Io { action, path, source }
    };
    let target = aside(path, ENGINE_DIR);
    fs::rename(path.join(ENGINE_DIR), &target).map_err(io_error("set aside files in"))?;
    let db = open_engine(options).map_err(|reason| StateError::Damaged { path: path.clone(), reason })?;
    let file = File::open(&backup).map_err(io_error("open the backup in"))?;
    let entries = crate::export::read(io::BufReader::new(file))
        .map_err(|source| StateError::Restore { path: backup.clone(), source: Box::new(source) })?;
    let mut changes = sled::Batch::default();
    for (tree, key, value) in &entries {
        changes.insert(engine_key(tree, key), value.as_ref());
    }
    db.apply_batch(changes).and_then(|()| db.flush()).map_err(StateError::Engine)?;
    info!(path = %backup.display(), records = entries.len(), "backup restored");
    repairs.push(format!(
        "the store was damaged ({reason}); its files are in {}, {} records came from the backup",
        target.display(),
        entries.len()
    ));
    Ok(db)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;

    fn open(path: &Path) -> Opened {
        SledStore::open(&SledOptions::new(path)).expect("opens")
    }

    #[test]
    fn conforms() {
        let dir = tempfile::tempdir().unwrap();
        let count = std::sync::atomic::AtomicU32::new(0);
        conformance::run(&|| {
            let number = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            std::sync::Arc::new(open(&dir.path().join(number.to_string())).store)
        });
    }

    #[test]
    fn a_second_process_is_refused_and_a_flushed_write_is_there_again() {
        let dir = tempfile::tempdir().unwrap();
        let first = open(dir.path());
        first.store.put("a", b"k", &vec![7; 400_000]).unwrap();
        first.store.flush().unwrap();
        let error = SledStore::open(&SledOptions::new(dir.path())).unwrap_err();
        assert!(matches!(error, StateError::Locked(_)), "{error}");
        drop(first);
        let again = open(dir.path());
        assert!(again.repairs.is_empty());
        assert_eq!(again.store.get("a", b"k").unwrap().map(|value| value.len()), Some(400_000));
    }

    #[test]
    fn a_torn_snapshot_is_set_aside() {
        let dir = tempfile::tempdir().unwrap();
        let opened = open(dir.path());
        opened.store.put("a", b"k", b"v").unwrap();
        opened.store.flush().unwrap();
        drop(opened);
        fs::write(dir.path().join("sled/snap.FFFFFFFF00000000.generating"), b"torn").unwrap();
        let again = open(dir.path());
        assert_eq!(again.repairs, ["torn snapshot snap.FFFFFFFF00000000.generating set aside"]);
        assert_eq!(again.store.get("a", b"k").unwrap().as_deref(), Some(b"v".as_slice()));
        assert!(dir.path().join("set-aside-0.snap.FFFFFFFF00000000.generating").is_file());
    }

    /// Damages what the engine reads first at an open, so that it cannot.
    fn damage(path: &Path) {
        fs::write(path.join("sled/conf"), b"not a configuration").unwrap();
    }

    #[test]
    fn a_damaged_store_goes_back_to_its_backup() {
        let dir = tempfile::tempdir().unwrap();
        let opened = open(dir.path());
        opened.store.put("a", b"k", b"v").unwrap();
        opened.store.write_backup().unwrap();
        drop(opened);
        damage(dir.path());
        let again = open(dir.path());
        assert_eq!(again.repairs.len(), 1, "{:?}", again.repairs);
        assert!(again.repairs[0].contains("1 records came from the backup"), "{:?}", again.repairs);
        assert_eq!(again.store.get("a", b"k").unwrap().as_deref(), Some(b"v".as_slice()));
    }

    #[test]
    fn a_damaged_store_without_a_backup_stays_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        drop(open(dir.path()));
        damage(dir.path());
        let error = SledStore::open(&SledOptions::new(dir.path())).unwrap_err();
        assert!(matches!(error, StateError::Damaged { .. }), "{error}");
        assert!(dir.path().join("sled/conf").is_file());
    }
}
