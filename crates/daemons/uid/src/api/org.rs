//! `/api/org`: the one organisation.

use axum::{Json, Router, routing::get};
use serde_json::{Value, json};

use super::AppState;
use crate::auth::Identity;

/// The organisation's number.
pub(super) const ORG_ID: u64 = 1;
/// Its name.
pub(super) const ORG_NAME: &str = "Main Org.";

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/api/org", get(show))
}

async fn show(_: Identity) -> Json<Value> {
    let address =
        json!({"address1": "", "address2": "", "city": "", "zipCode": "", "state": "", "country": ""});
    Json(json!({"id": ORG_ID, "name": ORG_NAME, "address": address}))
}
