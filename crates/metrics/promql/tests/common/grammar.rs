//! Random queries: all of the language, or what an old Prometheus knows of it.

use proptest::{
    prelude::*,
    sample::select,
    strategy::{BoxedStrategy, Union},
};

/// Which language queries are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// What did not change since Prometheus 2.42.
    #[allow(dead_code, reason = "not every test that has this file uses both")]
    Settled,
    /// Everything, experiments included.
    #[allow(dead_code, reason = "not every test that has this file uses both")]
    All,
}

type Text = BoxedStrategy<String>;

/// A query that gives series.
pub fn vector(dialect: Dialect) -> Text {
    let outermost = (one_of(&["topk", "bottomk"]), grouping(), nested(dialect, 2))
        .prop_map(|(op, by, v)| format!("{op}(2, {v}){by}"));
    prop_oneof![20 => nested(dialect, 3), 1 => outermost].boxed()
}

fn nested(dialect: Dialect, depth: u32) -> Text {
    if depth == 0 {
        return instant_selector(dialect);
    }
    let inner = move || nested(dialect, depth - 1);
    Union::new_weighted(vec![
        (2, instant_selector(dialect)),
        (3, call(dialect, depth)),
        (4, range_call(dialect, depth)),
        (4, aggregation(dialect, depth)),
        (3, vector_binary(dialect, depth)),
        (2, scalar_binary(dialect, depth)),
        (1, inner().prop_map(|inner| format!("({inner})")).boxed()),
        (1, inner().prop_map(|inner| format!("-{inner}")).boxed()),
        (1, scalar(dialect, depth - 1).prop_map(|scalar| format!("vector({scalar})")).boxed()),
    ])
    .boxed()
}

