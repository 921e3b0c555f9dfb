//! incident.io.

use client::HttpClientConfig;
use config::{GoDuration, Secret};

use super::{
    Entry, GlobalConfig,
    shape::{IsSet, at_most_one, check_http, check_url, refuse_if, shape},
};

shape! {
    /// One entry of `incidentio_configs`.
    pub struct IncidentioConfig {
        send_resolved: bool,
        http_config: HttpClientConfig,
        url: String,
        url_file: String,
        alert_source_token: Secret,
        alert_source_token_file: String,
        max_alerts: u64,
        timeout: GoDuration,
    }
}

impl Entry for IncidentioConfig {
    fn sends_resolved(&self) -> bool {
        self.send_resolved.unwrap_or(true)
    }

    fn check(&self, _global: &GlobalConfig) -> Result<(), String> {
        check_http(self.http_config.as_ref())?;
        check_url(self.url.as_deref())?;
        let (url, file) = (self.url.is_set(), self.url_file.is_set());
        refuse_if(!url && !file, "one of url or url_file must be configured")?;
        at_most_one(url, file, "url")?;
        let (token, file) = (self.alert_source_token.is_set(), self.alert_source_token_file.is_set());
        at_most_one(token, file, "alert_source_token")?;
        let authorization = self.http_config.as_ref().map(|http| http.authorization.is_some());
        refuse_if(
            authorization == Some(true) && (token || file),
            "cannot specify alert_source_token or alert_source_token_file when using http_config.authorization",
        )?;
        refuse_if(
            authorization == Some(false) && !token && !file,
            "at least one of alert_source_token, alert_source_token_file or http_config.authorization must be configured",
        )
    }
}
