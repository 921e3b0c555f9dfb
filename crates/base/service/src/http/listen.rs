//! Listen addresses as Go programs take them.

use std::{io, net::SocketAddr};

use tokio::net::{TcpListener, lookup_host};

/// The socket addresses to try, in order, for `host:port`, `:port` (every interface, IPv6 and IPv4) or `[v6]:port`.
pub async fn resolve_listen_address(address: &str) -> io::Result<Vec<SocketAddr>> {
    if let Some(port) = address.strip_prefix(':') {
        let port: u16 = port.parse().map_err(|_| {
            io::Error::new(io::ErrorKind::InvalidInput, format!("not a port number: {port:?}"))
        })?;
        return Ok(vec![
            (std::net::Ipv6Addr::UNSPECIFIED, port).into(),
            (std::net::Ipv4Addr::UNSPECIFIED, port).into(),
        ]);
    }
    Ok(lookup_host(address).await?.collect())
}

/// Binds the first of the addresses that can be bound. A port in use is an error at once: the next address would hide it.
pub(crate) async fn bind(address: &str) -> io::Result<TcpListener> {
    let mut last = io::Error::new(io::ErrorKind::AddrNotAvailable, "the address has no socket address");
    for candidate in resolve_listen_address(address).await? {
        match TcpListener::bind(candidate).await {
            Ok(listener) => return Ok(listener),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Err(error),
            Err(error) => last = error,
        }
    }
    Err(last)
}
