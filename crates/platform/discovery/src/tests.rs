use std::{fs, path::Path};

use service::Stopper;
use testkit::eventually;

use super::*;

fn addresses(groups: &Groups) -> Vec<String> {
    groups
        .iter()
        .flat_map(|group| group.targets.iter().map(|target| target.value("__address__").to_owned()))
        .collect()
}

#[tokio::test]
async fn static_targets_are_known_at_once() {
    let configs: DiscoveryConfigs =
        serde_yaml::from_str("static_configs: [{targets: ['a:1', 'b:2'], labels: {env: x}}]").expect("yaml");
    let (_discovery, receiver) = Discovery::new(&configs);
    let groups = receiver.borrow().clone();
    assert_eq!(addresses(&groups), ["a:1", "b:2"]);
    assert_eq!(groups[0].labels.value("env"), "x");
}

#[tokio::test]
async fn files_are_followed_and_a_bad_one_keeps_its_targets() {
    let dir = tempfile::tempdir().expect("tempdir");
    let path = dir.path().join("a.yml");
    fs::write(&path, "[{targets: ['a:1']}]").expect("write");
    let pattern = dir.path().join("*.yml");
    let configs = DiscoveryConfigs {
        file_sd_configs: vec![FileSdConfig {
            files: vec![pattern.to_string_lossy().into_owned()],
            refresh_interval: None,
        }],
        ..Default::default()
    };
    configs.check().expect("valid");
    let (discovery, receiver) = Discovery::new(&configs);
    assert_eq!(addresses(&receiver.borrow()), ["a:1"]);
    assert_eq!(receiver.borrow()[0].labels.value("__meta_filepath"), path.to_string_lossy());
    let stopper = Stopper::new();
    let running = tokio::spawn(discovery.run(stopper.token()));
    let wait = async |want: &[&str]| {
        eventually(&format!("{want:?}"), || async { (addresses(&receiver.borrow()) == want).then_some(()) })
            .await;
    };
    fs::write(&path, "nonsense: [").expect("write");
    fs::write(dir.path().join("b.yml"), "[{targets: ['b:22']}]").expect("write");
    wait(&["a:1", "b:22"]).await;
    fs::remove_file(&path).expect("remove");
    wait(&["b:22"]).await;
    stopper.stop();
    running.await.expect("ends");
}

#[test]
fn conformance_files_are_read() {
    let Some(dir) = testkit::conformance_dir("prometheus-config/file_sd") else { return };
    for entry in fs::read_dir(dir).expect("folder") {
        let path = entry.expect("entry").path();
        let name = path.file_name().expect("name").to_string_lossy().into_owned();
        let mut file = crate::file::FileDiscovery::new(FileSdConfig {
            files: vec![path.to_string_lossy().into_owned()],
            refresh_interval: None,
        });
        let changed = file.poll();
        assert_eq!(changed, !name.contains("bad"), "{}", Path::new(&name).display());
    }
}

#[test]
fn kinds_that_are_missing_are_named() {
    let configs = DiscoveryConfigs { not_supported: vec!["consul_sd_configs"], ..Default::default() };
    assert_eq!(configs.check().expect_err("missing").to_string(), "not supported yet: consul_sd_configs");
}
