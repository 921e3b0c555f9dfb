//! Middlewares in a row, chains among them.

use std::sync::Arc;

use middleware::{Handler, Workshop};
use service::report;

use super::build::qualify;
use crate::provider::Configuration;

/// Deepest nesting of chains.
const MAX_DEPTH: usize = 32;

/// What middlewares are made from.
#[derive(Clone, Copy)]
pub(super) struct ChainInput<'a> {
    pub(super) configuration: &'a Configuration,
    pub(super) workshop: &'a Workshop,
}

/// Puts middlewares before a handler, the first outermost. `user` is who names them.
pub(super) fn wrap(
    input: &ChainInput<'_>,
    user: &str,
    names: &[String],
    next: Arc<dyn Handler>,
) -> Result<Arc<dyn Handler>, String> {
    wrap_at(input, user, names, next, 0)
}

fn wrap_at(
    input: &ChainInput<'_>,
    user: &str,
    names: &[String],
    next: Arc<dyn Handler>,
    depth: usize,
) -> Result<Arc<dyn Handler>, String> {
    if depth > MAX_DEPTH {
        return Err(format!("chains nest deeper than {MAX_DEPTH} levels, or contain themselves"));
    }
    let mut handler = next;
    for name in names.iter().rev() {
        let name = qualify(name, user);
        let provided = input
            .configuration
            .middlewares
            .get(&name)
            .ok_or_else(|| format!("middleware {name:?} does not exist"))?;
        let config = provided.config.as_ref().map_err(ToString::to_string)?;
        handler = match &config.chain {
            Some(chain) => wrap_at(input, &name, &chain.middlewares, handler, depth + 1)?,
            None => middleware::build(config, input.workshop, handler).map_err(|error| report(&error))?,
        };
    }
    Ok(handler)
}
