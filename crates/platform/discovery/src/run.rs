//! Running the discoveries of one block.

use std::sync::Arc;

use service::Stop;
use tokio::sync::watch;

use crate::{
    DiscoveryConfigs, TargetGroup,
    file::{FileDiscovery, POLL_INTERVAL},
};

/// All groups that a block's discoveries know now.
pub type Groups = Arc<Vec<TargetGroup>>;

/// The discoveries of one block: a task to run, and a channel that always holds the newest groups.
pub struct Discovery {
    fixed: Vec<TargetGroup>,
    files: Vec<FileDiscovery>,
    sender: watch::Sender<Groups>,
}

impl Discovery {
    /// Sets up the discoveries; static targets and files are known at once.
    pub fn new(configs: &DiscoveryConfigs) -> (Self, watch::Receiver<Groups>) {
        let fixed = configs
            .static_configs
            .iter()
            .enumerate()
            .map(|(at, config)| config.group(at.to_string()))
            .collect();
        let mut files: Vec<FileDiscovery> =
            configs.file_sd_configs.iter().cloned().map(FileDiscovery::new).collect();
        for file in &mut files {
            file.poll();
        }
        let (sender, receiver) = watch::channel(Groups::default());
        let discovery = Self { fixed, files, sender };
        discovery.publish();
        (discovery, receiver)
    }

    /// Watches for changes until the stop.
    pub async fn run(mut self, stop: Stop) {
        if self.files.is_empty() {
            // Keeps the channel open: a closed one means that the block is gone.
            return stop.requested().await;
        }
        let mut tick = tokio::time::interval(POLL_INTERVAL);
        loop {
            tokio::select! {
                () = stop.requested() => return,
                _ = tick.tick() => {}
            }
            let mut files = std::mem::take(&mut self.files);
            let polled = service::spawn_blocking(move || {
                let changed = files.iter_mut().fold(false, |changed, file| file.poll() | changed);
                (files, changed)
            });
            let Ok((files, changed)) = polled.await else { return };
            self.files = files;
            if changed {
                self.publish();
            }
        }
    }

    fn publish(&self) {
        let groups =
            self.fixed.iter().chain(self.files.iter().flat_map(FileDiscovery::groups)).cloned().collect();
        self.sender.send_replace(Arc::new(groups));
    }
}
