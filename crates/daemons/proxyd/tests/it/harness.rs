//! A proxy on loopback ports in a folder of its own, and a client that finds it.

use std::{collections::BTreeMap, net::SocketAddr};

use proxyd::{App, Options};
use service::{Frame, Stopper};
use tempfile::TempDir;
use tokio::task::JoinHandle;

/// A running proxy. Its dynamic configuration is `dynamic/*.yml` in [`Proxy::dir`].
pub struct Proxy {
    pub dir: TempDir,
    addresses: BTreeMap<String, SocketAddr>,
    stopper: Stopper,
    serving: Option<JoinHandle<Result<(), service::Error>>>,
}

/// Two entry points, `web` and `traefik`, and all that can be looked at.
pub const STATIC: &str = "
entryPoints:
  web: {address: '127.0.0.1:0'}
  traefik: {address: '127.0.0.1:0'}
api: {insecure: true}
ping: {}
metrics: {prometheus: {addRoutersLabels: true}}
";

impl Proxy {
    /// Starts with this static configuration (without providers) and these dynamic files.
    pub async fn start(static_file: &str, dynamic: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let folder = dir.path().join("dynamic");
        std::fs::create_dir(&folder).expect("a folder");
        for (name, text) in dynamic {
            std::fs::write(folder.join(name), text).expect("writes");
        }
        let config = dir.path().join("traefik.yml");
        let providers = format!("providers: {{file: {{directory: '{}'}}}}\n", folder.display());
        std::fs::write(&config, format!("{static_file}\n{providers}")).expect("writes");
        let options = Options {
            config_file: Some(config),
            data_dir: Some(dir.path().join("data")),
            ..Options::default()
        };
        Self::start_with(dir, options).await
    }

    pub async fn start_with(dir: TempDir, options: Options) -> Self {
        let app = App::from_options(options, Frame::default()).await.expect("starts");
        let addresses = app.local_addresses().into_iter().collect();
        let stopper = Stopper::new();
        let serving = tokio::spawn(app.serve(stopper.token()));
        Self { dir, addresses, stopper, serving: Some(serving) }
    }

    pub fn address(&self, entry_point: &str) -> SocketAddr {
        self.addresses[entry_point]
    }

    /// A URL on an entry point.
    pub fn url(&self, entry_point: &str, path: &str) -> String {
        format!("http://{}{path}", self.address(entry_point))
    }

    /// Writes or replaces a dynamic file.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.dir.path().join("dynamic").join(name);
        // Written aside and renamed, so that the proxy never reads half of it.
        let temporary = path.with_extension("tmp");
        std::fs::write(&temporary, text).expect("writes");
        std::fs::rename(temporary, path).expect("renames");
    }

    /// Asks the API.
    pub async fn api(&self, path: &str) -> serde_json::Value {
        let response = client().get(self.url("traefik", path)).send().await.expect("answers");
        serde_json::from_str(&response.text().await.expect("text")).expect("JSON")
    }

    pub fn request_stop(&self) {
        self.stopper.stop();
    }

    /// Stops and waits for the end.
    pub async fn stop(mut self) {
        self.stopper.stop();
        if let Some(serving) = self.serving.take() {
            serving.await.expect("no panic").expect("ends well");
        }
    }
}

/// A client that follows nothing and trusts everyone.
pub fn client() -> reqwest::Client {
    client_with(|builder| builder)
}

pub fn client_with(change: impl FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder) -> reqwest::Client {
    let builder = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .danger_accept_invalid_certs(true);
    change(builder).build().expect("a client")
}

/// A GET with a `Host` header.
pub async fn get(url: &str, host: &str) -> reqwest::Response {
    client().get(url).header("host", host).send().await.expect("answers")
}

/// Status and body.
pub async fn fetch(url: &str, host: &str) -> (u16, String) {
    let response = get(url, host).await;
    (response.status().as_u16(), response.text().await.expect("text"))
}
