//! Snappy's block format, with a bound on what a small request may grow to.

/// Why a body is not what its encoding says.
#[derive(Debug, thiserror::Error)]
pub enum SnappyError {
    /// It would decompress to more than the limit.
    #[error("decompressed body of {size} bytes exceeds the limit of {limit} bytes")]
    TooLarge {
        /// What its header promises.
        size: usize,
        /// The limit in force.
        limit: usize,
    },
    /// Not snappy's block format.
    #[error("snappy: corrupt input")]
    Corrupt(#[source] snap::Error),
}

/// Decompresses a block; refuses one that promises more than `limit` bytes before allocating anything.
pub fn snappy_decompress(body: &[u8], limit: usize) -> Result<Vec<u8>, SnappyError> {
    let size = snap::raw::decompress_len(body).map_err(SnappyError::Corrupt)?;
    if size > limit {
        return Err(SnappyError::TooLarge { size, limit });
    }
    snap::raw::Decoder::new().decompress_vec(body).map_err(SnappyError::Corrupt)
}

/// Compresses into a block.
pub fn snappy_compress(body: &[u8]) -> Vec<u8> {
    snap::raw::Encoder::new()
        .compress_vec(body)
        .expect("BUG: only bodies over 4 GiB cannot be compressed, and all of ours are bounded below that")
}
