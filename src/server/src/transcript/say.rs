//! What the service says to citizens of the contact centre.

use base::Lang;
use contact::centre::{CallbackReason, Moment, Outcome, Slot};
use contact::copenhagen;

use crate::wire::SlotShown;

/// A system text by key and language, with its places filled.
pub(crate) type Say<'a> = &'a dyn Fn(&str, Lang, &[(&str, &str)]) -> String;

/// A slot in words: the day and the time of day, in Copenhagen.
pub(crate) fn slot_text(say: Say<'_>, lang: Lang, from: Moment, to: Moment) -> String {
    let at = |m: Moment| m.timestamp().to_zoned(copenhagen().clone());
    let (from, to) = (at(from), at(to));
    let clock = |z: &jiff::Zoned| {
        let (hour, minute) = (z.hour().to_string(), format!("{:02}", z.minute()));
        say("clock", lang, &[("hour", &hour), ("minute", &minute)])
    };
    let pick = |key: &str, n: i8| {
        let names = say(key, lang, &[]);
        let n = usize::try_from(n).unwrap_or(0);
        names.split('|').nth(n).unwrap_or_default().to_owned()
    };
    let fill = [
        (
            "weekday",
            pick("weekdays", from.weekday().to_monday_zero_offset()),
        ),
        ("day", from.day().to_string()),
        ("month", pick("months", from.month() - 1)),
        ("from", clock(&from)),
        ("to", clock(&to)),
    ];
    let fill = fill.each_ref().map(|(name, value)| (*name, value.as_str()));
    say("slot", lang, &fill)
}

/// Slots as a citizen is shown them.
pub(crate) fn slots_shown(say: Say<'_>, lang: Lang, slots: &[Slot]) -> Vec<SlotShown> {
    let shown = |s: &Slot| SlotShown {
        from_ms: s.from.as_ms(),
        to_ms: s.to.as_ms(),
        text: slot_text(say, lang, s.from, s.to),
    };
    slots.iter().map(shown).collect()
}

/// The protocol's word for a reason, and the key of what is said; other words when there is no slot to offer.
pub(super) fn offered(why: CallbackReason, any: bool) -> (&'static str, &'static str) {
    match (why, any) {
        (CallbackReason::Closed, true) => ("closed", "callback_offer_closed"),
        (CallbackReason::NoAgents, true) => ("no_agents", "callback_offer_no_agents"),
        (CallbackReason::LongWait, true) => ("long_wait", "callback_offer_long_wait"),
        (CallbackReason::Closed, false) => ("closed", "callback_none_closed"),
        (CallbackReason::NoAgents, false) => ("no_agents", "callback_none_no_agents"),
        (CallbackReason::LongWait, false) => ("long_wait", "callback_none_long_wait"),
    }
}

/// The protocol's word for an outcome, the key of what is said, and whether the citizen may rate.
pub(super) fn ended(outcome: &Outcome) -> (&'static str, &'static str, bool) {
    match outcome {
        Outcome::Settled { .. } => ("settled", "handover_ended_settled", true),
        Outcome::Abandoned => ("abandoned", "handover_ended_abandoned", false),
        Outcome::Left => ("left", "handover_ended_left", true),
        Outcome::Bot => ("bot", "handover_ended_bot", false),
        Outcome::Reached => ("reached", "handover_ended_reached", true),
        Outcome::Unreached => ("unreached", "handover_ended_unreached", false),
        Outcome::Cancelled => ("cancelled", "callback_cancelled", false),
    }
}
