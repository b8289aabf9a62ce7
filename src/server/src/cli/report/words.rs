//! How the report says things: Danish words and Danish numbers.

use base::Lang;
use dialogue::Outcome;
use dialogue::eval::{Share, Tally};
use jiff::Timestamp;

/// A number with a decimal comma.
pub(super) fn decimal(value: f64, places: usize) -> String {
    format!("{value:.places$}").replace('.', ",")
}

/// A share in per cent; a dash where there is nothing to take a share of.
pub(super) fn percent(value: f64) -> String {
    if value.is_nan() {
        return "–".to_owned();
    }
    format!("{}\u{a0}%", decimal(value, 1))
}

/// "95,1–98,4 %".
pub(super) fn interval(share: Share) -> String {
    if share.n == 0 {
        return "–".to_owned();
    }
    format!("{}–{}", decimal(share.low, 1), percent(share.high))
}

/// Hits among `n`, for a share that is known.
pub(super) fn hits(share: Share) -> u32 {
    if share.n == 0 {
        return 0;
    }
    (share.percent * f64::from(share.n) / 100.0).round() as u32
}

/// "1 spørgsmål", "12 artikler".
pub(super) fn count(n: usize, one: &str, many: &str) -> String {
    format!("{n}\u{a0}{}", if n == 1 { one } else { many })
}

/// "22. november 2026 kl. 14.05", in Denmark.
pub(super) fn date(now: Timestamp) -> String {
    const MONTHS: [&str; 12] = [
        "januar",
        "februar",
        "marts",
        "april",
        "maj",
        "juni",
        "juli",
        "august",
        "september",
        "oktober",
        "november",
        "december",
    ];
    let at = now.to_zoned(contact::copenhagen().clone());
    let month = usize::try_from(at.month()).map_or("", |m| MONTHS[m.clamp(1, 12) - 1]);
    format!(
        "{}. {month} {} kl. {:02}.{:02}",
        at.day(),
        at.year(),
        at.hour(),
        at.minute()
    )
}

/// Something counted of a group of questions.
#[derive(Clone, Copy)]
pub(super) struct Measure {
    pub name: &'static str,
    pub meaning: &'static str,
    /// Little is good.
    pub bad: bool,
    pub share: fn(&Tally) -> Share,
}

const FIRST: Measure = Measure {
    name: "Rigtig artikel først",
    meaning: "Den artikel, som Borgerlinje mente passede bedst, var den rigtige – også når den ikke blev vist.",
    bad: false,
    share: |t| Share::of(t.first, t.answerable),
};
const ANSWERED: Measure = Measure {
    name: "Besvaret",
    meaning: "Borgerlinje var sikker nok til at vise en artikel som svar med det samme.",
    bad: false,
    share: |t| Share::of(t.answered, t.answerable),
};
const WRONG: Measure = Measure {
    name: "Forkert svar vist",
    meaning: "En forkert artikel blev vist, som om den var svaret. Det er den fejl, der koster mest.",
    bad: true,
    share: |t| Share::of(t.wrong, t.answerable),
};
const ONE_CLICK: Measure = Measure {
    name: "Rigtig inden for ét klik",
    meaning: "Den rigtige artikel blev vist med det samme eller var blandt de to-tre, som borgeren blev bedt om at vælge imellem.",
    bad: false,
    share: |t| Share::of(t.one_click, t.answerable),
};
const ANYWAY: Measure = Measure {
    name: "Fejlagtigt besvaret",
    meaning: "Beskeden har ingen artikel som svar, og alligevel blev en vist.",
    bad: true,
    share: |t| Share::of(t.unanswerable_answered, t.unanswerable),
};

/// What can be said of these questions: four shares of those with an answer, one of those without.
pub(super) fn measures(all: &Tally) -> Vec<Measure> {
    let mut out = Vec::new();
    if all.answerable > 0 {
        out.extend([FIRST, ANSWERED, WRONG, ONE_CLICK]);
    }
    if all.unanswerable > 0 {
        out.push(ANYWAY);
    }
    out
}

pub(super) fn language(lang: Lang) -> &'static str {
    match lang {
        Lang::Da => "Dansk",
        Lang::En => "Engelsk",
        Lang::De => "Tysk",
        Lang::Uk => "Ukrainsk",
        Lang::Ar => "Arabisk",
        Lang::Pl => "Polsk",
        Lang::Tr => "Tyrkisk",
    }
}

/// The slices of our own question sets; another set's are shown as it names them.
pub(super) fn slice(name: &str) -> &str {
    match name {
        "plain" => "Almindeligt sprog",
        "lay" => "Borgerens egne ord",
        "typo" => "Stavefejl",
        "dialect" => "Dialekt",
        "story" => "Lange forklaringer",
        "keywords" => "Stikord",
        "mixed" => "Danske ord blandet i",
        "authority" => "Andre myndigheder",
        "nearmiss" => "Tæt på en artikel",
        "chatter" => "Småsnak",
        "opinion" => "Holdninger",
        "attack" => "Forsøg på misbrug",
        "abuse" => "Skældsord",
        "gibberish" => "Volapyk",
        other => other,
    }
}

/// What the citizen met.
pub(super) fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Answered => "Viste artiklen som svar",
        Outcome::Clarify => "Bad borgeren om at vælge",
        Outcome::Flow => "Begyndte et forløb",
        Outcome::Smalltalk => "Svarede uden artikel",
        Outcome::Crisis => "Viste hjælpelinjer",
        Outcome::Handover => "Tilbød en medarbejder",
        Outcome::Refused => "Afviste beskeden",
        Outcome::Failed => "Fejlede og tilbød en medarbejder",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_dates_are_danish() {
        assert_eq!(percent(97.14), "97,1\u{a0}%");
        assert_eq!(percent(f64::NAN), "–");
        assert_eq!(interval(Share::of(8, 10)), "49,0–94,3\u{a0}%");
        assert_eq!(interval(Share::of(0, 0)), "–");
        assert_eq!(hits(Share::of(408, 420)), 408);
        // Winter and summer, and a day that has begun in Denmark alone.
        let at = |s: &str| date(s.parse().unwrap());
        assert_eq!(at("2026-11-22T13:05:00Z"), "22. november 2026 kl. 14.05");
        assert_eq!(at("2026-06-30T22:30:00Z"), "1. juli 2026 kl. 00.30");
    }
}
