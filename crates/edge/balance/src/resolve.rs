//! From host names to addresses.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
};

use tokio::net::lookup_host;

/// Names whose address is known without asking the system. For runs outside of the network that the configuration was written for: tests,
/// a trial on a laptop.
#[derive(Debug, Clone, Default)]
pub struct Hosts(HashMap<String, SocketAddr>);

impl Hosts {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whatever the port, `host` is at `address`.
    pub fn insert(&mut self, host: impl Into<String>, address: SocketAddr) {
        self.0.insert(host.into().to_ascii_lowercase(), address);
    }

    /// The addresses of a host, at least one.
    pub(crate) async fn lookup(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        if let Some(address) = self.0.get(host) {
            return Ok(vec![*address]);
        }
        if let Ok(address) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        let addresses: Vec<_> = lookup_host((host, port)).await?.collect();
        if addresses.is_empty() {
            return Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address"));
        }
        Ok(addresses)
    }
}

impl FromIterator<(String, SocketAddr)> for Hosts {
    fn from_iter<I: IntoIterator<Item = (String, SocketAddr)>>(entries: I) -> Self {
        let mut hosts = Self::new();
        for (host, address) in entries {
            hosts.insert(host, address);
        }
        hosts
    }
}
