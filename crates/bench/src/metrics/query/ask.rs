//! Putting a question to servers in turn.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::Request;

use super::{
    answer::Answer,
    questions::{Question, Span},
};
use crate::{
    http::Connection,
    report::{self, Agreement, Cost, Report, median},
    server::{Product, Server},
};

/// A server whose runs have taken so long is not asked again, once there are enough of them to speak of.
const AT_MOST: Duration = Duration::from_secs(20);
const ENOUGH: usize = 2;

/// `/proc` counts in hundredths of a second: for their CPU, questions are asked for so long, each at least once.
const CPU_AT_LEAST: Duration = Duration::from_millis(400);

/// A server that is asked over one connection.
#[derive(Debug)]
pub struct Target {
    server: Server,
    connection: Connection,
}

/// What came of a question.
#[derive(Debug)]
pub struct Asked {
    question: Question,
    outcomes: BTreeMap<Product, anyhow::Result<Outcome>>,
}

#[derive(Debug)]
struct Outcome {
    answer: Answer,
    cost: Cost,
}

/// How far a server is with a question.
#[derive(Debug)]
struct Run<'a> {
    target: &'a mut Target,
    answer: Answer,
    times: Vec<Duration>,
}

// === impl Target ===

impl Target {
    pub fn new(server: Server) -> anyhow::Result<Self> {
        let connection = server.connect()?;
        Ok(Self { server, connection })
    }

    pub fn product(&self) -> Product {
        self.server.program.product
    }

    pub fn into_server(self) -> Server {
        self.server
    }

    /// Memory before a question, and at most while it is answered; bytes.
    pub fn peak(&mut self, request: &Request<Bytes>) -> anyhow::Result<(u64, u64)> {
        self.server.reset_peak()?;
        let before = self.server.memory()?.resident;
        self.connection.send(request)?.success()?;
        Ok((before, self.server.memory()?.peak))
    }

    /// Until all of the answer is there.
    fn time(&mut self, request: &Request<Bytes>) -> anyhow::Result<Duration> {
        let start = Instant::now();
        let answer = self.connection.send(request)?;
        let time = start.elapsed();
        answer.success()?;
        Ok(time)
    }

    /// CPU time of the server for one answer, milliseconds: the mean of many.
    fn cpu(&mut self, request: &Request<Bytes>) -> anyhow::Result<f64> {
        let before = self.server.cpu()?;
        let start = Instant::now();
        let mut count = 0;
        while start.elapsed() < CPU_AT_LEAST {
            self.connection.send(request)?.success()?;
            count += 1;
        }
        Ok((self.server.cpu()? - before).seconds() * 1e3 / f64::from(count.max(1)))
    }
}

/// Puts a question to all servers: once for the answer, then several times, in turns, for the time.
pub fn ask(question: &Question, span: Span, targets: &mut [Target], runs: u32) -> anyhow::Result<Asked> {
    let request = question.request(span)?;
    let mut outcomes = BTreeMap::new();
    let mut running = Vec::new();
    for target in targets {
        let product = target.product();
        match target.connection.send(&request).and_then(|answer| Answer::parse(&answer.data()?)) {
            Ok(answer) => running.push(Run { target, answer, times: Vec::new() }),
            Err(error) => _ = outcomes.insert(product, Err(error)),
        }
    }
    for _ in 0..runs {
        let mut still = Vec::new();
        for mut run in running {
            match run.advance(&request) {
                Ok(()) => still.push(run),
                Err(error) => _ = outcomes.insert(run.target.product(), Err(error)),
            }
        }
        running = still;
    }
    for run in running {
        outcomes.insert(run.target.product(), run.finish(&request));
    }
    Ok(Asked { question: *question, outcomes })
}

// === impl Run ===

impl Run<'_> {
    /// Asks once more, unless that has taken long enough.
    fn advance(&mut self, request: &Request<Bytes>) -> anyhow::Result<()> {
        if self.times.len() < ENOUGH || self.times.iter().sum::<Duration>() < AT_MOST {
            self.times.push(self.target.time(request)?);
        }
        Ok(())
    }

    fn finish(self, request: &Request<Bytes>) -> anyhow::Result<Outcome> {
        let times: Vec<f64> = self.times.iter().map(|time| time.as_secs_f64() * 1e3).collect();
        let time = median(&times).unwrap_or_default();
        Ok(Outcome { answer: self.answer, cost: Cost { time, cpu: self.target.cpu(request)? } })
    }
}

