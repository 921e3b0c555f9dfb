//! `limits_config`: what a tenant may do. Source: Loki docs, "limits_config"; defaults are Loki's.

use std::time::Duration;

use config::{ByteSize, GoDuration};
use jiff::Timestamp;
use model::Nanos;

use super::block::block;

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

block! {
    /// Limits of every tenant.
    Limits {
        /// Megabytes of lines and structured metadata a second.
        ingestion_rate_mb: f64 = 4.0,
        /// Megabytes that may come at once; a single push is never more.
        ingestion_burst_size_mb: f64 = 6.0,
        /// Bytes a second of one stream.
        per_stream_rate_limit: ByteSize = ByteSize::mib(3),
        /// Bytes of one stream that may come at once.
        per_stream_rate_limit_burst: ByteSize = ByteSize::mib(15),
        /// Longest line; 0: any.
        max_line_size: ByteSize = ByteSize::kib(256),
        /// Whether longer lines are cut and not refused.
        max_line_size_truncate: bool = false,
        /// What a cut line ends with.
        max_line_size_truncate_identifier: String = String::new(),
        /// Whether a line with the time of the one before it is moved by a nanosecond.
        increment_duplicate_timestamp: bool = false,
        /// Longest name of a stream label, bytes.
        max_label_name_length: usize = 1024,
        /// Longest value of a stream label, bytes.
        max_label_value_length: usize = 2048,
        /// Labels of a stream, `service_name` not counted.
        max_label_names_per_series: usize = 15,
        /// Streams in memory; 0: any number.
        max_streams_per_user: u64 = 0,
        /// The same for a whole cluster, of which this process is all.
        max_global_streams_per_user: u64 = 5000,
        /// Labels every stream must have.
        #[serde(deserialize_with = "config::null_as_default")]
        enforced_labels: Vec<String> = Vec::new(),
        /// Until when nothing is taken: a time in RFC 3339 or a date.
        block_ingestion_until: String = String::new(),
        /// How a push is answered then; 200 hides it.
        block_ingestion_status_code: u16 = 260,
        /// Whether old lines are refused.
        reject_old_samples: bool = true,
        /// What is old.
        reject_old_samples_max_age: GoDuration = GoDuration::from_secs(7 * DAY),
        /// How far ahead of this machine's clock a line may be.
        creation_grace_period: GoDuration = GoDuration::from_secs(600),
        /// Whether lines may have structured metadata.
        allow_structured_metadata: bool = true,
        /// Bytes of one line's structured metadata; 0: any.
        max_structured_metadata_size: ByteSize = ByteSize::kib(64),
        /// Pairs of one line's structured metadata; 0: any number.
        max_structured_metadata_entries_count: usize = 128,
        /// Labels from which `service_name` is taken, the first that is there; empty: it is not added.
        #[serde(deserialize_with = "config::null_as_default")]
        discover_service_name: Vec<String> = texts(&[
            "service", "app", "application", "app_name", "name", "app_kubernetes_io_name", "container", "container_name",
            "k8s_container_name", "component", "workload", "job", "k8s_job_name",
        ]),
        /// Whether `detected_level` is added to structured metadata.
        discover_log_levels: bool = true,
        /// Names of fields that hold a level.
        #[serde(deserialize_with = "config::null_as_default")]
        log_level_fields: Vec<String> = texts(&[
            "level", "LEVEL", "Level", "log.level", "severity", "SEVERITY", "Severity", "SeverityText", "lvl", "LVL", "Lvl",
            "severity_text", "Severity_Text", "SEVERITY_TEXT",
        ]),
        /// How deep in JSON lines a level is looked for; 0: any depth.
        log_level_from_json_max_depth: usize = 2,
        /// Longest range of a query; 0: any.
        max_query_length: GoDuration = GoDuration::from_secs(30 * DAY + HOUR),
        /// How far back queries see; 0: all of it.
        max_query_lookback: GoDuration = GoDuration::from_secs(0),
        /// Longest window of a range aggregation; 0: any.
        max_query_range: GoDuration = GoDuration::from_secs(0),
        /// Most series of a metric query.
        max_query_series: usize = 500,
        /// Most lines of a log query; 0: any number.
        max_entries_limit_per_query: usize = 5000,
        /// Longest time of a query; 0: any.
        query_timeout: GoDuration = GoDuration::from_secs(60),
        /// Above 0, the steps of metric queries are multiples of the step, as where queries are split.
        split_queries_by_interval: GoDuration = GoDuration::from_secs(HOUR),
        /// Whether `variants(…)` is allowed.
        enable_multi_variant_queries: bool = false,
        /// Whether `index/volume` answers.
        volume_enabled: bool = true,
        /// Most series of `index/volume`.
        volume_max_series: usize = 1000,
        /// How long lines are kept; 0: for ever. Needs `compactor.retention_enabled`.
        retention_period: GoDuration = GoDuration::from_secs(0),
    }
    later {
        retention_stream blocked_queries required_labels minimum_labels_number max_query_bytes_read discover_generic_fields
        policy_enforced_labels policy_stream_mapping policy_override_limits block_ingestion_policy_until
        per_tenant_override_config per_tenant_override_period simulated_push_latency metric_aggregation_enabled
        pattern_persistence_enabled otlp_config ruler_alertmanager_config ruler_remote_write_config
        ruler_remote_write_url ruler_remote_write_headers
    }
    quiet {
        ingestion_rate_strategy use_owned_stream_count max_chunks_per_query max_query_parallelism
        tsdb_max_query_parallelism tsdb_max_bytes_per_shard tsdb_sharding_strategy tsdb_precompute_chunks
        cardinality_limit max_streams_matchers_per_query max_concurrent_tail_requests max_cache_freshness_per_query
        max_metadata_cache_freshness max_stats_cache_freshness max_queriers_per_tenant max_queriers_per_user
        max_query_capacity query_ready_index_num_days split_metadata_queries_by_interval
        split_recent_metadata_queries_by_interval recent_metadata_query_window
        split_instant_metric_queries_by_interval engine_results_cache_time_bucket_interval
        split_ingester_queries_by_interval min_sharding_lookback max_querier_bytes_read
        ruler_max_rules_per_rule_group ruler_max_rule_groups_per_tenant ruler_tenant_shard_size
        ruler_remote_write_disabled ruler_remote_evaluation_timeout ruler_remote_evaluation_max_response_size
        ruler_evaluation_delay_duration deletion_mode allow_deletes shard_streams index_gateway_shard_size
        index_gateway_max_capacity bloom_gateway_enable_filtering bloom_gateway_shard_size
        bloom_gateway_cache_key_interval bloom_gateway_blocks_downloading_parallelism bloom_build_max_builders
        bloom_build_task_max_retries bloom_build_builder_response_timeout bloom_creation_enabled
        bloom_compactor_enable_compaction bloom_compactor_shard_size bloom_compactor_max_block_size
        dataobj_index_compaction_enabled dataobj_log_compaction_enabled bloom_planning_strategy
        bloom_split_series_keyspace_by bloom_task_target_series_chunk_size bloom_block_encoding bloom_prefetch_blocks
        bloom_max_block_size bloom_max_bloom_size ingestion_partitions_tenant_shard_size shard_aggregations
        pattern_ingester_tokenizable_json_fields_default pattern_ingester_tokenizable_json_fields_append
        pattern_ingester_tokenizable_json_fields_delete pattern_persistence_granularity pattern_rate_threshold
        s3_sse_type s3_sse_kms_key_id s3_sse_kms_encryption_context debug_engine_tasks debug_engine_streams
        enforce_metric_name unordered_writes
    }
}

