//! How much memory writing a block takes on top of what the head holds already.
//!
//! ```text
//! cargo run -p tsdb --example compaction_memory -- [series] [samples a series] [minutes]
//! ```
//!
//! The samples span three and a half hours unless said otherwise: one block. With 660 minutes there are four, and three of them are
//! merged.
//!
//! Prints resident memory in MiB: all of it, and without the pages of mapped files, which the system takes back when it needs them.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use model::Labels;
use prometheus_client::registry::Registry;
use storage::{Appendable, SeriesRef};
use tsdb::{Db, DbOptions};

const MINUTE: i64 = 60_000;
const BATCH: usize = 10_000;

/// Twelve labels, as a service in a cluster has them; the last one is different for each series.
fn labels(number: usize) -> Labels {
    let pairs = [
        ("__name__", format!("http_requests_duration_{}_total", number % 200)),
        ("cluster", "eu-central-1".to_owned()),
        ("code", format!("{}", 200 + number % 7)),
        ("container", format!("app-{}", number % 40)),
        ("env", "production".to_owned()),
        ("handler", format!("/api/v1/resource/{}", number % 90)),
        ("instance", format!("10.{}.{}.{}:9100", number % 3, number % 250, number / 250 % 250)),
        ("job", format!("job-{}", number % 60)),
        ("method", ["GET", "POST", "PUT"][number % 3].to_owned()),
        ("namespace", format!("team-{}", number % 25)),
        ("pod", format!("app-{}-7d9f8b6c5-{:05}", number % 40, number / 100)),
        ("uid", format!("{:08x}-{:04x}", number.wrapping_mul(0x9e37_79b1) & 0xffff_ffff, number % 65_536)),
    ];
    Labels::from_pairs(pairs)
}

/// A line of `/proc/self/status`, in KiB.
fn status(key: &str) -> u64 {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default();
    line.trim_matches([':', ' ', '\t', 'k', 'B']).parse().unwrap_or_default()
}

/// Calls `act`; the most of all memory and of memory without files that was seen meanwhile, KiB.
fn peak_of(act: impl FnOnce()) -> (u64, u64) {
    let stop = Arc::new(AtomicBool::new(false));
    let peaks = Arc::new((AtomicU64::new(0), AtomicU64::new(0)));
    let watcher = thread::spawn({
        let (stop, peaks) = (stop.clone(), peaks.clone());
        move || {
            while !stop.load(Ordering::Relaxed) {
                peaks.0.fetch_max(status("VmRSS"), Ordering::Relaxed);
                peaks.1.fetch_max(status("RssAnon"), Ordering::Relaxed);
                thread::sleep(Duration::from_millis(5));
            }
        }
    });
    act();
    stop.store(true, Ordering::Relaxed);
    watcher.join().expect("the watcher does not panic");
    (peaks.0.load(Ordering::Relaxed), peaks.1.load(Ordering::Relaxed))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<usize>());
    let series = arguments.next().transpose()?.unwrap_or(1_000_000);
    let samples = arguments.next().transpose()?.unwrap_or(12);
    let minutes = arguments.next().transpose()?.unwrap_or(210);
    let dir = tempfile::tempdir()?;
    let db = Db::open(DbOptions::new(dir.path()), &mut Registry::default())?;
    let mut refs = vec![SeriesRef::UNKNOWN; series];
    for step in 0..samples as i64 {
        let timestamp = step * minutes as i64 * MINUTE / (samples as i64 - 1).max(1);
        for (batch, refs) in refs.chunks_mut(BATCH).enumerate() {
            let mut appender = db.appender();
            for (at, series_ref) in refs.iter_mut().enumerate() {
                let number = batch * BATCH + at;
                *series_ref = appender.append(*series_ref, &labels(number), timestamp, number as f64)?;
            }
            appender.commit()?;
        }
    }
    drop(refs);
    let (all, anonymous) = (status("VmRSS"), status("RssAnon"));
    let start = Instant::now();
    let mut outcome = Ok(());
    let (peak_all, peak_anonymous) = peak_of(|| outcome = db.maintain());
    outcome?;
    let seconds = start.elapsed().as_secs_f64();
    let block = db.blocks().pop().ok_or("no block was due")?;
    let index = fs::metadata(dir.path().join(&block.ulid).join("index"))?.len();
    println!(
        "series {series}, labels 12, samples a series {samples} in {minutes} min, index {} MiB",
        index >> 20
    );
    for (name, steady, peak) in [("all", all, peak_all), ("anonymous", anonymous, peak_anonymous)] {
        println!(
            "{name:>9}: steady {} MiB, peak {} MiB, ratio {:.3}",
            steady >> 10,
            peak >> 10,
            peak as f64 / steady as f64
        );
    }
    println!("{:>9}: {seconds:.1} s", "time");
    Ok(())
}
