//! logfmt lines: `ts=2026-01-02T03:04:05.678Z level=info component=metricsd target=tsdb::wal msg="…" key=value`.

use std::fmt::{self, Write};

use jiff::Timestamp;
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    field::RecordFields,
    fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields, format::Writer},
    registry::LookupSpan,
};

/// Writes one event as one line.
#[derive(Debug)]
pub(super) struct Logfmt;

/// Writes a span's fields as ` key=value …`.
#[derive(Debug)]
pub(super) struct LogfmtFields;

impl<S, N> FormatEvent<S, N> for Logfmt
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'w> FormatFields<'w> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let level = event.metadata().level().as_str().to_ascii_lowercase();
        write!(writer, "ts={:.3} level={level}", Timestamp::now())?;
        for span in context.event_scope().into_iter().flat_map(|scope| scope.from_root()) {
            if let Some(fields) = span.extensions().get::<FormattedFields<N>>() {
                writer.write_str(fields)?;
            }
        }
        write!(writer, " target={}", event.metadata().target())?;
        // The message comes first, whatever the order of the call.
        let mut message = Pairs { out: String::new(), only_message: Some(true) };
        event.record(&mut message);
        let mut fields = Pairs { out: String::new(), only_message: Some(false) };
        event.record(&mut fields);
        writeln!(writer, "{}{}", message.out, fields.out)
    }
}

impl<'w> FormatFields<'w> for LogfmtFields {
    fn format_fields<R: RecordFields>(&self, mut writer: Writer<'w>, fields: R) -> fmt::Result {
        let mut pairs = Pairs { out: String::new(), only_message: None };
        fields.record(&mut pairs);
        writer.write_str(&pairs.out)
    }
}

struct Pairs {
    out: String,
    only_message: Option<bool>,
}

impl Pairs {
    fn pair(&mut self, name: &str, value: &str) {
        if self.only_message.is_some_and(|only| only != (name == "message")) {
            return;
        }
        let name = if name == "message" { "msg" } else { name };
        let _ = write!(self.out, " {name}=");
        let bare =
            !value.is_empty() && value.bytes().all(|b| b > b' ' && !matches!(b, b'"' | b'=' | b'\\' | 0x7f));
        if bare {
            self.out.push_str(value);
        } else {
            // Escapes quotes, backslashes and every control character, so that one event stays one line.
            let _ = write!(self.out, "{value:?}");
        }
    }
}

impl Visit for Pairs {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.pair(field.name(), &format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.pair(field.name(), value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.pair(field.name(), &crate::report(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_quoted_where_needed() {
        let check = |value: &str, want: &str| {
            let mut pairs = Pairs { out: String::new(), only_message: None };
            pairs.pair("k", value);
            assert_eq!(pairs.out, want);
        };
        check("plain/value:1", " k=plain/value:1");
        check("two words", " k=\"two words\"");
        check("a\nlevel=error", " k=\"a\\nlevel=error\"");
        check("", " k=\"\"");
    }
}
