//! The direction of dependencies: `daemons` → domains → `platform` → `base`, and no domain knows another.

use std::process::Command;

use anyhow::{Context, bail};
use serde_json::Value;

/// The layer of a folder under `crates/`; a crate may use crates of lower layers, and of its own folder.
fn layer(group: &str) -> Option<u8> {
    Some(match group {
        "base" => 0,
        "platform" => 1,
        "metrics" | "logs" | "collect" | "alerting" | "edge" => 2,
        "daemons" => 3,
        "stackctl" | "bench" => 4,
        _ => return None,
    })
}

/// Reads `cargo metadata` and names every dependency that points the wrong way.
pub fn check() -> anyhow::Result<()> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .output()
        .context("cannot run cargo metadata")?;
    if !output.status.success() {
        bail!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    }
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let packages = metadata["packages"].as_array().context("no packages")?;
    let mut wrong = Vec::new();
    let mut checked = 0;
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        let Some(group) = group_of(package["manifest_path"].as_str().unwrap_or_default()) else { continue };
        let Some(own) = layer(group) else { continue };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let Some(path) = dependency["path"].as_str() else { continue };
            // Test support may be used by anyone's tests.
            if dependency["kind"].as_str() == Some("dev") && dependency["name"] == "testkit" {
                continue;
            }
            let manifest = format!("{path}/Cargo.toml");
            let Some(used_group) = group_of(&manifest) else { continue };
            let Some(used) = layer(used_group) else { continue };
            checked += 1;
            if used > own || (used == own && used_group != group) {
                wrong.push(format!(
                    "{group}/{name} must not depend on {used_group}/{}",
                    dependency["name"].as_str().unwrap_or("?")
                ));
            }
            if own == 3 && used == 3 && name != "stackd" {
                wrong.push(format!(
                    "daemon {name} must not depend on daemon {}",
                    dependency["name"].as_str().unwrap_or("?")
                ));
            }
        }
    }
    if !wrong.is_empty() {
        bail!("dependencies that point the wrong way:\n  {}", wrong.join("\n  "));
    }
    println!("{checked} dependencies between our crates, all point down");
    Ok(())
}

/// The folder under `crates/` that a manifest lies in.
fn group_of(manifest: &str) -> Option<&str> {
    manifest.split_once("/crates/")?.1.split('/').next()
}
