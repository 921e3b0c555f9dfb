//! Where small states are kept between runs: whole documents under a name, replaced atomically.

use std::{
    collections::HashMap,
    io,
    path::{Path, PathBuf},
};

use parking_lot::Mutex;
use serde::{Serialize, de::DeserializeOwned};
use tracing::{error, warn};

/// A keeper of documents. Calls block; they are made from threads that may.
pub trait Snapshots: Send + Sync {
    /// The document of that name, if there is one.
    fn load(&self, name: &str) -> io::Result<Option<Vec<u8>>>;

    /// Replaces the document. When it returns, the new one survives a crash.
    fn save(&self, name: &str, bytes: &[u8]) -> io::Result<()>;

    /// Moves a document that cannot be read out of the way, for a person to look at.
    fn set_aside(&self, name: &str) -> io::Result<()>;
}

/// Documents as files of a folder: `<name>.json`.
#[derive(Debug)]
pub struct DirSnapshots {
    dir: PathBuf,
}

/// Documents in memory, for tests and for running without a folder.
#[derive(Debug, Default)]
pub struct MemorySnapshots(Mutex<HashMap<String, Vec<u8>>>);

impl DirSnapshots {
    /// Makes the folder if it is not there, and removes what a crash left half-written.
    pub fn open(dir: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(dir)?;
        let snapshots = Self { dir: dir.to_owned() };
        for name in [crate::log::SNAPSHOT, crate::silences::SNAPSHOT] {
            match std::fs::remove_file(disk::temporary_path(&snapshots.path(name))) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(snapshots)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{name}.json"))
    }
}

impl Snapshots for DirSnapshots {
    fn load(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        match std::fs::read(self.path(name)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn save(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        disk::write_atomic(&disk::RealFs, &self.path(name), bytes)
    }

    fn set_aside(&self, name: &str) -> io::Result<()> {
        std::fs::rename(self.path(name), self.dir.join(format!("{name}.json.corrupt")))?;
        disk::fsync_dir(&self.dir)
    }
}

impl Snapshots for MemorySnapshots {
    fn load(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        Ok(self.0.lock().get(name).cloned())
    }

    fn save(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.0.lock().insert(name.to_owned(), bytes.to_owned());
        Ok(())
    }

    fn set_aside(&self, name: &str) -> io::Result<()> {
        self.0.lock().remove(name);
        Ok(())
    }
}

/// Reads a document. One that does not parse is set aside, named in the log, and counts as absent.
pub(crate) fn load<T: DeserializeOwned + Default>(snapshots: &dyn Snapshots, name: &str) -> io::Result<T> {
    let Some(bytes) = snapshots.load(name)? else { return Ok(T::default()) };
    match serde_json::from_slice(&bytes) {
        Ok(document) => Ok(document),
        Err(error) => {
            error!(name, %error, "snapshot does not parse, it is set aside and its contents are lost");
            if let Err(error) = snapshots.set_aside(name) {
                warn!(name, %error, "cannot set the snapshot aside");
            }
            Ok(T::default())
        }
    }
}

/// Writes a document.
pub(crate) fn save<T: Serialize>(snapshots: &dyn Snapshots, name: &str, document: &T) -> io::Result<()> {
    snapshots.save(name, &serde_json::to_vec(document)?)
}
