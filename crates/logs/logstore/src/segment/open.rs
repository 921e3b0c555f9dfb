//! Finding the segments in a folder at the start.

use std::{fs, io, path::Path, sync::Arc};

use disk::Fs;
use rustc_hash::FxHashSet;
use tracing::{info, warn};
use ulid::Ulid;

use super::{
    Layout, Segment,
    rebuild::{RebuildError, rebuild},
    sidecar,
};
use crate::{
    files::{damaged_parquet_name, index_ids, index_name, parquet_name, segment_ids},
    stream_index::StreamIndex,
};

/// What the start found.
pub(crate) struct Loaded {
    pub(crate) segments: Vec<Arc<Segment>>,
    /// Segments that could not be read and were set aside.
    pub(crate) damaged: u64,
}

/// Loads all segments of a folder, in the order of their ids. Removes unfinished and replaced files, rebuilds missing sidecars, sets
/// aside what cannot be read.
pub(crate) fn load_all(dir: &Path, fs: &Arc<dyn Fs>, index: &mut StreamIndex) -> io::Result<Loaded> {
    disk::remove_leftovers(dir)?;
    let ids = segment_ids(dir)?;
    let mut layouts = Vec::with_capacity(ids.len());
    let mut damaged = 0;
    for id in &ids {
        match load_layout(*id, dir, &**fs) {
            Ok(layout) => layouts.push((*id, layout)),
            Err(error) => {
                let (path, aside) = (dir.join(parquet_name(*id)), dir.join(damaged_parquet_name(*id)));
                let cause: &dyn std::error::Error = &error;
                warn!(error = cause, path = %path.display(), aside = %aside.display(), "segment cannot be read and is set aside");
                fs.rename(&path, &aside)?;
                damaged += 1;
            }
        }
    }
    let replaced: FxHashSet<String> =
        layouts.iter().flat_map(|(_, layout)| layout.origin.replaces.clone()).collect();
    let mut segments = Vec::with_capacity(layouts.len());
    for (id, layout) in layouts {
        if replaced.contains(&id.to_string()) {
            info!(segment = %id, "removing a segment that was merged into another");
            fs.remove_file(&dir.join(parquet_name(id)))?;
        } else {
            segments.push(Arc::new(Segment::new(id, layout, dir, Arc::clone(fs), index)?));
        }
    }
    remove_orphans(dir, &**fs, &segments)?;
    Ok(Loaded { segments, damaged })
}

fn load_layout(id: Ulid, dir: &Path, fs: &dyn Fs) -> Result<Layout, RebuildError> {
    let (parquet, index) = (dir.join(parquet_name(id)), dir.join(index_name(id)));
    let size = fs::metadata(&parquet)?.len();
    if let Some(layout) = sidecar::read(&index, size) {
        return Ok(layout);
    }
    info!(segment = %id, "rebuilding the index of a segment");
    let (mut layout, filters) = rebuild(&parquet)?;
    let bytes = sidecar::encode(&mut layout, &filters, size);
    if let Err(error) = disk::write_atomic(fs, &index, &bytes) {
        // Served without filters this time.
        warn!(%error, path = %index.display(), "cannot write the index of a segment");
        layout.groups.iter_mut().for_each(|group| group.filter = None);
    }
    Ok(layout)
}

/// Removes sidecars without a Parquet file.
fn remove_orphans(dir: &Path, fs: &dyn Fs, segments: &[Arc<Segment>]) -> io::Result<()> {
    for id in index_ids(dir)? {
        if segments.binary_search_by_key(&id, |segment| segment.id).is_err() {
            fs.remove_file(&dir.join(index_name(id)))?;
        }
    }
    Ok(())
}