fn texts(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}

impl Limits {
    /// Bytes a second and bytes at once of a tenant.
    pub(crate) fn ingestion(&self) -> (f64, f64) {
        const MIB: f64 = (1 << 20) as f64;
        (self.ingestion_rate_mb * MIB, self.ingestion_burst_size_mb * MIB)
    }

    /// Streams in memory at most; 0: any number.
    pub(crate) fn max_streams(&self) -> u64 {
        match (self.max_streams_per_user, self.max_global_streams_per_user) {
            (0, only) | (only, 0) => only,
            (local, global) => local.min(global),
        }
    }

    /// The longest a query may take.
    pub(crate) fn query_deadline(&self) -> Option<Duration> {
        Some(self.query_timeout.0).filter(|timeout| !timeout.is_zero())
    }

    /// Until when nothing is taken, nanoseconds since the Unix epoch. [`Limits::check`] has seen that it reads.
    pub(crate) fn blocked_until(&self) -> Option<Nanos> {
        read_time(&self.block_ingestion_until).ok().flatten()
    }

    /// What is wrong with the values, if anything.
    pub(super) fn check(&self) -> Result<(), String> {
        for (name, value) in [
            ("ingestion_rate_mb", self.ingestion_rate_mb),
            ("ingestion_burst_size_mb", self.ingestion_burst_size_mb),
        ] {
            if !value.is_finite() || value < 0.0 {
                return Err(format!("limits_config.{name}: {value} is not a rate"));
            }
        }
        read_time(&self.block_ingestion_until)
            .map_err(|text| format!("limits_config.block_ingestion_until: not a time: {text:?}"))?;
        if !(200..=599).contains(&self.block_ingestion_status_code) {
            let code = self.block_ingestion_status_code;
            return Err(format!("limits_config.block_ingestion_status_code: {code} is not a status code"));
        }
        if let GoDuration(period) = self.retention_period
            && !period.is_zero()
            && period < Duration::from_secs(DAY)
        {
            return Err("limits_config.retention_period: must be 0 or at least 24h".to_owned());
        }
        Ok(())
    }
}

/// A time in RFC 3339, or a date, which is its midnight in UTC; none for the empty text and for `0`.
fn read_time(text: &str) -> Result<Option<Nanos>, &str> {
    if text.is_empty() || text == "0" {
        return Ok(None);
    }
    let time = match text.parse::<Timestamp>() {
        Ok(time) => time,
        Err(_) => format!("{text}T00:00:00Z").parse().map_err(|_| text)?,
    };
    Nanos::try_from(time.as_nanosecond()).map(Some).map_err(|_| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smaller_stream_limit_holds() {
        let check = |local, global, want| {
            let limits = Limits {
                max_streams_per_user: local,
                max_global_streams_per_user: global,
                ..Limits::default()
            };
            assert_eq!(limits.max_streams(), want, "{local} {global}");
        };
        check(0, 5000, 5000);
        check(10, 5000, 10);
        check(10, 0, 10);
        check(0, 0, 0);
    }

    #[test]
    fn times_of_blocks() {
        assert_eq!(read_time("0"), Ok(None));
        assert_eq!(read_time("2026-01-15"), Ok(Some(1_768_435_200_000_000_000)));
        assert_eq!(read_time("2026-01-15T00:00:01Z"), Ok(Some(1_768_435_201_000_000_000)));
        assert_eq!(read_time("soon"), Err("soon"));
    }
}
