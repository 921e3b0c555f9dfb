//! Amazon's Simple Notification Service.

use std::collections::BTreeMap;

use client::HttpClientConfig;
use config::Secret;

use super::{
    Entry, GlobalConfig,
    shape::{IsSet, check_http, refuse_if, shape},
};

shape! {
    /// One entry of `sns_configs`.
    pub struct SnsConfig {
        send_resolved: bool,
        http_config: HttpClientConfig,
        api_url: String,
        sigv4: Sigv4Config,
        topic_arn: String,
        phone_number: String,
        target_arn: String,
        subject: String,
        message: String,
        attributes: BTreeMap<String, String>,
        use_aws_http_client: bool,
    }
}

shape! {
    /// How requests are signed.
    pub struct Sigv4Config {
        region: String,
        access_key: String,
        secret_key: Secret,
        profile: String,
        role_arn: String,
        external_id: String,
        use_fips_sts_endpoint: bool,
        service_name: String,
    }
}

impl Entry for SnsConfig {
    fn sends_resolved(&self) -> bool {
        self.send_resolved.unwrap_or(true)
    }

    fn check(&self, _global: &GlobalConfig) -> Result<(), String> {
        check_http(self.http_config.as_ref())?;
        let set =
            [&self.target_arn, &self.topic_arn, &self.phone_number].into_iter().filter(|to| to.is_set());
        // The original takes all three at once as well.
        refuse_if(
            set.count() % 2 == 0,
            "must provide either a Target ARN, Topic ARN, or Phone Number for SNS config",
        )
    }
}
