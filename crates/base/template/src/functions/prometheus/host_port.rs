//! `host:port` texts.

use std::net::IpAddr;

/// The host without its port; the text itself if it has none.
pub(super) fn strip_port(text: &str) -> String {
    split(text).map_or(text, |(host, _)| host).to_owned()
}

/// The first label of the host, with the port if there is one. Addresses stay whole.
pub(super) fn strip_domain(text: &str) -> String {
    let (host, port) = split(text).unwrap_or((text, ""));
    if host.parse::<IpAddr>().is_ok() {
        return text.to_owned();
    }
    let host = host.split('.').next().unwrap_or(host);
    match port {
        "" => host.to_owned(),
        _ if host.contains(':') => format!("[{host}]:{port}"),
        _ => format!("{host}:{port}"),
    }
}

/// As Go's `net.SplitHostPort`; `None` where that fails.
fn split(text: &str) -> Option<(&str, &str)> {
    let (before, port) = text.rsplit_once(':')?;
    let host = match text.strip_prefix('[') {
        Some(inside) => {
            let (host, after) = inside.split_once(']')?;
            // The port must follow the bracket.
            if after.len() != port.len() + 1 || host.contains('[') {
                return None;
            }
            host
        }
        None if before.contains([':', '[', ']']) => return None,
        None => before,
    };
    (!port.contains(['[', ']'])).then_some((host, port))
}
