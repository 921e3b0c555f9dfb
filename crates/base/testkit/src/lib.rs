//! What the tests of many crates share: where reference data lies, waiting for a condition, an HTTP server that records, and the
//! Prometheus that is installed.

#![forbid(unsafe_code)]

mod prometheus;
mod recorder;

use std::{
    future::Future,
    path::PathBuf,
    time::{Duration, Instant},
};

pub use prometheus::Prometheus;
pub use recorder::{HttpRecorder, Recorded};

/// How long [`eventually`] waits; generous, since a test machine may be busy.
const PATIENCE: Duration = Duration::from_secs(30);

/// The folder with the peers' conformance data: `$CONFORMANCE_DIR`, or `../shared/conformance` beside the checkout.
///
/// `None` says on standard error that the test is skipped: call it as `let Some(dir) = conformance_dir("promql") else { return };`.
pub fn conformance_dir(part: &str) -> Option<PathBuf> {
    shared_dir("CONFORMANCE_DIR", "conformance", part)
}

/// The folder with a running stack's own configuration files: `$SEED_DIR`, or `../shared/seed` beside the checkout.
pub fn seed_dir(part: &str) -> Option<PathBuf> {
    shared_dir("SEED_DIR", "seed", part)
}

fn shared_dir(variable: &str, name: &str, part: &str) -> Option<PathBuf> {
    let root = match std::env::var_os(variable) {
        Some(root) => PathBuf::from(root),
        None => workspace_dir().join("../shared").join(name),
    };
    let dir = root.join(part);
    if dir.exists() {
        return Some(dir);
    }
    eprintln!("skipped: {} is not there, set {variable} to its root", dir.display());
    None
}

/// The root of the checkout.
pub fn workspace_dir() -> PathBuf {
    // This crate lies at crates/base/testkit.
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../..")
}

/// Polls until the condition gives a value. Panics after thirty seconds with what was waited for.
pub async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut condition: impl FnMut() -> F) -> T {
    let started = Instant::now();
    let mut pause = Duration::from_millis(5);
    loop {
        if let Some(value) = condition().await {
            return value;
        }
        assert!(started.elapsed() < PATIENCE, "waited {PATIENCE:?} for: {what}");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(200));
    }
}

/// A TCP port of the loopback interface that was free a moment ago. Prefer binding port 0 where the program can tell the port.
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a loopback port");
    listener.local_addr().expect("an address").port()
}
