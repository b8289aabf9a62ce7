//! An honest offer of a person: when, and how.

use contact::centre::{AreaId, Offers};

use super::dialogue::State;
use super::turn::Request;
use crate::centre::{self, SLOTS};
use crate::transcript::slots_shown;
use crate::wire::{Event, SlotShown};

pub(crate) struct Offer {
    text: String,
    open: bool,
    hours: String,
    phone: String,
    queue: bool,
    slots: Vec<SlotShown>,
}

impl Offer {
    pub(crate) fn event(&self) -> Event<'_> {
        Event::HandoverOffer {
            text: &self.text,
            open: self.open,
            hours: &self.hours,
            phone: &self.phone,
            queue: self.queue,
            slots: self.slots.clone(),
        }
    }

    /// The queue turned out to be closed.
    pub(crate) fn no_queue(&mut self) {
        self.queue = false;
    }
}

impl Request<'_> {
    /// What the centre can do now; without it the citizen can still ring, or leave a number.
    pub(super) async fn offer(&self, state: &State) -> Offer {
        let lang = state.context.lang;
        let snapshot = self.app.snapshot();
        let release = &snapshot.release;
        let code = self.dialogue.municipality;
        let open = self.app.open(code);
        let hours = release.fill("{{kommune.aabningstid}}", code);
        let phone = release.fill("{{kommune.telefon}}", code);
        let serving = self.app.centre.health().state == centre::State::Serving;
        let area = self.area(state);
        let look = self.app.centre.read(|c| {
            if serving {
                c.offers(code, area.as_ref(), SLOTS)
            } else {
                Offers::default()
            }
        });
        let offers = look.await.unwrap_or_default();
        let key = match (open, offers.queue, offers.slots.is_empty()) {
            (_, true, _) => "human_offer_queue",
            (true, ..) => "human_offer_open",
            (false, false, false) => "human_offer_slots",
            (false, false, true) => "human_offer_closed",
        };
        let texts = &release.texts;
        Offer {
            text: texts.get(key, lang, &[("hours", &hours), ("phone", &phone)]),
            open,
            hours,
            phone,
            queue: offers.queue,
            slots: slots_shown(&|k, l, f| texts.get(k, l, f), lang, &offers.slots),
        }
    }

    /// The area of the article that was last on the screen.
    pub(super) fn area(&self, state: &State) -> Option<AreaId> {
        let snapshot = self.app.snapshot();
        let view = snapshot.release.view(self.dialogue.municipality)?;
        let ix = view.get(state.context.article.as_ref()?)?;
        snapshot.release.article(ix).area.parse().ok()
    }
}
