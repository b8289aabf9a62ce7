//! The books of a run: every message's way, without a lock.

use std::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering::Relaxed};

use tokio::time::Instant;

/// Two messages belong to a handover: the citizen's and the agent's answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Citizen,
    Agent,
}

/// A message's number in a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Tag(usize);

impl Tag {
    pub(super) fn new(handover: usize, by: By) -> Self {
        Self(handover * 2 + usize::from(by == By::Agent))
    }

    pub(super) fn handover(self) -> usize {
        self.0 / 2
    }

    pub(super) fn by(self) -> By {
        if self.0.is_multiple_of(2) {
            By::Citizen
        } else {
            By::Agent
        }
    }

    /// Words that no redaction changes and nothing else contains: letters for digits.
    pub(super) fn text(self) -> String {
        let letters = format!("{:x}", self.0);
        let letter = |c: char| c.to_digit(16).map_or('a', |d| char::from(b'a' + d as u8));
        format!(
            "belastning {}",
            letters.chars().map(letter).collect::<String>()
        )
    }

    pub(super) fn find(text: &str) -> Option<Self> {
        let letters = text.trim().strip_prefix("belastning ")?;
        let digit = |b: u8| (b'a'..=b'p').contains(&b).then(|| usize::from(b - b'a'));
        let number = letters
            .bytes()
            .try_fold(0_usize, |n, b| n.checked_mul(16)?.checked_add(digit(b)?));
        number.map(Self)
    }
}

/// Times that were taken, in µs.
pub(super) struct Taken {
    at: AtomicUsize,
    us: Box<[AtomicU64]>,
}

impl Taken {
    fn new(most: usize) -> Self {
        Self {
            at: AtomicUsize::new(0),
            us: (0..most).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    pub(super) fn add(&self, since: Instant) {
        let n = self.at.fetch_add(1, Relaxed);
        if let Some(place) = self.us.get(n) {
            place.store(micros(since.elapsed()), Relaxed);
        }
    }
}

fn micros(d: std::time::Duration) -> u64 {
    u64::try_from(d.as_micros()).unwrap_or(u64::MAX)
}

/// Times in order.
pub(super) struct Times(Vec<u64>);

impl Times {
    pub(super) fn of(taken: &Taken) -> Self {
        let n = taken.at.load(Relaxed).min(taken.us.len());
        let mut us: Vec<u64> = taken.us.iter().take(n).map(|t| t.load(Relaxed)).collect();
        us.sort_unstable();
        Self(us)
    }

    /// A quantile (nearest rank) in ms; 0 without any.
    pub(super) fn ms(&self, share: f64) -> f64 {
        let rank = (self.0.len() as f64 * share).ceil() as usize;
        let us = self.0.get(rank.saturating_sub(1)).copied().unwrap_or(0);
        us as f64 / 1e3
    }
}

#[derive(Default)]
struct Message {
    acknowledged: AtomicU8,
    came: AtomicU8,
    /// When it was sent, in µs since the run began; 0 before.
    sent_us: AtomicU64,
}

pub(super) struct Book {
    began: Instant,
    messages: Box<[Message]>,
    finished: AtomicUsize,
    misrouted: AtomicUsize,
    refused: AtomicUsize,
    pub(super) accepts: Taken,
    pub(super) deliveries: Taken,
    pub(super) answers: Taken,
}

impl Book {
    /// For so many handovers at most.
    pub(super) fn new(most: usize) -> Self {
        Self {
            began: Instant::now(),
            messages: (0..most * 2).map(|_| Message::default()).collect(),
            finished: AtomicUsize::new(0),
            misrouted: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
            accepts: Taken::new(most * 2),
            deliveries: Taken::new(most * 2),
            answers: Taken::new(most),
        }
    }

    pub(super) fn sent(&self, tag: Tag) {
        if let Some(m) = self.messages.get(tag.0) {
            m.sent_us
                .store(micros(self.began.elapsed()).max(1), Relaxed);
        }
    }

    pub(super) fn acknowledged(&self, tag: Tag) {
        if let Some(m) = self.messages.get(tag.0) {
            m.acknowledged.store(1, Relaxed);
        }
    }

    /// A message came to where it should.
    pub(super) fn came(&self, tag: Tag) {
        let Some(m) = self.messages.get(tag.0) else {
            return self.stray();
        };
        let sent = m.sent_us.load(Relaxed);
        if sent == 0 {
            return self.stray();
        }
        if m.came.fetch_add(1, Relaxed) == 0 {
            let now = micros(self.began.elapsed());
            let n = self.deliveries.at.fetch_add(1, Relaxed);
            if let Some(place) = self.deliveries.us.get(n) {
                place.store(now.saturating_sub(sent), Relaxed);
            }
        }
    }

    /// Something came to where it should not.
    pub(super) fn stray(&self) {
        self.misrouted.fetch_add(1, Relaxed);
    }

    pub(super) fn was_refused(&self) {
        self.refused.fetch_add(1, Relaxed);
    }

    pub(super) fn finish(&self) {
        self.finished.fetch_add(1, Relaxed);
    }

    pub(super) fn finished(&self) -> usize {
        self.finished.load(Relaxed)
    }

    pub(super) fn misrouted(&self) -> usize {
        self.misrouted.load(Relaxed)
    }

    pub(super) fn refused(&self) -> usize {
        self.refused.load(Relaxed)
    }

    /// How many messages were lost, and how many came more than once.
    pub(super) fn judge(&self) -> (usize, usize) {
        let came = |m: &&Message| m.came.load(Relaxed);
        let lost = |m: &&Message| m.acknowledged.load(Relaxed) > 0 && came(m) == 0;
        (
            self.messages.iter().filter(lost).count(),
            self.messages.iter().filter(|m| came(m) > 1).count(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_comes_back_from_its_text_and_nothing_else_is_one() {
        for n in [0, 1, 9, 10, 255, 4_321, 1_000_000] {
            for by in [By::Citizen, By::Agent] {
                let tag = Tag::new(n, by);
                assert_eq!(Tag::find(&tag.text()), Some(tag));
                assert_eq!(tag.handover(), n);
                assert!(tag.by() == by);
                assert!(!tag.text().contains(|c: char| c.is_ascii_digit()));
            }
        }
        assert_eq!(Tag::find("belastning z"), None);
        assert_eq!(Tag::find("hej"), None);
    }

    #[test]
    fn what_is_missing_is_lost_and_what_comes_again_is_doubled() {
        let book = Book::new(3);
        let tag = |n| Tag::new(n, By::Citizen);
        for n in 0..3 {
            book.sent(tag(n));
            book.acknowledged(tag(n));
        }
        book.came(tag(0));
        book.came(tag(1));
        book.came(tag(1));
        assert_eq!(book.judge(), (1, 1));
        // Never acknowledged, so not lost; never sent, so it belongs to nobody.
        book.came(Tag::new(2, By::Agent));
        assert_eq!(book.misrouted(), 1);
        assert_eq!(book.judge(), (1, 1));
        let times = Times::of(&book.deliveries);
        assert_eq!(times.0.len(), 2);
        assert!(times.ms(0.99) >= times.ms(0.5));
    }
}
