//! Numbers that were left without a time, because the centre was away or had no time to promise: brought to the
//! centre as soon as it has one, so that somebody rings.

use std::time::Duration;

use base::Lang;
use contact::centre::{Audience, CallbackRequest, Class, Command, ItemId, Moment, Refusal as No};
use contact::{Phone, Reference};
use storage::CallbackRow;
use tokio::time::{MissedTickBehavior, interval};

use crate::app::App;
use crate::centre::{Error, State};
use crate::transcript::Carried;

const LOOK_EVERY: Duration = Duration::from_secs(20);
/// Looked at in one go.
const AT_ONCE: u32 = 100;

/// Looks now and then, for as long as the program runs.
pub(super) async fn run(app: App) {
    let mut tick = interval(LOOK_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        match hand_in(&app).await {
            Ok(0) => {}
            Ok(n) => {
                tracing::info!("{n} numbers that were left are with the contact centre now");
            }
            Err(e) => tracing::warn!("numbers that were left wait on: {e}"),
        }
    }
}

/// Brings what waits to the centre; how many it took. What it cannot take now waits on.
///
/// # Errors
/// The journal's.
pub(super) async fn hand_in(app: &App) -> Result<usize, storage::Error> {
    if app.centre.health().state != State::Serving {
        return Ok(0);
    }
    let mut taken = 0;
    for row in app.journal.waiting_callbacks(AT_ONCE).await? {
        taken += usize::from(one(app, row).await?);
    }
    Ok(taken)
}

async fn one(app: &App, row: CallbackRow) -> Result<bool, storage::Error> {
    // Both were checked when they were written.
    let (Ok(reference), Ok(phone)) = (row.reference.parse::<Reference>(), Phone::parse(&row.phone))
    else {
        tracing::error!(reference = row.reference, "a callback cannot be read");
        return Ok(false);
    };
    let Some(loaded) = app.journal.load(&row.dialogue, 0, 0).await? else {
        return Ok(false);
    };
    let Some(from) = next_slot(app, &row).await else {
        return Ok(false);
    };
    // The same each time, so that it is handed in once.
    let Ok(item) = format!("left-{}", row.reference).parse::<ItemId>() else {
        return Ok(false);
    };
    let command = request(&row, item.clone(), loaded.meta.lang, reference, phone, from);
    let carried = Carried::new(row.dialogue.clone(), Vec::new());
    let carried = carried.with_copy(&app.journal).await?;
    match app.centre.send_with(command, Some(carried.text())).await {
        Ok(_) | Err(Error::Refused(No::Duplicate)) => {}
        // The slot has gone, or the dialogue has another promise: later.
        Err(e) => {
            tracing::debug!(reference = row.reference, "not handed in yet: {e}");
            return Ok(false);
        }
    }
    if app.journal.hand_in_callback(&row.reference).await? {
        return Ok(true);
    }
    // Cancelled meanwhile.
    if let Err(e) = app.centre.send(Command::CancelCallback { item }).await {
        tracing::warn!(
            reference = row.reference,
            "a cancelled callback is still promised: {e}"
        );
    }
    Ok(false)
}

async fn next_slot(app: &App, row: &CallbackRow) -> Option<Moment> {
    let slots = app
        .centre
        .read(|c| c.callback_slots(row.municipality, None, 1));
    slots.await.ok()?.first().map(|s| s.from)
}

fn request(
    row: &CallbackRow,
    item: ItemId,
    language: Lang,
    reference: Reference,
    phone: Phone,
    from: Moment,
) -> Command {
    Command::RequestCallback {
        item,
        dialogue: row.dialogue.clone(),
        municipality: row.municipality,
        area: None,
        language,
        audience: Audience::Citizen,
        class: Class::Normal,
        promise: CallbackRequest {
            reference,
            phone,
            topic: row.topic.clone().map(Into::into),
            from,
        },
    }
}
