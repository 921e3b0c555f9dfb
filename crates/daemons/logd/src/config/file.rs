//! The shape of `loki-config.yml`, key for key. Source: Loki docs, "Grafana Loki configuration parameters", and those of 2.9 for
//! what has been retired since.

use config::{GoDuration, Inert, Warnings, null_as_default};
use serde::{Deserialize, Serialize};

use super::{Limits, block::block};

block! {
    /// The whole file.
    LokiFile {
        target: String = "all".to_owned(),
        auth_enabled: bool = true,
        no_auth_tenant: String = "fake".to_owned(),
        #[serde(deserialize_with = "null_as_default")]
        server: ServerFile = ServerFile::default(),
        #[serde(deserialize_with = "null_as_default")]
        common: CommonFile = CommonFile::default(),
        #[serde(deserialize_with = "null_as_default")]
        distributor: DistributorFile = DistributorFile::default(),
        #[serde(deserialize_with = "null_as_default")]
        ingester: IngesterFile = IngesterFile::default(),
        #[serde(deserialize_with = "null_as_default")]
        querier: QuerierFile = QuerierFile::default(),
        #[serde(deserialize_with = "null_as_default")]
        query_range: QueryRangeFile = QueryRangeFile::default(),
        #[serde(deserialize_with = "null_as_default")]
        frontend: FrontendFile = FrontendFile::default(),
        #[serde(deserialize_with = "null_as_default")]
        schema_config: SchemaFile = SchemaFile::default(),
        #[serde(deserialize_with = "null_as_default")]
        storage_config: StorageFile = StorageFile::default(),
        #[serde(deserialize_with = "null_as_default", skip_serializing)]
        chunk_store_config: ChunkStoreFile = ChunkStoreFile::default(),
        #[serde(deserialize_with = "null_as_default")]
        compactor: CompactorFile = CompactorFile::default(),
        #[serde(deserialize_with = "null_as_default")]
        limits_config: Limits = Limits::default(),
        #[serde(skip_serializing)]
        table_manager: Inert = Inert::default(),
        #[serde(skip_serializing)]
        ruler: Inert = Inert::default(),
        #[serde(skip_serializing)]
        pattern_ingester: Inert = Inert::default(),
    }
    later { runtime_config tracing kafka_config lbac operational_config ruler_storage }
    quiet {
        ballast_bytes ui query_engine query_scheduler ingester_client index_gateway bloom_build bloom_gateway
        bloom_compactor compactor_grpc_client frontend_worker memberlist dataobj ingest_limits ingest_limits_frontend
        ingest_limits_frontend_client analytics profiling tenant_limits_allow_publish shutdown_delay metrics_namespace
        http_prefix
    }
}

block! {
    /// `server`.
    ServerFile {
        http_listen_address: String = String::new(),
        http_listen_port: u16 = 3100,
        http_listen_conn_limit: usize = 0,
        grpc_listen_address: String = String::new(),
        grpc_listen_port: u16 = 9095,
        http_server_read_timeout: GoDuration = GoDuration::from_secs(30),
        grpc_server_max_recv_msg_size: usize = 4 << 20,
        log_format: String = "logfmt".to_owned(),
        log_level: String = "info".to_owned(),
        http_path_prefix: String = String::new(),
        #[serde(skip_serializing)]
        http_tls_config: Inert = Inert::default(),
        #[serde(skip_serializing)]
        grpc_tls_config: Inert = Inert::default(),
    }
    later {
        proxy_protocol_enabled tls_cipher_suites tls_min_version cluster_validation grpc_listen_conn_limit
    }
    quiet {
        http_listen_network grpc_listen_network grpc_collect_max_streams_by_conn register_instrumentation
        report_grpc_codes_in_instrumentation_label_enabled graceful_shutdown_timeout http_server_read_header_timeout
        http_server_write_timeout http_server_idle_timeout http_log_closed_connections_without_response_enabled
        grpc_server_max_send_msg_size grpc_server_max_concurrent_streams grpc_server_max_connection_idle
        grpc_server_max_connection_age grpc_server_max_connection_age_grace grpc_server_keepalive_time
        grpc_server_keepalive_timeout grpc_server_min_time_between_pings grpc_server_ping_without_stream_allowed
        grpc_server_num_workers grpc_server_stats_tracking_enabled grpc_server_recv_buffer_pools_enabled
        grpc_server_read_buffer_size grpc_server_write_buffer_size log_source_ips_enabled log_source_ips_full
        log_source_ips_header log_source_ips_regex log_request_headers log_request_at_info_level_enabled
        log_request_exclude_headers_list trace_request_headers trace_request_exclude_headers_list create_new_traces
    }
}

