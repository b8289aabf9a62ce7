//! Certificates are renewed while the service runs: the files are looked at every few seconds, and whoever connects
//! from then on is shown what they hold. Connections that are open go on.

use std::sync::Arc;
use std::time::Duration;

use base::Clock;
use tokio::sync::watch::Receiver;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::{Pair, Read, Tls};

/// Both files are read whole: a few kB, and a time of change is no proof of one.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// What was wrong when the files were looked at last.
#[derive(Default)]
pub(super) struct Doubt {
    fault: Option<String>,
    said: bool,
}

impl Doubt {
    /// What is to be said now. Who lays two files lays one first: a fault counts when it is there a second time.
    pub(super) fn weigh(&mut self, found: Option<String>) -> Option<String> {
        if found != self.fault {
            self.fault = found;
            self.said = false;
            return None;
        }
        if self.said {
            return None;
        }
        self.said = true;
        self.fault.clone()
    }
}

/// Serves the files as they are, until the service stops.
pub(crate) async fn keep(tls: Arc<Tls>, clock: Arc<dyn Clock>, mut stopping: Receiver<bool>) {
    let mut doubt = Doubt::default();
    loop {
        tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => return,
            () = sleep(LOOK_EVERY) => {}
        }
        let (looking, clock) = (Arc::clone(&tls), Arc::clone(&clock));
        let Ok(found) = spawn_blocking(move || looking.look(&*clock)).await else {
            continue;
        };
        if let Some(fault) = doubt.weigh(found.err()) {
            tracing::error!("{fault}; the certificate before it is served on");
        }
    }
}

impl Tls {
    /// Takes what the files hold, where it is another pair and can be served. Blocks.
    ///
    /// # Errors
    /// Why the new pair is not taken.
    pub(super) fn look(&self, clock: &dyn Clock) -> Result<(), String> {
        let read = Read::of(&self.files)?;
        if read.digest() == self.pair().digest {
            return Ok(());
        }
        let new = Pair::of(&self.files, &read)?;
        if let Some(why) = new.unfit(clock.now()) {
            return Err(format!("{}: {why}", self.files.certificate.display()));
        }
        let expires = new.expires;
        self.live.0.store(Arc::new(new));
        tracing::info!(%expires, "the new certificate is served");
        Ok(())
    }
}
