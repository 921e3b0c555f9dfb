//! Password hashes, made and compared without letting a flood of guesses eat the CPU.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

/// Verdicts kept for API clients that send their password with each request; a comparison costs a tenth of a second, a look-up
/// nothing.
const CACHED_VERDICTS: usize = 64;
/// Comparisons at a time; more wait.
const PARALLEL_HASHES: usize = 1;
/// How long a comparison may wait for its turn.
const TURN_TIMEOUT: Duration = Duration::from_secs(10);

/// Makes and compares bcrypt hashes. The password goes through SHA-256 first, for bcrypt only looks at 72 bytes.
pub(crate) struct Passwords {
    cost: u32,
    /// Compared against for unknown users, so that the answer's time does not tell which users exist.
    dummy: String,
    verdicts: Mutex<Vec<([u8; 32], bool)>>,
    hashing: Semaphore,
}

/// A password was not hashed or compared.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PasswordError {
    /// Too many others wait.
    #[error("too many logins at a time, try again")]
    Busy,
    /// The hash function failed.
    #[error("cannot hash the password")]
    Hash(#[source] bcrypt::BcryptError),
}

impl Passwords {
    /// `cost` is bcrypt's: the work doubles with each.
    pub(crate) fn new(cost: u32) -> Result<Self, PasswordError> {
        let dummy = bcrypt::hash(digest(&crate::model::random_token()), cost).map_err(PasswordError::Hash)?;
        Ok(Self { cost, dummy, verdicts: Mutex::default(), hashing: Semaphore::new(PARALLEL_HASHES) })
    }

    /// The hash to keep of a password.
    pub(crate) async fn hash(&self, password: &str) -> Result<String, PasswordError> {
        let (digest, cost) = (digest(password), self.cost);
        self.in_turn(move || bcrypt::hash(digest, cost)).await
    }

    /// Whether the password is the one of the hash; `None` is an unknown user's.
    pub(crate) async fn verify(&self, password: &str, hash: Option<&str>) -> Result<bool, PasswordError> {
        let known = hash.is_some();
        let hash = hash.unwrap_or(&self.dummy).to_owned();
        let key = verdict_key(password, &hash);
        if let Some(verdict) = self.cached(&key) {
            return Ok(verdict && known);
        }
        let digest = digest(password);
        let fits = self.in_turn(move || bcrypt::verify(digest, &hash)).await? && known;
        let mut verdicts = self.verdicts.lock();
        if verdicts.len() >= CACHED_VERDICTS {
            verdicts.remove(0);
        }
        verdicts.push((key, fits));
        Ok(fits)
    }

    fn cached(&self, key: &[u8; 32]) -> Option<bool> {
        self.verdicts.lock().iter().find(|(known, _)| known == key).map(|(_, verdict)| *verdict)
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> bcrypt::BcryptResult<T> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let turn = tokio::time::timeout(TURN_TIMEOUT, self.hashing.acquire()).await;
        let Ok(Ok(_turn)) = turn else { return Err(PasswordError::Busy) };
        let done = service::spawn_blocking(work).await;
        done.map_err(|_| PasswordError::Busy)?.map_err(PasswordError::Hash)
    }
}

fn digest(password: &str) -> String {
    BASE64_STANDARD.encode(Sha256::digest(password.as_bytes()))
}

/// The password itself is not kept, only a hash that also changes with the stored hash.
fn verdict_key(password: &str, hash: &str) -> [u8; 32] {
    let mut digest = Sha256::new();
    digest.update((hash.len() as u64).to_le_bytes());
    digest.update(hash.as_bytes());
    digest.update(password.as_bytes());
    digest.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_password_fits() {
        let passwords = Passwords::new(4).unwrap();
        let long = "p".repeat(80);
        let hash = passwords.hash(&long).await.unwrap();
        for _ in 0..2 {
            assert!(passwords.verify(&long, Some(&hash)).await.unwrap());
            assert!(!passwords.verify(&format!("{long}x"), Some(&hash)).await.unwrap());
            assert!(!passwords.verify(&long, None).await.unwrap());
        }
    }
}