// === impl Asked ===

impl Asked {
    /// A line of the table, and whether answers agree if that is asked for; notes what is not as it should be.
    pub fn into_question(self, conditions: &str, compares: bool, report: &mut Report) -> report::Question {
        let name = self.question.name;
        let agreement = if compares { self.agreement() } else { Agreement::Unknown };
        if let Agreement::No(difference) = &agreement {
            report.note(Product::Metricsd, format_args!("{conditions}: {name}: {difference}"));
        }
        let size = self.outcomes.values().flatten().map(|outcome| outcome.answer.size()).next();
        let mut costs = BTreeMap::new();
        for (product, outcome) in &self.outcomes {
            match outcome {
                Ok(outcome) => _ = costs.insert(*product, outcome.cost),
                Err(error) => report.note(*product, format_args!("{conditions}: {name}: {error:#}")),
            }
        }
        report::Question {
            name,
            text: self.question.text(),
            size: size.unwrap_or_default(),
            costs,
            agreement,
        }
    }

    fn agreement(&self) -> Agreement {
        let answer = |product| Some(&self.outcomes.get(&product)?.as_ref().ok()?.answer);
        match (answer(Product::Prometheus), answer(Product::Metricsd)) {
            (Some(theirs), Some(ours)) => match theirs.difference(ours) {
                None => Agreement::Yes,
                Some(difference) => Agreement::No(difference.to_string()),
            },
            _ => Agreement::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;
    use serde_json::json;

    use super::*;
    use crate::{machine::Machine, metrics::query::questions::HEAVIEST};

    fn outcome(value: &str) -> anyhow::Result<Outcome> {
        let data = json!({"resultType": "vector", "result": [{"metric": {}, "value": [1, value]}]});
        Ok(Outcome { answer: Answer::parse(&data)?, cost: Cost { time: 1.0, cpu: 2.0 } })
    }

    /// What is made of two answers, and what is noted.
    fn line(
        prometheus: anyhow::Result<Outcome>,
        metricsd: anyhow::Result<Outcome>,
        compares: bool,
    ) -> (report::Question, Report) {
        let outcomes = [(Product::Prometheus, prometheus), (Product::Metricsd, metricsd)];
        let asked = Asked { question: HEAVIEST, outcomes: outcomes.into() };
        let mut report = Report::new(Machine::this(), Vec::new(), Vec::new());
        (asked.into_question("conditions", compares, &mut report), report)
    }

    #[test]
    fn answers_that_agree() {
        let (question, report) = line(outcome("1"), outcome("1.0"), true);
        assert_eq!(question.agreement, Agreement::Yes);
        assert_eq!(question.size, 1);
        assert_eq!(question.costs[&Product::Metricsd], Cost { time: 1.0, cpu: 2.0 });
        assert!(report.is_clean());
    }

    #[test]
    fn answers_that_do_not_agree_are_noted() {
        let (question, report) = line(outcome("1"), outcome("2"), true);
        assert_eq!(question.agreement, Agreement::No("1 other values (by up to 50.00 %)".to_owned()));
        assert!(
            report
                .markdown()
                .contains("- metricsd: conditions: range: histogram quantile by path (heavy): 1 other")
        );
    }

    #[test]
    fn where_answers_may_differ_nothing_is_said() {
        let (question, report) = line(outcome("1"), outcome("2"), false);
        assert_eq!(question.agreement, Agreement::Unknown);
        assert!(report.is_clean());
    }

    #[test]
    fn failures_are_noted() {
        let (question, report) = line(Err(anyhow!("no idea")), outcome("2"), true);
        assert_eq!(question.agreement, Agreement::Unknown);
        assert!(question.costs.keys().eq([&Product::Metricsd]));
        assert!(report.markdown().contains("- prometheus: conditions: range: histogram"));
    }
}
