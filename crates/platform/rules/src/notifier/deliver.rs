//! The task that sends what waits for one block of Alertmanagers.

use std::{sync::Arc, time::Duration, time::Instant};

use client::{ClientOptions, HttpClient};
use discovery::{Discovery, Groups};
use http::{Method, header};
use relabel::{Verdict, relabel};
use serde::Serialize;
use service::{Stop, Tasks, report};
use tracing::{error, warn};
use url::Url;

use super::{AlertmanagerLabels, Checked, Metrics, Notification, Queue, rfc3339};

/// Where Alertmanager takes alerts.
const ALERTS_PATH: &str = "api/v2/alerts";
/// Pause before a batch that no Alertmanager took is sent again, doubled up to the last.
const BACKOFF: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(10)];
/// How often a batch is tried before it is dropped. The rules send firing alerts again by themselves.
const ATTEMPTS: u32 = 6;

pub(super) struct Destination {
    pub block: Checked,
    pub queue: Arc<Queue>,
    pub batch_size: usize,
    pub user_agent: String,
    pub metrics: Metrics,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PostableAlert<'a> {
    labels: &'a model::Labels,
    annotations: &'a model::Labels,
    starts_at: String,
    ends_at: String,
    #[serde(rename = "generatorURL")]
    generator_url: &'a str,
}

impl Destination {
    /// Sends until the stop; then what still waits, once.
    pub async fn run(self, stop: Stop) {
        let options = ClientOptions {
            timeout: self.block.timeout,
            user_agent: self.user_agent.clone(),
            base_dir: self.block.base_dir.clone(),
        };
        let client = match HttpClient::new(&self.block.http, &options) {
            Ok(client) => client,
            Err(error) => {
                error!(
                    error = report(&error),
                    "cannot make the HTTP client for alertmanagers, no alerts are sent to them"
                );
                return;
            }
        };
        let (discovery, mut groups) = Discovery::new(&self.block.discovery);
        let discovering = Tasks::new(&stop);
        discovering.spawn("discovery", discovery.run(discovering.stop()));
        self.update_urls(&groups.borrow_and_update().clone());
        loop {
            if let Some(batch) = self.next_batch() {
                self.deliver(&client, batch, &stop).await;
                continue;
            }
            tokio::select! {
                () = stop.requested() => break,
                () = self.queue.arrived.notified() => {}
                Ok(()) = groups.changed() => self.update_urls(&groups.borrow_and_update().clone()),
            }
        }
        while let Some(batch) = self.next_batch() {
            self.deliver(&client, batch, &stop).await;
        }
        let _ = discovering.finish(Duration::from_secs(1)).await;
    }

    fn next_batch(&self) -> Option<Vec<Notification>> {
        let mut waiting = self.queue.waiting.lock();
        let size = waiting.len().min(self.batch_size);
        let batch: Vec<_> = waiting.drain(..size).collect();
        self.metrics.queue_length.set(waiting.len() as i64);
        (!batch.is_empty()).then_some(batch)
    }

    fn update_urls(&self, groups: &Groups) {
        let mut urls = Vec::new();
        for group in groups.iter() {
            for target in &group.targets {
                let mut labels = group.labels.to_builder();
                target.iter().for_each(|(name, value)| {
                    labels.set(name, value);
                });
                let path = format!("{}/{ALERTS_PATH}", self.block.path_prefix.trim_end_matches('/'));
                labels.set("__scheme__", &self.block.scheme);
                labels.set("__alerts_path__", &path);
                if relabel(&self.block.relabel, &mut labels) == Verdict::Drop {
                    continue;
                }
                let text = format!(
                    "{}://{}/{}",
                    labels.get("__scheme__"),
                    labels.get("__address__"),
                    labels.get("__alerts_path__").trim_start_matches('/')
                );
                match Url::parse(&text) {
                    Ok(url) => urls.push(url),
                    Err(error) => error!(url = text, %error, "not an alertmanager address"),
                }
            }
        }
        self.metrics.discovered.set(urls.len() as i64);
        *self.queue.urls.lock() = urls;
    }

    /// Sends a batch to every Alertmanager of the block. When none takes it, it is tried again for a while.
    async fn deliver(&self, client: &HttpClient, batch: Vec<Notification>, stop: &Stop) {
        let batch = self.relabelled(batch);
        let postable: Vec<PostableAlert<'_>> = batch.iter().map(PostableAlert::of).collect();
        let body = match serde_json::to_vec(&postable) {
            Ok(body) => body,
            Err(error) => {
                error!(%error, "BUG: alerts cannot be encoded");
                return;
            }
        };
        let mut pause = BACKOFF[0];
        for attempt in 1..=ATTEMPTS {
            let urls = self.queue.urls.lock().clone();
            let mut taken = false;
            for url in urls {
                taken |= self.post(client, &url, &body, batch.len()).await;
            }
            if taken {
                return;
            }
            if attempt == ATTEMPTS || stop.is_requested() {
                break;
            }
            tokio::select! {
                () = stop.requested() => {}
                () = tokio::time::sleep(pause) => {}
            }
            pause = (2 * pause).min(BACKOFF[1]);
        }
        self.metrics.dropped.inc_by(batch.len() as u64);
        warn!(
            alerts = batch.len(),
            "no alertmanager took the alerts, they are dropped; firing ones are sent again"
        );
    }

    fn relabelled(&self, batch: Vec<Notification>) -> Vec<Notification> {
        if self.block.alert_relabel.is_empty() {
            return batch;
        }
        batch
            .into_iter()
            .filter_map(|mut alert| {
                let mut labels = alert.labels.to_builder();
                let verdict = relabel(&self.block.alert_relabel, &mut labels);
                alert.labels = labels.build();
                (verdict == Verdict::Keep).then_some(alert)
            })
            .collect()
    }

    async fn post(&self, client: &HttpClient, url: &Url, body: &[u8], count: usize) -> bool {
        let labels = AlertmanagerLabels { alertmanager: url.to_string() };
        let started = Instant::now();
        let outcome = async {
            let request = client.request(Method::POST, url.clone()).map_err(|error| report(&error))?;
            let request = request.header(header::CONTENT_TYPE, "application/json").body(body.to_vec());
            let response = request.send().await.map_err(|error| report(&error))?;
            if response.status().is_success() {
                Ok(())
            } else {
                Err(format!("bad response status {}", response.status()))
            }
        }
        .await;
        self.metrics.latency.get_or_create(&labels).observe(started.elapsed().as_secs_f64());
        match outcome {
            Ok(()) => {
                self.metrics.sent.get_or_create(&labels).inc_by(count as u64);
                true
            }
            Err(error) => {
                self.metrics.errors.get_or_create(&labels).inc_by(count as u64);
                warn!(alertmanager = %url, count, error, "error sending alerts");
                false
            }
        }
    }
}

impl<'a> PostableAlert<'a> {
    fn of(alert: &'a Notification) -> Self {
        Self {
            labels: &alert.labels,
            annotations: &alert.annotations,
            starts_at: rfc3339(alert.starts_at),
            ends_at: rfc3339(alert.ends_at),
            generator_url: &alert.generator_url,
        }
    }
}
