//! `/features`: what this server can do and what is switched on, so that clients need not guess from its version.

use std::{collections::BTreeMap, sync::Arc};

use axum::{extract::State, response::Response};
use promql::syntax::{Aggregator, Keyword, Operator, functions};

use super::{ApiError, ApiState, is_enabled, json as answer, syntax_features};
use crate::Flags;

type Features = BTreeMap<&'static str, bool>;

/// Functions of which the storage does not keep what they tell.
const NOT_COMPUTED: [&str; 1] = ["start_timestamp"];

pub(super) async fn features(State(state): State<Arc<ApiState>>) -> Result<Response, ApiError> {
    answer::success(all(&state.flags))
}

/// By category. Prometheus' names, those of what is missing here too, which is false.
fn all(flags: &Flags) -> BTreeMap<&'static str, Features> {
    let syntax = syntax_features(&flags.enable_feature);
    let enabled = |name: &str| is_enabled(&flags.enable_feature, name);
    let keywords = Keyword::ALL.iter().filter_map(|keyword| {
        let is_on = match keyword {
            Keyword::Anchored | Keyword::Smoothed => syntax.extended_range_selectors,
            Keyword::Fill | Keyword::FillLeft | Keyword::FillRight => syntax.binop_fill_modifiers,
            // These look like functions and are listed with them.
            Keyword::Start
            | Keyword::End
            | Keyword::Step
            | Keyword::Range
            | Keyword::MaxOf
            | Keyword::MinOf => return None,
            _ => true,
        };
        Some((keyword.as_str(), is_on))
    });
    let language = [
        ("at_modifier", true),
        ("delayed_name_removal", enabled("promql-delayed-name-removal")),
        ("duration_expr", syntax.duration_expressions),
        ("negative_offset", true),
        ("per_query_lookback_delta", true),
        ("per_step_stats", enabled("promql-per-step-stats")),
        ("subqueries", true),
        ("type_and_unit_labels", false),
    ];
    let operators = Operator::ALL.iter().map(|operator| (operator.as_str(), true));
    let aggregators = Aggregator::ALL.iter().map(|aggregator| {
        (aggregator.as_str(), !aggregator.is_experimental() || syntax.experimental_functions)
    });
    let matchers = ["=~", "!~", "@"].map(|sign| (sign, true));
    let functions = functions().iter().map(|function| {
        let is_on = !function.experimental || syntax.experimental_functions;
        (function.name, is_on && !NOT_COMPUTED.contains(&function.name))
    });
    BTreeMap::from([
        (
            "api",
            Features::from([
                ("admin", flags.enable_admin_api),
                ("exclude_alerts", true),
                ("label_values_match", true),
                ("lifecycle", flags.enable_lifecycle),
                ("openapi_3.1", false),
                ("openapi_3.2", false),
                ("otlp_write_receiver", false),
                ("query_stats", true),
                ("query_warnings", true),
                ("remote_write_receiver", flags.enable_remote_write_receiver),
                ("search", enabled("search-api")),
                ("time_range_labels", true),
                ("time_range_series", true),
            ]),
        ),
        (
            "prometheus",
            Features::from([("agent_mode", false), ("auto_reload_config", false), ("server_mode", true)]),
        ),
        ("promql", language.into_iter().chain(keywords).collect()),
        ("promql_functions", functions.collect()),
        ("promql_operators", operators.chain(aggregators).chain(matchers).collect()),
        (
            "rules",
            Features::from([
                ("concurrent_rule_eval", false),
                ("keep_firing_for", true),
                ("query_offset", true),
            ]),
        ),
        (
            "scrape",
            Features::from([
                ("extra_scrape_metrics", true),
                ("start_timestamp_zero_ingestion", false),
                ("type_and_unit_labels", false),
            ]),
        ),
        ("service_discovery_providers", Features::from([("file", true), ("static", true)])),
        (
            "tsdb",
            Features::from([
                ("delayed_compaction", false),
                ("exemplar_storage", flags.keeps_exemplars()),
                ("isolation", true),
                ("native_histograms", true),
                ("st_storage", false),
                ("use_uncached_io", false),
                ("xor2_encoding", true),
            ]),
        ),
    ])
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn of(arguments: &[&str]) -> BTreeMap<&'static str, Features> {
        let arguments = ["metricsd"].iter().chain(arguments);
        all(&Flags::try_parse_from(arguments).expect("flags"))
    }

    #[test]
    fn flags_switch_features_on() {
        let plain = of(&[]);
        assert!(!plain["api"]["admin"] && !plain["promql_functions"]["mad_over_time"]);
        assert!(!plain["promql_operators"]["limitk"] && !plain["promql"]["fill_left"]);
        assert!(plain["promql_functions"]["rate"] && plain["promql_operators"]["=~"]);
        assert!(plain["promql"]["group_left"] && !plain["promql"].contains_key("min_of"));
        let more = of(&[
            "--web.enable-admin-api",
            "--enable-feature=promql-experimental-functions,promql-binop-fill-modifiers",
        ]);
        assert!(more["api"]["admin"] && more["promql_functions"]["mad_over_time"]);
        assert!(more["promql_operators"]["limitk"] && more["promql"]["fill_left"]);
        assert!(more["promql_functions"]["info"] && !more["promql_functions"]["start_timestamp"]);
    }
}
