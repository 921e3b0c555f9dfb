//! However many threads there are: the same answers, and the same ends of what goes wrong.

use std::panic::{AssertUnwindSafe, catch_unwind};

use model::{Columns, Matcher, Millis};
use prometheus_client::registry::Registry;
use storage::{LabelQuery, Querier, QueryError, Queryable, SelectHints, SeriesReader, SeriesSet};

use crate::{
    Engine, EngineError, EngineOptions, QueryOptions, QueryResult,
    memory::{MemoryStorage, series_labels},
    syntax::ParserOptions,
};

const MINUTE: Millis = 60_000;
const SERIES: usize = 1000;

fn engine(helper_threads: usize, max_samples: usize) -> Engine {
    let syntax = ParserOptions::all();
    let options = EngineOptions { helper_threads, max_samples, syntax, ..EngineOptions::default() };
    Engine::new(options, &mut Registry::default())
}

fn series() -> MemoryStorage {
    let mut storage = MemoryStorage::new();
    for series in 0..SERIES {
        let labels = series_labels(
            "m_total",
            [("i", series.to_string()), ("job", (series % 7).to_string())]
                .iter()
                .map(|(n, v)| (*n, v.as_str())),
        );
        for step in 0..=30 {
            storage.push(&labels, step * MINUTE, (step * (series % 13) as i64) as f64 * 0.1);
        }
    }
    storage
}

fn range(engine: &Engine, storage: &dyn Queryable, query: &str) -> Result<QueryResult, EngineError> {
    engine.range(storage, query, (0, 30 * MINUTE, MINUTE), &QueryOptions::default())
}

#[test]
fn threads_change_no_answer() {
    let storage = series();
    let (alone, helped) = (engine(0, 1_000_000), engine(3, 1_000_000));
    for query in [
        "m_total",
        "sum by (job) (rate(m_total[5m]))",
        "avg(m_total)",
        "topk(3, increase(m_total[3m]))",
        "limitk(5, m_total)",
        "max_over_time(sum(rate(m_total[2m]))[5m:1m])",
        "m_total + on (i) m_total",
    ] {
        let (one, many) = (range(&alone, &storage, query).unwrap(), range(&helped, &storage, query).unwrap());
        assert_eq!(one.value, many.value, "{query}");
        assert_eq!(one.infos, many.infos, "{query}");
        assert_eq!(one.stats.total_queryable_samples, many.stats.total_queryable_samples, "{query}");
        assert_eq!(one.stats.samples_read, many.stats.samples_read, "{query}");
    }
}

#[test]
fn what_comes_behind_can_end_it() {
    let storage = series();
    let error = range(&engine(3, 10_000), &storage, "m_total").unwrap_err();
    assert!(matches!(error, EngineError::TooManySamples), "{error}");
    range(&engine(3, 10_000), &storage, "sum(m_total)").unwrap();
}

/// What a reader does when it comes to its series.
#[derive(Clone, Copy)]
enum Fault {
    Error,
    Panic,
}

/// A storage of which one series cannot be read.
struct Faulty {
    storage: MemoryStorage,
    fault: Fault,
}

struct FaultySet<'s> {
    set: Box<dyn SeriesSet + 's>,
    left: usize,
    fault: Fault,
}

struct FaultyReader(Fault);

impl Queryable for Faulty {
    fn querier(&self, min_time: Millis, max_time: Millis) -> Result<Box<dyn Querier>, QueryError> {
        let Self { storage, fault } = self;
        storage.querier(min_time, max_time)?;
        Ok(Box::new(Self { storage: storage.clone(), fault: *fault }))
    }
}

impl Querier for Faulty {
    fn select(&self, hints: &SelectHints, matchers: &[Matcher]) -> Result<Box<dyn SeriesSet>, QueryError> {
        let set = self.storage.select(hints, matchers)?;
        Ok(Box::new(FaultySet { set, left: SERIES / 2, fault: self.fault }))
    }

    fn label_names(&self, query: &LabelQuery) -> Result<Vec<String>, QueryError> {
        self.storage.label_names(query)
    }

    fn label_values(&self, name: &str, query: &LabelQuery) -> Result<Vec<String>, QueryError> {
        self.storage.label_values(name, query)
    }
}

impl SeriesSet for FaultySet<'_> {
    fn next(&mut self) -> Option<Result<storage::Series, QueryError>> {
        let mut next = self.set.next()?;
        if let (Ok(series), 0) = (&mut next, self.left) {
            series.samples = Box::new(FaultyReader(self.fault));
        }
        self.left = self.left.wrapping_sub(1);
        Some(next)
    }
}

impl SeriesReader for FaultyReader {
    fn read(
        &mut self,
        _min_time: Millis,
        _max_time: Millis,
        _columns: &mut Columns,
    ) -> Result<(), QueryError> {
        match self.0 {
            Fault::Error => {
                Err(QueryError::Read { what: "half of it".to_owned(), source: "the disk is gone".into() })
            }
            Fault::Panic => panic!("a reader panics"),
        }
    }
}

#[test]
fn an_error_ends_the_query() {
    let storage = Faulty { storage: series(), fault: Fault::Error };
    for helpers in [0, 3] {
        let error = range(&engine(helpers, 1_000_000), &storage, "sum(m_total)").unwrap_err();
        assert!(matches!(error, EngineError::Storage(_)), "{error}");
    }
}

#[test]
fn a_panic_of_any_thread_is_one_of_the_caller() {
    let storage = Faulty { storage: series(), fault: Fault::Panic };
    let engine = engine(3, 1_000_000);
    // Which thread meets it is chance.
    for _ in 0..20 {
        let run = AssertUnwindSafe(|| range(&engine, &storage, "sum(m_total)"));
        assert!(catch_unwind(run).is_err());
    }
    range(&engine, &storage.storage, "sum(m_total)").unwrap();
}
