//! `/api/rawdata`: everything at once, by name.

use serde_json::{Map, Value as Json};

use super::elements;
use crate::shared::Shared;

pub(super) fn raw_data(shared: &Shared) -> Json {
    let runtime = shared.runtime.load();
    let mut data = Map::new();
    let mut put = |section: &str, elements: Map<String, Json>| {
        if !elements.is_empty() {
            data.insert(section.to_owned(), elements.into());
        }
    };
    put(
        "routers",
        runtime.routers.iter().map(|(name, info)| (name.clone(), elements::router(info).into())).collect(),
    );
    put(
        "middlewares",
        runtime
            .middlewares
            .iter()
            .map(|(name, info)| (name.clone(), elements::middleware(info).into()))
            .collect(),
    );
    put(
        "services",
        runtime
            .services
            .iter()
            .map(|(name, info)| (name.clone(), elements::service(&runtime, name, info).into()))
            .collect(),
    );
    for (section, infos) in &runtime.foreign {
        put(
            section,
            infos.iter().map(|(name, info)| (name.clone(), elements::foreign(info).into())).collect(),
        );
    }
    Json::Object(data)
}