fn one_of(texts: &[&'static str]) -> Text {
    select(texts.to_vec()).prop_map(str::to_owned).boxed()
}

fn name() -> Text {
    one_of(&["m_total", "g", "lat_bucket", "other_total", "up"])
}

fn matchers() -> Text {
    let matcher = one_of(&[
        "i=\"0\"",
        "i!=\"0\"",
        "i=~\"0|1\"",
        "job=\"a\"",
        "job!~\"a.*\"",
        "job=~\".+\"",
        "le=\"+Inf\"",
        "absent=\"\"",
    ]);
    prop_oneof![
        2 => Just(String::new()),
        2 => matcher.clone().prop_map(|matcher| format!("{{{matcher}}}")),
        1 => (matcher.clone(), matcher).prop_map(|(a, b)| format!("{{{a}, {b}}}")),
    ]
    .boxed()
}

fn shift() -> Text {
    let settled =
        [" offset 5m", " offset -3m", " @ 1700002000.25", " @ end() offset 1m", " offset 2m @ start()"];
    prop_oneof![6 => Just(String::new()), 1 => one_of(&settled)].boxed()
}

fn instant_selector(dialect: Dialect) -> Text {
    let extended =
        if dialect == Dialect::All { one_of(&["", "", "", "", " smoothed"]) } else { one_of(&[""]) };
    (name(), matchers(), shift(), extended)
        .prop_map(|(name, matchers, shift, extended)| format!("{name}{matchers}{shift}{extended}"))
        .boxed()
}

fn duration(dialect: Dialect) -> Text {
    let settled = one_of(&["1m", "90s", "5m", "11m", "1h"]);
    match dialect {
        Dialect::Settled => settled,
        Dialect::All => prop_oneof![
            3 => settled,
            1 => one_of(&["step() + 1m", "max_of(step(), 90s)", "2 * 90s", "(5m - 1m) / 2", "min_of(range(), 1m) + 30"]),
        ]
        .boxed(),
    }
}

fn range(dialect: Dialect, depth: u32) -> Text {
    let selector = (name(), matchers(), duration(dialect), shift())
        .prop_map(|(name, matchers, range, shift)| format!("{name}{matchers}[{range}]{shift}"));
    let resolution = one_of(&["", "30s", "70s", "3m"]);
    let subquery = (nested(dialect, depth - 1), duration(dialect), resolution, shift())
        .prop_map(|(inner, range, step, shift)| format!("({inner})[{range}:{step}]{shift}"));
    prop_oneof![3 => selector, 1 => subquery].boxed()
}

fn range_call(dialect: Dialect, depth: u32) -> Text {
    let plain = one_of(&[
        "rate",
        "increase",
        "delta",
        "irate",
        "idelta",
        "resets",
        "changes",
        "deriv",
        "avg_over_time",
        "sum_over_time",
        "min_over_time",
        "max_over_time",
        "count_over_time",
        "last_over_time",
        "present_over_time",
        "absent_over_time",
        "stddev_over_time",
        "stdvar_over_time",
    ]);
    let range = move || range(dialect, depth);
    let mut all = vec![
        (8, (plain, range()).prop_map(|(name, range)| format!("{name}({range})")).boxed()),
        (
            1,
            (scalar(dialect, depth - 1), range())
                .prop_map(|(s, range)| format!("quantile_over_time({s}, {range})"))
                .boxed(),
        ),
        (
            1,
            (scalar(dialect, depth - 1), range())
                .prop_map(|(s, range)| format!("predict_linear({range}, {s})"))
                .boxed(),
        ),
    ];
    if dialect == Dialect::All {
        let new = one_of(&[
            "mad_over_time",
            "first_over_time",
            "ts_of_min_over_time",
            "ts_of_max_over_time",
            "ts_of_first_over_time",
            "ts_of_last_over_time",
        ]);
        all.push((2, (new, range()).prop_map(|(name, range)| format!("{name}({range})")).boxed()));
        all.push((
            1,
            range().prop_map(|range| format!("double_exponential_smoothing({range}, 0.3, 0.7)")).boxed(),
        ));
        let extended = (one_of(&["rate", "increase", "delta"]), name(), one_of(&["anchored", "smoothed"]));
        all.push((
            1,
            extended.prop_map(|(function, name, word)| format!("{function}({name}[3m] {word})")).boxed(),
        ));
    }
    Union::new_weighted(all).boxed()
}

fn call(dialect: Dialect, depth: u32) -> Text {
    let plain = one_of(&[
        "abs",
        "ceil",
        "floor",
        "exp",
        "sqrt",
        "ln",
        "log2",
        "log10",
        "sgn",
        "sin",
        "atan",
        "tanh",
        "deg",
        "rad",
        "round",
        "timestamp",
        "day_of_month",
        "hour",
        "minute",
        "month",
        "year",
        "days_in_month",
        "absent",
        "sort",
        "sort_desc",
        "histogram_count",
        "histogram_sum",
    ]);
    let inner = move || nested(dialect, depth - 1);
    let number = move || scalar(dialect, depth - 1);
    let mut all = vec![
        (6, (plain, inner()).prop_map(|(name, inner)| format!("{name}({inner})")).boxed()),
        (1, (inner(), number()).prop_map(|(v, s)| format!("round({v}, {s})")).boxed()),
        (1, (inner(), number(), number()).prop_map(|(v, a, b)| format!("clamp({v}, {a}, {b})")).boxed()),
        (1, (inner(), number()).prop_map(|(v, s)| format!("clamp_max({v}, {s})")).boxed()),
        (2, (number(), inner()).prop_map(|(s, v)| format!("histogram_quantile({s}, {v})")).boxed()),
        (
            1,
            inner()
                .prop_map(|v| format!("label_replace({v}, \"new\", \"<$1>\", \"job\", \"(.).*\")"))
                .boxed(),
        ),
        (1, inner().prop_map(|v| format!("label_replace({v}, \"job\", \"\", \"i\", \"1\")")).boxed()),
        (1, inner().prop_map(|v| format!("label_join({v}, \"i\", \"-\", \"job\", \"i\", \"none\")")).boxed()),
    ];
    if dialect == Dialect::All {
        all.push((1, inner().prop_map(|v| format!("sort_by_label({v}, \"job\")")).boxed()));
        all.push((1, inner().prop_map(|v| format!("info({v}, {{zone=~\".*\"}})")).boxed()));
        all.push((1, inner().prop_map(|v| format!("start_timestamp({v})")).boxed()));
        all.push((1, inner().prop_map(|v| format!("histogram_quantiles({v}, \"q\", 0.5, 0.9)")).boxed()));
        all.push((1, inner().prop_map(|v| format!("histogram_fraction(0, 1, {v})")).boxed()));
    }
    Union::new_weighted(all).boxed()
}

fn grouping() -> Text {
    one_of(&["", " by (i)", " by (job, le)", " without (i)", " without (le)", " by ()", " by (i, none)"])
}

fn aggregation(dialect: Dialect, depth: u32) -> Text {
    let plain = one_of(&["sum", "avg", "min", "max", "count", "group", "stddev", "stdvar"]);
    let inner = move || nested(dialect, depth - 1);
    let mut all = vec![
        (6, (plain, grouping(), inner()).prop_map(|(op, by, v)| format!("{op}{by}({v})")).boxed()),
        (
            1,
            (scalar(dialect, depth - 1), grouping(), inner())
                .prop_map(|(s, by, v)| format!("quantile{by}({s}, {v})"))
                .boxed(),
        ),
        (1, (grouping(), inner()).prop_map(|(by, v)| format!("count_values{by}(\"v\", round({v}))")).boxed()),
    ];
    if dialect == Dialect::All {
        all.push((1, (grouping(), inner()).prop_map(|(by, v)| format!("limitk{by}(1, {v})")).boxed()));
        all.push((
            1,
            (grouping(), inner()).prop_map(|(by, v)| format!("limit_ratio{by}(-0.4, {v})")).boxed(),
        ));
    }
    Union::new_weighted(all).boxed()
}

/// These, and `atan2`, which left names where they were until Prometheus 2.47.
fn operators(dialect: Dialect, settled: &[&'static str]) -> Text {
    match dialect {
        Dialect::Settled => one_of(settled),
        Dialect::All => one_of(&[settled, &["atan2"]].concat()),
    }
}

fn vector_binary(dialect: Dialect, depth: u32) -> Text {
    let inner = move || nested(dialect, depth - 1);
    let matching = one_of(&[
        "",
        " on (i, job, le)",
        " ignoring (le)",
        " on (job) group_left ()",
        " on (i) group_right (job)",
        " ignoring (i, le) group_left (le)",
    ]);
    let fill =
        if dialect == Dialect::All { one_of(&["", "", " fill(0)", " fill_left(1)"]) } else { one_of(&[""]) };
    let operator =
        operators(dialect, &["+", "-", "*", "/", "%", "^", "==", "!=", ">", "<=", "> bool", "== bool"]);
    let arithmetic = (inner(), operator, matching, fill, inner())
        .prop_map(|(left, op, matching, fill, right)| format!("({left}) {op}{matching}{fill} ({right})"));
    let set =
        (inner(), one_of(&["and", "or", "unless"]), one_of(&["", " on (i)", " ignoring (le)"]), inner())
            .prop_map(|(left, op, matching, right)| format!("({left}) {op}{matching} ({right})"));
    prop_oneof![3 => arithmetic, 2 => set].boxed()
}

fn scalar_binary(dialect: Dialect, depth: u32) -> Text {
    let operator =
        || operators(dialect, &["+", "-", "*", "/", "%", "^", "==", "!=", "<", ">=", "< bool", "!= bool"]);
    let (vector, scalar) = (move || nested(dialect, depth - 1), move || scalar(dialect, depth - 1));
    prop_oneof![
        (vector(), operator(), scalar()).prop_map(|(v, op, s)| format!("({v}) {op} {s}")),
        (scalar(), operator(), vector()).prop_map(|(s, op, v)| format!("{s} {op} ({v})")),
    ]
    .boxed()
}

fn scalar(dialect: Dialect, depth: u32) -> Text {
    let literal = one_of(&["0", "1", "2.5", "-3", "0.9", "NaN", "+Inf", "0x1F", "1e3"]);
    if depth == 0 {
        return literal;
    }
    let inner = move || scalar(dialect, depth - 1);
    let mut all = vec![
        (5, literal),
        (1, one_of(&["time()", "pi()"])),
        (1, nested(dialect, depth - 1).prop_map(|v| format!("scalar({v})")).boxed()),
        (
            1,
            (inner(), one_of(&["+", "*", "-", "^", "> bool"]), inner())
                .prop_map(|(a, op, b)| format!("({a} {op} {b})"))
                .boxed(),
        ),
    ];
    if dialect == Dialect::All {
        all.push((1, one_of(&["start()", "end()", "step()", "range()", "5m", "1h30m", "min_of(1, 2)"])));
    }
    Union::new_weighted(all).boxed()
}
