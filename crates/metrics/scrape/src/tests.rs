//! Scraping a real HTTP server into a storage that remembers.

mod memory;

use std::{sync::Arc, time::Duration};

use ::config::Warnings;
use http::StatusCode;
use memory::MemoryStorage;
use model::is_stale;
use prometheus_client::registry::Registry;
use service::Stopper;
use testkit::{HttpRecorder, eventually};

use super::*;

fn job(yaml: &str) -> JobConfig {
    let file: ScrapeConfig = serde_yaml::from_str(yaml).expect("yaml");
    file.check(&Defaults::default(), &mut Warnings::new()).expect("valid")
}

struct Running {
    storage: Arc<MemoryStorage>,
    manager: Manager,
    stopper: Stopper,
}

fn start(jobs: Vec<JobConfig>) -> Running {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let storage = Arc::new(MemoryStorage::default());
    let stopper = Stopper::new();
    let manager = Manager::new(storage.clone(), &mut Registry::default(), "test/1", &stopper.token());
    manager.apply(jobs);
    Running { storage, manager, stopper }
}

/// Answers as a text exposition; the recorder of the test kit sets no content type.
const TEXT: &str = "fallback_scrape_protocol: PrometheusText0.0.4";

#[tokio::test]
async fn samples_labels_and_report() {
    let body = "# TYPE a_total counter\n# HELP a_total Help.\na_total{job=\"own\",x=\"1\"} 5\nb{le=\"1\"} 2 1000\nc 1\n";
    let server = HttpRecorder::answering(move |_| (StatusCode::OK, body.to_owned())).await;
    let running = start(vec![job(&format!(
        "{{job_name: j, scrape_interval: 50ms, params: {{p: [q]}}, static_configs: [{{targets: ['{}'], labels: {{env: e}}}}], {TEXT},\n\
         metric_relabel_configs: [{{source_labels: [__name__], regex: c, action: drop}}]}}",
        server.address()
    ))]);
    let storage = &running.storage;
    let value = async |selector: &str| eventually(selector, || async { storage.last(selector) }).await;
    let instance = server.address();
    let labels = |rest: &str| {
        format!(
            "{{__name__=\"{}\", env=\"e\", {}instance=\"{instance}\", job=\"j\"{}}}",
            rest.split('|').next().unwrap_or_default(),
            rest.split('|').nth(1).unwrap_or_default(),
            rest.split('|').nth(2).unwrap_or_default()
        )
    };
    assert_eq!(value(&labels("a_total|exported_job=\"own\", |, x=\"1\"")).await.1, 5.0);
    let b = format!("{{__name__=\"b\", env=\"e\", instance=\"{instance}\", job=\"j\", le=\"1.0\"}}");
    assert_eq!(value(&b).await, (1000, 2.0));
    assert_eq!(value(&labels("up||")).await.1, 1.0);
    assert_eq!(value(&labels("scrape_samples_scraped||")).await.1, 3.0);
    assert_eq!(value(&labels("scrape_samples_post_metric_relabeling||")).await.1, 2.0);
    assert!(storage.last(&labels("c||")).is_none());
    let request = &server.requests()[0];
    assert_eq!(request.uri.to_string(), "/metrics?p=q");
    assert_eq!(request.headers["x-prometheus-scrape-timeout-seconds"], "0.05");
    assert!(request.headers["accept"].to_str().expect("text").starts_with("application/openmetrics-text"));
    let target = eventually("healthy", || async {
        running.manager.pools()[0]
            .active
            .first()
            .filter(|target| target.status().health == Health::Up)
            .cloned()
    })
    .await;
    assert_eq!(target.metadata()["a_total"].help, "Help.");
    running.stopper.stop();
    running.manager.stop(Duration::from_secs(5)).await.expect("ends");
    // A shutdown is not the end of the series.
    assert!(storage.all().iter().all(|(_, samples)| samples.iter().all(|(_, value)| !is_stale(*value))));
}

