//! What the tests of the whole database share.
#![allow(dead_code)] // each test program uses a part

pub mod faults;
pub mod prometheus;

use std::{fs, path::Path};

use model::{Columns, Labels, Millis};
use prometheus_client::{encoding::text::encode, registry::Registry};
use storage::{Appendable, Queryable, SelectHints, SeriesRef, collect};
use tempfile::TempDir;
use tsdb::{Db, DbOptions};

pub const HOUR: Millis = 3_600_000;

pub fn open(dir: &Path) -> Db {
    Db::open(DbOptions::new(dir), &mut Registry::default()).unwrap()
}

pub fn labels(number: usize) -> Labels {
    let (name, instance) = (format!("metric_{}", number % 2), format!("host-{number}"));
    Labels::from_pairs([("__name__", name.as_str()), ("instance", &instance), ("job", "test")])
}

/// One batch for each step `from..to`: a sample of each of `series` series at `step * interval`.
pub fn append_grid(db: &Db, series: usize, from: i64, to: i64, interval: Millis) {
    let all: Vec<_> = (0..series).map(labels).collect();
    let mut refs = vec![SeriesRef::UNKNOWN; series];
    for step in from..to {
        let mut appender = db.appender();
        for (number, labels) in all.iter().enumerate() {
            let value = (number as i64 * 1000 + step) as f64;
            refs[number] = appender.append(refs[number], labels, step * interval, value).unwrap();
        }
        appender.commit().unwrap();
    }
}

pub fn query_all(db: &Db) -> Vec<(Labels, Columns)> {
    let querier = db.querier(Millis::MIN, Millis::MAX).unwrap();
    let mut set = querier.select(&SelectHints::default(), &[]).unwrap();
    collect(&mut *set, Millis::MIN, Millis::MAX).unwrap()
}

/// A copy of a folder as it is now.
pub fn copy(dir: &Path) -> TempDir {
    fn copy_into(from: &Path, to: &Path) {
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            let target = to.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                fs::create_dir(&target).unwrap();
                copy_into(&entry.path(), &target);
            } else {
                fs::copy(entry.path(), target).unwrap();
            }
        }
    }
    let target = TempDir::new().unwrap();
    copy_into(dir, target.path());
    target
}

pub fn names_in(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// The value of a metric without labels.
pub fn metric(registry: &Registry, name: &str) -> f64 {
    let mut text = String::new();
    encode(&mut text, registry).unwrap();
    let line = text.lines().find(|line| line.split(' ').next() == Some(name));
    line.unwrap_or_else(|| panic!("no {name} in\n{text}")).rsplit(' ').next().unwrap().parse().unwrap()
}
