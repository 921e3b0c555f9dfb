//! Tunnels: connections that switched protocols and are only copied from then on.

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use service::Stop;
use tokio::io::copy_bidirectional;
use tokio_util::task::TaskTracker;
use tracing::debug;

/// Owner of all open tunnels. Cheap to clone; all clones are one.
#[derive(Debug, Clone)]
pub struct Tunnels {
    tasks: TaskTracker,
    stop: Stop,
}

impl Tunnels {
    /// Tunnels that are cut when the stop is requested.
    pub fn new(stop: Stop) -> Self {
        Self { tasks: TaskTracker::new(), stop }
    }

    /// How many are open.
    pub fn count(&self) -> usize {
        self.tasks.len()
    }

    /// Waits until the last one is closed; no more can be waited for then.
    pub async fn closed(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Copies both ways once both sides have switched, until one of them ends.
    pub(crate) fn open(&self, client: OnUpgrade, server: OnUpgrade) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            let tunnel = async {
                let (client, server) = match tokio::try_join!(client, server) {
                    Ok(sides) => sides,
                    Err(error) => return debug!(%error, "upgrade failed"),
                };
                let (mut client, mut server) = (TokioIo::new(client), TokioIo::new(server));
                if let Err(error) = copy_bidirectional(&mut client, &mut server).await {
                    debug!(%error, "tunnel ended");
                }
            };
            tokio::select! {
                () = tunnel => {}
                () = stop.requested() => {}
            }
        });
    }
}
