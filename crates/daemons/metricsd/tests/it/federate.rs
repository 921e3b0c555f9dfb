//! `/federate`, by itself and beside a Prometheus that has the same samples.

use super::{
    peer::{Peer, get, write_to},
    *,
};

const CONFIG: &str = "global: {external_labels: {cluster: c, zone: z}}\n";
const STALE: f64 = f64::from_bits(0x7ff0_0000_0000_0002);

fn series(labels: &[(&str, &str)], samples: &[(i64, f64)]) -> TimeSeries {
    let labels = labels.iter().map(|(name, value)| Label { name: (*name).into(), value: (*value).into() });
    let samples = samples.iter().map(|(timestamp, value)| Sample { value: *value, timestamp: *timestamp });
    TimeSeries { labels: labels.collect(), samples: samples.collect(), ..TimeSeries::default() }
}

fn samples(now: i64) -> Vec<TimeSeries> {
    let labels = |name: &'static str| [("__name__", name), ("job", "w")];
    let mut all = vec![
        series(&labels("newest"), &[(now - 60_000, 1.0), (now - 1_000, 2.5)]),
        series(&labels("too_old"), &[(now - 400_000, 1.0)]),
        series(&labels("gone"), &[(now - 60_000, 1.0), (now - 1_000, STALE)]),
        series(&labels("large"), &[(now - 1_000, 12_345_678.0)]),
        series(&labels("not_a_number"), &[(now - 1_000, f64::NAN)]),
        series(&[("Upper", "first"), ("__name__", "newest")], &[(now - 1_000, 3.0)]),
        series(&[("__name__", "newest"), ("instance", "i"), ("zone", "own")], &[(now - 1_000, -0.000_01)]),
        series(&[("__name__", "escaped"), ("text", "a\\b\"c\nd")], &[(now - 1_000, f64::INFINITY)]),
    ];
    all[0].samples.push(Sample { value: 9.0, timestamp: now + 60_000 });
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prometheus_exposes_the_same() {
    let Some(peer) = Peer::start(CONFIG).await else { return };
    let dir = tempfile::tempdir().expect("tempdir");
    let running = start(dir.path(), CONFIG, &[]).await;
    let sent = samples(now());
    assert_eq!((write_to(&running.url, &sent).await, write_to(&peer.url, &sent).await), (204, 204));
    let selectors = [
        "{__name__=~\".+\"}",
        "newest",
        "{job=\"w\"}",
        "nothing",
        "sum(newest)",
        "newest[5m]",
        "{}",
        "{job=~\".*\"}",
    ];
    for selector in selectors {
        let path = format!("/federate?match[]={}", encode(selector));
        check_same(&running, &peer, &path).await;
    }
    check_same(&running, &peer, "/federate?match[]=newest&match[]=large&match[]=%7Bjob=%22w%22%7D").await;
    check_same(&running, &peer, "/federate").await;
    running.stop().await;
}

/// The same text, but for the order of a family's series, which Prometheus does not promise.
async fn check_same(running: &Running, peer: &Peer, path: &str) {
    let (ours, theirs) = (get(&running.url, path).await, get(&peer.url, path).await);
    assert_eq!((ours.0, families(&ours.1)), (theirs.0, families(&theirs.1)), "{path}");
}

fn families(text: &str) -> Vec<Vec<&str>> {
    let mut families: Vec<Vec<&str>> = vec![Vec::new()];
    for line in text.lines() {
        if line.starts_with('#') {
            families.push(Vec::new());
        }
        families.last_mut().expect("one").push(line);
    }
    families.iter_mut().for_each(|family| family.sort_unstable());
    families
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn samples_reach_another_server_over_it() {
    let dirs = [(); 2].map(|()| tempfile::tempdir().expect("tempdir"));
    let source = start(dirs[0].path(), CONFIG, &[]).await;
    let label = |name: &str, value: &str| Label { name: name.into(), value: value.into() };
    let many = (0..3000).map(|number| TimeSeries {
        labels: vec![label("__name__", "many.dotted"), label("number", &number.to_string())],
        samples: vec![Sample { value: f64::from(number), timestamp: now() - 1000 }],
        ..TimeSeries::default()
    });
    assert_eq!(source.send(many.collect()).await.0, 204);
    let host = source.url.trim_start_matches("http://");
    let config = format!(
        "global: {{scrape_interval: 100ms}}\n\
         scrape_configs: [{{job_name: f, honor_labels: true, metrics_path: /federate, params: {{'match[]': ['{{number=~\".+\"}}']}},\
         static_configs: [{{targets: ['{host}']}}]}}]\n"
    );
    let reader = start(dirs[1].path(), &config, &[]).await;
    eventually("all series", || async {
        let found = reader.query("sum by (cluster, instance) ({\"many.dotted\"})").await;
        let sum = (2999 * 3000 / 2).to_string();
        (found.first()?["value"][1] == sum.as_str()).then(|| assert_eq!(found[0]["metric"]["cluster"], "c"))
    })
    .await;
    reader.stop().await;
    source.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_may_be_in_memory_is_refused() {
    let dir = tempfile::tempdir().expect("tempdir");
    let running = start(dir.path(), "{}", &["--query.max-samples=2"]).await;
    let at = now();
    assert_eq!(running.write(&[("a", 1.0, at), ("b", 1.0, at), ("c", 1.0, at)]).await.0, 204);
    assert_eq!(get(&running.url, "/federate?match[]=a&match[]=b").await.0, 200);
    let (status, text) = get(&running.url, "/federate?match[]=%7Bjob=%22w%22%7D").await;
    assert_eq!((status, text.contains("more than 2 series")), (422, true), "{text}");
    let (_, metrics) = get(&running.url, "/metrics").await;
    assert!(metrics.contains("\nprometheus_web_federation_errors_total 1\n"), "{metrics}");
    running.stop().await;
}