block! {
    /// `common`.
    CommonFile {
        path_prefix: String = String::new(),
        #[serde(deserialize_with = "null_as_default")]
        storage: CommonStorageFile = CommonStorageFile::default(),
    }
    later { }
    quiet {
        persist_tokens replication_factor ring instance_interface_names instance_addr instance_enable_ipv6
        compactor_address compactor_grpc_address scratch_path
    }
}

block! {
    /// `common.storage`.
    CommonStorageFile {
        #[serde(deserialize_with = "null_as_default")]
        filesystem: CommonFilesystemFile = CommonFilesystemFile::default(),
    }
    later { s3 gcs azure alibabacloud bos swift cos object_store }
    quiet { hedging congestion_control }
}

block! {
    /// `common.storage.filesystem`.
    CommonFilesystemFile {
        chunks_directory: String = String::new(),
        rules_directory: String = String::new(),
    }
    later { }
    quiet { }
}

block! {
    /// `distributor`.
    DistributorFile {
        max_recv_msg_size: usize = 100 << 20,
        /// The original's default is 5000 MB, for it decodes while it decompresses; here the body is in memory.
        max_decompressed_size: usize = 256 << 20,
    }
    later { kafka_writes_enabled otlp_config default_policy_stream_mappings dataobj_tee }
    quiet {
        ring push_worker_count max_inflight_bytes rate_store write_failures_logging otlp_attribute_logging
        ingester_writes_enabled ingest_limits_enabled ingest_limits_dry_run_enabled circuit_breaker
    }
}

block! {
    /// `ingester`.
    IngesterFile {
        chunk_idle_period: GoDuration = GoDuration::from_secs(30 * 60),
        max_chunk_age: GoDuration = GoDuration::from_secs(2 * 3600),
        max_returned_stream_errors: usize = 10,
        #[serde(deserialize_with = "null_as_default")]
        wal: WalFile = WalFile::default(),
        #[serde(skip_serializing)]
        max_transfer_retries: Inert = Inert::default(),
    }
    later { kafka_ingestion }
    quiet {
        lifecycler concurrent_flushes flush_check_period flush_op_backoff flush_op_timeout chunk_retain_period
        chunk_block_size chunk_target_size chunk_encoding autoforget_unhealthy sync_period sync_min_utilization
        query_store_max_look_back_period index_shards max_dropped_streams shutdown_marker_path
        owned_streams_check_interval delegate_stream_limits_enabled
    }
}

block! {
    /// `ingester.wal`.
    WalFile {
        enabled: bool = true,
        dir: String = String::new(),
        flush_on_shutdown: bool = false,
        disk_full_threshold: f64 = 0.9,
    }
    later { }
    quiet { checkpoint_duration replay_memory_ceiling }
}

block! {
    /// `querier`.
    QuerierFile {
        max_concurrent: usize = 4,
        multi_tenant_queries_enabled: bool = false,
        #[serde(skip_serializing)]
        query_timeout: Inert = Inert::default(),
    }
    later { query_store_only query_ingester_only extra_query_delay }
    quiet {
        tail_max_duration query_ingesters_within engine per_request_limits_enabled query_partition_ingesters
    }
}

block! {
    /// `query_range`.
    QueryRangeFile {
        align_queries_with_step: bool = false,
        #[serde(skip_serializing)]
        split_queries_by_interval: Inert = Inert::default(),
    }
    later { }
    quiet {
        results_cache cache_results max_retries parallelise_shardable_queries shard_aggregations
        cache_index_stats_results index_stats_results_cache cache_volume_results volume_results_cache
        cache_instant_metric_results instant_metric_results_cache instant_metric_query_split_align
        cache_series_results series_results_cache cache_label_results label_results_cache
    }
}

