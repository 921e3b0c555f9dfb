//! Changing a request's path.

use std::fmt::Write;

use http::{
    Uri,
    uri::{Parts, PathAndQuery},
};

use crate::Request;

/// Gives the request another path and keeps its query. Characters that cannot stand in a path are percent-encoded; a leading `/` is added
/// where it is missing.
pub fn set_path(request: &mut Request, path: &str) {
    let mut target = String::with_capacity(path.len() + 16);
    if !path.starts_with('/') {
        target.push('/');
    }
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/%".contains(&byte) {
            target.push(char::from(byte));
        } else {
            let _ = write!(target, "%{byte:02X}");
        }
    }
    if let Some(query) = request.uri().query() {
        target.push('?');
        target.push_str(query);
    }
    let Ok(target) = PathAndQuery::try_from(target) else { return };
    let mut parts = Parts::default();
    parts.path_and_query = Some(target);
    if let Ok(uri) = Uri::from_parts(parts) {
        *request.uri_mut() = uri;
    }
}
