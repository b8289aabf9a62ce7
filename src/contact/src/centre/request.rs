//! Citizens who ask, stay, go away and come back.

use super::Centre;
use super::effect::{Effect, OfferEnd, Refusal, WaitReason};
use super::estimate::Promise;
use super::ids::{ConnectionId, ItemId, Moment, Text};
use super::item::{Brief, CallbackReason, Handover, Item, ItemState, Link, Outcome, Route, Stage};
use super::presence::LINKS;

/// A recovered place is no older than a day.
const OLDEST_MS: u64 = 24 * 60 * 60 * 1_000;

impl Centre {
    pub(super) fn request(
        &mut self,
        handover: &Handover,
        link: Option<&Link>,
        asked_at: Option<Moment>,
    ) -> Result<(), Refusal> {
        self.may_open(handover, false)?;
        let m = &self.state.municipalities[&handover.municipality];
        // What was acknowledged once is not refused for the hour at which it was found again.
        if !m.open && asked_at.is_none() {
            return Err(Refusal::Closed {
                opens: m.changes_at,
            });
        }
        let now = self.state.now;
        let place = asked_at.map(|t| t.clamp(now.minus(OLDEST_MS), now));
        let n = self.open(handover, place, true);
        let item = self.item_mut(n);
        match link {
            Some(link) => {
                let link = link.clone();
                item.links.insert(link.connection, link.node);
            }
            None => item.lost_at = Some(now),
        }
        self.wait(n, WaitReason::Requested);
        self.index.fresh.insert(n);
        if !self.staffed(handover.municipality) {
            self.offer_callback(n, CallbackReason::NoAgents);
        }
        Ok(())
    }

    /// Whether a handover may be opened.
    pub(super) fn may_open(&self, h: &Handover, callback: bool) -> Result<(), Refusal> {
        if self.index.number_of.contains_key(&h.item) {
            return Err(Refusal::Duplicate);
        }
        if !self.state.municipalities.contains_key(&h.municipality) {
            return Err(Refusal::UnknownMunicipality);
        }
        let limits = &self.state.settings.limits;
        let open = self.state.items.len() - self.state.settled.len();
        if open >= limits.open as usize {
            return Err(Refusal::Full);
        }
        let Brief {
            question,
            tried,
            sources,
            failed,
        } = &h.brief;
        for (name, text) in [("question", question), ("failed", failed)] {
            self.fits(name, text)?;
        }
        for (name, lines) in [("tried", tried), ("sources", sources)] {
            if lines.len() > usize::from(limits.brief_lines) {
                return Err(Refusal::TooLong(name.into()));
            }
            lines.iter().try_for_each(|t| self.fits(name, t))?;
        }
        match self.open_of(h, callback) {
            Some(item) => Err(Refusal::AlreadyOpen(item)),
            None => Ok(()),
        }
    }

    /// Whether a text is within the limits.
    pub(super) fn fits(&self, name: &str, text: &Text) -> Result<(), Refusal> {
        if text.chars() > self.state.settings.limits.text_chars as usize {
            Err(Refusal::TooLong(name.to_owned()))
        } else {
            Ok(())
        }
    }

    /// The open chat, or the open callback, of a handover's dialogue.
    fn open_of(&self, h: &Handover, callback: bool) -> Option<ItemId> {
        let numbers = self.index.of_dialogue.get(&h.dialogue)?;
        let items = numbers.iter().map(|n| self.item_at(*n));
        let mut open = items.filter(|i| i.is_open() && i.callback.is_some() == callback);
        open.next().map(|i| i.id.clone())
    }

    /// Makes an item of a handover, for a team that is open if it is for `today`. Who comes back from the
    /// bot soon has the place of before.
    pub(super) fn open(&mut self, h: &Handover, place: Option<Moment>, today: bool) -> u64 {
        let now = self.state.now;
        let before = self.index.of_dialogue.get(&h.dialogue);
        let mut before = before.into_iter().flatten().rev().map(|n| self.item_at(*n));
        let soon = self.state.settings.max_wait_ms;
        let last = before.next();
        let from_bot = last.and_then(|i| match i.state {
            ItemState::Closed {
                at,
                outcome: Outcome::Bot,
                ..
            } if now.since(at) <= soon => Some(i.place),
            _ => None,
        });
        let earlier = last.and_then(|i| match &i.state {
            ItemState::Closed { by, .. } => by.clone(),
            _ => None,
        });
        let n = self.state.last_number + 1;
        self.state.last_number = n;
        let item = Item {
            number: n,
            id: h.item.clone(),
            dialogue: h.dialogue.clone(),
            municipality: h.municipality,
            origin: h.municipality,
            passed: Default::default(),
            area: h.area.clone(),
            language: h.language,
            audience: h.audience,
            class: h.class,
            brief: h.brief.clone(),
            place: place.or(from_bot).unwrap_or(now),
            route: Route {
                since: now,
                team: None,
                chosen: None,
                fallback: false,
            },
            state: ItemState::Callback(Stage::Promised),
            epoch: 0,
            offers: 0,
            avoid: Default::default(),
            decisions: Default::default(),
            links: Default::default(),
            lost_at: None,
            seen: Default::default(),
            callback: None,
            earlier,
            answered_at: None,
            promise: None,
            told: None,
            watchers: Default::default(),
        };
        self.index.add_item(&item);
        self.out.push(Effect::Requested {
            item: item.id.clone(),
            dialogue: item.dialogue.clone(),
            municipality: item.municipality,
            place: item.place,
        });
        self.state.items.insert(n, item);
        self.state.stats.requested(h.municipality);
        self.route(n, today);
        n
    }

