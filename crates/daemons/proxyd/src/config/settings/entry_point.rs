//! What an entry point's section means.

use std::{collections::BTreeMap, net::IpAddr, time::Duration};

use ::config::Warnings;
use router::IpRange;

use crate::config::{
    dynamic_file::RouterTls,
    static_file::{EncodedCharactersFile, EntryPointFile},
};

/// The highest priority a router may have.
const MAX_PRIORITY: i64 = i64::MAX;
/// Smallest limit for headers that the HTTP library takes, in bytes.
const MIN_HEADER_BYTES: usize = 8192;

/// An address that is listened on for HTTP, plain and encrypted.
#[derive(Debug)]
pub(crate) struct EntryPoint {
    pub(crate) name: String,
    /// `host:port` or `:port`.
    pub(crate) address: String,
    pub(crate) is_default: bool,
    /// Prepended to the middlewares of every router.
    pub(crate) middlewares: Vec<String>,
    /// For routers that say nothing of TLS.
    pub(crate) tls: Option<RouterTls>,
    pub(crate) redirection: Option<Redirection>,
    /// Peers whose `X-Forwarded-*` are believed.
    pub(crate) trusted: Trusted,
    pub(crate) read_timeout: Option<Duration>,
    pub(crate) idle_timeout: Option<Duration>,
    pub(crate) accept_grace: Duration,
    pub(crate) drain_deadline: Duration,
    pub(crate) keep_alive_max_requests: Option<u64>,
    pub(crate) keep_alive_max_time: Option<Duration>,
    pub(crate) max_header_bytes: usize,
    pub(crate) max_streams: u32,
    pub(crate) sanitizes_path: bool,
    pub(crate) forbidden_encodings: Vec<&'static str>,
    pub(crate) underscore_headers: UnderscoreHeaders,
    pub(crate) logs_access: bool,
    pub(crate) is_measured: bool,
    /// As in the file, for the API.
    pub(crate) shape: EntryPointFile,
}

#[derive(Debug)]
pub(crate) enum Trusted {
    Everyone,
    These(Vec<IpRange>),
}

/// Everything goes to another entry point.
#[derive(Debug)]
pub(crate) struct Redirection {
    /// Name of the other entry point, for the router's name.
    pub(crate) to: String,
    pub(crate) port: String,
    pub(crate) scheme: String,
    pub(crate) permanent: bool,
    pub(crate) priority: i64,
}

/// What happens to headers with an underscore in their name, which some servers take for a hyphen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UnderscoreHeaders {
    Keep,
    Delete,
    Reject,
}

