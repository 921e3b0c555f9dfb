//! The data directory: every path in it, in one place.
//!
//! ```text
//! data/
//!   config/       files of the operator's own, used instead of generated ones of the same name
//!   generated/    configuration files, made anew at every start
//!   logs/         the stack's own log, followed by agentd
//!   secrets/      the proxy's password file, made at the first start
//!   metricsd/ logd/ agentd/ alertd/ uid/ proxyd/     what each daemon keeps
//! ```

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Paths in the data directory.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    data: PathBuf,
    config: PathBuf,
}

impl Layout {
    /// Makes the folders. All paths become absolute, since they go into configuration files.
    pub fn create(data: &Path, config: Option<&Path>) -> io::Result<Self> {
        fs::create_dir_all(data)?;
        let data = data.canonicalize()?;
        let config = match config {
            Some(dir) => dir.canonicalize()?,
            None => data.join("config"),
        };
        let layout = Self { data, config };
        for dir in [
            &layout.config,
            &layout.generated(""),
            &layout.generated("dashboards"),
            &layout.generated("rules"),
            &layout.logs(),
            &layout.secrets(),
        ] {
            fs::create_dir_all(dir)?;
        }
        fs::set_permissions(layout.secrets(), std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
        Ok(layout)
    }

    /// The whole.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// A generated file or folder.
    pub fn generated(&self, name: &str) -> PathBuf {
        self.data.join("generated").join(name)
    }

    /// The configuration file in force: the operator's if there is one, else the generated one.
    pub fn configuration(&self, name: &str) -> PathBuf {
        let own = self.config.join(name);
        if own.exists() { own } else { self.generated(name) }
    }

    /// Where log files of the stack itself lie.
    pub fn logs(&self) -> PathBuf {
        self.data.join("logs")
    }

    /// Where secrets lie.
    pub fn secrets(&self) -> PathBuf {
        self.data.join("secrets")
    }

    /// What one daemon keeps.
    pub fn of(&self, daemon: &str) -> PathBuf {
        self.data.join(daemon)
    }
}
