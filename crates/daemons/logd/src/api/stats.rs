//! What a query took, in Loki's shape. What does not exist here (caches, chunks, an index apart) is zero.

use std::{fmt::Write, time::Duration};

use logql::engine::Stats;

const CHUNK_STORE: &str = concat!(
    r#"{"totalChunksRef":0,"totalChunksDownloaded":0,"chunksDownloadTime":0,"queryReferencedStructuredMetadata":false,"#,
    r#""chunk":{"headChunkBytes":0,"headChunkLines":0,"decompressedBytes":0,"decompressedLines":0,"compressedBytes":0,"#,
    r#""totalDuplicates":0,"postFilterLines":0,"headChunkStructuredMetadataBytes":0,"decompressedStructuredMetadataBytes":0},"#,
    r#""chunkRefsFetchTime":0,"congestionControlLatency":0,"pipelineWrapperFilteredLines":0}"#
);

const CACHE: &str = concat!(
    r#"{"entriesFound":0,"entriesRequested":0,"entriesStored":0,"bytesReceived":0,"bytesSent":0,"requests":0,"#,
    r#""downloadTime":0,"queryLengthServed":0}"#
);

const CACHES: [&str; 8] = [
    "chunk",
    "index",
    "result",
    "statsResult",
    "volumeResult",
    "seriesResult",
    "labelResult",
    "instantMetricResult",
];

const INDEX: &str = concat!(
    r#"{"totalChunks":0,"postFilterChunks":0,"shardsDuration":0,"usedBloomFilters":false,"totalStreams":0,"#,
    r#""chunkRefsLookupTime":0,"bloomFilterTime":0}"#
);

/// Writes the object.
pub(super) fn write(body: &mut String, stats: &Stats, queued: Duration) {
    let Stats { bytes_processed, lines_processed, lines_matched, entries_returned, elapsed } = stats;
    let seconds = elapsed.as_secs_f64();
    let per_second = |amount: u64| if seconds > 0.0 { (amount as f64 / seconds) as u64 } else { 0 };
    let _ = write!(
        body,
        concat!(
            r#"{{"summary":{{"bytesProcessedPerSecond":{},"linesProcessedPerSecond":{},"totalBytesProcessed":{},"totalLinesProcessed":{},"#,
            r#""execTime":{},"queueTime":{},"subqueries":0,"totalEntriesReturned":{},"splits":0,"shards":0,"totalPostFilterLines":{},"#,
            r#""totalStructuredMetadataBytesProcessed":0}},"#,
        ),
        per_second(*bytes_processed),
        per_second(*lines_processed),
        bytes_processed,
        lines_processed,
        seconds,
        queued.as_secs_f64(),
        entries_returned,
        lines_matched,
    );
    let _ = write!(
        body,
        r#""querier":{{"store":{CHUNK_STORE},"querierExecTime":0}},"ingester":{{"totalReached":0,"totalChunksMatched":0,"totalBatches":0,"totalLinesSent":0,"store":{CHUNK_STORE}}},"cache":{{"#,
    );
    for (at, name) in CACHES.iter().enumerate() {
        let comma = if at > 0 { "," } else { "" };
        let _ = write!(body, r#"{comma}"{name}":{CACHE}"#);
    }
    let _ = write!(body, r#"}},"index":{INDEX}}}"#);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_every_room_of_lokis() {
        let stats = Stats {
            bytes_processed: 1000,
            lines_processed: 10,
            lines_matched: 5,
            entries_returned: 3,
            elapsed: Duration::from_millis(500),
        };
        let mut body = String::new();
        write(&mut body, &stats, Duration::from_millis(250));
        let value: serde_json::Value = serde_json::from_str(&body).expect("JSON");
        let summary = &value["summary"];
        assert_eq!(summary["bytesProcessedPerSecond"], 2000);
        assert_eq!((&summary["execTime"], &summary["queueTime"]), (&0.5.into(), &0.25.into()));
        assert_eq!(summary["totalEntriesReturned"], 3);
        assert!(value["querier"]["store"]["chunk"]["compressedBytes"].is_u64());
        assert!(value["ingester"]["store"]["chunk"].is_object());
        assert!(value["cache"]["instantMetricResult"]["requests"].is_u64());
        assert!(value["index"]["totalStreams"].is_u64());
    }
}
