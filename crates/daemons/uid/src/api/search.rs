//! `GET /api/search`: dashboards and folders by title, tag and place.

use axum::{
    Json, Router,
    extract::{RawQuery, State},
    http::StatusCode,
    routing::get,
};
use serde_json::{Value, json};

use super::{ApiError, AppState, Shared, extract::query_pairs};
use crate::{
    auth::Identity,
    model::{Dashboard, Folder, slugify},
};

/// Hits unless asked for more, and most, as Grafana has it.
const DEFAULT_LIMIT: usize = 1000;
const MAX_LIMIT: usize = 5000;

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/api/search", get(search)).route("/api/search/sorting", get(sorting))
}

/// What is searched for.
#[derive(Debug, Default)]
struct Search {
    words: Vec<String>,
    tags: Vec<String>,
    kind: String,
    folder_uids: Option<Vec<String>>,
    folder_ids: Option<Vec<u64>>,
    dashboard_uids: Option<Vec<String>>,
    starred: bool,
    descending: bool,
    limit: usize,
    page: usize,
}

impl Search {
    fn parse(query: Option<&str>) -> Result<Self, ApiError> {
        let mut search = Self { limit: DEFAULT_LIMIT, page: 1, ..Self::default() };
        let list = |value: &str| value.split(',').map(str::to_owned).collect::<Vec<_>>();
        for (key, value) in query_pairs(query) {
            let number = || {
                value.parse::<usize>().map_err(|_| {
                    ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, format!("{key} must be a number"))
                })
            };
            match key.as_str() {
                "query" => {
                    search.words = value.to_lowercase().split_whitespace().map(str::to_owned).collect()
                }
                "tag" => search.tags.push(value),
                "type" => search.kind = value,
                "folderUIDs" => search.folder_uids.get_or_insert_default().extend(list(&value)),
                "folderIds" => {
                    let ids = value.split(',').filter_map(|id| id.parse::<u64>().ok());
                    search.folder_ids.get_or_insert_default().extend(ids);
                }
                "dashboardUIDs" | "dashboardUID" => {
                    search.dashboard_uids.get_or_insert_default().extend(list(&value));
                }
                "starred" => search.starred = value == "true",
                "sort" => search.descending = value == "alpha-desc",
                "limit" => search.limit = number()?,
                "page" => search.page = number()?.max(1),
                _ => {}
            }
        }
        if search.limit > MAX_LIMIT {
            return Err(ApiError::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                format!(
                    "Limit is above maximum allowed ({MAX_LIMIT}), use page parameter to access hits beyond limit"
                ),
            ));
        }
        Ok(search)
    }

    fn title_fits(&self, title: &str) -> bool {
        let title = title.to_lowercase();
        self.words.iter().all(|word| title.contains(word.as_str()))
    }

    fn place_fits(&self, folder: Option<&Folder>) -> bool {
        let uid = folder.map_or("", |folder| folder.uid.as_str());
        let by_uid = self.folder_uids.as_ref().is_none_or(|uids| {
            uids.iter().any(|wanted| wanted == uid || (uid.is_empty() && wanted == "general"))
        });
        let id = folder.map_or(0, |folder| folder.id);
        by_uid && self.folder_ids.as_ref().is_none_or(|ids| ids.contains(&id))
    }

    fn dashboard_fits(&self, dashboard: &Dashboard, folder: Option<&Folder>) -> bool {
        self.title_fits(&dashboard.title)
            && self.tags.iter().all(|tag| dashboard.tags.contains(tag))
            && self.place_fits(folder)
            && self.dashboard_uids.as_ref().is_none_or(|uids| uids.contains(&dashboard.uid))
    }

    fn folder_fits(&self, folder: &Folder, parent: Option<&Folder>) -> bool {
        self.tags.is_empty()
            && self.dashboard_uids.is_none()
            && self.title_fits(&folder.title)
            && self.place_fits(parent)
    }
}

async fn search(
    State(shared): State<AppState>,
    _: Identity,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, ApiError> {
    let search = Search::parse(query.as_deref())?;
    // Nobody can star anything yet.
    if search.starred {
        return Ok(Json(json!([])));
    }
    let catalog = &shared.stores.catalog;
    let folders = catalog.folders();
    let folder_of = |uid: &str| folders.iter().find(|folder| folder.uid == uid).map(AsRef::as_ref);
    let mut hits = Vec::new();
    if search.kind != "dash-db" {
        hits.extend(folders.iter().filter_map(|folder| {
            let parent = folder_of(&folder.parent_uid);
            search
                .folder_fits(folder, parent)
                .then(|| (0, folder.title.to_lowercase(), folder_hit(&shared, folder, parent)))
        }));
    }
    if !matches!(search.kind.as_str(), "dash-folder") {
        hits.extend(catalog.dashboards().iter().filter_map(|dashboard| {
            let folder = folder_of(&dashboard.folder_uid);
            search
                .dashboard_fits(dashboard, folder)
                .then(|| (1, dashboard.title.to_lowercase(), dashboard_hit(&shared, dashboard, folder)))
        }));
    }
    hits.sort_by(|(kind, title, _), (other_kind, other_title, _)| {
        let by_title = title.cmp(other_title);
        kind.cmp(other_kind).then(if search.descending { by_title.reverse() } else { by_title })
    });
    let skip = search.limit.saturating_mul(search.page - 1);
    Ok(Json(hits.into_iter().skip(skip).take(search.limit).map(|(.., hit)| hit).collect()))
}

async fn sorting(_: Identity) -> Json<Value> {
    Json(json!({"sortOptions": [
        {"name": "alpha-asc", "displayName": "Alphabetically (A–Z)", "description": "Sort results in an alphabetically ascending order"},
        {"name": "alpha-desc", "displayName": "Alphabetically (Z–A)", "description": "Sort results in an alphabetically descending order"},
    ]}))
}

fn dashboard_hit(shared: &Shared, dashboard: &Dashboard, folder: Option<&Folder>) -> Value {
    let slug = dashboard.slug();
    let mut hit = json!({
        "id": dashboard.id,
        "orgId": super::org::ORG_ID,
        "uid": dashboard.uid,
        "title": dashboard.title,
        "uri": format!("db/{slug}"),
        "url": shared.link(&format!("/d/{}/{slug}", dashboard.uid)),
        "slug": "",
        "type": "dash-db",
        "tags": dashboard.tags,
        "isStarred": false,
        "sortMeta": 0,
    });
    place(&mut hit, shared, folder);
    hit
}

fn folder_hit(shared: &Shared, folder: &Folder, parent: Option<&Folder>) -> Value {
    let slug = slugify(&folder.title);
    let mut hit = json!({
        "id": folder.id,
        "orgId": super::org::ORG_ID,
        "uid": folder.uid,
        "title": folder.title,
        "uri": format!("db/{slug}"),
        "url": shared.link(&format!("/dashboards/f/{}/{slug}", folder.uid)),
        "slug": "",
        "type": "dash-folder",
        "tags": [],
        "isStarred": false,
        "sortMeta": 0,
    });
    place(&mut hit, shared, parent);
    hit
}

fn place(hit: &mut Value, shared: &Shared, folder: Option<&Folder>) {
    if let (Some(folder), Value::Object(hit)) = (folder, hit) {
        let url = shared.link(&format!("/dashboards/f/{}/{}", folder.uid, slugify(&folder.title)));
        hit.insert("folderId".into(), folder.id.into());
        hit.insert("folderUid".into(), folder.uid.as_str().into());
        hit.insert("folderTitle".into(), folder.title.as_str().into());
        hit.insert("folderUrl".into(), url.into());
    }
}
