//! A query's pipeline for entries that come one by one: tailing, deleting, looking at fields.

use std::borrow::Cow;

use model::{Labels, Matcher, Nanos};

use super::label_sets::LabelSets;
use super::{Engine, EngineError, EntryLabelSet};
use crate::pipeline::{Entry, EntryLabels, Hints, Pipeline};
use crate::syntax::{Expr, LogExpr, ParseError, parse};

/// Runs a log query's pipeline over single entries.
pub struct Processor {
    log: LogExpr,
    pipeline: Pipeline,
    labels: EntryLabels,
    stream: Option<Labels>,
    is_selected: bool,
}

/// What a pipeline makes of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Processed {
    /// The line, perhaps rewritten.
    pub line: String,
    /// Its labels.
    pub labels: EntryLabelSet,
}

impl Engine {
    /// The pipeline of a log query, for entries that come one by one.
    ///
    /// # Errors
    /// Those of the query; a metric query is refused.
    pub fn processor(&self, query: &str) -> Result<Processor, EngineError> {
        let Expr::Log(log) = parse(query)? else {
            return Err(ParseError::new("only log selector is supported").into());
        };
        let pipeline = Pipeline::compile(&log.stages, &self.functions)?;
        Ok(Processor {
            log,
            pipeline,
            labels: EntryLabels::new(Hints::all()),
            stream: None,
            is_selected: false,
        })
    }
}

impl Processor {
    /// The query's conditions on stream labels.
    pub fn matchers(&self) -> &[Matcher] {
        &self.log.matchers
    }

    /// What the query makes of an entry; `None` where it leaves it out. Entries of one stream in a row cost less.
    pub fn process(
        &mut self,
        stream: &Labels,
        timestamp: Nanos,
        line: &str,
        metadata: &Labels,
    ) -> Option<Processed> {
        if self.stream.as_ref() != Some(stream) {
            self.is_selected =
                self.log.matchers.iter().all(|matcher| matcher.matches(stream.value(matcher.name())));
            self.labels.set_stream(stream);
            self.stream = Some(stream.clone());
        }
        if !self.is_selected || !self.pipeline.passes(line) {
            return None;
        }
        self.labels.start(Some(metadata));
        let mut entry = Entry { timestamp, line: Cow::Borrowed(line) };
        if !self.pipeline.run(&mut entry, &mut self.labels) {
            return None;
        }
        Some(Processed { line: entry.line.into_owned(), labels: LabelSets::one(&self.labels) })
    }
}

#[cfg(test)]
mod tests {
    use model::Labels;

    use crate::engine::{Engine, EngineOptions};

    #[test]
    fn entries_pass_one_by_one() {
        let mut processor = Engine::new(EngineOptions::default())
            .processor(r#"{app="a"} |= "x" | logfmt | n > 1"#)
            .expect("a pipeline");
        let stream = Labels::from_pairs([("app", "a")]);
        let other = Labels::from_pairs([("app", "b")]);
        let metadata = Labels::from_pairs([("user", "u")]);
        let processed = processor.process(&stream, 0, "x n=2", &metadata).expect("passes");
        assert_eq!(processed.line, "x n=2");
        assert_eq!(processed.labels.stream, stream);
        assert_eq!(processed.labels.metadata, metadata);
        assert_eq!(processed.labels.parsed.value("n"), "2");
        assert_eq!(processor.process(&stream, 0, "x n=1", &metadata), None);
        assert_eq!(processor.process(&stream, 0, "n=2", &metadata), None);
        assert_eq!(processor.process(&other, 0, "x n=2", &metadata), None);
        assert!(processor.process(&stream, 0, "x n=3", &metadata).is_some());
        assert_eq!(processor.matchers().len(), 1);
    }

    #[test]
    fn metric_queries_have_no_processor() {
        let error = Engine::new(EngineOptions::default()).processor(r#"rate({app="a"}[1m])"#);
        assert!(error.is_err());
    }
}
