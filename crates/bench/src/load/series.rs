//! Which series a scrape target has: process and runtime gauges, counters, CPU times, and HTTP requests with their histogram.

use std::iter::zip;

/// The services, each a `job`; targets take them in turn.
pub const SERVICES: [&str; 20] = [
    "gateway",
    "auth",
    "billing",
    "cart",
    "catalog",
    "checkout",
    "email",
    "frontend",
    "inventory",
    "ledger",
    "media",
    "notify",
    "orders",
    "payments",
    "pricing",
    "profile",
    "reco",
    "search",
    "shipping",
    "users",
];

/// The values of `path`.
pub const PATHS: [&str; 10] = [
    "/",
    "/login",
    "/api/v1/items",
    "/api/v1/items/:id",
    "/api/v1/orders",
    "/api/v1/orders/:id",
    "/api/v1/users",
    "/api/v1/search",
    "/healthz",
    "/static/*",
];

/// Upper bounds of the histogram's buckets.
const BOUNDS: [&str; 12] =
    ["0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf"];

/// What an observation in each bucket adds to the sum.
pub const BUCKET_MIDDLES: [f64; 12] =
    [0.003, 0.008, 0.018, 0.037, 0.075, 0.17, 0.37, 0.75, 1.7, 3.6, 7.5, 15.0];

const GAUGES: [&str; 17] = [
    "process_resident_memory_bytes",
    "process_virtual_memory_bytes",
    "process_open_fds",
    "go_goroutines",
    "go_threads",
    "go_memstats_alloc_bytes",
    "go_memstats_heap_inuse_bytes",
    "go_memstats_heap_objects",
    "go_memstats_next_gc_bytes",
    "app_queue_depth",
    "app_workers_busy",
    "app_cache_entries",
    "app_sessions_active",
    "app_temperature_celsius",
    "db_pool_connections_in_use",
    "db_pool_connections_idle",
    "db_replication_lag_seconds",
];

const CONSTANTS: [(&str, f64); 4] = [
    ("process_max_fds", 65_536.0),
    ("process_start_time_seconds", 1_700_000_000.0),
    ("db_pool_connections_max", 64.0),
    ("up", 1.0),
];

const COUNTERS: [&str; 13] = [
    "process_cpu_seconds_total",
    "go_memstats_mallocs_total",
    "go_memstats_frees_total",
    "go_gc_cycles_total",
    "net_bytes_sent_total",
    "net_bytes_received_total",
    "app_cache_hits_total",
    "app_cache_misses_total",
    "app_jobs_done_total",
    "app_errors_total",
    "db_queries_total",
    "db_rows_read_total",
    "db_deadlocks_total",
];

/// Series of one target.
pub const SERIES_PER_TARGET: usize =
    GAUGES.len() + COUNTERS.len() + 16 + PATHS.len() * (6 + BOUNDS.len() + 2) + CONSTANTS.len();

/// How a series' values go on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// Stays as it is.
    Constant(f64),
    /// A random walk in whole steps.
    Gauge,
    /// Grows by whole numbers; some do not grow at all.
    Counter,
    /// A histogram's bucket, by its place among the bounds; the first one begins a new histogram.
    Bucket(usize),
    /// The sum of the histogram before it.
    Sum,
    /// The number of observations of the histogram before it.
    Count,
}

