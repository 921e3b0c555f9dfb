//! How much of the disk a load takes once it is in its final form.

use std::{
    collections::HashSet,
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use anyhow::{Context as _, bail};

use super::flush;
use crate::{
    progress::say,
    report::{Aim, Measure, Report},
    server::{Product, Server},
};

const GROUP: &str = "Disk";

const RAW: Measure = Measure::new(GROUP, "a sample, right after the load", "bytes", Aim::None);
const TOTAL: Measure =
    Measure::new(GROUP, "a sample, as a block", "bytes", Aim::Within(1.0, Product::Prometheus));
const SAMPLES: Measure = Measure::new(GROUP, "of it samples", "bytes", Aim::None);
const INDEX: Measure = Measure::new(GROUP, "of it index", "bytes", Aim::None);

pub const MEASURES: [Measure; 4] = [RAW, TOTAL, SAMPLES, INDEX];

/// A merge begins a moment after it was asked for.
const MERGE_INTERVAL: Duration = Duration::from_secs(1);

/// Has a server write what it holds in its final form, and measures that.
pub fn measure(server: &Server, samples: f64, report: &mut Report) -> anyhow::Result<()> {
    let product = server.program.product;
    report.add(product, &RAW, size(&server.data())? as f64 / samples);
    say(format_args!("{product}: writing a block"));
    let (of_samples, of_index) = match product {
        Product::Prometheus | Product::Metricsd => {
            let block = snapshot_block(server).context("cannot make a snapshot")?;
            (size(&block.join("chunks"))?, size(&block.join("index"))?)
        }
        Product::VictoriaMetrics => {
            merge(server).context("cannot merge")?;
            (size(&server.data().join("data"))?, size(&server.data().join("indexdb"))?)
        }
    };
    report.add(product, &TOTAL, (of_samples + of_index) as f64 / samples);
    report.add(product, &SAMPLES, of_samples as f64 / samples);
    report.add(product, &INDEX, of_index as f64 / samples);
    Ok(())
}

/// Asks for a snapshot, which holds all in memory as one block, and returns the block's folder.
fn snapshot_block(server: &Server) -> anyhow::Result<PathBuf> {
    let dir = server.snapshot()?;
    let blocks = fs::read_dir(&dir)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    let mut blocks: Vec<PathBuf> = blocks.into_iter().filter(|path| path.join("index").is_file()).collect();
    match (blocks.pop(), blocks.len()) {
        (Some(block), 0) => Ok(block),
        (_, others) => bail!("`{}` does not hold one block but {others} others", dir.display()),
    }
}

/// Merges all parts into one, and waits for it.
fn merge(server: &Server) -> anyhow::Result<()> {
    flush(server)?;
    let mut connection = server.connect()?;
    connection.get("/internal/force_merge")?.success()?;
    loop {
        thread::sleep(MERGE_INTERVAL);
        let answer = connection.get("/metrics")?;
        answer.success()?;
        let metrics = String::from_utf8_lossy(&answer.body);
        let active = metrics.lines().find_map(|line| line.strip_prefix("vm_active_force_merges "));
        if active.context("no metric says whether it merges")?.trim() == "0" {
            break;
        }
    }
    // Parts that were merged are removed a moment later.
    server.settle()
}

/// The bytes of a file, or of all files below a folder; a file of several names counts once.
fn size(path: &Path) -> anyhow::Result<u64> {
    let mut seen = HashSet::new();
    let mut total = 0;
    let mut todo = vec![path.to_owned()];
    while let Some(path) = todo.pop() {
        let metadata = match fs::symlink_metadata(&path) {
            Ok(metadata) => metadata,
            // Servers remove files at any time.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error).with_context(|| format!("cannot look at `{}`", path.display())),
        };
        if metadata.is_dir() {
            let entries = fs::read_dir(&path).with_context(|| format!("cannot list `{}`", path.display()))?;
            todo.extend(entries.flatten().map(|entry| entry.path()));
        } else if seen.insert((metadata.dev(), metadata.ino())) {
            total += metadata.len();
        }
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_the_size_of_its_files() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("below")).unwrap();
        fs::write(dir.path().join("a"), [0; 100]).unwrap();
        fs::write(dir.path().join("below/b"), [0; 20]).unwrap();
        fs::hard_link(dir.path().join("a"), dir.path().join("below/c")).unwrap();
        assert_eq!(size(dir.path()).unwrap(), 120);
        assert_eq!(size(&dir.path().join("a")).unwrap(), 100);
        assert_eq!(size(&dir.path().join("none")).unwrap(), 0);
    }
}
