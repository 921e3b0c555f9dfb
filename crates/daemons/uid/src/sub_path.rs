//! Both addresses: with the sub-path of `root_url` in front, as a proxy may leave it, and without, as another may cut it.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    http::{Uri, uri::PathAndQuery},
    middleware::{Next, from_fn_with_state},
    response::Response,
};
use tower::Layer;

/// Wraps the routes so that paths below `sub_path` are also paths below `/`. Must be outermost: routes are found behind it.
pub(crate) fn wrap(routes: Router, sub_path: &str) -> Router {
    if sub_path.is_empty() {
        return routes;
    }
    let prefix: Arc<str> = sub_path.into();
    Router::new().fallback_service(from_fn_with_state(prefix, strip).layer(routes))
}

async fn strip(State(prefix): State<Arc<str>>, mut request: Request, next: Next) -> Response {
    if let Some(uri) = stripped(request.uri(), &prefix) {
        *request.uri_mut() = uri;
    }
    next.run(request).await
}

fn stripped(uri: &Uri, prefix: &str) -> Option<Uri> {
    let rest = uri.path_and_query()?.as_str().strip_prefix(prefix)?;
    let path = match rest.chars().next() {
        Some('/') => rest.to_owned(),
        None | Some('?') => format!("/{rest}"),
        // Another path that begins with the same letters.
        Some(_) => return None,
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(path.parse::<PathAndQuery>().ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_prefix_goes() {
        let check = |path: &str, want: Option<&str>| {
            let uri: Uri = path.parse().unwrap();
            assert_eq!(stripped(&uri, "/graphs").map(|uri| uri.to_string()).as_deref(), want, "{path}");
        };
        check("/graphs", Some("/"));
        check("/graphs/", Some("/"));
        check("/graphs?a=b", Some("/?a=b"));
        check("/graphs/d/x?a=/graphs", Some("/d/x?a=/graphs"));
        check("/graphsx", None);
        check("/d/graphs", None);
    }
}
