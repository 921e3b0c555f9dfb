//! `stackctl query …`: asks a running server.

mod tree;

use std::{path::PathBuf, time::Duration};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use client::{ClientOptions, HttpClient, HttpClientConfig, read_body};
use config::SourceFile;
use http::Method;
use serde::Deserialize;
use url::Url;

/// An answer is small: the samples are in it, but it is a person who reads what the operators did.
const MAX_ANSWER: usize = 256 << 20;
/// The longest that a query may take.
const TIMEOUT: Duration = Duration::from_secs(600);

#[derive(Debug, Subcommand)]
pub(crate) enum Query {
    /// Run a query and show what each of its operators did and took.
    ///
    /// It runs over a range where --start and --end say so, and at one moment else. For each operator: the time without its inputs, its
    /// share of all, series and samples it handed on, samples read from the storage, and the size of its rows.
    Explain(Explain),
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// Where the server is.
    #[arg(long, default_value = "http://localhost:9090", value_name = "URL")]
    url: Url,

    /// A file with `basic_auth`, `tls_config` and the like, as promtool takes it.
    #[arg(long = "http.config.file", value_name = "FILE")]
    http_config: Option<PathBuf>,

    /// The moment, as Unix time or RFC 3339; now, if not given.
    #[arg(long, conflicts_with_all = ["start", "end"], value_name = "TIME")]
    time: Option<String>,

    /// The begin of a range.
    #[arg(long, requires = "end", value_name = "TIME")]
    start: Option<String>,

    /// The end of the range.
    #[arg(long, requires = "start", value_name = "TIME")]
    end: Option<String>,

    /// The distance between the moments of a range.
    #[arg(long, requires = "start", default_value = "1m", value_name = "DURATION")]
    step: String,

    /// The query.
    query: String,
}

/// An answer of the API, as far as it is looked at.
#[derive(Debug, Deserialize)]
struct Answer {
    status: String,
    #[serde(default)]
    error: String,
    data: Option<Data>,
}

#[derive(Debug, Deserialize)]
struct Data {
    explain: Option<tree::Operator>,
}

/// Prints what was asked for.
pub(crate) fn run(what: &Query) -> anyhow::Result<bool> {
    match what {
        Query::Explain(explain) => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            print!("{}", tree::render(&runtime.block_on(explain.ask())?));
            Ok(true)
        }
    }
}

impl Explain {
    async fn ask(&self) -> anyhow::Result<tree::Operator> {
        let response = self.client()?.request(Method::POST, self.endpoint()?)?.form(&self.parameters());
        let response = response.send().await.with_context(|| format!("cannot reach {}", self.url))?;
        let status = response.status();
        let body = read_body(response, MAX_ANSWER).await?;
        let Ok(answer) = serde_json::from_slice::<Answer>(&body) else {
            bail!("{} answers {status}, and no answer to a query", self.url);
        };
        if answer.status != "success" {
            bail!("{}", answer.error);
        }
        let explained = answer.data.and_then(|data| data.explain);
        explained.with_context(|| format!("{} does not explain queries; metricsd does", self.url))
    }

    fn client(&self) -> anyhow::Result<HttpClient> {
        // Only the first has an effect, and there is no other.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let (config, folder) = match &self.http_config {
            Some(path) => {
                let config: HttpClientConfig = SourceFile::read(path)?.parse()?;
                (config, path.parent().map(PathBuf::from).unwrap_or_default())
            }
            None => (HttpClientConfig::default(), PathBuf::new()),
        };
        let user_agent = format!("stackctl/{}", env!("CARGO_PKG_VERSION"));
        Ok(HttpClient::new(&config, &ClientOptions { timeout: TIMEOUT, user_agent, base_dir: folder })?)
    }

    fn endpoint(&self) -> anyhow::Result<Url> {
        let name = if self.start.is_some() { "query_range" } else { "query" };
        let mut url = self.url.clone();
        let path = format!("{}/api/v1/{name}", url.path().trim_end_matches('/'));
        url.set_path(&path);
        Ok(url)
    }

    fn parameters(&self) -> Vec<(&'static str, &str)> {
        let mut parameters = vec![("query", self.query.as_str()), ("explain", "true")];
        match (&self.start, &self.end) {
            (Some(start), Some(end)) => {
                parameters.extend([("start", start.as_str()), ("end", end), ("step", &self.step)]);
            }
            _ => parameters.extend(self.time.as_deref().map(|time| ("time", time))),
        }
        parameters
    }
}
