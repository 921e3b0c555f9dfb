use std::fs;

use super::*;
use crate::{DirSnapshots, test_support};

fn options(snapshots: Arc<dyn Snapshots>) -> EngineOptions {
    EngineOptions {
        clock: Clock::new(test_support::start),
        snapshots,
        retention: Duration::from_secs(3600),
        alert_gc_interval: Duration::from_secs(60),
        per_alertname_limit: 2,
        silence_limits: SilenceLimits::default(),
        mode: MatcherMode::Fallback,
        start_delay: Duration::ZERO,
        external_url: "http://am".into(),
    }
}

#[tokio::test]
async fn a_broken_snapshot_is_set_aside() {
    let dir = tempfile::tempdir().expect("a folder");
    fs::write(dir.path().join("silences.json"), "{ torn").expect("written");
    fs::write(dir.path().join("nflog.json.tmp"), "half").expect("written");
    let snapshots = Arc::new(DirSnapshots::open(dir.path()).expect("opens"));
    let engine = Engine::open(options(snapshots), &mut Registry::default()).expect("opens");
    assert!(engine.silences().is_empty());
    assert_eq!(fs::read(dir.path().join("silences.json.corrupt")).expect("kept"), b"{ torn");
    assert!(!dir.path().join("silences.json").exists());
}

#[tokio::test]
async fn alerts_of_one_name_are_bounded() {
    let engine = Engine::open(options(Arc::new(crate::MemorySnapshots::default())), &mut Registry::default())
        .expect("opens");
    let alert = |job: &str| test_support::alert(&[("alertname", "Flood"), ("job", job)]);
    assert_eq!(engine.put([alert("a"), alert("b"), alert("c"), alert("a")]), 1);
    assert_eq!(engine.alerts().len(), 2);
    let mut over = alert("a");
    over.ends_at = test_support::start();
    over.starts_at = test_support::start() - Duration::from_secs(1);
    engine.put([over]);
    engine.forget_alerts();
    assert_eq!(engine.alerts().len(), 1);
    assert_eq!(engine.put([alert("c")]), 0);
}
