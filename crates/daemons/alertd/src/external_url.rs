//! Where the daemon is reached from outside.

use url::Url;

/// Why there is no external URL.
#[derive(Debug, thiserror::Error)]
pub enum ExternalUrlError {
    /// It is no URL.
    #[error("the external URL {url:?} is none")]
    Parse {
        /// As given.
        url: String,
        /// What is wrong.
        source: url::ParseError,
    },
    /// Not one for browsers.
    #[error("{url:?}: invalid {scheme:?} scheme, only 'http' and 'https' are supported")]
    Scheme {
        /// As given.
        url: String,
        /// Its scheme.
        scheme: String,
    },
}

/// The external URL without a slash at its end, and its path, which may be empty. Where none is given it is made of this host's name and
/// the port.
pub(crate) fn resolve(given: &str, port: u16) -> Result<(String, String), ExternalUrlError> {
    let text = if given.is_empty() { format!("http://{}:{port}/", host_name()) } else { given.to_owned() };
    let url = Url::parse(&text).map_err(|source| ExternalUrlError::Parse { url: text.clone(), source })?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(ExternalUrlError::Scheme { scheme: url.scheme().to_owned(), url: text });
    }
    let path = url.path().trim_end_matches('/').to_owned();
    Ok((url.as_str().trim_end_matches('/').to_owned(), path))
}

/// The path before all routes: empty, or with a slash at its start and none at its end.
pub(crate) fn route_prefix(given: Option<&str>, external_path: &str) -> String {
    let trimmed = given.unwrap_or(external_path).trim_matches('/');
    if trimmed.is_empty() { String::new() } else { format!("/{trimmed}") }
}

fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    if name.is_empty() { "localhost".into() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn external_urls_give_the_route_prefix() {
        let check = |given: &str, prefix: Option<&str>, url: &str, routes: &str| {
            let (got, path) = resolve(given, 9093).expect(given);
            assert_eq!((got.as_str(), route_prefix(prefix, &path).as_str()), (url, routes), "{given}");
        };
        check("https://a.example/am/", None, "https://a.example/am", "/am");
        check("https://a.example/am", Some("/"), "https://a.example/am", "");
        check("https://a.example", Some("x/y/"), "https://a.example", "/x/y");
        check("http://a.example:9093/", None, "http://a.example:9093", "");
        assert!(resolve("", 9093).expect("a host name").0.ends_with(":9093"));
        assert!(resolve("ftp://a.example", 9093).is_err());
        assert!(resolve("no url", 9093).is_err());
    }
}
