//! Who asks: the tenant of a request.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;

use super::{ApiError, ApiState};
use crate::{Config, tenants::is_tenant_name};

/// The header that names it.
const ORG_ID: &str = "x-scope-orgid";

/// The tenant's name, checked.
#[derive(Debug, Clone)]
pub(super) struct TenantName(pub String);

impl FromRequestParts<Arc<ApiState>> for TenantName {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &Arc<ApiState>) -> Result<Self, ApiError> {
        let header = parts.headers.get(ORG_ID).map(|value| value.to_str().unwrap_or("\u{fffd}"));
        match tenant_of(&state.config, header) {
            Ok(name) => Ok(Self(name.to_owned())),
            Err(text) if header.is_none_or(str::is_empty) => Err(ApiError::Unauthorized(text)),
            Err(text) => Err(ApiError::BadRequest(text)),
        }
    }
}

/// The tenant of a request with this `X-Scope-OrgID`, or what is wrong with that.
pub(crate) fn tenant_of<'a>(config: &'a Config, header: Option<&'a str>) -> Result<&'a str, String> {
    if !config.auth_enabled {
        return Ok(&config.no_auth_tenant);
    }
    match header {
        None | Some("") => Err("no org id".to_owned()),
        Some(name) if is_tenant_name(name) => Ok(name),
        Some(name) if name.contains('|') => Err("multiple org IDs present".to_owned()),
        Some(name) => Err(format!(
            "tenant ID {name:?} is not valid: at most 150 letters, digits and !-_.*'() are allowed"
        )),
    }
}
