//! Basic authentication against bcrypt hashes, without letting a flood of guesses eat the CPU.

use std::{collections::BTreeMap, sync::Arc};

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, header};
use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

/// Verdicts kept; a bcrypt comparison costs milliseconds to a second, a look-up nothing.
const CACHED_VERDICTS: usize = 128;
/// Comparisons at a time; more wait.
const PARALLEL_HASHES: usize = 1;
/// Compared against for unknown users, so that the answer's time does not tell which users exist. The hash of a random text.
const DUMMY_HASH: &str = "$2b$10$7EqJtq98hPqEX7fNZaFWoOHiXQhRhZ0hE2fsBzB0k6bBwkFz0tq6W";

/// Users and their bcrypt hashes.
#[derive(Debug)]
pub(super) struct BasicAuth {
    users: BTreeMap<String, String>,
    verdicts: Mutex<Vec<([u8; 32], bool)>>,
    hashing: Semaphore,
}

impl BasicAuth {
    pub(super) fn new(users: BTreeMap<String, String>) -> Arc<Self> {
        Arc::new(Self { users, verdicts: Mutex::default(), hashing: Semaphore::new(PARALLEL_HASHES) })
    }

    /// Whether the request carries a user and password that fit.
    pub(super) async fn allows(&self, headers: &HeaderMap) -> bool {
        let Some((user, password)) = credentials(headers) else { return false };
        let hash = self.users.get(&user).map_or(DUMMY_HASH, String::as_str).to_owned();
        let key = verdict_key(&user, &password, &hash);
        let cached = |verdicts: &[([u8; 32], bool)]| {
            verdicts.iter().find(|(k, _)| *k == key).map(|(_, verdict)| *verdict)
        };
        if let Some(verdict) = cached(&self.verdicts.lock()) {
            return verdict;
        }
        let Ok(_permit) = self.hashing.acquire().await else { return false };
        if let Some(verdict) = cached(&self.verdicts.lock()) {
            return verdict;
        }
        let fits = crate::spawn_blocking(move || bcrypt::verify(password, &hash).unwrap_or(false)).await;
        let verdict = fits.unwrap_or(false) && self.users.contains_key(&user);
        let mut verdicts = self.verdicts.lock();
        if verdicts.len() >= CACHED_VERDICTS {
            verdicts.remove(0);
        }
        verdicts.push((key, verdict));
        verdict
    }
}

fn credentials(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(BASE64_STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (user, password) = decoded.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

/// The password itself is not kept, only a hash that also changes with the user's stored hash.
fn verdict_key(user: &str, password: &str, hash: &str) -> [u8; 32] {
    let mut digest = Sha256::new();
    for part in [user, hash, password] {
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part.as_bytes());
    }
    digest.finalize().into()
}
