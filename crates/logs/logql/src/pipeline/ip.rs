//! `ip("…")`: addresses, ranges and networks, looked for in text.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What addresses are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IpPattern {
    Address(IpAddr),
    /// First and last, of one family.
    Range(IpAddr, IpAddr),
}

impl IpPattern {
    /// Reads `192.168.0.1`, `192.168.0.1-192.168.0.23`, `192.168.0.0/16` and the same of IPv6.
    pub fn new(text: &str) -> Result<Self, String> {
        Self::read(text).ok_or_else(|| format!("ip: invalid pattern: {}", model::quote(text)))
    }

    fn read(text: &str) -> Option<Self> {
        if let Ok(address) = text.parse() {
            return Some(Self::Address(address));
        }
        if let Some((address, bits)) = text.split_once('/') {
            return network(address.parse().ok()?, bits.parse().ok()?);
        }
        let (first, last) = text.split_once('-')?;
        let (first, last): (IpAddr, IpAddr) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        (first.is_ipv4() == last.is_ipv4() && first <= last).then_some(Self::Range(first, last))
    }

    fn contains(&self, address: IpAddr) -> bool {
        match self {
            Self::Address(wanted) => *wanted == address,
            Self::Range(first, last) => {
                first.is_ipv4() == address.is_ipv4() && *first <= address && address <= *last
            }
        }
    }

    /// Whether a wanted address stands somewhere in the text.
    pub fn is_in(&self, text: &str) -> bool {
        let bytes = text.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            let Some(length) = address_length(&bytes[at..]) else {
                at += 1;
                continue;
            };
            // All bytes of a candidate are ASCII.
            if let Some(address) = text.get(at..at + length).and_then(|text| text.parse().ok())
                && self.contains(address)
            {
                return true;
            }
            at += length + 1;
        }
        false
    }
}

fn network(address: IpAddr, bits: u32) -> Option<IpPattern> {
    match address {
        IpAddr::V4(address) => {
            let host = u32::MAX.checked_shr(bits).unwrap_or(0);
            let base = u32::from(address) & !host;
            (bits <= 32)
                .then(|| IpPattern::Range(Ipv4Addr::from(base).into(), Ipv4Addr::from(base | host).into()))
        }
        IpAddr::V6(address) => {
            let host = u128::MAX.checked_shr(bits).unwrap_or(0);
            let base = u128::from(address) & !host;
            (bits <= 128)
                .then(|| IpPattern::Range(Ipv6Addr::from(base).into(), Ipv6Addr::from(base | host).into()))
        }
    }
}

/// How long the run of characters is that may be an address, if one may begin here.
fn address_length(bytes: &[u8]) -> Option<usize> {
    let is_v4 = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
    let is_v6 = |byte: &u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.');
    let run = |fits: fn(&u8) -> bool| bytes.iter().position(|byte| !fits(byte)).unwrap_or(bytes.len());
    let digits = bytes.iter().take(3).take_while(|byte| byte.is_ascii_digit()).count();
    if digits > 0 && bytes.get(digits) == Some(&b'.') {
        return Some(run(is_v4));
    }
    let hex = bytes.iter().take(4).take_while(|byte| byte.is_ascii_hexdigit()).count();
    let is_v6_start = bytes.get(hex) == Some(&b':') && (hex > 0 || bytes.get(1) == Some(&b':'));
    is_v6_start.then(|| run(is_v6))
}
