//! The functions of the language: names, arguments, results. What they compute is the engine's business.

use super::ValueType::{self, Matrix, Scalar, String, Vector};

/// A function's signature.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// Types of the arguments; the last one repeats where there may be more.
    pub args: &'static [ValueType],
    /// How many arguments may be left out or added at the end.
    pub variadic: Variadic,
    /// What it returns.
    pub returns: ValueType,
    /// Whether it has to be enabled.
    pub experimental: bool,
}

/// How many arguments a call may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variadic {
    /// As many as are listed.
    Exact,
    /// One less than listed, up to that many more.
    UpTo(usize),
    /// One less than listed, or any number more.
    Any,
}

/// The function with this name. Names are compared as they are: functions are lower case.
pub fn function(name: &str) -> Option<&'static Function> {
    FUNCTIONS.binary_search_by(|function| function.name.cmp(name)).ok().map(|at| &FUNCTIONS[at])
}

/// All functions, sorted by name.
pub fn functions() -> &'static [Function] {
    FUNCTIONS
}

const fn stable(name: &'static str, args: &'static [ValueType], returns: ValueType) -> Function {
    Function { name, args, variadic: Variadic::Exact, returns, experimental: false }
}

const fn experimental(name: &'static str, args: &'static [ValueType], returns: ValueType) -> Function {
    Function { experimental: true, ..stable(name, args, returns) }
}

const fn variadic(function: Function, variadic: Variadic) -> Function {
    Function { variadic, ..function }
}

const fn map(name: &'static str) -> Function {
    stable(name, &[Vector], Vector)
}

const fn over_time(name: &'static str) -> Function {
    stable(name, &[Matrix], Vector)
}

/// A function of the current time where it gets no argument.
const fn of_time(name: &'static str) -> Function {
    variadic(stable(name, &[Vector], Vector), Variadic::UpTo(1))
}

/// Sorted by name: looked up by bisection, which a test guards.
static FUNCTIONS: &[Function] = &[
    map("abs"),
    map("absent"),
    over_time("absent_over_time"),
    map("acos"),
    map("acosh"),
    map("asin"),
    map("asinh"),
    map("atan"),
    map("atanh"),
    over_time("avg_over_time"),
    map("ceil"),
    over_time("changes"),
    stable("clamp", &[Vector, Scalar, Scalar], Vector),
    stable("clamp_max", &[Vector, Scalar], Vector),
    stable("clamp_min", &[Vector, Scalar], Vector),
    map("cos"),
    map("cosh"),
    over_time("count_over_time"),
    of_time("day_of_month"),
    of_time("day_of_week"),
    of_time("day_of_year"),
    of_time("days_in_month"),
    map("deg"),
    over_time("delta"),
    over_time("deriv"),
    experimental("double_exponential_smoothing", &[Matrix, Scalar, Scalar], Vector),
    experimental("end", &[], Scalar),
    map("exp"),
    over_time("first_over_time"),
    map("floor"),
    map("histogram_avg"),
    map("histogram_count"),
    stable("histogram_fraction", &[Scalar, Scalar, Vector], Vector),
    stable("histogram_quantile", &[Scalar, Vector], Vector),
    variadic(
        experimental("histogram_quantiles", &[Vector, String, Scalar, Scalar], Vector),
        Variadic::UpTo(9),
    ),
    map("histogram_stddev"),
    map("histogram_stdvar"),
    map("histogram_sum"),
    of_time("hour"),
    over_time("idelta"),
    over_time("increase"),
    variadic(experimental("info", &[Vector, Vector], Vector), Variadic::UpTo(1)),
    over_time("irate"),
    variadic(stable("label_join", &[Vector, String, String, String], Vector), Variadic::Any),
    stable("label_replace", &[Vector, String, String, String, String], Vector),
    over_time("last_over_time"),
    map("ln"),
    map("log10"),
    map("log2"),
    experimental("mad_over_time", &[Matrix], Vector),
    experimental("max_of", &[Scalar, Scalar], Scalar),
    over_time("max_over_time"),
    experimental("min_of", &[Scalar, Scalar], Scalar),
    over_time("min_over_time"),
    of_time("minute"),
    of_time("month"),
    stable("pi", &[], Scalar),
    stable("predict_linear", &[Matrix, Scalar], Vector),
    over_time("present_over_time"),
    stable("quantile_over_time", &[Scalar, Matrix], Vector),
    map("rad"),
    experimental("range", &[], Scalar),
    over_time("rate"),
    over_time("resets"),
    variadic(stable("round", &[Vector, Scalar], Vector), Variadic::UpTo(1)),
    stable("scalar", &[Vector], Scalar),
    map("sgn"),
    map("sin"),
    map("sinh"),
    map("sort"),
    variadic(experimental("sort_by_label", &[Vector, String], Vector), Variadic::Any),
    variadic(experimental("sort_by_label_desc", &[Vector, String], Vector), Variadic::Any),
    map("sort_desc"),
    map("sqrt"),
    experimental("start", &[], Scalar),
    experimental("start_timestamp", &[Vector], Vector),
    over_time("stddev_over_time"),
    over_time("stdvar_over_time"),
    experimental("step", &[], Scalar),
    over_time("sum_over_time"),
    map("tan"),
    map("tanh"),
    stable("time", &[], Scalar),
    map("timestamp"),
    experimental("ts_of_first_over_time", &[Matrix], Vector),
    experimental("ts_of_last_over_time", &[Matrix], Vector),
    experimental("ts_of_max_over_time", &[Matrix], Vector),
    experimental("ts_of_min_over_time", &[Matrix], Vector),
    stable("vector", &[Scalar], Vector),
    of_time("year"),
];

#[cfg(test)]
mod tests {
    use super::{FUNCTIONS, function};

    #[test]
    fn the_table_is_sorted_and_complete() {
        assert!(FUNCTIONS.windows(2).all(|pair| pair[0].name < pair[1].name));
        assert_eq!(FUNCTIONS.iter().filter(|function| !function.experimental).count(), 73);
        assert_eq!(FUNCTIONS.len(), 90);
        assert!(FUNCTIONS.iter().all(|f| function(f.name).is_some_and(|found| found.name == f.name)));
        assert!(function("RATE").is_none());
    }
}
