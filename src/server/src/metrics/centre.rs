//! What happens in the contact centre, counted at the node that brought it about.

use contact::centre::{Effect, OfferEnd, Outcome};

use super::Metrics;
use super::label::Step as Label;
use crate::app::App;
use crate::centre::{News, Step};

pub(super) const HANDOVERS: [&str; 7] = [
    "requested",
    "accepted",
    "settled",
    "abandoned",
    "left",
    "returned",
    "ignored",
];
pub(super) const CALLBACKS: [&str; 5] = ["promised", "late", "reached", "unreached", "cancelled"];

/// Counts until the node ends.
pub(crate) async fn follow(app: App) {
    let mut steps = app.centre.effects();
    while let Some(news) = steps.next().await {
        match news {
            News::Step(step) if app.centre.sent_it(&step) => app.metrics.step(&step),
            News::Step(_) => {}
            News::Missed => {
                app.metrics.steps_missed.inc();
            }
        }
    }
}

impl Metrics {
    fn step(&self, step: &Step) {
        let handover = |step| {
            self.handovers.get_or_create(&Label { step }).inc();
        };
        let callback = |step| {
            self.callbacks.get_or_create(&Label { step }).inc();
        };
        for effect in &step.effects {
            match effect {
                Effect::Requested { item, .. } => {
                    let call = step.about(item).is_some_and(|a| a.reference.is_some());
                    if !call {
                        handover("requested");
                    }
                }
                Effect::Owned { .. } => handover("accepted"),
                Effect::OfferEnded { why, .. } if *why == OfferEnd::Ignored => handover("ignored"),
                Effect::CallbackPromised { .. } => callback("promised"),
                Effect::CallbackLate { .. } => callback("late"),
                Effect::Closed { outcome, .. } => match outcome {
                    Outcome::Settled { .. } => handover("settled"),
                    Outcome::Abandoned => handover("abandoned"),
                    Outcome::Left => handover("left"),
                    Outcome::Bot => handover("returned"),
                    Outcome::Reached => callback("reached"),
                    Outcome::Unreached => callback("unreached"),
                    Outcome::Cancelled => callback("cancelled"),
                },
                _ => {}
            }
        }
    }
}
