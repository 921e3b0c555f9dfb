//! Filtering, sorting and paging of lists: `search status serviceName middlewareName sortBy direction page per_page`.

use http::{HeaderName, HeaderValue, StatusCode};
use middleware::{Request, Response};
use serde_json::Value as Json;
use url::form_urlencoded;

use super::{message, ok};

const NEXT_PAGE: HeaderName = HeaderName::from_static("x-next-page");
/// Elements on a page if nothing is said.
const DEFAULT_PER_PAGE: usize = 100;

#[derive(Debug, Default)]
struct Query {
    search: String,
    status: String,
    service_name: String,
    middleware_name: String,
    sort_by: String,
    is_descending: bool,
    page: usize,
    per_page: usize,
}

/// Answers with the page that the query asks for; the header `X-Next-Page` names the next, 1 after the last.
pub(super) fn list(request: &Request, elements: Vec<Json>) -> Response {
    let query = match Query::parse(request.uri().query().unwrap_or_default()) {
        Ok(query) => query,
        Err(error) => return message(StatusCode::BAD_REQUEST, &error),
    };
    let mut elements: Vec<Json> = elements.into_iter().filter(|element| query.keeps(element)).collect();
    elements.sort_by_cached_key(|element| query.sort_key(element));
    if query.is_descending {
        elements.reverse();
    }
    let first = (query.page - 1).saturating_mul(query.per_page);
    if first >= elements.len() && query.page > 1 {
        return message(
            StatusCode::BAD_REQUEST,
            &format!("invalid request: page: {}, per_page: {}", query.page, query.per_page),
        );
    }
    let last = first.saturating_add(query.per_page).min(elements.len());
    let next = if last < elements.len() { query.page + 1 } else { 1 };
    let mut response = ok(&elements.get(first..last).unwrap_or_default());
    response.headers_mut().insert(NEXT_PAGE, HeaderValue::from(next));
    response
}

impl Query {
    fn parse(text: &str) -> Result<Self, String> {
        let mut query = Self { page: 1, per_page: DEFAULT_PER_PAGE, ..Self::default() };
        for (key, value) in form_urlencoded::parse(text.as_bytes()) {
            let number = |key: &str| {
                let number = value.parse::<usize>().ok().filter(|number| *number > 0);
                number.ok_or_else(|| format!("invalid request: {key}: {value}"))
            };
            match &*key {
                "search" => query.search = value.to_lowercase(),
                "status" => query.status = value.to_lowercase(),
                "serviceName" => query.service_name = value.into_owned(),
                "middlewareName" => query.middleware_name = value.into_owned(),
                "sortBy" => query.sort_by = value.into_owned(),
                "direction" => query.is_descending = value == "desc",
                "page" => query.page = number("page")?,
                "per_page" => query.per_page = number("per_page")?,
                _ => {}
            }
        }
        Ok(query)
    }

    fn keeps(&self, element: &Json) -> bool {
        let text = |key: &str| element[key].as_str().unwrap_or_default();
        let holds = |key: &str| text(key).to_lowercase().contains(&self.search);
        let names = |name: &str| text("name").contains(name);
        (self.search.is_empty() || holds("name") || holds("rule") || holds("service"))
            && (self.status.is_empty() || text("status") == self.status)
            && (self.service_name.is_empty()
                || text("service").contains(&self.service_name)
                || names(&self.service_name))
            && (self.middleware_name.is_empty()
                || element["middlewares"].as_array().is_some_and(|list| {
                    list.iter()
                        .any(|name| name.as_str().is_some_and(|name| name.contains(&self.middleware_name)))
                }))
    }

    fn sort_key(&self, element: &Json) -> (String, String) {
        let name = element["name"].as_str().unwrap_or_default().to_owned();
        let key = match &element[self.sort_by.as_str()] {
            Json::String(text) => text.clone(),
            // Long enough for every priority, so that numbers sort as text.
            Json::Number(number) => format!("{:020}", number.as_i64().unwrap_or_default()),
            _ => String::new(),
        };
        (key, name)
    }
}
