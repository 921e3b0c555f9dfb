//! `/status` and `/receivers`.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json,
    extract::{RawQuery, State},
};
use serde::Serialize;
use serde_json::{Value, json};
use service::Version;

use super::{
    Api,
    answer::Answer,
    filter::{AlertFilter, Parameters},
    times::ApiTime,
};

#[derive(Debug, Serialize)]
pub(super) struct GettableReceiver {
    labels: BTreeMap<String, String>,
    name: String,
}

/// GET: what runs here, with which configuration.
pub(super) async fn status(State(api): State<Arc<Api>>) -> Json<Value> {
    Json(json!({
        "cluster": {"peers": [], "status": "disabled"},
        "config": {"original": api.config().shown},
        "uptime": ApiTime(api.started),
        "versionInfo": {
            "branch": "",
            "buildDate": "",
            "buildUser": "",
            "goVersion": "",
            "revision": "",
            "version": Version::NUMBER,
        },
    }))
}

/// GET: all receivers in the order of the file.
pub(super) async fn receivers(
    State(api): State<Arc<Api>>,
    RawQuery(query): RawQuery,
) -> Result<Json<Vec<GettableReceiver>>, Answer> {
    let filter = AlertFilter::of(&Parameters::of(query.as_deref()), api.engine.mode())?;
    let config = api.config();
    let receivers = config.receivers.iter().filter_map(|receiver| {
        let labels = receiver.all_labels();
        let name = receiver.name.clone();
        filter.takes_receiver(&name, &labels).then_some(GettableReceiver { labels, name })
    });
    Ok(Json(receivers.collect()))
}
