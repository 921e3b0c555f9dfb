//! Who is logged in.

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use state::{Collection, StateStore};

use super::StoreError;
use crate::{
    clock::Clock,
    model::{hex, random_token},
};

/// Sessions of one user; the one that rested longest goes when there are more.
const MAX_PER_USER: usize = 100;
/// How old the note of a session's last use may be.
const TOUCH_EVERY_MS: i64 = 5 * 60 * 1000;

/// One login.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Session {
    /// Whose it is.
    pub user_id: u64,
    /// When it began, milliseconds since 1970.
    pub created_ms: i64,
    /// When it was used last, to five minutes.
    pub seen_ms: i64,
    /// From where it began.
    pub client: String,
}

/// The sessions. A token is kept as its hash, so that the store does not let anybody in.
pub(crate) struct Sessions {
    store: Arc<dyn StateStore>,
    records: Collection<Session>,
    clock: Clock,
}

/// How long sessions last.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lifetimes {
    pub inactive: Duration,
    pub total: Duration,
}

impl Sessions {
    pub(super) fn new(store: Arc<dyn StateStore>, clock: Clock) -> Self {
        Self { records: Collection::new(store.clone(), "sessions"), store, clock }
    }

    /// Begins a session. Returns its token.
    pub(crate) fn create(&self, user_id: u64, client: &str) -> Result<String, StoreError> {
        let mut own: Vec<_> = self
            .records
            .list("")?
            .into_iter()
            .filter(|(_, session)| session.value.user_id == user_id)
            .collect();
        own.sort_by_key(|(_, session)| session.value.seen_ms);
        let surplus = (own.len() + 1).saturating_sub(MAX_PER_USER);
        for (key, _) in own.iter().take(surplus) {
            self.records.delete(key)?;
        }
        let token = random_token();
        let now = self.clock.now_ms();
        let client = client.chars().take(100).collect();
        self.records.put(&key(&token), &Session { user_id, created_ms: now, seen_ms: now, client })?;
        self.store.flush()?;
        Ok(token)
    }

    /// The session of a token, if it is not over. Notes that it was used, which is lost when the power goes.
    pub(crate) fn find(&self, token: &str, lifetimes: Lifetimes) -> Result<Option<Session>, StoreError> {
        let key = key(token);
        let Some(record) = self.records.get(&key)? else { return Ok(None) };
        let now = self.clock.now_ms();
        let mut session = record.value;
        if lifetimes.are_over(&session, now) {
            self.records.delete(&key)?;
            return Ok(None);
        }
        if now - session.seen_ms > TOUCH_EVERY_MS {
            session.seen_ms = now;
            // Somebody else has just touched or removed it: theirs is as good.
            let _ = self.records.update(&key, record.version, &session);
        }
        Ok(Some(session))
    }

    /// Ends a session.
    pub(crate) fn remove(&self, token: &str) -> Result<(), StoreError> {
        self.records.delete(&key(token))?;
        Ok(self.store.flush()?)
    }

    /// Ends all sessions of a user but one.
    pub(crate) fn remove_others(&self, user_id: u64, token: Option<&str>) -> Result<(), StoreError> {
        let kept = token.map(key);
        for (key, session) in self.records.list("")? {
            if session.value.user_id == user_id && Some(&key) != kept.as_ref() {
                self.records.delete(&key)?;
            }
        }
        Ok(self.store.flush()?)
    }

    /// Removes what is over.
    pub(crate) fn sweep(&self, lifetimes: Lifetimes) -> Result<(), StoreError> {
        let now = self.clock.now_ms();
        for (key, session) in self.records.list("")? {
            if lifetimes.are_over(&session.value, now) {
                self.records.delete(&key)?;
            }
        }
        Ok(())
    }
}

impl Lifetimes {
    fn are_over(self, session: &Session, now: i64) -> bool {
        let ms = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        now.saturating_sub(session.seen_ms) > ms(self.inactive)
            || now.saturating_sub(session.created_ms) > ms(self.total)
    }
}

fn key(token: &str) -> String {
    let digest: [u8; 32] = Sha256::digest(token.as_bytes()).into();
    hex(&digest)
}
