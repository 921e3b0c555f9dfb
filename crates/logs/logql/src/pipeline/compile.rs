//! From stages as written to stages that run.

use streams::LineBatch;
use template::Functions;

use super::decolorize::Decolorize;
use super::drop_keep::{Drop, Keep};
use super::implied::Implied;
use super::json::Json;
use super::json_expr::JsonExpressions;
use super::label_filter::{self, LabelCondition};
use super::label_format::LabelFormat;
use super::line_filter::LineCondition;
use super::line_format::LineFormat;
use super::logfmt::{Logfmt, LogfmtExpressions};
use super::pattern_parser::PatternParser;
use super::regexp::Regexp;
use super::unpack::Unpack;
use super::{Entry, EntryLabels, Run, prefilter};
use crate::syntax::{ParseError, Stage, StageKind};

/// A compiled pipeline.
pub(crate) struct Pipeline {
    /// Filters on the line as it was stored.
    conditions: Vec<LineCondition>,
    /// What label filters say about the line as it was stored.
    implied: Vec<Implied>,
    stages: Vec<Box<dyn Run>>,
    requirements: Requirements,
}

/// What a pipeline reads.
#[derive(Debug, Clone, Default)]
pub(crate) struct Requirements {
    /// Labels that stages read, beside those that a parser makes of the line.
    pub labels: Vec<String>,
    /// Whether any stage looks at the line.
    pub line: bool,
}

impl Pipeline {
    /// Checks and compiles the stages of a query.
    ///
    /// # Errors
    /// Names the stage and what is wrong with it: a regular expression, a pattern, a template, a path, an address.
    pub fn compile(stages: &[Stage], functions: &Functions) -> Result<Self, ParseError> {
        let mut pipeline = Self {
            conditions: Vec::new(),
            implied: Implied::of(stages),
            stages: Vec::new(),
            requirements: Requirements::default(),
        };
        let mut line_is_stored = true;
        for stage in stages {
            pipeline.requirements.line |= reads_line(&stage.kind);
            if let StageKind::LineFilter(filter) = &stage.kind {
                let condition = LineCondition::new(filter).map_err(|error| stage_error(stage, &error))?;
                if condition.is_noop() {
                    continue;
                }
                // As long as no stage has rewritten the line, a filter may run before all of them.
                if line_is_stored {
                    pipeline.conditions.push(condition);
                } else {
                    pipeline.stages.push(Box::new(condition));
                }
                continue;
            }
            line_is_stored &= !rewrites_line(&stage.kind);
            let run = compile_stage(stage, functions, &mut pipeline.requirements.labels)?;
            pipeline.stages.push(run);
        }
        Ok(pipeline)
    }

    pub fn requirements(&self) -> &Requirements {
        &self.requirements
    }

    /// Whether [`Pipeline::rows`] does all there is to do: nothing looks at labels or changes anything.
    pub fn is_line_only(&self) -> bool {
        self.stages.is_empty()
    }

    /// The filters on stored lines that a store can use to skip what cannot match.
    pub fn store_filters(&self) -> Vec<streams::LineFilter> {
        self.conditions.iter().filter_map(LineCondition::for_store).collect()
    }

    /// Rows of the batch that pass the filters on stored lines, without those that label filters would drop anyway.
    pub fn rows(&self, batch: &LineBatch, rows: &mut Vec<u32>) {
        if self.conditions.is_empty() {
            rows.clear();
            rows.extend(0..u32::try_from(batch.len()).unwrap_or(u32::MAX));
        } else {
            prefilter::filter(&self.conditions, batch, rows);
        }
        for implied in &self.implied {
            implied.retain(batch, rows);
        }
    }

    /// Whether a single line passes the filters on stored lines.
    pub fn passes(&self, line: &str) -> bool {
        self.conditions.iter().all(|condition| condition.passes(line.as_bytes()))
    }

    /// Runs the other stages over an entry; `false` drops it.
    pub fn run(&mut self, entry: &mut Entry<'_>, labels: &mut EntryLabels) -> bool {
        self.stages.iter_mut().all(|stage| stage.run(entry, labels))
    }
}

fn stage_error(stage: &Stage, error: &str) -> ParseError {
    ParseError::of(format!("stage '{stage}' : {error}"), stage.span)
}

fn rewrites_line(kind: &StageKind) -> bool {
    matches!(kind, StageKind::LineFormat(_) | StageKind::Unpack | StageKind::Decolorize)
}

fn reads_line(kind: &StageKind) -> bool {
    !matches!(kind, StageKind::LabelFilter(_) | StageKind::Drop(_) | StageKind::Keep(_))
}

/// Compiles a stage; what labels it reads is added to `read`. `drop` and `keep` only remove labels, which needs none to be there.
fn compile_stage(
    stage: &Stage,
    functions: &Functions,
    read: &mut Vec<String>,
) -> Result<Box<dyn Run>, ParseError> {
    let named = |error: String| stage_error(stage, &error);
    // Two texts do not name the stage, for Loki finds them while it parses.
    let unnamed =
        |what: &str, error: String| ParseError::of(format!("invalid {what} parser: {error}"), stage.span);
    let mut reads = |name: &str| read.push(name.to_owned());
    Ok(match &stage.kind {
        StageKind::LineFilter(filter) => Box::new(LineCondition::new(filter).map_err(named)?),
        StageKind::Json { expressions } if expressions.is_empty() => Box::new(Json::default()),
        StageKind::Json { expressions } => Box::new(JsonExpressions::new(expressions).map_err(named)?),
        StageKind::Logfmt { strict, keep_empty, expressions } if expressions.is_empty() => {
            Box::new(Logfmt::new(*strict, *keep_empty))
        }
        StageKind::Logfmt { strict, expressions, .. } => {
            Box::new(LogfmtExpressions::new(expressions, *strict).map_err(named)?)
        }
        StageKind::Regexp(pattern) => {
            Box::new(Regexp::new(pattern).map_err(|error| unnamed("regexp", error))?)
        }
        StageKind::Pattern(pattern) => {
            Box::new(PatternParser::new(pattern).map_err(|error| unnamed("pattern", error))?)
        }
        StageKind::Unpack => Box::new(Unpack::default()),
        StageKind::LabelFilter(filter) => {
            label_filter::names(filter, &mut reads);
            Box::new(LabelCondition::new(filter).map_err(named)?)
        }
        StageKind::LineFormat(template) => {
            let format = LineFormat::new(template, functions).map_err(named)?;
            format.fields().for_each(reads);
            Box::new(format)
        }
        StageKind::LabelFormat(formats) => {
            let format = LabelFormat::new(formats, functions).map_err(named)?;
            format.each_field(&mut reads);
            Box::new(format)
        }
        StageKind::Decolorize => Box::new(Decolorize::new().map_err(named)?),
        StageKind::Drop(names) => Box::new(Drop::new(names)),
        StageKind::Keep(names) => Box::new(Keep::new(names)),
    })
}
