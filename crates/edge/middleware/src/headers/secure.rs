//! Headers that make browsers careful.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use router::normalize_host;

use super::Headers;
use crate::{BuildError, Request};

pub(super) struct Secure {
    always: Vec<(HeaderName, HeaderValue)>,
    tls_only: Vec<(HeaderName, HeaderValue)>,
    allowed_hosts: Vec<String>,
    host_headers: Vec<HeaderName>,
    tls_proxy_headers: Vec<(HeaderName, String)>,
}

impl Secure {
    pub(super) fn new(headers: &Headers) -> Result<Self, BuildError> {
        let name = |name: &str| {
            HeaderName::from_bytes(name.as_bytes()).map_err(|error| BuildError::value("headers", error))
        };
        let mut always = Vec::new();
        let mut tls_only = Vec::new();
        let set = |list: &mut Vec<_>, header: HeaderName, text: &str| -> Result<(), BuildError> {
            if !text.is_empty() {
                let value =
                    HeaderValue::from_str(text).map_err(|error| BuildError::value("headers", error))?;
                list.push((header, value));
            }
            Ok(())
        };
        let either = |custom: &str, flag: bool, value: &str| match (custom, flag) {
            ("", true) => value.to_owned(),
            (custom, _) => custom.to_owned(),
        };
        let frame = either(&headers.custom_frame_options_value, headers.frame_deny, "DENY");
        let xss = either(&headers.custom_browser_xss_value, headers.browser_xss_filter, "1; mode=block");
        let nosniff = if headers.content_type_nosniff { "nosniff" } else { "" };
        set(&mut always, header::X_FRAME_OPTIONS, &frame)?;
        set(&mut always, header::X_CONTENT_TYPE_OPTIONS, nosniff)?;
        set(&mut always, header::X_XSS_PROTECTION, &xss)?;
        set(&mut always, header::CONTENT_SECURITY_POLICY, &headers.content_security_policy)?;
        set(
            &mut always,
            header::CONTENT_SECURITY_POLICY_REPORT_ONLY,
            &headers.content_security_policy_report_only,
        )?;
        set(&mut always, header::REFERRER_POLICY, &headers.referrer_policy)?;
        set(&mut always, HeaderName::from_static("permissions-policy"), &headers.permissions_policy)?;
        set(&mut always, HeaderName::from_static("feature-policy"), &headers.feature_policy)?;
        if !headers.is_development {
            set(&mut tls_only, header::PUBLIC_KEY_PINS, &headers.public_key)?;
            let list = if headers.force_sts_header { &mut always } else { &mut tls_only };
            set(list, header::STRICT_TRANSPORT_SECURITY, &sts(headers))?;
        }
        let tls_proxy_headers = headers.ssl_proxy_headers.iter();
        Ok(Self {
            always,
            tls_only,
            allowed_hosts: if headers.is_development { Vec::new() } else { headers.allowed_hosts.clone() },
            host_headers: headers
                .hosts_proxy_headers
                .iter()
                .map(|text| name(text))
                .collect::<Result<_, _>>()?,
            tls_proxy_headers: tls_proxy_headers
                .map(|(header, value)| Ok((name(header)?, value.clone())))
                .collect::<Result<_, BuildError>>()?,
        })
    }

    pub(super) fn comes_from_tls_proxy(&self, request: &Request) -> bool {
        self.tls_proxy_headers
            .iter()
            .any(|(name, value)| request.headers().get(name).is_some_and(|found| *found == **value))
    }

    pub(super) fn allows_host(&self, request: &Request) -> bool {
        if self.allowed_hosts.is_empty() {
            return true;
        }
        let value = |name: &HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok());
        let host = self.host_headers.iter().find_map(value).or_else(|| value(&header::HOST));
        host.is_some_and(|host| {
            self.allowed_hosts.iter().any(|allowed| {
                allowed.eq_ignore_ascii_case(host) || allowed.eq_ignore_ascii_case(&normalize_host(host))
            })
        })
    }

    pub(super) fn apply(&self, is_tls: bool, headers: &mut HeaderMap) {
        let tls_only = if is_tls { self.tls_only.as_slice() } else { &[] };
        for (name, value) in self.always.iter().chain(tls_only) {
            headers.insert(name, value.clone());
        }
    }
}

fn sts(headers: &Headers) -> String {
    if headers.sts_seconds == 0 {
        return String::new();
    }
    let subdomains = if headers.sts_include_subdomains { "; includeSubDomains" } else { "" };
    let preload = if headers.sts_preload { "; preload" } else { "" };
    format!("max-age={}{subdomains}{preload}", headers.sts_seconds)
}
