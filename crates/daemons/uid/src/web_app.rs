//! The web app's files: part of the program, served with the headers that let browsers keep them.

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};

use crate::{config::Settings, model::hex};

/// Built by `npm run build`. In debug builds the files are read when the daemon starts, else they are part of it.
#[derive(RustEmbed)]
#[folder = "web/dist"]
#[allow_missing = true]
struct Files;

const INDEX: &str = "index.html";
/// The bundler puts a hash of the content into the names below this folder.
const HASHED_DIR: &str = "assets/";
/// What the app is built with; replaced by the sub-path.
const BASE: &str = "<base href=\"/\" />";

/// Shown while there is no app to show.
const NOT_BUILT: &str = "<!doctype html>\n<title>No web app</title>\n<p>This program was built without its web app. Build it with \
    <code>npm ci &amp;&amp; npm run build</code> in <code>crates/daemons/uid/web</code>, then build the program again. The HTTP API \
    works.</p>\n";

/// The files, ready to serve.
#[derive(Debug)]
pub(crate) struct WebApp {
    files: HashMap<String, File>,
    index: Option<File>,
    allow_embedding: bool,
}

#[derive(Debug)]
struct File {
    content: Bytes,
    content_type: HeaderValue,
    etag: HeaderValue,
}

impl WebApp {
    /// Reads the files. The index gets the sub-path as its base.
    pub(crate) fn load(settings: &Settings) -> Arc<Self> {
        let mut files = HashMap::new();
        for path in Files::iter() {
            if let Some(file) = Files::get(&path) {
                let content = match file.data {
                    Cow::Borrowed(bytes) => Bytes::from_static(bytes),
                    Cow::Owned(bytes) => Bytes::from(bytes),
                };
                files.insert(path.clone().into_owned(), File::new(&path, content));
            }
        }
        let index = files.remove(INDEX).map(|file| with_base(&file.content, &settings.server.sub_path));
        Arc::new(Self { files, index, allow_embedding: settings.security.allow_embedding })
    }

    fn answer(&self, method: &Method, path: &str, headers: &HeaderMap) -> Response {
        if !matches!(*method, Method::GET | Method::HEAD) {
            return StatusCode::METHOD_NOT_ALLOWED.into_response();
        }
        let path = path.trim_start_matches('/');
        let mut response = match (self.files.get(path), &self.index) {
            (Some(file), _) if path.starts_with(HASHED_DIR) => {
                file.answer(headers, "public, max-age=31536000, immutable")
            }
            (Some(file), _) => file.answer(headers, "public, max-age=3600"),
            // A hashed name that is gone: a page of an older version asks. The app instead of a script would only confuse it.
            (None, _) if path.starts_with(HASHED_DIR) => StatusCode::NOT_FOUND.into_response(),
            (None, Some(index)) => index.answer(headers, "no-cache"),
            (None, None) => (
                StatusCode::SERVICE_UNAVAILABLE,
                [(header::CONTENT_TYPE, "text/html; charset=utf-8")],
                NOT_BUILT,
            )
                .into_response(),
        };
        let headers = response.headers_mut();
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
        if !self.allow_embedding {
            headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("deny"));
        }
        response
    }
}

/// Serves whatever no other route has: a file, or the app, which finds its own way from the address.
pub(crate) async fn serve(State(app): State<Arc<WebApp>>, request: Request) -> Response {
    app.answer(request.method(), request.uri().path(), request.headers())
}

impl File {
    fn new(path: &str, content: Bytes) -> Self {
        let digest: [u8; 32] = Sha256::digest(&content).into();
        let tag = format!("W/\"{}\"", hex(digest.get(..16).unwrap_or(&digest)));
        let etag = HeaderValue::from_str(&tag).unwrap_or(HeaderValue::from_static("W/\"\""));
        Self { content, content_type: HeaderValue::from_static(content_type(path)), etag }
    }

    fn answer(&self, headers: &HeaderMap, cache: &'static str) -> Response {
        let known = headers.get_all(header::IF_NONE_MATCH).iter().any(|value| {
            let tags = value.to_str().unwrap_or_default();
            let ours = self.etag.to_str().unwrap_or_default();
            tags.split(',').any(|tag| tag.trim() == ours || tag.trim() == "*")
        });
        let status = if known { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
        let content = if known { Bytes::new() } else { self.content.clone() };
        let mut response = (status, content).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, self.content_type.clone());
        headers.insert(header::ETAG, self.etag.clone());
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
        response
    }
}

fn with_base(index: &[u8], sub_path: &str) -> File {
    let text = String::from_utf8_lossy(index);
    // Settings check that the sub-path is a part of a URL, where quotes and angle brackets are escaped.
    let text = text.replacen(BASE, &format!("<base href=\"{sub_path}/\" />"), 1);
    File::new(INDEX, Bytes::from(text))
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "wasm" => "application/wasm",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app(sub_path: &str) -> WebApp {
        let file = |path: &str, text: &'static str| {
            (path.to_owned(), File::new(path, Bytes::from_static(text.as_bytes())))
        };
        WebApp {
            files: HashMap::from([file("assets/a-1.js", "let a"), file("favicon.svg", "<svg/>")]),
            index: Some(with_base(b"<head><base href=\"/\" /></head>", sub_path)),
            allow_embedding: false,
        }
    }

    fn header<'a>(response: &'a Response, name: &str) -> &'a str {
        response.headers().get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[tokio::test]
    async fn files_and_the_app() {
        let get = |path: &str| app("/graphs").answer(&Method::GET, path, &HeaderMap::new());
        let asset = get("/assets/a-1.js");
        assert_eq!(header(&asset, "cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(header(&asset, "content-type"), "text/javascript; charset=utf-8");
        assert_eq!(get("/assets/a-0.js").status(), StatusCode::NOT_FOUND);
        assert_eq!(header(&get("/favicon.svg"), "content-type"), "image/svg+xml");
        for path in ["/", "/d/uid/slug", "/login", "/../../etc/passwd"] {
            let index = get(path);
            assert_eq!(header(&index, "cache-control"), "no-cache", "{path}");
            assert_eq!(header(&index, "x-frame-options"), "deny");
            let body = axum::body::to_bytes(index.into_body(), 1000).await.unwrap();
            assert_eq!(body, "<head><base href=\"/graphs/\" /></head>");
        }
    }

    #[test]
    fn known_files_are_not_sent_again() {
        let app = app("");
        let first = app.answer(&Method::GET, "/", &HeaderMap::new());
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_NONE_MATCH, first.headers()[header::ETAG].clone());
        assert_eq!(app.answer(&Method::GET, "/", &headers).status(), StatusCode::NOT_MODIFIED);
        assert_eq!(app.answer(&Method::POST, "/", &headers).status(), StatusCode::METHOD_NOT_ALLOWED);
    }

    #[test]
    fn without_an_app_a_page_says_so() {
        let app = WebApp { files: HashMap::new(), index: None, allow_embedding: true };
        assert_eq!(
            app.answer(&Method::GET, "/", &HeaderMap::new()).status(),
            StatusCode::SERVICE_UNAVAILABLE
        );
    }
}
