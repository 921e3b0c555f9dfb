//! Apache's common log format, and Traefik's fields after it.

use std::{fmt::Write, time::Duration};

use http::header;
use jiff::{Timestamp, tz::TimeZone};
use middleware::Facts;

use crate::observe::Exchange;

/// `host - user [time] "METHOD path PROTO" status size "referer" "agent"`, and with a count: ` count "router" "server" Nms`.
pub(super) fn line(exchange: &Exchange, facts: &Facts, duration: Duration, count: Option<u64>) -> String {
    let request = &exchange.facts;
    let time = Timestamp::try_from(exchange.started_at).unwrap_or_default();
    let header = |name: header::HeaderName| {
        request.headers.get(name).map_or("-", |value| value.to_str().unwrap_or("-"))
    };
    let mut line = String::with_capacity(256);
    let _ = write!(
        line,
        "{} - {} [{}] \"{} {} {}\" {} {} {} {}",
        request.client.address.ip(),
        facts.user.as_deref().map_or_else(|| "-".to_owned(), plain),
        time.to_zoned(TimeZone::system()).strftime("%d/%b/%Y:%H:%M:%S %z"),
        request.method,
        plain(&request.target),
        request.version,
        exchange.status,
        exchange.response_bytes,
        quoted(header(header::REFERER)),
        quoted(header(header::USER_AGENT)),
    );
    if let Some(count) = count {
        let _ = write!(
            line,
            " {count} {} {} {}ms",
            quoted(facts.router.as_deref().unwrap_or("-")),
            quoted(facts.server.as_deref().unwrap_or("-")),
            duration.as_millis(),
        );
    }
    line
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", plain(text))
}

/// Without what would end a field or a line.
fn plain(text: &str) -> String {
    text.chars()
        .flat_map(|c| match c {
            '"' | '\\' => ['\\', c].into_iter().take(2),
            c if c.is_control() => ['?', '?'].into_iter().take(1),
            c => [c, c].into_iter().take(1),
        })
        .collect()
}
