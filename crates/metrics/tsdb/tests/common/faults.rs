//! Housekeeping that fails, or is killed, wherever it is.

use std::{path::Path, sync::Arc};

use disk::fault::{Fault, FaultyFs};
use prometheus_client::registry::Registry;
use tsdb::{Db, DbOptions, MaintainError};

use super::{copy, query_all};

/// Fills a database in `dir` by `fill`, which is told how often it was called, and lets its housekeeping meet a fault, again and again:
/// after each it has all samples, and so has a copy of its folder. Returns how many of the faults showed.
pub fn survive_faults(
    dir: &Path,
    mut options: DbOptions,
    full_disks: u64,
    mut fill: impl FnMut(&Db, i64),
    keep_house: impl Fn(&Db) -> Result<(), MaintainError>,
) -> u32 {
    let faulty = FaultyFs::default();
    options.wal_segment_size = 32 << 10;
    options.fs = Arc::new(faulty.clone());
    let db = Db::open(options.clone(), &mut Registry::default()).unwrap();
    let mut failures = 0;
    let faults = (0..full_disks).map(|step| Fault::Full { after: step * 800 });
    for (round, fault) in (0..).zip(faults.chain([Fault::Create, Fault::Rename, Fault::Sync])) {
        fill(&db, round);
        let want = query_all(&db);
        faulty.inject(fault);
        failures += u32::from(keep_house(&db).is_err());
        faulty.heal();
        assert_eq!(query_all(&db), want, "{fault:?}, still running");
        let crashed = copy(dir);
        let mut options = options.clone();
        options.dir = crashed.path().to_owned();
        let reopened = Db::open(options, &mut Registry::default()).unwrap();
        assert_eq!(query_all(&reopened), want, "{fault:?}, opened again");
        reopened.maintain().unwrap();
        assert_eq!(query_all(&reopened), want, "{fault:?}, housekeeping done");
        if db.write_failure().is_some() {
            break;
        }
    }
    failures
}