block! {
    /// `frontend`.
    FrontendFile {
        max_outstanding_per_tenant: usize = 2048,
    }
    later { downstream_url support_parquet_encoding log_queries_longer_than tail_tls_config }
    quiet {
        log_query_request_headers max_body_size query_stats_enabled querier_forget_delay scheduler_address
        scheduler_dns_lookup_period scheduler_worker_concurrency grpc_client_config graceful_shutdown_timeout
        instance_interface_names instance_enable_ipv6 encoding compress_responses tail_proxy_url address port
    }
}

/// `schema_config`.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct SchemaFile {
    #[serde(deserialize_with = "null_as_default")]
    pub configs: Vec<PeriodFile>,
}

block! {
    /// One of `schema_config.configs`.
    PeriodFile {
        from: String = String::new(),
        store: String = "tsdb".to_owned(),
        object_store: String = "filesystem".to_owned(),
        schema: String = "v13".to_owned(),
    }
    later { }
    quiet { index chunks row_shards }
}

block! {
    /// `storage_config`.
    StorageFile {
        #[serde(deserialize_with = "null_as_default")]
        filesystem: FilesystemFile = FilesystemFile::default(),
        #[serde(deserialize_with = "null_as_default", skip_serializing)]
        tsdb_shipper: ShipperFile = ShipperFile::default(),
        #[serde(skip_serializing)]
        boltdb_shipper: Inert = Inert::default(),
        #[serde(skip_serializing)]
        boltdb: Inert = Inert::default(),
        #[serde(skip_serializing)]
        bigtable: Inert = Inert::default(),
        #[serde(skip_serializing)]
        cassandra: Inert = Inert::default(),
        #[serde(skip_serializing)]
        grpc_store: Inert = Inert::default(),
    }
    later { alibabacloud aws azure bos gcs swift cos object_store named_stores }
    quiet {
        hedging congestion_control object_prefix max_parallel_get_chunk use_thanos_objstore max_chunk_batch_size
        bloom_shipper index_queries_cache_config index_cache_validity disable_broad_index_queries
    }
}

block! {
    /// `storage_config.filesystem`.
    FilesystemFile {
        directory: String = String::new(),
    }
    later { }
    quiet { }
}

block! {
    /// `storage_config.tsdb_shipper`.
    ShipperFile {
        shared_store: Inert = Inert::default(),
        shared_store_key_prefix: Inert = Inert::default(),
    }
    later { }
    quiet {
        active_index_directory cache_location cache_ttl resync_interval query_ready_num_days download_timeout
        index_reader_mode index_gateway_client streaming_index_max_idle_file_handles ingestername mode
        ingesterdbretainperiod use_boltdb_shipper_as_backup enable_postings_cache
    }
}

block! {
    /// `chunk_store_config`.
    ChunkStoreFile {
        max_look_back_period: Inert = Inert::default(),
        write_dedupe_cache_config: Inert = Inert::default(),
    }
    later { }
    quiet {
        chunk_cache_config chunk_cache_config_l2 skip_query_writeback_cache_older_than l2_chunk_cache_handoff
        cache_lookups_older_than
    }
}

block! {
    /// `compactor`.
    CompactorFile {
        compaction_interval: GoDuration = GoDuration::from_secs(600),
        retention_enabled: bool = false,
        #[serde(skip_serializing)]
        shared_store: Inert = Inert::default(),
        #[serde(skip_serializing)]
        shared_store_key_prefix: Inert = Inert::default(),
        #[serde(skip_serializing)]
        deletion_mode: Inert = Inert::default(),
    }
    later { }
    quiet {
        working_directory apply_retention_interval retention_delete_delay retention_delete_worker_count
        retention_table_timeout retention_backoff_config delete_request_store delete_request_store_key_prefix
        delete_request_store_db_type backup_delete_request_store_db_type delete_batch_size
        delete_request_cancel_period delete_max_interval max_compaction_parallelism upload_parallelism compactor_ring
        tables_to_compact skip_latest_n_tables horizontal_scaling_mode worker_config jobs_config
        deletion_marker_object_store_prefix
    }
}

