//! Cross-origin requests.

use go_regex::Regex;
use http::{HeaderMap, HeaderValue, Method, header};

use super::Headers;
use crate::{BuildError, Request, Response, empty};

pub(super) struct Cors {
    is_set: bool,
    any_origin: bool,
    origins: Vec<String>,
    patterns: Vec<Regex>,
    credentials: bool,
    allow_headers: Option<HeaderValue>,
    allow_methods: Option<HeaderValue>,
    expose_headers: Option<HeaderValue>,
    max_age: Option<HeaderValue>,
    add_vary: bool,
}

impl Cors {
    pub(super) fn new(headers: &Headers) -> Result<Self, BuildError> {
        let joined = |key, list: &[String]| match list {
            [] => Ok(None),
            list => HeaderValue::from_str(&list.join(","))
                .map(Some)
                .map_err(|error| BuildError::value(key, error)),
        };
        let compile = |pattern: &String| {
            Regex::new(pattern)
                .map_err(|error| BuildError::value("headers.accessControlAllowOriginListRegex", error))
        };
        let origins = &headers.access_control_allow_origin_list;
        let patterns = &headers.access_control_allow_origin_list_regex;
        Ok(Self {
            is_set: headers.access_control_allow_credentials
                || !headers.access_control_allow_headers.is_empty()
                || !headers.access_control_allow_methods.is_empty()
                || !origins.is_empty()
                || !patterns.is_empty()
                || !headers.access_control_expose_headers.is_empty()
                || headers.access_control_max_age.is_some()
                || headers.add_vary_header,
            any_origin: origins.iter().any(|origin| origin == "*"),
            origins: origins.clone(),
            patterns: patterns.iter().map(compile).collect::<Result<_, _>>()?,
            credentials: headers.access_control_allow_credentials,
            allow_headers: joined(
                "headers.accessControlAllowHeaders",
                &headers.access_control_allow_headers,
            )?,
            allow_methods: joined(
                "headers.accessControlAllowMethods",
                &headers.access_control_allow_methods,
            )?,
            expose_headers: joined(
                "headers.accessControlExposeHeaders",
                &headers.access_control_expose_headers,
            )?,
            max_age: headers.access_control_max_age.map(HeaderValue::from),
            add_vary: headers.add_vary_header,
        })
    }

    /// The answer to a preflight request.
    pub(super) fn preflight(&self, request: &Request, origin: Option<&HeaderValue>) -> Option<Response> {
        let asks = request.method() == Method::OPTIONS
            && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
            && origin.is_some();
        if !self.is_set || !asks {
            return None;
        }
        let mut response = Response::new(empty());
        let headers = response.headers_mut();
        let mut set = |name, value: &Option<HeaderValue>| {
            if let Some(value) = value {
                headers.insert(name, value.clone());
            }
        };
        set(header::ACCESS_CONTROL_ALLOW_HEADERS, &self.allow_headers);
        set(header::ACCESS_CONTROL_ALLOW_METHODS, &self.allow_methods);
        set(header::ACCESS_CONTROL_MAX_AGE, &self.max_age);
        self.allow_origin(origin, headers);
        Some(response)
    }

    pub(super) fn apply(&self, origin: Option<&HeaderValue>, headers: &mut HeaderMap) {
        if !self.is_set {
            return;
        }
        self.allow_origin(origin, headers);
        if let Some(expose) = &self.expose_headers {
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, expose.clone());
        }
        if self.add_vary {
            headers.append(header::VARY, HeaderValue::from_static("Origin"));
        }
    }

    fn allow_origin(&self, origin: Option<&HeaderValue>, headers: &mut HeaderMap) {
        if self.credentials {
            headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
        let Some(origin) = origin else { return };
        if self.any_origin {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
            return;
        }
        let Ok(text) = origin.to_str() else { return };
        let may = self.origins.iter().any(|known| known.eq_ignore_ascii_case(text))
            || self.patterns.iter().any(|pattern| pattern.is_match(text));
        if may {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        }
    }
}
