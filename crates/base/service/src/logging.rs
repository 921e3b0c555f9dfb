//! Log lines in logfmt or JSON, to standard error and, for a program that keeps its own, to a file of bounded size.

mod file;
mod logfmt;

use std::{io, path::PathBuf, str::FromStr};

use tracing_subscriber::{EnvFilter, Layer, fmt, layer::SubscriberExt, registry, util::SubscriberInitExt};

use file::RotatingFile;
use logfmt::{Logfmt, LogfmtFields};

/// How a daemon logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogOptions {
    /// `debug`, `info`, `warn`, `error`; also `target=level` lists, as in `RUST_LOG`.
    pub level: String,
    /// The form of a line.
    pub format: LogFormat,
}

/// The form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// `ts=… level=info component=metricsd msg="…" key=value`
    #[default]
    Logfmt,
    /// One JSON object a line.
    Json,
}

/// Where log lines go.
#[derive(Debug, Clone)]
pub enum LogTarget {
    /// Standard error.
    Stderr,
    /// A file, rotated once at 32 MiB, and nothing to standard error but warnings and errors.
    File(PathBuf),
}

impl Default for LogOptions {
    fn default() -> Self {
        Self { level: "info".into(), format: LogFormat::default() }
    }
}

impl FromStr for LogFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "logfmt" => Ok(Self::Logfmt),
            "json" => Ok(Self::Json),
            other => Err(format!("unknown log format {other:?}, expected logfmt or json")),
        }
    }
}

impl std::fmt::Display for LogFormat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Logfmt => "logfmt",
            Self::Json => "json",
        })
    }
}

/// Why logging cannot start.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The level is not one.
    #[error("invalid log level {level:?}")]
    Level {
        /// As given.
        level: String,
        /// The cause.
        source: tracing_subscriber::filter::ParseError,
    },
    /// The log file cannot be written.
    #[error("cannot open the log file `{}`", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The process logs already.
    #[error("logging is set up already")]
    Twice(#[source] tracing_subscriber::util::TryInitError),
}

/// Starts logging, once a process.
pub fn init(options: &LogOptions, target: LogTarget) -> Result<(), LogError> {
    // The peers write `warning` and upper case too.
    let level = options.level.to_ascii_lowercase();
    let level = if level == "warning" { "warn" } else { &level };
    let filter = || {
        EnvFilter::try_new(level)
            .map_err(|source| LogError::Level { level: options.level.clone(), source })
            .map(|filter| {
                // Libraries explain themselves at length below "warn".
                ["hyper=warn", "h2=warn", "rustls=warn", "sled=warn", "reqwest=warn", "tower=warn"]
                    .into_iter()
                    .filter_map(|directive| directive.parse().ok())
                    .fold(filter, EnvFilter::add_directive)
            })
    };
    let subscriber = match target {
        LogTarget::Stderr => {
            registry().with(layer(options.format, io::stderr).with_filter(filter()?).boxed()).with(None)
        }
        LogTarget::File(path) => {
            let file = RotatingFile::open(path.clone()).map_err(|source| LogError::File { path, source })?;
            let to_file = layer(options.format, file).with_filter(filter()?).boxed();
            let to_stderr =
                layer(options.format, io::stderr).with_filter(tracing_subscriber::filter::LevelFilter::WARN);
            registry().with(to_file).with(Some(to_stderr))
        }
    };
    subscriber.try_init().map_err(LogError::Twice)
}

fn layer<S, W>(format: LogFormat, writer: W) -> Box<dyn Layer<S> + Send + Sync>
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
    W: for<'w> fmt::MakeWriter<'w> + Send + Sync + 'static,
{
    let layer = fmt::layer().with_writer(writer).with_ansi(false);
    match format {
        LogFormat::Logfmt => layer.event_format(Logfmt).fmt_fields(LogfmtFields).boxed(),
        LogFormat::Json => {
            layer.json().flatten_event(true).with_current_span(true).with_span_list(false).boxed()
        }
    }
}
