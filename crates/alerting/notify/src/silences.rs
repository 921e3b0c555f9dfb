//! Silences: matchers with a time span during which no one is told about what they match.

mod document;

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, io, sync::Arc, time::Duration};

use jiff::Timestamp;
use model::{Labels, Matcher};
use parking_lot::RwLock;
use routing::{MatcherMode, is_label_name, matches_all};

use crate::{Snapshots, clock::Clock, snapshots};
use document::Document;

/// The document's name.
pub(crate) const SNAPSHOT: &str = "silences";

/// A silence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silence {
    /// A random UUID; empty in one that is to be made.
    pub id: String,
    /// What an alert must match, all of them.
    pub matchers: Vec<Matcher>,
    /// From when.
    pub starts_at: Timestamp,
    /// Until when.
    pub ends_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// Who made it.
    pub created_by: String,
    /// Why.
    pub comment: String,
    /// What else is known.
    pub annotations: BTreeMap<String, String>,
}

/// Where a silence stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SilenceState {
    /// In force.
    Active,
    /// Not yet.
    Pending,
    /// Over.
    Expired,
}

/// How many and how large silences may be; 0 for any.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SilenceLimits {
    /// Most silences, expired ones included (`--silences.max-silences`).
    pub count: usize,
    /// Most bytes of one, as stored (`--silences.max-silence-size-bytes`).
    pub bytes: usize,
}

/// Why a silence could not be made, changed or expired.
#[derive(Debug, thiserror::Error)]
pub enum SilenceError {
    /// There is none of that ID.
    #[error("silence not found")]
    NotFound,
    /// It does not hold.
    #[error("invalid silence: {0}")]
    Invalid(String),
    /// A limit.
    #[error("{0}")]
    Limit(String),
    /// It could not be stored, and is as before.
    #[error("cannot store the silence")]
    Store(#[source] io::Error),
}

/// All silences. Every change is stored before it is acknowledged.
pub(crate) struct Silences {
    state: RwLock<State>,
    /// Held over a change and its storing, so that snapshots are written in order.
    writing: tokio::sync::Mutex<()>,
    snapshots: Arc<dyn Snapshots>,
    clock: Clock,
    retention: Duration,
    limits: SilenceLimits,
    mode: MatcherMode,
}

type State = BTreeMap<String, Arc<Silence>>;

impl SilenceState {
    /// Its name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Pending => "pending",
            Self::Expired => "expired",
        }
    }
}

impl Silence {
    /// Its state at a time.
    pub fn state(&self, now: Timestamp) -> SilenceState {
        if now < self.starts_at {
            SilenceState::Pending
        } else if now > self.ends_at || self.ends_at == now {
            SilenceState::Expired
        } else {
            SilenceState::Active
        }
    }

    fn validate(&self, mode: MatcherMode) -> Result<(), SilenceError> {
        let invalid = |text: String| Err(SilenceError::Invalid(text));
        if self.matchers.is_empty() {
            return invalid("at least one matcher required".into());
        }
        for (at, matcher) in self.matchers.iter().enumerate() {
            if !is_label_name(matcher.name(), mode) {
                return invalid(format!(
                    "invalid label matcher {at}: invalid label name {:?}",
                    matcher.name()
                ));
            }
        }
        if self.matchers.iter().all(Matcher::matches_empty) {
            return invalid("at least one matcher must not match the empty string".into());
        }
        if self.ends_at < self.starts_at {
            return invalid("end time must not be before start time".into());
        }
        Ok(())
    }

    /// Whether `new` may replace this under the same ID: what was muted must stay so.
    fn can_become(&self, new: &Silence, now: Timestamp) -> bool {
        self.matchers == new.matchers
            && match self.state(now) {
                SilenceState::Active => {
                    self.starts_at.as_second() == new.starts_at.as_second() && new.ends_at >= now
                }
                SilenceState::Pending => new.starts_at >= now,
                SilenceState::Expired => false,
            }
    }

    fn expired(&self, now: Timestamp) -> Self {
        let mut silence = self.clone();
        if silence.state(now) == SilenceState::Pending {
            silence.starts_at = now;
        }
        silence.ends_at = now;
        silence.updated_at = now;
        silence
    }
}

impl Silences {
    /// Reads the snapshot. Expired silences are forgotten after `retention`.
    pub fn open(
        snapshots: Arc<dyn Snapshots>,
        clock: Clock,
        retention: Duration,
        limits: SilenceLimits,
        mode: MatcherMode,
    ) -> io::Result<Self> {
        let document: Document = snapshots::load(&*snapshots, SNAPSHOT)?;
        let state = document.silences.into_iter().map(|stored| {
            let silence = Silence::from(stored);
            (silence.id.clone(), Arc::new(silence))
        });
        Ok(Self {
            state: RwLock::new(state.collect()),
            writing: tokio::sync::Mutex::new(()),
            snapshots,
            clock,
            retention,
            limits,
            mode,
        })
    }

