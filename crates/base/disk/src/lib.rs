//! Files that survive crashes: atomic replacement, synced folders, folder locks, free space, mapped files.
//!
//! Everything that keeps data on disk goes through here, so that the order of write, sync and rename is decided once:
//!
//! - a file or folder is made under a temporary name (see [`temporary_path`]), synced, renamed, and its parent is synced;
//! - what a crash left behind under such a name is removed at the next start ([`remove_leftovers`]);
//! - code that has to behave well when the disk does not takes an [`Fs`], and its tests hand it a [`fault::FaultyFs`].
//!
//! It is not a database, a cache, or an abstraction over object stores.

#![deny(unsafe_code)]

mod atomic;
pub mod fault;
mod fs;
mod leftovers;
mod lock;
mod mapped;
mod space;

pub use atomic::{fsync_dir, publish_dir, write_atomic};
pub use fs::{Fs, FsFile, RealFs, is_disk_full};
pub use leftovers::{TEMPORARY_SUFFIXES, is_temporary, remove_dir_atomic, remove_leftovers, temporary_path};
pub use lock::{DirLock, LockError};
pub use mapped::MappedFile;
pub use space::{DiskSpace, dir_size, disk_space};
