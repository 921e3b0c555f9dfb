//! A token bucket.

use std::time::Instant;

/// Lets `burst` things pass at once, and `rate` a second in the long run.
#[derive(Debug, Clone)]
pub struct TokenBucket {
    tokens: f64,
    filled: Option<Instant>,
}

impl TokenBucket {
    /// A bucket with all its tokens.
    pub fn full(burst: f64) -> Self {
        Self { tokens: burst, filled: None }
    }

    /// Takes a token if there is one; otherwise tells how many seconds it takes until there is.
    pub fn take(&mut self, now: Instant, rate: f64, burst: f64) -> Result<(), f64> {
        self.tokens = self.filled_at(now, rate).min(burst);
        self.filled = Some(now);
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return Ok(());
        }
        Err((1.0 - self.tokens) / rate)
    }

    /// Whether some of its tokens are missing.
    pub(crate) fn is_used(&self, now: Instant, rate: f64, burst: f64) -> bool {
        self.filled_at(now, rate) < burst
    }

    fn filled_at(&self, now: Instant, rate: f64) -> f64 {
        let grown =
            self.filled.map_or(0.0, |filled| now.saturating_duration_since(filled).as_secs_f64() * rate);
        self.tokens + grown
    }
}