    /// The silence of an ID.
    pub fn get(&self, id: &str) -> Option<Arc<Silence>> {
        self.state.read().get(id).cloned()
    }

    /// Every silence, by ID.
    pub fn all(&self) -> Vec<Arc<Silence>> {
        self.state.read().values().cloned().collect()
    }

    /// The IDs of the silences in force that match, sorted.
    pub fn silenced_by(&self, labels: &Labels, now: Timestamp) -> Vec<String> {
        self.state
            .read()
            .values()
            .filter(|silence| silence.state(now) == SilenceState::Active)
            .filter(|silence| matches_all(&silence.matchers, labels))
            .map(|silence| silence.id.clone())
            .collect()
    }

    /// Whether a silence in force matches.
    pub fn is_silenced(&self, labels: &Labels, now: Timestamp) -> bool {
        self.state.read().values().any(|silence| {
            silence.state(now) == SilenceState::Active && matches_all(&silence.matchers, labels)
        })
    }

    /// Makes a silence, or changes the one of its ID; returns the ID, which is a new one where the change is too large to keep it.
    pub async fn set(&self, mut silence: Silence) -> Result<String, SilenceError> {
        silence.validate(self.mode)?;
        let _writing = self.writing.lock().await;
        let now = self.clock.now();
        let mut state = self.state.read().clone();
        let known = state.get(&silence.id).cloned();
        if !silence.id.is_empty() && known.is_none() {
            return Err(SilenceError::NotFound);
        }
        silence.updated_at = now;
        let keeps_id = known.as_ref().is_some_and(|known| known.can_become(&silence, now));
        if !keeps_id {
            if self.limits.count > 0 && state.len() >= self.limits.count {
                return Err(SilenceError::Limit(format!(
                    "exceeded maximum number of silences: {} (limit: {})",
                    state.len(),
                    self.limits.count
                )));
            }
            silence.id = random_uuid();
            silence.starts_at = silence.starts_at.max(now);
        }
        let bytes = Document::size_of(&silence);
        if self.limits.bytes > 0 && bytes > self.limits.bytes {
            return Err(SilenceError::Limit(format!(
                "silence exceeded maximum size: {bytes} bytes (limit: {} bytes)",
                self.limits.bytes
            )));
        }
        if let Some(known) = known
            && !keeps_id
            && known.state(now) != SilenceState::Expired
        {
            state.insert(known.id.clone(), Arc::new(known.expired(now)));
        }
        let id = silence.id.clone();
        state.insert(id.clone(), Arc::new(silence));
        self.commit(state).await?;
        Ok(id)
    }

    /// Ends a silence now. One that is over stays as it is.
    pub async fn expire(&self, id: &str) -> Result<(), SilenceError> {
        let _writing = self.writing.lock().await;
        let now = self.clock.now();
        let mut state = self.state.read().clone();
        let silence = state.get(id).ok_or(SilenceError::NotFound)?;
        if silence.state(now) == SilenceState::Expired {
            return Ok(());
        }
        let expired = Arc::new(silence.expired(now));
        state.insert(id.to_owned(), expired);
        self.commit(state).await
    }

    /// Forgets the silences that have been over for the retention.
    pub async fn collect_garbage(&self) -> Result<(), SilenceError> {
        let _writing = self.writing.lock().await;
        let now = self.clock.now();
        let mut state = self.state.read().clone();
        let before = state.len();
        state.retain(|_, silence| {
            silence.ends_at.saturating_add(self.retention).map_or(true, |until| until > now)
        });
        if state.len() == before { Ok(()) } else { self.commit(state).await }
    }

    /// Stores a state, then puts it in force.
    async fn commit(&self, state: State) -> Result<(), SilenceError> {
        let document = Document::of(state.values());
        let snapshots = Arc::clone(&self.snapshots);
        service::spawn_blocking(move || snapshots::save(&*snapshots, SNAPSHOT, &document))
            .await
            .unwrap_or_else(|error| Err(io::Error::other(error)))
            .map_err(SilenceError::Store)?;
        *self.state.write() = state;
        Ok(())
    }
}

/// A UUID of version 4.
fn random_uuid() -> String {
    let bits: u128 = rand::random();
    let bits = bits & !(0xf << 76) | (0x4 << 76);
    let bits = bits & !(0x3 << 62) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}
