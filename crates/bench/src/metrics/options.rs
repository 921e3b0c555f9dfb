//! The command line of `bench metrics`.

use std::path::PathBuf;

use clap::{Args, ValueEnum, value_parser};

use crate::load::STEP;

/// Measure metricsd beside Prometheus and VictoriaMetrics.
///
/// Each server gets the same load on 127.0.0.1, in a folder that is removed at the end: one server at a time, except for queries.
/// The tables go to standard output, what is running to standard error.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// The program metricsd: a path, or a name in $PATH.
    #[arg(long, default_value = "target/release/metricsd", value_name = "FILE")]
    pub metricsd: PathBuf,

    /// The program Prometheus: a path, or a name in $PATH.
    #[arg(long, default_value = "prometheus", value_name = "FILE")]
    pub prometheus: PathBuf,

    /// The program VictoriaMetrics: a path, or a name in $PATH.
    #[arg(long, default_value = "victoria-metrics", value_name = "FILE")]
    pub victoria_metrics: PathBuf,

    /// Where data is kept meanwhile: some 10 GB at a time with the other options as they are.
    #[arg(long, default_value = "target/bench", value_name = "DIR")]
    pub dir: PathBuf,

    /// Parts to leave out. `memory` takes most of the time; `disk` needs `load`.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "PART,…")]
    pub skip: Vec<Part>,

    /// Series of the load, also of that which is queried.
    #[arg(long, default_value_t = 100_000, value_parser = at_least_a_target, value_name = "N")]
    pub load_series: usize,

    /// Samples of each series of the load, 15 seconds apart.
    #[arg(long, default_value_t = 240, value_parser = value_parser!(u32).range(1..=480), value_name = "N")]
    pub steps: u32,

    /// How often the load is repeated; the median counts.
    #[arg(long, default_value_t = 1, value_parser = value_parser!(u32).range(1..), value_name = "N")]
    pub repeat: u32,

    /// Series of the other parts.
    #[arg(long, default_value_t = 1_000_000, value_parser = at_least_a_target, value_name = "N")]
    pub series: usize,

    /// Samples of each series when memory is measured: 480 are two hours, after which servers begin to write blocks.
    #[arg(long, default_value_t = 480, value_parser = value_parser!(u32).range(1..=480), value_name = "N")]
    pub memory_steps: u32,

    /// Samples of each series that are replayed and matched.
    #[arg(long, default_value_t = 20, value_parser = value_parser!(u32).range(1..=480), value_name = "N")]
    pub replay_steps: u32,

    /// How often each selector is asked for, at least.
    #[arg(long, default_value_t = 50, value_parser = value_parser!(u32).range(1..), value_name = "N")]
    pub queries: u32,

    /// How often each query is timed; the median counts.
    #[arg(long, default_value_t = 7, value_parser = value_parser!(u32).range(1..), value_name = "N")]
    pub query_runs: u32,

    /// Connections of the load.
    #[arg(long, default_value_t = 4, value_parser = connections, value_name = "N")]
    pub connections: usize,

    /// Decides every value of the load.
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,

    /// Write the figures here as JSON.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,

    /// Write the tables here; in a page that has them, between `<!-- figures: begin -->` and `<!-- figures: end -->`,
    /// queries between `<!-- queries: begin -->` and `<!-- queries: end -->`.
    #[arg(long, value_name = "FILE")]
    pub markdown: Option<PathBuf>,
}

/// A part of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// CPU and memory of a load by remote write.
    Load,
    /// The size of that load on disk.
    Disk,
    /// Queries over that load.
    Query,
    /// Two hours of many series: memory.
    Memory,
    /// Starting again after a crash.
    Replay,
    /// Finding series.
    Match,
}

impl Options {
    /// Whether a part is to be run.
    pub fn wants(&self, part: Part) -> bool {
        !self.skip.contains(&part)
    }

    /// What a reader of the figures has to know.
    pub fn describe(&self) -> Vec<String> {
        let Self { load_series, steps, repeat, series, memory_steps, replay_steps, .. } = self;
        let mut settings = vec![self.describe_load()];
        let mut add = |part, text: String| settings.extend(self.wants(part).then_some(text));
        add(Part::Load, format!("load: {load_series} series, {steps} steps, median of {repeat}"));
        add(Part::Memory, format!("memory: {series} series, {memory_steps} steps"));
        add(Part::Replay, format!("start after a crash: {series} series, {replay_steps} steps"));
        add(Part::Match, format!("finding series: {series} series, {replay_steps} steps"));
        settings
    }

    /// The same for queries.
    pub fn describe_queries(&self) -> Vec<String> {
        let Self { load_series, steps, query_runs, .. } = self;
        let queries = format!("queries: {load_series} series, {steps} steps, median of {query_runs}");
        vec![self.describe_load(), queries]
    }

    fn describe_load(&self) -> String {
        let Self { connections, seed, .. } = self;
        format!("samples {} s apart, {connections} connections, seed {seed}", STEP / 1000)
    }
}

/// Whether samples have arrived is asked of a series that the last of a target's series is.
fn at_least_a_target(text: &str) -> Result<usize, String> {
    let least = crate::load::SERIES_PER_TARGET;
    match text.parse::<usize>() {
        Ok(series) if (least..=10_000_000).contains(&series) => Ok(series),
        _ => Err(format!("it must be a number from {least} to 10000000")),
    }
}

fn connections(text: &str) -> Result<usize, String> {
    match text.parse::<usize>() {
        Ok(connections @ 1..=64) => Ok(connections),
        _ => Err("it must be a number from 1 to 64".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    fn parse(arguments: &[&str]) -> Result<Options, clap::Error> {
        Line::try_parse_from(["bench"].iter().chain(arguments)).map(|line| line.options)
    }

    #[test]
    fn parts_can_be_left_out() {
        let options = parse(&["--skip", "memory,query", "--steps=12"]).unwrap();
        assert_eq!(options.skip, [Part::Memory, Part::Query]);
        assert!(options.wants(Part::Load) && !options.wants(Part::Query));
        assert_eq!(options.steps, 12);
        assert!(parse(&[]).unwrap().skip.is_empty());
        assert!(parse(&["--skip=everything"]).is_err());
    }

    #[test]
    fn numbers_have_bounds() {
        for wrong in [
            "--series=10",
            "--load-series=x",
            "--steps=0",
            "--memory-steps=481",
            "--query-runs=0",
            "--connections=0",
        ] {
            assert!(parse(&[wrong]).is_err(), "{wrong}");
        }
    }
}
