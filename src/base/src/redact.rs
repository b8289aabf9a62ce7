//! Personal numbers and addresses are masked before anything is stored, indexed, logged or shown to a model.
//!
//! Five kinds: CPR numbers, phone numbers, e-mail addresses, bank accounts and cards, passport numbers. A CPR number
//! is hidden whoever writes it; which of the others are, the caller says ([`Rules`]), for an office's own phone
//! number in an agent's answer is no secret (docs/decisions/0012). What a municipality publishes itself
//! ([`Published`]) stays as it is.
//!
//! A chat masks first: a false alarm costs the citizen a word of explanation, a miss puts a number on disk. So what
//! looks like a phone number is hidden unless something speaks against it: the words beside it (`ordre`, `CVR`,
//! `kr.`), or its form (a date, hours, an amount). What looks like anything, such as a run of nine digits, is hidden
//! only where a word calls it an account or a passport.
//!
//! One pass looks at each character a bounded number of times, so the time grows with the text alone.

mod account;
mod address;
mod context;
mod cpr;
mod digits;
mod phone;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use self::digits::Digits;

/// A kind of personal data that was hidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Masked {
    Cpr,
    Phone,
    Email,
    /// A bank account (registration and account number, IBAN) or the number of a payment card.
    Account,
    Passport,
}

impl Masked {
    pub const ALL: [Masked; 5] = [
        Masked::Cpr,
        Masked::Phone,
        Masked::Email,
        Masked::Account,
        Masked::Passport,
    ];

    /// What stands where it was. No citizen writes it by accident.
    pub const fn mask(self) -> &'static str {
        match self {
            Masked::Cpr => "[CPR-nummer skjult]",
            Masked::Phone => "[telefonnummer skjult]",
            Masked::Email => "[e-mailadresse skjult]",
            Masked::Account => "[kontonummer skjult]",
            Masked::Passport => "[pasnummer skjult]",
        }
    }
}

/// A text without personal numbers, and the kinds that were in it, each once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redaction {
    pub text: String,
    pub masked: Vec<Masked>,
}

/// Phone numbers and e-mail addresses that are no secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// The last eight digits of each phone number; two or three hundred at most, so a list.
    phones: Vec<[u8; 8]>,
    /// In lower case.
    mails: Vec<String>,
}

impl Published {
    /// Every phone number and e-mail address in these texts.
    pub fn of<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        let mut found = Self::default();
        for text in texts {
            let text = visible(text);
            for mail in address::all(&text) {
                found.mails.push(address::plain(&text[mail]));
            }
            let digits = Digits::scan(&text);
            let mut at = 0;
            while at < digits.len() {
                let phone = phone::at(&digits, at);
                at = phone.as_ref().map_or(at + 1, |f| f.next.max(at + 1));
                let last = phone.and_then(|f| f.digits.last_chunk::<8>().copied());
                found.phones.extend(last);
            }
        }
        found
    }

    fn phone(&self, digits: &[u8]) -> bool {
        let last = digits.len().checked_sub(8).map(|from| &digits[from..]);
        last.is_some_and(|d| self.phones.iter().any(|p| p == d))
    }

    fn mail(&self, address: &str) -> bool {
        self.mails.iter().any(|m| *m == address::plain(address))
    }
}

/// What is hidden in a text.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// Phone numbers and e-mail addresses stay: those who answer for a municipality pass them on.
    contacts_stay: bool,
    /// Accounts and passport numbers stay too: a municipality publishes where to pay.
    accounts_stay: bool,
    published: Option<&'a Published>,
}

impl<'a> Rules<'a> {
    /// Every kind: what citizens write, and what staff write about them.
    pub const ALL: Rules<'static> = Rules {
        contacts_stay: false,
        accounts_stay: false,
        published: None,
    };
    /// What staff write to a citizen: an office's phone number and address stay.
    pub const REPLY: Rules<'static> = Rules {
        contacts_stay: true,
        ..Rules::ALL
    };
    /// What becomes public knowledge: CPR numbers alone are hidden.
    pub const KNOWLEDGE: Rules<'static> = Rules {
        contacts_stay: true,
        accounts_stay: true,
        published: None,
    };

    /// Every kind but what the municipality publishes.
    pub const fn except(published: &'a Published) -> Self {
        Rules {
            published: Some(published),
            ..Rules::ALL
        }
    }

    fn hides(&self, kind: Masked) -> bool {
        match kind {
            Masked::Cpr => true,
            Masked::Phone | Masked::Email => !self.contacts_stay,
            Masked::Account | Masked::Passport => !self.accounts_stay,
        }
    }
}

/// A part of the text that is hidden.
struct Span {
    start: usize,
    end: usize,
    kind: Masked,
}

