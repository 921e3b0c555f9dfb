//! What happens to a damaged segment: the good part stays, the rest is cut off, and kept aside unless it is the torn tail of the last one.

use std::{
    fs::{self, OpenOptions},
    io,
    path::{Path, PathBuf},
};

use tracing::warn;

/// Cuts a segment to its first `good` bytes. With `keep_copy` the whole damaged file stays beside it, named `….corrupt`, which no reader
/// takes for a segment.
pub(crate) fn repair(path: &Path, good: u64, keep_copy: bool) -> io::Result<()> {
    if keep_copy {
        let mut name = path.as_os_str().to_owned();
        name.push(".corrupt");
        let aside = PathBuf::from(name);
        fs::copy(path, &aside)?;
        warn!(path = %aside.display(), "damaged log segment was set aside");
    }
    let file = OpenOptions::new().write(true).open(path)?;
    file.set_len(good)?;
    file.sync_all()
}
