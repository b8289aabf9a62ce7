//! When this node stops: what another needs to go on with a dialogue, and who is not taken any more.

use std::time::Duration;

use contact::centre::Command;
use tokio::time::timeout;

use super::super::dialogue::Dialogue;
use crate::app::App;
use crate::centre::State;
use crate::drain::Phase;
use crate::transcript::Carried;
use crate::wire::Hello;

/// Of the close frame.
pub(super) const WHY: &str = "the service restarts: connect again";

/// How long somebody who comes from another node waits for what that one handed on.
const PATIENCE: Duration = Duration::from_secs(2);

/// Reads and keeps what is in the log by now: what another node handed on lies there, and this node may be about to
/// read it. Without the log, whoever comes gets what is here.
pub(super) async fn caught_up(app: &App) {
    if !app.shared {
        return;
    }
    // Answered when it is in the log, and it and all before it are in the journal.
    let nothing = app.centre.send(Command::Tick);
    if !matches!(timeout(PATIENCE, nothing).await, Ok(Ok(_))) {
        tracing::debug!("somebody from another node did not wait for the log");
    }
}

/// Whether somebody is to come to another node: whoever is new, and in the end everybody.
pub(super) fn away(app: &App, hello: &Hello) -> bool {
    match app.drain.phase() {
        Phase::Serving => false,
        Phase::Unready => hello.resume.is_none(),
        Phase::Leaving => true,
    }
}

/// Has every node keep this dialogue as it is here, as far as the log can be reached: whoever comes to a node that does
/// not know it begins anew there.
pub(super) async fn hand_on(app: &App, dialogue: &Dialogue) {
    if !app.shared || matches!(app.centre.health().state, State::Away { .. }) {
        return;
    }
    // After what another page of the citizen's has begun.
    let _state = dialogue.state.lock().await;
    let carried = Carried::new(dialogue.id.clone(), Vec::new());
    let sent = match carried.with_copy(&app.journal).await {
        Ok(carried) => {
            let nothing = Command::Tick;
            let sent = app.centre.send_with(nothing, Some(carried.text())).await;
            sent.map(drop).map_err(|e| e.to_string())
        }
        Err(e) => Err(e.to_string()),
    };
    if let Err(e) = sent {
        tracing::warn!(dialogue = %dialogue.id, "no other node can go on with a dialogue: {e}");
    }
}
