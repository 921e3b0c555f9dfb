//! E-mail over SMTP.

use std::collections::BTreeMap;

use client::TlsConfig;
use config::Secret;

use super::{
    Entry, GlobalConfig,
    shape::{IsSet, check_host_port, refuse_if, shape},
};

shape! {
    /// One entry of `email_configs`.
    pub struct EmailConfig {
        send_resolved: bool,
        to: String,
        from: String,
        hello: String,
        smarthost: String,
        auth_username: String,
        auth_password: Secret,
        auth_password_file: String,
        auth_secret: Secret,
        auth_secret_file: String,
        auth_identity: String,
        headers: BTreeMap<String, String>,
        html: String,
        text: String,
        require_tls: bool,
        tls_config: TlsConfig,
        force_implicit_tls: bool,
        threading: ThreadingConfig,
    }
}

shape! {
    /// `threading`: which mails are shown as one conversation.
    pub struct ThreadingConfig {
        enabled: bool,
        thread_by_date: String,
    }
}

impl Entry for EmailConfig {
    fn sends_resolved(&self) -> bool {
        self.send_resolved.unwrap_or(false)
    }

    fn check(&self, global: &GlobalConfig) -> Result<(), String> {
        check_host_port(self.smarthost.as_deref())?;
        refuse_if(!self.to.is_set(), "missing to address in email config")?;
        let mut names: Vec<String> =
            self.headers.iter().flatten().map(|(name, _)| name.to_ascii_lowercase()).collect();
        names.sort();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(format!("duplicate header {:?} in email config", pair[0]));
        }
        if let Some(threading) = self.threading.as_ref().filter(|threading| threading.enabled == Some(true)) {
            for header in ["References", "In-Reply-To"] {
                if names.contains(&header.to_ascii_lowercase()) {
                    return Err(format!(
                        "conflicting configuration: threading.enabled conflicts with custom {header} header"
                    ));
                }
            }
            let by_date = threading.thread_by_date.as_deref();
            refuse_if(
                !matches!(by_date, Some("none" | "daily")),
                "threading.thread_by_date must be either 'none' or 'daily'",
            )?;
        }
        refuse_if(
            !self.smarthost.is_set() && !global.smtp_smarthost.is_set(),
            "no global SMTP smarthost set",
        )?;
        refuse_if(!self.from.is_set() && !global.smtp_from.is_set(), "no global SMTP from set")
    }
}
