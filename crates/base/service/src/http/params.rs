//! Parameters of a request.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request, rejection::BytesRejection},
    response::{IntoResponse, Response},
};
use http::{Method, header};

/// A request's query string and form body together, as Go's `ParseForm` has them: the body's values come first.
///
/// The body is read only where its type is `application/x-www-form-urlencoded` and the method is not GET; the server's bound on bodies
/// holds for it.
#[derive(Debug, Default, Clone)]
pub struct FormParams(Vec<(String, String)>);

/// The body could not be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the form: {0}")]
pub struct FormError(BytesRejection);

impl FormParams {
    /// The parameters of one encoded text, as a query string has them.
    pub fn parse(text: &str) -> Self {
        Self(url::form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    /// The first value of a parameter; empty where it is not given.
    pub fn get<'a>(&'a self, name: &'a str) -> &'a str {
        self.all(name).next().unwrap_or_default()
    }

    /// All values of a parameter.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

impl<S: Send + Sync> FromRequest<S> for FormParams {
    type Rejection = FormError;

    async fn from_request(request: Request, state: &S) -> Result<Self, FormError> {
        let mut pairs = Vec::new();
        let is_form = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.starts_with("application/x-www-form-urlencoded"));
        let query = request.uri().query().unwrap_or_default().to_owned();
        if is_form && request.method() != Method::GET {
            let body = Bytes::from_request(request, state).await.map_err(FormError)?;
            pairs.extend(url::form_urlencoded::parse(&body).into_owned());
        }
        pairs.extend(url::form_urlencoded::parse(query.as_bytes()).into_owned());
        Ok(Self(pairs))
    }
}

impl IntoResponse for FormError {
    fn into_response(self) -> Response {
        self.0.into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(method: &str, uri: &str, content_type: &str, body: &str) -> FormParams {
        let request = Request::builder().method(method).uri(uri).header("Content-Type", content_type);
        FormParams::from_request(request.body(body.to_owned().into()).expect("request"), &())
            .await
            .expect("readable")
    }

    #[tokio::test]
    async fn body_and_query_together_the_body_first() {
        let form = "application/x-www-form-urlencoded; charset=utf-8";
        let params = read("POST", "/?a=2&b=x%20y", form, "a=1&c=%C3%BC").await;
        assert_eq!(params.all("a").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!((params.get("b"), params.get("c"), params.get("d")), ("x y", "ü", ""));
        assert_eq!(read("POST", "/?a=2", "text/plain", "a=1").await.get("a"), "2");
        assert_eq!(read("GET", "/?a=2", form, "a=1").await.get("a"), "2");
        assert_eq!(FormParams::parse("a=1&a=2").all("a").count(), 2);
    }
}