/// One of a target's series.
#[derive(Debug, Clone)]
pub struct Shape {
    /// Its name and the labels that the target's other series do not have.
    pub labels: Vec<(&'static str, String)>,
    /// Its values.
    pub kind: Kind,
}

/// All series of a target, `up` last.
pub fn shapes() -> Vec<Shape> {
    let mut shapes = Vec::with_capacity(SERIES_PER_TARGET);
    let mut add = |kind, name: &str, labels: &[(&'static str, &str)]| {
        let name = [("__name__", name)];
        let labels = name.iter().chain(labels).map(|&(name, value)| (name, value.to_owned())).collect();
        shapes.push(Shape { labels, kind });
    };
    for name in GAUGES {
        add(Kind::Gauge, name, &[]);
    }
    for name in COUNTERS {
        add(Kind::Counter, name, &[]);
    }
    for cpu in ["0", "1", "2", "3"] {
        for mode in ["idle", "user", "system", "iowait"] {
            add(Kind::Counter, "node_cpu_seconds_total", &[("cpu", cpu), ("mode", mode)]);
        }
    }
    for path in PATHS {
        for method in ["GET", "POST"] {
            for status in ["200", "404", "500"] {
                let labels = [("path", path), ("method", method), ("status", status)];
                add(Kind::Counter, "http_requests_total", &labels);
            }
        }
        for (place, bound) in BOUNDS.into_iter().enumerate() {
            let labels = [("path", path), ("le", bound)];
            add(Kind::Bucket(place), "http_request_duration_seconds_bucket", &labels);
        }
        add(Kind::Sum, "http_request_duration_seconds_sum", &[("path", path)]);
        add(Kind::Count, "http_request_duration_seconds_count", &[("path", path)]);
    }
    for (name, value) in CONSTANTS {
        add(Kind::Constant(value), name, &[]);
    }
    shapes
}

/// The labels that all series of target `number` have.
pub fn target_labels(number: usize) -> Vec<(&'static str, String)> {
    let service = SERVICES[number % SERVICES.len()];
    let hash = (number as u32).wrapping_mul(2_654_435_761);
    let environment = if number.is_multiple_of(4) { "staging" } else { "prod" };
    let names = ["cluster", "env", "instance", "job", "namespace", "node", "pod", "team", "zone"];
    let values = [
        format!("c{}", number % 3),
        environment.to_owned(),
        format!("10.{}.{}.{}:9100", number % 8, number / 256 % 256, number % 256),
        service.to_owned(),
        "shop".to_owned(),
        format!("n{:03}", number / 16 % 1000),
        format!("{service}-{hash:08x}"),
        format!("t{}", number % 7),
        ["a", "b", "c"][number / 3 % 3].to_owned(),
    ];
    zip(names, values).collect()
}

/// The sorted labels of one series of a target.
pub fn series_labels(target: &[(&'static str, String)], shape: &Shape) -> Vec<(&'static str, String)> {
    let mut labels: Vec<_> = target.iter().chain(&shape.labels).cloned().collect();
    labels.sort_unstable_by_key(|&(name, _)| name);
    labels
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_target_has_its_number_of_series() {
        let shapes = shapes();
        assert_eq!(shapes.len(), SERIES_PER_TARGET);
        assert_eq!(SERIES_PER_TARGET, 250);
        assert_eq!(shapes.last().unwrap().labels[0].1, "up");
        let share = |wanted: fn(&Kind) -> bool| shapes.iter().filter(|shape| wanted(&shape.kind)).count();
        assert_eq!(share(|kind| matches!(kind, Kind::Gauge | Kind::Constant(_))), 21);
        assert_eq!(share(|kind| matches!(kind, Kind::Counter)), 89);
        assert_eq!(share(|kind| matches!(kind, Kind::Bucket(_) | Kind::Sum | Kind::Count)), 140);
    }

    #[test]
    fn labels_have_the_intended_size() {
        let shapes = shapes();
        let (mut series, mut labels, mut bytes) = (0, 0, 0);
        for number in 0..400 {
            let target = target_labels(number);
            for shape in &shapes {
                let set = series_labels(&target, shape);
                series += 1;
                labels += set.len();
                // Each label takes six bytes of tags and lengths in a request.
                bytes += set.iter().map(|(name, value)| name.len() + value.len() + 6).sum::<usize>();
            }
        }
        let (labels, bytes) = (labels as f64 / f64::from(series), bytes as f64 / f64::from(series));
        assert!((11.5..12.5).contains(&labels), "{labels} labels a series");
        assert!((200.0..240.0).contains(&bytes), "{bytes} bytes of labels a series");
    }

    #[test]
    fn no_two_series_are_the_same() {
        let shapes = shapes();
        let mut seen = HashSet::new();
        for number in 0..300 {
            let target = target_labels(number);
            for shape in &shapes {
                assert!(seen.insert(series_labels(&target, shape)));
            }
        }
        let instances: HashSet<_> =
            (0..20_000).map(|number| target_labels(number).swap_remove(2).1).collect();
        assert_eq!(instances.len(), 20_000);
    }
}
