//! How fast series are found among many.
//!
//! Each selector is counted by an instant query, so that the answer is one number. The cost of a count has two parts, finding the series
//! and reading a sample of each; selectors that nothing satisfies show the first part alone.

use std::time::{Duration, Instant};

use super::{Context, instant};
use crate::{
    load::{PATHS, Plan, SERVICES},
    progress::Progress,
    report::{Aim, Measure, Report, median},
    server::{Product, Server},
};

const GROUP_CPU: &str = "Finding series: CPU of a query";
const GROUP_TIME: &str = "Finding series: median time of a query";

/// `/proc` counts in hundredths of a second: short queries are asked for long enough to give many of them, long ones not for ever.
const AT_LEAST: Duration = Duration::from_secs(1);
const AT_MOST: Duration = Duration::from_secs(20);

/// Runs before the clock starts.
const WARM_UP: u32 = 3;

/// What is asked for.
fn selectors() -> Vec<String> {
    let job = SERVICES[5];
    let [_, login, items, _, _, _, _, search, ..] = PATHS;
    [
        // A list of values.
        format!(r#"job="{job}",path=~"{login}|{items}|{search}""#),
        // The same of one metric, and few series of it.
        format!(r#"__name__="http_requests_total",job="{job}",path=~"{login}|{items}|{search}",status="500",method="GET""#),
        // Nothing satisfies all of it, everything in part.
        format!(r#"job="{job}",path=~"{login}|{items}|{search}",status="404",le="1""#),
        // A prefix of few values, and one of many.
        format!(r#"job="{job}",path=~"/api/.*""#),
        r#"__name__="up",instance=~"10[.]1[.].*""#.to_owned(),
        // A part of many values.
        r#"__name__="up",pod=~".*[0-9]a[0-9].*""#.to_owned(),
        // Without a value, without a list, without a prefix.
        format!(r#"__name__="http_requests_total",job="{job}",status!="200""#),
        r#"__name__="up",job!~"auth|billing|cart""#.to_owned(),
        format!(r#"job="{job}",path!="",path!~"/api/.*""#),
    ]
    .map(|matchers| format!("{{{matchers}}}"))
    .into()
}

fn measure_of(group: &'static str, selector: &str) -> Measure {
    let aim = Aim::Within(0.2, Product::Prometheus);
    Measure { group, title: format!("`{selector}`").into(), unit: "ms", aim }
}

pub fn measures() -> Vec<Measure> {
    let of = |group| selectors().into_iter().map(move |selector| measure_of(group, &selector));
    of(GROUP_CPU).chain(of(GROUP_TIME)).collect()
}

/// Counts the series of each selector many times.
pub fn measure(
    context: &Context<'_>,
    server: &Server,
    plan: Plan,
    report: &mut Report,
) -> anyhow::Result<()> {
    let product = server.program.product;
    let selectors = selectors();
    let progress = Progress::new(format!("{product}: finding series"), selectors.len() as u64);
    let mut connection = server.connect()?;
    for selector in selectors {
        let query = format!("count({selector})");
        let mut ask = || instant(&mut connection, &query, plan.end);
        let mut found = None;
        for _ in 0..WARM_UP {
            found = ask()?;
        }
        report.answer(product, &query, found.unwrap_or_default());
        let mut times = Vec::new();
        let before = server.cpu()?;
        let start = Instant::now();
        while start.elapsed() < AT_MOST
            && (start.elapsed() < AT_LEAST || times.len() < context.options.queries as usize)
        {
            let sent = Instant::now();
            ask()?;
            times.push(sent.elapsed().as_secs_f64() * 1e3);
        }
        let cpu = (server.cpu()? - before).seconds() * 1e3 / times.len() as f64;
        report.add(product, &measure_of(GROUP_CPU, &selector), cpu);
        report.add(product, &measure_of(GROUP_TIME, &selector), median(&times).unwrap_or_default());
        progress.advance(1);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn selectors_are_different_and_name_what_there_is() {
        let selectors = selectors();
        let different: HashSet<_> = selectors.iter().collect();
        assert_eq!(different.len(), selectors.len());
        assert!(selectors[0].starts_with(r#"{job="checkout",path=~"/login|/api/v1/items|/api/v1/search"}"#));
        assert_eq!(measures().len(), 2 * selectors.len());
    }
}
