//! The app in a real browser: log in, see a drawn chart and log lines.

use std::{fs, path::PathBuf, process::Command};

use testkit::{eventually, workspace_dir};

use crate::process::{ADMIN, Stack};

/// Debian's Chromium.
const CHROMIUM: &str = "/usr/bin/chromium";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_logs_in_and_sees_data() {
    let playwright = workspace_dir().join("crates/daemons/uid/web/node_modules/playwright-core");
    if !PathBuf::from(CHROMIUM).exists() || !playwright.exists() {
        eprintln!("skipped: the browser test needs {CHROMIUM} and `npm ci` in crates/daemons/uid/web");
        return;
    }
    let dir = tempfile::tempdir().expect("tempdir");
    fs::create_dir(dir.path().join("var")).expect("folder");
    fs::write(dir.path().join("var/app.log"), "hello from the browser test\n").expect("write");
    let stack = Stack::start(dir.path(), &[]).await;
    eventually("a line drawn from more than one sample", || async {
        (!stack.query("rate(node_cpu_seconds_total[1m])").await.is_empty()).then_some(())
    })
    .await;
    eventually("log lines", || async { stack.lines("{job=\"varlogs\"}").await.first().cloned() }).await;
    let url = stack.url("https", "");
    let script = workspace_dir().join("tests/browser/login.mjs");
    let shots = std::env::var_os("SCREENSHOT_DIR").map_or_else(|| dir.path().to_owned(), PathBuf::from);
    let output = tokio::task::spawn_blocking(move || {
        Command::new("node")
            .arg(script)
            .arg(playwright)
            .arg(CHROMIUM)
            .arg(url)
            .args([ADMIN.0, ADMIN.1])
            .arg(shots)
            .output()
            .expect("node runs")
    })
    .await
    .expect("joins");
    assert!(
        output.status.success(),
        "{}\n{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
        stack.process.output()
    );
    stack.process.terminate().await;
}
