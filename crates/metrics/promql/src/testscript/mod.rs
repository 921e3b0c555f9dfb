//! Prometheus' test scripts: load series, evaluate, compare.
//!
//! A script is a list of blocks, separated by empty lines; lines that begin with `#` count as empty. `load <step>` brings series in a short notation
//! (`up{job="a"} 0+10x5 _ stale`; a line `up{job="a"}@st -10s _x4` before it says when the counting of its samples began), `clear` forgets them, `eval instant at <time> <query>` and `eval range from … to … step … <query>` evaluate and
//! compare with the lines below. `expect` lines say what else is due: failure, warnings, infos, order.
//!
//! Every instant case is evaluated again as part of a range, and at other moments with an `@` on every selector; both have to agree.

mod compare;
mod load;
mod parse;
mod pin;
mod run;
mod series;
mod starts;

use model::{FloatHistogram, Labels, Millis};

pub use parse::{ScriptError, parse};
pub use run::{CaseReport, Outcome, Runner, default_options, run};
pub use series::{Point, parse_series};

/// A whole script.
#[derive(Debug, Clone, PartialEq)]
pub struct Script {
    /// What to do, from top to bottom.
    pub commands: Vec<Command>,
}

/// One block of a script.
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    /// Where it begins, from one.
    pub line: usize,
    /// What to do.
    pub kind: CommandKind,
}

/// What a block does.
#[derive(Debug, Clone, PartialEq)]
pub enum CommandKind {
    /// Forgets all series.
    Clear,
    /// Adds series.
    Load(Load),
    /// Evaluates and compares.
    Eval(Box<Eval>),
}

/// Series to add.
#[derive(Debug, Clone, PartialEq)]
pub struct Load {
    /// Milliseconds between samples; the first one lies at the epoch.
    pub step: Millis,
    /// Whether classic histograms are to be there as native ones with custom buckets, too.
    pub with_nhcb: bool,
    /// The series.
    pub series: Vec<LoadedSeries>,
}

/// A series to add.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadedSeries {
    /// Its labels.
    pub labels: Labels,
    /// One place a step.
    pub points: Vec<Point>,
    /// When the counting of each sample began, relative to the sample's time; empty where the script does not say.
    pub starts: Vec<Option<Millis>>,
}

/// A query and what it has to give.
#[derive(Debug, Clone, PartialEq)]
pub struct Eval {
    /// The query.
    pub query: String,
    /// When to evaluate.
    pub times: Times,
    /// What the answer has to be.
    pub expected: Expected,
    /// What else has to be so.
    pub expectations: Vec<Expectation>,
}

/// When to evaluate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Times {
    /// At one moment.
    Instant(Millis),
    /// From, to, step.
    Range(Millis, Millis, Millis),
}

/// The answer a case has to have.
#[derive(Debug, Clone, PartialEq)]
pub enum Expected {
    /// A number.
    Scalar(f64),
    /// A text.
    String(String),
    /// These series, with one point for an instant query and one a step for a range.
    Series(Vec<(Labels, Vec<Point>)>),
    /// An instant query that gives samples over time: the points lie at from, from + step, …
    RangeVector {
        /// Time of the first point.
        from: Millis,
        /// Milliseconds between points.
        step: Millis,
        /// The series.
        series: Vec<(Labels, Vec<Point>)>,
    },
}

/// What else a case demands.
#[derive(Debug, Clone, PartialEq)]
pub enum Expectation {
    /// The query fails, with this text if one is given.
    Fail(TextMatch),
    /// There is a warning like this.
    Warn(TextMatch),
    /// There is an info like this.
    Info(TextMatch),
    /// There are no warnings.
    NoWarn,
    /// There are no infos.
    NoInfo,
    /// Series come in the given order.
    Ordered,
}

/// A text that has to occur.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextMatch {
    /// Any.
    Any,
    /// Exactly this.
    Exact(String),
    /// Whatever matches the expression somewhere.
    Pattern(String),
}

/// A native histogram in a script; a reset hint is compared only when it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct HistogramPoint {
    /// The histogram.
    pub histogram: FloatHistogram,
    /// Whether the reset hint was written.
    pub has_hint: bool,
}