impl EntryPoint {
    /// `None` for an entry point of a kind that is not there yet; it was warned of.
    pub(super) fn check(
        name: &str,
        shape: &EntryPointFile,
        all: &BTreeMap<String, EntryPointFile>,
        warnings: &mut Warnings,
    ) -> Result<Option<Self>, String> {
        let address = match shape.address.split_once('/') {
            None => shape.address.as_str(),
            Some((address, "tcp")) => address,
            Some((_, "udp")) => {
                warnings
                    .push(format!("entryPoints.{name}"), "not supported yet: UDP, the address is not bound");
                return Ok(None);
            }
            Some((_, protocol)) => return Err(format!("invalid protocol {protocol:?}, expected tcp or udp")),
        };
        if port_of(address).is_none() {
            return Err(format!("address: expected [host]:port, found {address:?}"));
        }
        if shape.proxy_protocol.as_ref().is_some_and(|proxy| proxy.insecure || !proxy.trusted_ips.is_empty())
        {
            return Err("not supported yet: proxyProtocol".to_owned());
        }
        let forwarded = &shape.forwarded_headers;
        let unused = [
            ("http3", shape.http3.is_some(), "clients are served over TCP"),
            ("reusePort", shape.reuse_port, "the port is bound once"),
            (
                "transport.respondingTimeouts.writeTimeout",
                !shape.transport.responding_timeouts.write_timeout.0.is_zero(),
                "answers may take as long as they do",
            ),
            (
                "forwardedHeaders.notAppendXForwardedFor",
                forwarded.not_append_x_forwarded_for,
                "it is appended",
            ),
            (
                "forwardedHeaders.addXForwardedSchemeHeaders",
                forwarded.add_x_forwarded_scheme_headers,
                "only X-Forwarded-Proto is set",
            ),
            ("http.encodeQuerySemicolons", shape.http.encode_query_semicolons, "queries pass as they are"),
        ];
        for (key, is_set, instead) in unused {
            if is_set {
                warnings.push(format!("entryPoints.{name}.{key}"), format!("not supported yet: {instead}"));
            }
        }
        let trusted = if forwarded.insecure {
            Trusted::Everyone
        } else {
            let parse = |text: &String| {
                text.trim().parse().map_err(|error| format!("forwardedHeaders.trustedIPs: {error}"))
            };
            Trusted::These(forwarded.trusted_ips.iter().map(parse).collect::<Result<_, _>>()?)
        };
        let limit = |duration: ::config::GoDuration| (!duration.0.is_zero()).then_some(duration.0);
        let timeouts = &shape.transport.responding_timeouts;
        let observed = |pick: fn(&crate::config::static_file::ObservabilityFile) -> Option<bool>| {
            shape.observability.as_ref().and_then(pick).unwrap_or(true)
        };
        Ok(Some(Self {
            name: name.to_owned(),
            address: address.to_owned(),
            is_default: shape.as_default,
            middlewares: shape.http.middlewares.clone(),
            tls: shape.http.tls.clone(),
            redirection: Redirection::check(shape, all)?,
            trusted,
            read_timeout: limit(timeouts.read_timeout),
            idle_timeout: limit(timeouts.idle_timeout),
            accept_grace: shape.transport.life_cycle.request_accept_grace_timeout.0,
            drain_deadline: shape.transport.life_cycle.grace_time_out.0,
            keep_alive_max_requests: Some(shape.transport.keep_alive_max_requests).filter(|most| *most > 0),
            keep_alive_max_time: limit(shape.transport.keep_alive_max_time),
            max_header_bytes: usize::try_from(shape.http.max_header_bytes)
                .unwrap_or(usize::MAX)
                .clamp(MIN_HEADER_BYTES, 64 << 20),
            max_streams: shape.http2.max_concurrent_streams.max(1),
            sanitizes_path: shape.http.sanitize_path,
            forbidden_encodings: forbidden_encodings(shape.http.encoded_characters.as_ref()),
            underscore_headers: match shape.http.underscore_headers_strategy.as_str() {
                "" | "keep" => UnderscoreHeaders::Keep,
                "delete" => UnderscoreHeaders::Delete,
                "reject" => UnderscoreHeaders::Reject,
                other => {
                    return Err(format!(
                        "http.underscoreHeadersStrategy: unknown value {other:?}, expected keep, delete or reject"
                    ));
                }
            },
            logs_access: observed(|file| file.access_logs),
            is_measured: observed(|file| file.metrics),
            shape: shape.clone(),
        }))
    }
}

impl EntryPoint {
    /// Whether the peer's `X-Forwarded-*` are believed.
    pub(crate) fn trusts(&self, peer: IpAddr) -> bool {
        match &self.trusted {
            Trusted::Everyone => true,
            Trusted::These(ranges) => ranges.iter().any(|range| range.contains(peer)),
        }
    }
}

impl Redirection {
    fn check(shape: &EntryPointFile, all: &BTreeMap<String, EntryPointFile>) -> Result<Option<Self>, String> {
        let entry_point = shape.http.redirections.as_ref().and_then(|file| file.entry_point.as_ref());
        let Some(file) = entry_point else { return Ok(None) };
        let key = "http.redirections.entryPoint.to";
        let (to, port) = match file.to.strip_prefix(':') {
            Some(port) => (port.to_owned(), port.to_owned()),
            None => {
                let target =
                    all.get(&file.to).ok_or_else(|| format!("{key}: unknown entry point {:?}", file.to))?;
                let address = target.address.split('/').next().unwrap_or_default();
                let port = port_of(address).ok_or_else(|| format!("{key}: {:?} has no port", file.to))?;
                (file.to.clone(), port.to_string())
            }
        };
        Ok(Some(Self {
            to,
            port,
            scheme: file.scheme.clone(),
            permanent: file.permanent,
            priority: file.priority.unwrap_or(MAX_PRIORITY - 1),
        }))
    }
}

fn port_of(address: &str) -> Option<u16> {
    address.rsplit_once(':')?.1.parse().ok()
}

/// Percent-encoded characters that lead to 400, lower case.
fn forbidden_encodings(file: Option<&EncodedCharactersFile>) -> Vec<&'static str> {
    let Some(file) = file else { return Vec::new() };
    let all = [
        ("%2f", file.allow_encoded_slash),
        ("%5c", file.allow_encoded_back_slash),
        ("%00", file.allow_encoded_null_character),
        ("%3b", file.allow_encoded_semicolon),
        ("%25", file.allow_encoded_percent),
        ("%3f", file.allow_encoded_question_mark),
        ("%23", file.allow_encoded_hash),
    ];
    all.into_iter().filter_map(|(encoding, is_allowed)| (!is_allowed).then_some(encoding)).collect()
}
