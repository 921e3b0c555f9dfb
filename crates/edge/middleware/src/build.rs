//! From a middleware's options to its handler.

use std::{fmt, path::PathBuf, sync::Arc};

use tokio::sync::Semaphore;

use crate::{Handler, MiddlewareConfig};

/// Password comparisons at a time; each takes a core.
const PARALLEL_HASHES: usize = 2;
/// Logins that may wait for one; more are refused with 503.
const WAITING_HASHES: usize = 256;

/// What middlewares share. Cheap to clone; all clones are one.
#[derive(Debug, Clone)]
pub struct Workshop {
    pub(crate) hashing: Arc<Semaphore>,
    pub(crate) waiting: Arc<Semaphore>,
}

impl Default for Workshop {
    fn default() -> Self {
        Self {
            hashing: Arc::new(Semaphore::new(PARALLEL_HASHES)),
            waiting: Arc::new(Semaphore::new(WAITING_HASHES)),
        }
    }
}

/// Why a middleware cannot be built. Its routers are disabled with this text.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// An option does not hold.
    #[error("{key}: {message}")]
    Value {
        /// Path of the key.
        key: &'static str,
        /// What is wrong.
        message: String,
    },
    /// A file it names cannot be read.
    #[error("cannot read `{}`", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// Traefik has it, this proxy has not.
    #[error("not supported yet: {0}")]
    NotSupported(String),
    /// No kind of middleware, or several.
    #[error("{0}")]
    Kind(String),
}

impl BuildError {
    pub(crate) fn value(key: &'static str, message: impl fmt::Display) -> Self {
        Self::Value { key, message: message.to_string() }
    }
}

/// Puts the middleware before `next`. A `chain` is none of its own: resolve it first.
///
/// # Errors
/// Options that do not hold, kinds that are not there yet, and anything but exactly one kind.
pub fn build(
    config: &MiddlewareConfig,
    workshop: &Workshop,
    next: Arc<dyn Handler>,
) -> Result<Arc<dyn Handler>, BuildError> {
    let kind = match config.kinds().as_slice() {
        [kind] => *kind,
        [] => return Err(BuildError::Kind("the middleware has no type".to_owned())),
        kinds => {
            return Err(BuildError::Kind(format!(
                "cannot create middleware: multi-types middleware not supported, consider declaring two different pieces of middleware \
                 instead: {}",
                kinds.join(", ")
            )));
        }
    };
    macro_rules! one_of {
        ($($field:ident),*) => {
            $(if let Some(options) = &config.$field {
                return options.build(next);
            })*
        };
    }
    if let Some(options) = &config.basic_auth {
        return options.build(workshop, next);
    }
    one_of!(
        add_prefix,
        buffering,
        compress,
        headers,
        in_flight_req,
        ip_allow_list,
        ip_white_list,
        rate_limit,
        redirect_regex,
        redirect_scheme,
        replace_path,
        replace_path_regex,
        retry,
        strip_prefix,
        strip_prefix_regex
    );
    Err(BuildError::NotSupported(format!("middleware type {kind}")))
}