impl LokiFile {
    /// Every key that is set and does not do what the original does with it, in the order of the file's sections.
    pub(super) fn warn_all(&self, warnings: &mut Warnings) {
        self.server.warn("server", warnings);
        self.common.warn("common", warnings);
        self.common.storage.warn("common.storage", warnings);
        self.distributor.warn("distributor", warnings);
        self.ingester.warn("ingester", warnings);
        warnings.retired(
            "ingester.max_transfer_retries",
            &self.ingester.max_transfer_retries,
            "the write-ahead log keeps what is in memory",
        );
        self.querier.warn("querier", warnings);
        if self.querier.multi_tenant_queries_enabled {
            warnings
                .push("querier.multi_tenant_queries_enabled", "not supported yet: a query reads one tenant");
        }
        warnings.retired(
            "querier.query_timeout",
            &self.querier.query_timeout,
            "limits_config.query_timeout holds",
        );
        warnings.retired(
            "query_range.split_queries_by_interval",
            &self.query_range.split_queries_by_interval,
            "limits_config.split_queries_by_interval holds",
        );
        self.frontend.warn("frontend", warnings);
        self.warn_schema(warnings);
        self.warn_storage(warnings);
        self.limits_config.warn("limits_config", warnings);
        let retention = "retention is compactor.retention_enabled with limits_config.retention_period";
        warnings.retired("table_manager", &self.table_manager, retention);
        if self.ruler.is_set() {
            warnings.push("ruler", "not supported yet: rules on logs are not evaluated");
        }
        if self.pattern_ingester.is_set() {
            warnings.push("pattern_ingester", "not supported yet: patterns are not collected");
        }
        self.warn("", warnings);
    }

    fn warn_schema(&self, warnings: &mut Warnings) {
        for (at, period) in self.schema_config.configs.iter().enumerate() {
            if period.store != "tsdb" {
                warnings.push(
                    format!("schema_config.configs[{at}].store"),
                    format!("retired: {:?}: streams are indexed by the log store itself", period.store),
                );
            }
            if !matches!(period.object_store.as_str(), "filesystem" | "") {
                warnings.push(
                    format!("schema_config.configs[{at}].object_store"),
                    format!(
                        "not supported yet: {:?}: everything is kept on this machine",
                        period.object_store
                    ),
                );
            }
        }
    }

    fn warn_storage(&self, warnings: &mut Warnings) {
        let storage = &self.storage_config;
        storage.warn("storage_config", warnings);
        let indexed = "streams are indexed by the log store itself, under common.path_prefix";
        for (name, key) in [
            ("boltdb_shipper", &storage.boltdb_shipper),
            ("boltdb", &storage.boltdb),
            ("bigtable", &storage.bigtable),
            ("cassandra", &storage.cassandra),
            ("grpc_store", &storage.grpc_store),
            ("tsdb_shipper.shared_store", &storage.tsdb_shipper.shared_store),
            ("tsdb_shipper.shared_store_key_prefix", &storage.tsdb_shipper.shared_store_key_prefix),
        ] {
            warnings.retired(&format!("storage_config.{name}"), key, indexed);
        }
        let chunks = &self.chunk_store_config;
        warnings.retired(
            "chunk_store_config.max_look_back_period",
            &chunks.max_look_back_period,
            "limits_config.max_query_lookback holds",
        );
        warnings.retired(
            "chunk_store_config.write_dedupe_cache_config",
            &chunks.write_dedupe_cache_config,
            "the log store needs no such cache",
        );
        let compactor = &self.compactor;
        warnings.retired("compactor.shared_store", &compactor.shared_store, indexed);
        warnings.retired("compactor.shared_store_key_prefix", &compactor.shared_store_key_prefix, indexed);
        warnings.retired(
            "compactor.deletion_mode",
            &compactor.deletion_mode,
            "limits_config.deletion_mode is its place, and deleting is not supported yet",
        );
    }
}