#[tokio::test]
async fn what_is_gone_goes_stale() {
    let server = HttpRecorder::answering(|_| (StatusCode::OK, "a 1\nb 2\nc 3 5\n".into())).await;
    let config = job(&format!(
        "{{job_name: j, scrape_interval: 20ms, static_configs: [{{targets: ['{}']}}], {TEXT}}}",
        server.address()
    ));
    let running = start(vec![config]);
    let storage = &running.storage;
    let name =
        |metric: &str| format!("{{__name__=\"{metric}\", instance=\"{}\", job=\"j\"}}", server.address());
    let stale = async |metric: &str, want: bool| {
        eventually(&format!("{metric} stale: {want}"), || async {
            storage.last(&name(metric)).filter(|(_, value)| is_stale(*value) == want)
        })
        .await
    };
    stale("b", false).await;
    server.answer(|_| (StatusCode::OK, "a 1\n".into()));
    stale("b", true).await;
    // A sample with a time of its own does not.
    assert_eq!(storage.last(&name("c")), Some((5, 3.0)));
    server.answer(|_| (StatusCode::INTERNAL_SERVER_ERROR, String::new()));
    stale("a", true).await;
    assert_eq!(
        eventually("down", || async { storage.last(&name("up")).filter(|(_, up)| *up == 0.0) }).await.1,
        0.0
    );
    // Samples are there before the status is.
    let status = eventually("status", || async {
        Some(running.manager.pools()[0].active[0].status()).filter(|status| status.health == Health::Down)
    })
    .await;
    assert_eq!(status.last_error, "server returned HTTP status 500 Internal Server Error");
    server.answer(|_| (StatusCode::OK, "a 7\n".into()));
    stale("a", false).await;
    running.manager.apply(Vec::new());
    stale("a", true).await;
    stale("up", true).await;
}

#[tokio::test]
async fn a_bad_exposition_is_taken_whole_or_not() {
    let server = HttpRecorder::answering(|_| (StatusCode::OK, "a 1\nb x\n".into())).await;
    let running = start(vec![job(&format!(
        "{{job_name: j, scrape_interval: 20ms, static_configs: [{{targets: ['{}']}}], {TEXT}}}",
        server.address()
    ))]);
    let status = eventually("scraped", || async {
        running.manager.pools()[0]
            .active
            .first()
            .map(|target| target.status())
            .filter(|status| status.health == Health::Down)
    })
    .await;
    assert_eq!(status.last_error, "line 2: expected a float as value, got \"x\"");
    let storage = &running.storage;
    assert!(storage.all().iter().all(|(labels, _)| labels.metric_name() != "a"));
    assert!(storage.all().iter().any(|(labels, _)| labels.metric_name() == "up"));
}

#[tokio::test]
async fn limits_fail_the_scrape() {
    let server =
        HttpRecorder::answering(|_| (StatusCode::OK, "a{x=\"1234567890123456789012345\"} 1\nb 2\n".into()))
            .await;
    let error = async |limit: &str| {
        let running = start(vec![job(&format!(
            "{{job_name: j, scrape_interval: 20ms, {limit}, static_configs: [{{targets: ['{}']}}], {TEXT}}}",
            server.address()
        ))]);
        eventually(limit, || async {
            running.manager.pools()[0]
                .active
                .first()
                .map(|target| target.status())
                .filter(|status| status.health == Health::Down)
        })
        .await
        .last_error
    };
    assert_eq!(error("sample_limit: 1").await, "sample limit of 1 exceeded");
    assert_eq!(error("body_size_limit: 10B").await, "body size limit of 10 bytes exceeded");
    assert_eq!(
        error("label_value_length_limit: 24").await,
        "label limit exceeded (metric: a, length of value of label \"x\": 25, limit: 24)"
    );
    assert!(error("label_limit: 2").await.contains("number of labels: 4"), "labels");
}

#[test]
fn settings_that_do_not_hold_are_refused() {
    let error = |yaml: &str| {
        let file: ScrapeConfig = serde_yaml::from_str(yaml).expect("yaml");
        service::report(&file.check(&Defaults::default(), &mut Warnings::new()).expect_err(yaml))
    };
    assert_eq!(error("{}"), "job_name is empty");
    assert_eq!(
        error("{job_name: a, scrape_interval: 5s, scrape_timeout: 6s}"),
        "scrape timeout greater than scrape interval for scrape config with job name \"a\""
    );
    assert_eq!(
        error("{job_name: a, consul_sd_configs: [{}]}"),
        "scrape config with job name \"a\": not supported yet: consul_sd_configs"
    );
    assert!(
        error("{job_name: a, relabel_configs: [{action: hashmod}]}")
            .starts_with("relabel_configs[0] of scrape config with job name \"a\"")
    );
    assert!(serde_yaml::from_str::<ScrapeConfig>("{job_name: a, job: b}").is_err());
}
