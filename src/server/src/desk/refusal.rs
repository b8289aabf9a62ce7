//! Why a command was refused: a code for the page, a text for the agent.

use contact::centre::Refusal as Why;

use super::wire::{FromDesk, ToDesk};
use crate::centre::Error;

/// A command was not carried out.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) code: &'static str,
    pub(super) text: String,
}

/// A refusal with the text that belongs to its code.
pub(super) fn refusal(code: &'static str) -> Refusal {
    let text = match code {
        "taken" => "En kollega tog den først.",
        "offer_over" => "Tilbuddet gælder ikke længere.",
        "not_yours" => "Du har ikke længere denne samtale.",
        "stale" => "Samtalen har skiftet hænder, siden du sidst så den.",
        "not_allowed" => "Det har du ikke adgang til.",
        "no_room" => "Du har ikke plads til flere. Afslut noget først.",
        "absent" => "Du er ikke til stede. Vis siden, og prøv igen.",
        "paused" => "Du holder pause. Meld dig klar først.",
        "ended" => "Samtalen er slut.",
        "closed" => "Der er lukket.",
        "too_long" => "Teksten er for lang.",
        "not_due" => "Der skal ikke ringes op nu.",
        "lease_over" => "Tiden til at ringe op er udløbet. Tag opkaldet igen.",
        "unknown" => "Den findes ikke længere.",
        "bad_frame" => "Siden sendte noget, som tjenesten ikke forstår. Genindlæs siden.",
        "overloaded" => "Der er travlt lige nu. Prøv igen om lidt.",
        "unavailable" => "Der er ikke forbindelse til køen lige nu. Prøv igen.",
        _ => "Det lykkedes ikke. Prøv igen.",
    };
    Refusal {
        code,
        text: text.to_owned(),
    }
}

/// A refusal with a text of its own.
pub(super) fn refused(code: &'static str, text: impl Into<String>) -> Refusal {
    Refusal {
        code,
        text: text.into(),
    }
}

/// The answer to a frame that is for others.
pub(super) fn not_for_you(frame: FromDesk) -> ToDesk {
    let Refusal { code, text } = refusal("not_allowed");
    match frame {
        FromDesk::Ask { id, .. } => ToDesk::Refused { id, code, text },
        _ => ToDesk::Error { code, text },
    }
}

impl From<Error> for Refusal {
    fn from(e: Error) -> Self {
        match e {
            Error::Refused(why) => Self::from(why),
            Error::Overloaded => refusal("overloaded"),
            Error::Unavailable(_) | Error::Starting | Error::Closed => refusal("unavailable"),
            Error::Store(e) => {
                tracing::error!("a command of the desk: {e}");
                refusal("unavailable")
            }
            Error::Unknown | Error::Faulty => refusal("failed"),
        }
    }
}

impl From<Why> for Refusal {
    fn from(why: Why) -> Self {
        let code = match why {
            Why::Taken => "taken",
            Why::OfferOver => "offer_over",
            Why::NotYours => "not_yours",
            Why::Stale => "stale",
            Why::NotAllowed => "not_allowed",
            Why::NoRoom => "no_room",
            Why::Absent => "absent",
            Why::Paused => "paused",
            Why::Ended => "ended",
            Why::Closed { opens } => {
                let opens = opens.map(|at| at.timestamp().to_zoned(contact::copenhagen().clone()));
                let text = match opens {
                    Some(at) => format!(
                        "Der er lukket. Der åbner {}.",
                        at.strftime("%d.%m. kl. %H.%M")
                    ),
                    None => "Der er lukket.".to_owned(),
                };
                return refused("closed", text);
            }
            Why::TooLong(_) => "too_long",
            Why::NotDue => "not_due",
            Why::LeaseOver => "lease_over",
            Why::UnknownItem | Why::UnknownTeam | Why::UnknownMunicipality => "unknown",
            Why::UnknownAgent => "absent",
            Why::Full => "overloaded",
            Why::WrongState => {
                return refused(
                    "failed",
                    "Det kan ikke lade sig gøre, som samtalen står nu.",
                );
            }
            Why::AlreadyOpen(_)
            | Why::Duplicate
            | Why::BotSilenced
            | Why::NoSuchSlot
            | Why::SlotFull
            | Why::Setting(_) => "failed",
        };
        refusal(code)
    }
}

impl From<storage::Error> for Refusal {
    fn from(e: storage::Error) -> Self {
        tracing::error!("the desk: {e}");
        match e {
            storage::Error::Overloaded => refusal("overloaded"),
            _ => refusal("unavailable"),
        }
    }
}