/// Passes over a text at most. One is enough but for texts that are made to need more: what is hidden may have
/// joined, or named, its neighbours.
const PASSES: usize = 4;

/// Masks every kind.
pub fn redact(text: &str) -> Redaction {
    redact_by(text, Rules::ALL)
}

/// Masks what the rules say. Characters that nobody sees are left out, as [`clean`](crate::clean) does.
pub fn redact_by(text: &str, rules: Rules<'_>) -> Redaction {
    let mut text = visible(text).into_owned();
    let mut masked = Vec::new();
    for _ in 0..PASSES {
        let spans = spans(&text, rules);
        if spans.is_empty() {
            break;
        }
        let (hidden, kinds) = hide(&text, &spans);
        text = hidden;
        masked.extend(kinds);
    }
    masked.sort_unstable();
    masked.dedup();
    Redaction { text, masked }
}

/// Puts the masks in the place of the spans, which are in order; the kinds of all of them. Where two overlap, the
/// mask of the first stands for both: whatever the finders do, no part of a number is left and nothing panics.
fn hide(text: &str, spans: &[Span]) -> (String, Vec<Masked>) {
    let mut out = String::with_capacity(text.len() + 16);
    let mut copied = 0;
    for span in spans {
        if span.start >= copied {
            out.push_str(&text[copied..span.start]);
            out.push_str(span.kind.mask());
        }
        copied = copied.max(span.end);
    }
    out.push_str(&text[copied..]);
    (out, spans.iter().map(|s| s.kind).collect())
}

fn visible(text: &str) -> Cow<'_, str> {
    if text.chars().any(crate::text::invisible) {
        let seen = |c: &char| !crate::text::invisible(*c);
        Cow::Owned(text.chars().filter(seen).collect())
    } else {
        Cow::Borrowed(text)
    }
}

type Finder = fn(&Digits<'_>, usize) -> Option<digits::Found>;

/// In their order, each with what still looks for CPR numbers within what it has found, where that stays. An IBAN
/// and a card have check digits of their own; another account has none, so one that looks like a CPR number is one
/// only where the check digit says so.
const FINDERS: [(Masked, Finder, Option<Finder>); 6] = [
    (Masked::Account, account::sure, None),
    (Masked::Account, account::named, Some(cpr::checked)),
    (Masked::Cpr, cpr::at, None),
    (Masked::Passport, account::passport, None),
    (Masked::Phone, phone::at, None),
    (Masked::Account, account::shaped, Some(cpr::checked)),
];

/// What is to be hidden, in order, none in another.
fn spans(text: &str, rules: Rules<'_>) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut digits = Digits::scan(text);
    // The surest first: what one has found no other takes apart.
    for mail in address::all(text) {
        let secret = !rules.published.is_some_and(|p| p.mail(&text[mail.clone()]));
        if secret && rules.hides(Masked::Email) {
            spans.push(Span {
                start: mail.start,
                end: mail.end,
                kind: Masked::Email,
            });
        } else {
            spans.extend(cpr_within(&digits, mail.start, mail.end, cpr::at));
        }
        digits.take(mail.start, mail.end);
    }
    for (kind, find, within) in FINDERS {
        let mut at = 0;
        while at < digits.len() {
            let Some(f) = digits.free(at).then(|| find(&digits, at)).flatten() else {
                at += 1;
                continue;
            };
            let public =
                kind == Masked::Phone && rules.published.is_some_and(|p| p.phone(&f.digits));
            if rules.hides(kind) && !public {
                spans.push(Span {
                    start: f.start,
                    end: f.end,
                    kind,
                });
            } else if let Some(within) = within {
                spans.extend(cpr_within(&digits, f.start, f.end, within));
            }
            digits.take(f.start, f.end);
            at = f.next.max(at + 1);
        }
    }
    spans.sort_unstable_by_key(|s| s.start);
    spans
}

/// CPR numbers between two places of something that stays, before it is taken: a CPR number is hidden wherever it is.
fn cpr_within(digits: &Digits<'_>, start: usize, end: usize, find: Finder) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut at = digits.first_from(start);
    while at < digits.len() && digits.group(at).start < end {
        let found = digits.free(at).then(|| find(digits, at)).flatten();
        match found.filter(|f| f.end <= end) {
            Some(f) => {
                spans.push(Span {
                    start: f.start,
                    end: f.end,
                    kind: Masked::Cpr,
                });
                at = f.next.max(at + 1);
            }
            None => at += 1,
        }
    }
    spans
}

/// The text without the masks: what retrieval should see.
pub fn without_masks(text: &str) -> String {
    let mut text = text.to_owned();
    for kind in Masked::ALL {
        if text.contains(kind.mask()) {
            text = text.replace(kind.mask(), " ");
        }
    }
    text
}

#[cfg(test)]
mod tests;
