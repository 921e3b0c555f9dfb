//! `basicAuth`: user and password against `htpasswd` lines, without letting a flood of guesses eat the CPU.

use std::{collections::HashMap, fs, path::Path, sync::Arc};

use base64::{Engine, prelude::BASE64_STANDARD};
use config::Secret;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use tracing::{debug, warn};

use crate::{BoxFuture, BuildError, Handler, Record, Request, Response, Workshop, answer, htpasswd};

/// Verdicts kept; a bcrypt comparison costs milliseconds to a second, a look-up nothing.
const CACHED_VERDICTS: usize = 1024;
/// Largest `usersFile`, in bytes.
const MAX_USERS_FILE: u64 = 4 << 20;

/// Options of `basicAuth`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct BasicAuth {
    /// `user:hash` each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<Secret>,
    /// A file of such lines.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub users_file: String,
    /// What the browser shows; `traefik` if nothing is said.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub realm: String,
    /// Whether the server does not see the `Authorization` header.
    pub remove_header: bool,
    /// A header that tells the server the user.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub header_field: String,
}

impl BasicAuth {
    pub(crate) fn build(
        &self,
        workshop: &Workshop,
        next: Arc<dyn Handler>,
    ) -> Result<Arc<dyn Handler>, BuildError> {
        let mut lines: Vec<String> = Vec::new();
        if !self.users_file.is_empty() {
            lines.extend(read_users(Path::new(&self.users_file))?);
        }
        lines.extend(self.users.iter().map(|line| line.expose().to_owned()));
        let mut users = HashMap::new();
        for line in &lines {
            let Some((user, hash)) = line.trim().split_once(':') else {
                return Err(BuildError::value("basicAuth.users", "a line is not of the form `user:hash`"));
            };
            if !htpasswd::is_known(hash) {
                warn!(
                    user,
                    "password hash of an unknown scheme, expected bcrypt, apr1 or SHA: the user cannot log in"
                );
            }
            users.insert(user.to_owned(), hash.to_owned());
        }
        let header_field = match self.header_field.as_str() {
            "" => None,
            name => Some(
                HeaderName::from_bytes(name.as_bytes())
                    .map_err(|error| BuildError::value("basicAuth.headerField", error))?,
            ),
        };
        let realm = if self.realm.is_empty() { "traefik" } else { &self.realm };
        let challenge = HeaderValue::from_str(&format!("Basic realm=\"{}\"", realm.replace('"', "\\\"")))
            .map_err(|error| BuildError::value("basicAuth.realm", error))?;
        Ok(Arc::new(Guard {
            // Unknown users cost the same as known ones, so that time does not tell them apart.
            dummy: users.values().next().cloned().unwrap_or_default(),
            users,
            verdicts: Mutex::default(),
            hashing: workshop.hashing.clone(),
            waiting: workshop.waiting.clone(),
            challenge,
            remove_header: self.remove_header,
            header_field,
            next,
        }))
    }
}

fn read_users(path: &Path) -> Result<Vec<String>, BuildError> {
    let unreadable = |error| BuildError::File { path: path.to_owned(), source: error };
    if fs::metadata(path).map_err(unreadable)?.len() > MAX_USERS_FILE {
        return Err(BuildError::value("basicAuth.usersFile", "the file is larger than 4 MiB"));
    }
    let text = fs::read_to_string(path).map_err(unreadable)?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    Ok(lines.map(str::to_owned).collect())
}

struct Guard {
    users: HashMap<String, String>,
    dummy: String,
    verdicts: Mutex<HashMap<[u8; 32], bool>>,
    hashing: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    challenge: HeaderValue,
    remove_header: bool,
    header_field: Option<HeaderName>,
    next: Arc<dyn Handler>,
}

enum Verdict {
    Allowed,
    Refused,
    Overloaded,
}

impl Guard {
    async fn judge(&self, user: &str, password: String) -> Verdict {
        let known = self.users.get(user);
        let hash = known.unwrap_or(&self.dummy).clone();
        let key = verdict_key(user, &password, &hash);
        let judged = |verdict: bool| if verdict { Verdict::Allowed } else { Verdict::Refused };
        let cached = self.verdicts.lock().get(&key).copied();
        if let Some(verdict) = cached {
            return judged(verdict);
        }
        let Ok(_queued) = self.waiting.try_acquire() else { return Verdict::Overloaded };
        let Ok(_permit) = self.hashing.acquire().await else { return Verdict::Overloaded };
        let cached = self.verdicts.lock().get(&key).copied();
        if let Some(verdict) = cached {
            return judged(verdict);
        }
        let fits = tokio::task::spawn_blocking(move || htpasswd::verify(&password, &hash)).await;
        let verdict = fits.unwrap_or(false) && known.is_some();
        let mut verdicts = self.verdicts.lock();
        if verdicts.len() >= CACHED_VERDICTS {
            // Guesses go first: a flood of them must not throw out the users.
            verdicts.retain(|_, verdict| *verdict);
            if verdicts.len() >= CACHED_VERDICTS {
                verdicts.clear();
            }
        }
        verdicts.insert(key, verdict);
        judged(verdict)
    }

    fn challenge(&self) -> Response {
        let mut response = answer(StatusCode::UNAUTHORIZED, "401 Unauthorized\n");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, self.challenge.clone());
        response
    }
}

impl Handler for Guard {
    fn handle(&self, mut request: Request) -> BoxFuture<'_, Response> {
        Box::pin(async move {
            let Some((user, password)) = credentials(request.headers()) else { return self.challenge() };
            match self.judge(&user, password).await {
                Verdict::Allowed => {}
                Verdict::Refused => {
                    debug!(user, "authentication failed");
                    return self.challenge();
                }
                Verdict::Overloaded => {
                    let mut response = answer(StatusCode::SERVICE_UNAVAILABLE, "too many logins at a time\n");
                    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
                    return response;
                }
            }
            if let Some(record) = request.extensions().get::<Record>() {
                record.note(|facts| facts.user = Some(user.clone()));
            }
            if let (Some(name), Ok(value)) = (&self.header_field, HeaderValue::from_str(&user)) {
                request.headers_mut().insert(name, value);
            }
            if self.remove_header {
                request.headers_mut().remove(header::AUTHORIZATION);
            }
            self.next.handle(request).await
        })
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
