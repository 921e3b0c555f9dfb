//! One client: takes entries from its queue, makes batches, and sends each until it is taken.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use pipeline::{LabelSet, TENANT_LABEL};
use service::{Stop, report};
use tokio::sync::mpsc;
use tracing::{error, info, warn};

use super::{Outgoing, TransportError, batch::Batch, encode::encode, transport::Transport};
use crate::{
    config::{Client, Limits},
    metrics::{AgentMetrics, Dropped, Host, Request, Tenant},
};

/// Batches under way, one a tenant; with more tenants the oldest leaves early.
const MAX_TENANTS: usize = 1000;

/// A client that is ready to run.
#[derive(Debug)]
pub(crate) struct ClientTask {
    settings: Client,
    limits: Limits,
    transport: Transport,
    metrics: AgentMetrics,
    batches: BTreeMap<Option<Arc<str>>, Batch>,
}

impl ClientTask {
    pub(crate) fn new(
        settings: Client,
        limits: Limits,
        base_dir: &Path,
        metrics: AgentMetrics,
    ) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let transport = Transport::new(&settings, base_dir)?;
        Ok(Self { settings, limits, transport, metrics, batches: BTreeMap::new() })
    }

    /// Runs until the queue is closed and everything was sent, or until told to give up what is left.
    pub(crate) async fn run(mut self, mut queue: mpsc::Receiver<Vec<Outgoing>>, give_up: Stop) {
        loop {
            let due = self.batches.values().map(|batch| batch.deadline(self.settings.batch_wait)).min();
            let received = tokio::select! {
                received = queue.recv() => received,
                () = sleep_until(due) => {
                    if self.send_due(Instant::now(), &give_up).await.is_err() {
                        return;
                    }
                    continue;
                }
                () = give_up.requested() => return,
            };
            let Some(entries) = received else { break };
            for entry in entries {
                if self.add(entry, &give_up).await.is_err() {
                    return;
                }
            }
        }
        while let Some((tenant, batch)) = self.batches.pop_first() {
            if self.send(tenant.as_deref(), batch, &give_up).await.is_err() {
                return;
            }
        }
    }

    async fn add(&mut self, mut entry: Outgoing, give_up: &Stop) -> Result<(), GivenUp> {
        let tenant = match entry.labels.remove(TENANT_LABEL) {
            Some(tenant) => Some(tenant),
            None => self.settings.tenant.as_deref().map(Arc::from),
        };
        add_external(&mut entry.labels, &self.settings.external_labels);
        let Some(entry) = self.bound_line(entry, tenant.as_deref().unwrap_or_default()) else {
            return Ok(());
        };
        if let Some(batch) = self.batches.get(&tenant) {
            let is_full = batch.bytes() + entry.bytes() > self.settings.batch_bytes;
            let is_new_stream = !batch.has_stream(&entry.labels);
            let too_many_streams =
                is_new_stream && self.limits.max_streams.is_some_and(|most| batch.streams().len() >= most);
            if is_full {
                if let Some(batch) = self.batches.remove(&tenant) {
                    self.send(tenant.as_deref(), batch, give_up).await?;
                }
            } else if too_many_streams {
                self.give_up_entry(entry, tenant.as_deref().unwrap_or_default(), "stream_limited");
                return Ok(());
            }
        } else if self.batches.len() >= MAX_TENANTS
            && let Some((tenant, batch)) = self.batches.pop_first()
        {
            self.send(tenant.as_deref(), batch, give_up).await?;
        }
        self.batches.entry(tenant).or_insert_with(|| Batch::new(Instant::now())).add(entry);
        Ok(())
    }

    /// Cuts or drops a line that is longer than the configuration allows.
    fn bound_line(&self, mut entry: Outgoing, tenant: &str) -> Option<Outgoing> {
        const REASON: &str = "line_too_long";
        let Some(most) = self.limits.max_line.filter(|most| entry.line.len() > *most) else {
            return Some(entry);
        };
        if !self.limits.truncate_line {
            self.give_up_entry(entry, tenant, REASON);
            return None;
        }
        let labels = Dropped { host: self.settings.host.clone(), tenant: tenant.to_owned(), reason: REASON };
        self.metrics.mutated_entries.get_or_create(&labels).inc();
        self.metrics.mutated_bytes.get_or_create(&labels).inc_by((entry.line.len() - most) as u64);
        entry.line.truncate(most);
        Some(entry)
    }

    fn give_up_entry(&self, entry: Outgoing, tenant: &str, reason: &'static str) {
        self.metrics.count_dropped(&self.settings.host, tenant, reason, 1, entry.line.len() as u64);
        entry.done();
    }

    async fn send_due(&mut self, now: Instant, give_up: &Stop) -> Result<(), GivenUp> {
        let wait = self.settings.batch_wait;
        while let Some(tenant) = self
            .batches
            .iter()
            .find(|(_, batch)| batch.deadline(wait) <= now)
            .map(|(tenant, _)| tenant.clone())
        {
            if let Some(batch) = self.batches.remove(&tenant) {
                self.send(tenant.as_deref(), batch, give_up).await?;
            }
        }
        Ok(())
    }

    /// Sends a batch until it is taken or refused for good.
    async fn send(&self, tenant: Option<&str>, batch: Batch, give_up: &Stop) -> Result<(), GivenUp> {
        if let Transport::Print = self.transport {
            print(&batch);
            batch.done();
            return Ok(());
        }
        let host = Host { host: self.settings.host.clone() };
        let request = Bytes::from(encode(&batch));
        self.metrics.encoded_bytes.get_or_create(&host).inc_by(request.len() as u64);
        let mut pause = self.settings.backoff.min;
        let mut tries = 0u32;
        loop {
            let pushed = tokio::select! {
                pushed = self.push(&request, tenant) => pushed,
                () = give_up.requested() => return Err(GivenUp),
            };
            let error = match pushed {
                Ok(sent) => {
                    if tries > self.settings.backoff.warn_after {
                        info!(host = self.settings.host, tries, "the server takes log entries again");
                    }
                    self.metrics.sent_bytes.get_or_create(&host).inc_by(sent as u64);
                    self.metrics.sent_entries.get_or_create(&host).inc_by(batch.entries() as u64);
                    batch.done();
                    return Ok(());
                }
                Err(error) => error,
            };
            let rate_limited = error.reason() == "rate_limited";
            if !error.is_retryable() || (rate_limited && self.settings.drop_rate_limited) {
                error!(
                    error = report(&error),
                    host = self.settings.host,
                    tenant,
                    entries = batch.entries(),
                    "the server refuses a batch, its entries are dropped"
                );
                let (entries, bytes) = (batch.entries() as u64, batch.bytes() as u64);
                let tenant = tenant.unwrap_or_default();
                self.metrics.count_dropped(&self.settings.host, tenant, error.reason(), entries, bytes);
                batch.done();
                return Ok(());
            }
            tries = tries.saturating_add(1);
            let labels = Tenant { host: host.host.clone(), tenant: tenant.unwrap_or_default().to_owned() };
            self.metrics.batch_retries.get_or_create(&labels).inc();
            if tries == 1 || tries.is_multiple_of(self.settings.backoff.warn_after.max(1)) {
                warn!(
                    error = report(&error),
                    host = self.settings.host,
                    tenant,
                    tries,
                    "cannot send a batch, trying again; reading pauses meanwhile"
                );
            }
            tokio::select! {
                () = tokio::time::sleep(jittered(pause, tries)) => {}
                () = give_up.requested() => return Err(GivenUp),
            }
            pause = (pause * 2).min(self.settings.backoff.max);
        }
    }

    async fn push(&self, request: &Bytes, tenant: Option<&str>) -> Result<usize, TransportError> {
        let started = Instant::now();
        let outcome = self.transport.push(request, tenant).await;
        let status_code = match &outcome {
            Ok(_) => "204".to_owned(),
            Err(error) => error.status_code(),
        };
        let labels = Request { status_code, host: self.settings.host.clone() };
        self.metrics.request_duration.get_or_create(&labels).observe(started.elapsed().as_secs_f64());
        outcome
    }
}

/// The agent ends and the server does not answer: what is left stays unacknowledged and is read again at the next start.
struct GivenUp;

/// Labels of the client lose to those of the entry.
fn add_external(labels: &mut LabelSet, external: &LabelSet) {
    for (name, value) in external.iter() {
        if labels.get(name).is_none() {
            labels.set(name.clone(), value.clone());
        }
    }
}

async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}

/// Spreads the tries of many agents: up to a quarter less than `pause`, differently each time.
fn jittered(pause: Duration, tries: u32) -> Duration {
    use std::hash::{BuildHasher, RandomState};
    let random = RandomState::new().hash_one(tries) % 256;
    pause - pause / 1024 * random as u32
}

fn print(batch: &Batch) {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    for (labels, entries) in batch.streams() {
        for entry in entries {
            // Nobody reads standard output any more: then there is nobody to tell either.
            let _ = write!(out, "{}\t{labels}\t", entry.timestamp);
            let _ = out.write_all(&entry.line);
            let _ = out.write_all(b"\n");
        }
    }
}
