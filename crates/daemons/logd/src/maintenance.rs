//! What stores need done: a look every second, small segments merged now and then. Each on threads of its own, so that a long merge
//! keeps nobody from sealing.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use model::Nanos;
use service::{Stop, report, spawn_blocking};
use tracing::error;

use crate::tenants::Tenants;

/// How often stores are looked after.
const TICK_INTERVAL: Duration = Duration::from_secs(1);

/// Now, in nanoseconds since the Unix epoch.
pub(crate) fn now() -> Nanos {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| Nanos::try_from(since.as_nanos()).unwrap_or(Nanos::MAX))
}

/// Seals, forgets and expires.
pub(crate) async fn tick(tenants: Arc<Tenants>, stop: Stop) {
    every(TICK_INTERVAL, tenants, stop, |tenants, stop| {
        for tenant in tenants.all() {
            if stop.is_requested() {
                return;
            }
            if let Err(error) = tenant.store.tick(now()) {
                error!(
                    error = report(&error),
                    tenant = tenant.name,
                    "log store maintenance failed, it is tried again"
                );
            }
        }
    })
    .await;
}

/// Merges.
pub(crate) async fn compact(tenants: Arc<Tenants>, interval: Duration, stop: Stop) {
    every(interval, tenants, stop, |tenants, stop| {
        for tenant in tenants.all() {
            loop {
                if stop.is_requested() {
                    return;
                }
                match tenant.store.compact() {
                    Ok(0) => break,
                    Ok(_) => {}
                    Err(error) => {
                        error!(
                            error = report(&error),
                            tenant = tenant.name,
                            "segments not merged, it is tried again"
                        );
                        break;
                    }
                }
            }
        }
    })
    .await;
}

async fn every(interval: Duration, tenants: Arc<Tenants>, stop: Stop, work: fn(&Tenants, &Stop)) {
    loop {
        tokio::select! {
            () = stop.requested() => return,
            () = tokio::time::sleep(interval) => {}
        }
        let (tenants, stop) = (tenants.clone(), stop.clone());
        if let Err(error) = spawn_blocking(move || work(&tenants, &stop)).await {
            error!(%error, "BUG: log store maintenance panicked");
        }
    }
}
