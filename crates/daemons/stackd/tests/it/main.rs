//! The program's command line.

use std::process::Command;

fn stackd(arguments: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_stackd")).args(arguments).output().expect("runs");
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), text)
}

#[test]
fn help_teaches() {
    let (good, text) = stackd(&["--help"]);
    assert!(good, "{text}");
    for part in ["--data.dir", "--port.metricsd", "Prometheus, Loki"] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn a_port_in_use_is_named() {
    let dir = tempfile::tempdir().expect("tempdir");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("port");
    let port = taken.local_addr().expect("address").port();
    let data = format!("--data.dir={}", dir.path().display());
    let (good, text) = stackd(&[&data, &format!("--port.logd={port}")]);
    assert!(!good, "{text}");
    assert!(text.contains("logd: cannot listen on") && text.contains(&port.to_string()), "{text}");
}
