//! What was published quickly is learned whole afterwards.

use std::sync::{Arc, PoisonError};
use std::thread;

use dialogue::Turn;
use knowledge::Release;
use tokio::runtime::Handle;

use super::{Studio, thresholds};
use crate::app::App;

impl Studio {
    /// Learns a release whole, on one thread beside everything else, and puts it in the place of the quick one if
    /// that is still live. It may take minutes, and the service does not wait for it when it stops: the next start
    /// learns what it does not find.
    pub(super) fn learn_whole(&self, app: &App, release: Arc<Release>) {
        let (app, maker, one) = (
            Arc::clone(app),
            self.maker.gently(),
            Arc::clone(&self.learning),
        );
        let (store, async_threads) = (self.store.clone(), Handle::current());
        let work = move || {
            let _one_at_a_time = one.lock().unwrap_or_else(PoisonError::into_inner);
            let is_live = |t: &Turn| t.snapshot.release.hash == release.hash;
            if !is_live(&app.turn.load()) {
                return;
            }
            match maker.build(Arc::clone(&release), &mut |_, _, _| {}) {
                Ok(snapshot) => {
                    app.turn.rcu(|now| {
                        if !is_live(now) {
                            return Arc::clone(now);
                        }
                        let mut turn = Turn::new(Arc::clone(&snapshot));
                        turn.policy = now.policy;
                        Arc::new(turn)
                    });
                    tracing::info!(release = release.hash, "the release is learned whole");
                    let (budget, at) = (maker.budget(), app.clock.now());
                    async_threads.spawn(thresholds::keep(store, budget, at, snapshot));
                }
                Err(e) => tracing::warn!("the release is not learned whole yet: {e}"),
            }
        };
        if let Err(e) = thread::Builder::new().name("learn".to_owned()).spawn(work) {
            tracing::warn!("the release is not learned whole yet: {e}");
        }
    }
}
