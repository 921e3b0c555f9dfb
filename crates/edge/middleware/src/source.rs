//! By what requests are told apart: `ipStrategy` and `sourceCriterion`.

use std::net::{IpAddr, Ipv6Addr};

use http::{HeaderName, header};
use router::IpRange;
use serde::{Deserialize, Serialize};

use crate::{BuildError, Client, Request};

/// Which address counts as the client's.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct IpStrategy {
    /// The n-th address from the right in `X-Forwarded-For`; 0 for the connection's.
    pub depth: usize,
    /// The first address from the right in `X-Forwarded-For` that is none of these. Without effect if `depth` is set.
    #[serde(rename = "excludedIPs", skip_serializing_if = "Vec::is_empty")]
    pub excluded_ips: Vec<String>,
    /// Bits of an IPv6 address that count, 1 to 128.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv6_subnet: Option<u8>,
}

/// What makes two requests of one source. At most one key may be set.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SourceCriterion {
    /// The client's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_strategy: Option<IpStrategy>,
    /// A header's value.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub request_header_name: String,
    /// The host that is asked for.
    pub request_host: bool,
}

/// An [`IpStrategy`] ready for use.
#[derive(Debug, Default)]
pub(crate) struct IpPicker {
    depth: usize,
    excluded: Vec<IpRange>,
    ipv6_subnet: Option<u8>,
}

/// A [`SourceCriterion`] ready for use.
#[derive(Debug)]
pub(crate) enum Source {
    Address(IpPicker),
    Header(HeaderName),
    Host,
}

impl IpPicker {
    pub(crate) fn new(strategy: &IpStrategy) -> Result<Self, BuildError> {
        if strategy.ipv6_subnet.is_some_and(|bits| bits == 0 || bits > 128) {
            return Err(BuildError::value("ipStrategy.ipv6Subnet", "not a number from 1 to 128"));
        }
        Ok(Self {
            depth: strategy.depth,
            excluded: parse_ranges("ipStrategy.excludedIPs", &strategy.excluded_ips)?,
            ipv6_subnet: strategy.ipv6_subnet,
        })
    }

    /// The client's address; `None` where the headers do not tell it.
    pub(crate) fn pick(&self, request: &Request) -> Option<IpAddr> {
        let address = if self.depth > 0 {
            forwarded_for(request).rev().nth(self.depth - 1)?.parse::<IpAddr>().ok()
        } else if self.excluded.is_empty() {
            request.extensions().get::<Client>().map(|client| client.address.ip())
        } else {
            forwarded_for(request)
                .rev()
                .filter_map(|text| text.parse::<IpAddr>().ok())
                .find(|address| !self.excluded.iter().any(|range| range.contains(*address)))
        }?;
        Some(match (address.to_canonical(), self.ipv6_subnet) {
            (IpAddr::V6(v6), Some(bits)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or_default();
                IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & mask))
            }
            (address, _) => address,
        })
    }
}

impl Source {
    /// `default` holds where the file names no criterion.
    pub(crate) fn new(criterion: Option<&SourceCriterion>, default: Self) -> Result<Self, BuildError> {
        let Some(SourceCriterion { ip_strategy, request_header_name, request_host }) = criterion else {
            return Ok(default);
        };
        let set = usize::from(ip_strategy.is_some())
            + usize::from(!request_header_name.is_empty())
            + usize::from(*request_host);
        if set > 1 {
            return Err(BuildError::value(
                "sourceCriterion",
                "iPStrategy, RequestHeaderName and RequestHost are mutually exclusive",
            ));
        }
        if let Some(strategy) = ip_strategy {
            return IpPicker::new(strategy).map(Self::Address);
        }
        if !request_header_name.is_empty() {
            return HeaderName::from_bytes(request_header_name.as_bytes())
                .map(Self::Header)
                .map_err(|error| BuildError::value("sourceCriterion.requestHeaderName", error));
        }
        Ok(if *request_host { Self::Host } else { default })
    }

    /// The source a request is of. Requests without one are of one together.
    pub(crate) fn of(&self, request: &Request) -> String {
        let header = |name: &HeaderName| {
            request.headers().get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        match self {
            Self::Address(picker) => picker.pick(request).map(|address| address.to_string()),
            Self::Header(name) => header(name),
            Self::Host => header(&header::HOST),
        }
        .unwrap_or_default()
    }
}

pub(crate) fn parse_ranges(key: &'static str, texts: &[String]) -> Result<Vec<IpRange>, BuildError> {
    texts.iter().map(|text| text.trim().parse().map_err(|error| BuildError::value(key, error))).collect()
}

fn forwarded_for(request: &Request) -> impl DoubleEndedIterator<Item = &str> {
    request
        .headers()
        .get_all("x-forwarded-for")
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .collect::<Vec<_>>()
        .into_iter()
}