    /// Finds the team that fits, or the fallback; `open` asks for one that is open now.
    pub(super) fn route(&mut self, n: u64, open: bool) {
        let item = self.item_at(n);
        let (id, code) = (item.id.clone(), item.municipality);
        let fitting = self.fitting_team(code, item.area.as_ref(), open);
        let fallback = fitting.is_none() && !self.state.teams.is_empty();
        // A team that nobody is in is not waited for.
        let named = self.state.settings.fallback_team.clone();
        let named = named.filter(|t| fallback && self.state.teams.contains_key(t));
        let team = fitting.or(named.filter(|t| self.has_members(t, code)));
        if fallback {
            let (item, team) = (id.clone(), team.clone());
            self.out.push(Effect::Fallback { item, team });
        }
        let since = self.state.now;
        self.item_mut(n).route = Route {
            since,
            team,
            chosen: None,
            fallback,
        };
        let mut agents = self.state.agents.values();
        if !agents.any(|a| a.profile.skills.municipalities.contains(&code)) {
            self.out.push(Effect::Stranded { item: id });
        }
    }

    pub(super) fn citizen_present(&mut self, id: &ItemId, link: &Link) -> Result<(), Refusal> {
        let n = self.number(id)?;
        let item = self.item_mut(n);
        if !item.is_open() {
            return Err(Refusal::Ended);
        }
        if item.links.len() >= LINKS && !item.links.contains_key(&link.connection) {
            return Err(Refusal::Full);
        }
        let link = link.clone();
        item.links.insert(link.connection, link.node);
        item.lost_at = None;
        self.touch_item(n);
        Ok(())
    }

    pub(super) fn citizen_absent(
        &mut self,
        id: &ItemId,
        connection: &ConnectionId,
    ) -> Result<(), Refusal> {
        let n = self.number(id)?;
        let now = self.state.now;
        let item = self.item_mut(n);
        if item.links.remove(connection).is_some() && item.links.is_empty() {
            item.lost_at = Some(now);
            self.touch_item(n);
        }
        Ok(())
    }

    pub(super) fn leave(&mut self, id: &ItemId) -> Result<(), Refusal> {
        let n = self.number(id)?;
        let item = self.item_at(n);
        match &item.state {
            ItemState::Closed { .. } => Err(Refusal::Ended),
            _ if item.callback.is_some() => Err(Refusal::WrongState),
            ItemState::Owned { agent, .. } => {
                let by = Some(agent.clone());
                self.close(n, Outcome::Left, by);
                Ok(())
            }
            _ => {
                self.abandon(n);
                Ok(())
            }
        }
    }

    /// The citizen is gone before anybody had the item.
    pub(super) fn abandon(&mut self, n: u64) {
        let item = self.item_at(n);
        let wait_ms = self.state.now.since(item.place);
        let offered = matches!(item.state, ItemState::Offered { .. });
        // Who was served before and waits again was not abandoned by the queue.
        if item.answered_at.is_none() {
            let code = item.municipality;
            let within = wait_ms <= self.state.settings.service_level_ms;
            self.state.stats.abandoned(code, within);
        }
        if offered {
            self.end_offer(n, OfferEnd::Withdrawn);
        }
        self.learn(n, false);
        self.close(n, Outcome::Abandoned, None);
    }

    /// The wait that was foretold is over.
    pub(super) fn learn(&mut self, n: u64, answered: bool) {
        let item = &self.state.items[&n];
        if let (Some(promise), None) = (&item.promise, item.answered_at) {
            let wait_ms = self.state.now.since(item.place);
            self.state.estimator.learn(promise, wait_ms, answered);
        }
    }

    /// Tells those who came to wait in this step how long it will be.
    pub(super) fn foretell(&mut self) {
        for n in std::mem::take(&mut self.index.fresh) {
            let waits = ItemState::Waiting { held: false };
            if self.state.items.get(&n).is_none_or(|i| i.state != waits) {
                continue;
            }
            let Some((_, base_ms)) = self.ahead(n) else {
                continue;
            };
            let band = self.state.estimator.band(base_ms);
            let item = self.item_mut(n);
            item.promise = Some(Promise { band, base_ms });
            let id = item.id.clone();
            self.out.push(Effect::Foretold { item: id, band });
            if u64::from(band.median_min) * 60_000 > self.state.settings.long_wait_ms {
                self.offer_callback(n, CallbackReason::LongWait);
            }
        }
    }
}
