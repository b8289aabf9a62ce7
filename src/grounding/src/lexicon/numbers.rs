//! Numbers as words, units, months, weekdays, and the words that make a number a limit.

use super::Tongue;
use crate::facts::Bound;

/// What a number counts, where that changes what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Unit {
    Minute,
    Hour,
    Day,
    Workday,
    Week,
    Month,
    Quarter,
    Year,
    Kroner,
    Percent,
    Millimetre,
    Centimetre,
    Metre,
    Kilometre,
    SquareMetre,
    Kilogram,
    Ton,
    Litre,
}

impl Unit {
    /// Of time: "a week" is one of it.
    pub(crate) fn time(self) -> bool {
        self <= Unit::Year
    }
}

pub(crate) fn unit(word: &str) -> Option<Unit> {
    Some(match word {
        "minut" | "minutter" | "minutters" | "min" | "minute" | "minutes" => Unit::Minute,
        "time" | "timer" | "timers" | "hour" | "hours" | "timen" => Unit::Hour,
        "dag" | "dage" | "dages" | "døgn" | "dagen" | "day" | "days" | "døgnet" => Unit::Day,
        "hverdag" | "hverdage" | "hverdages" | "arbejdsdag" | "arbejdsdage" | "arbejdsdages"
        | "bankdage" | "weekdays" | "workdays" => Unit::Workday,
        "uge" | "uger" | "ugers" | "ugen" | "week" | "weeks" => Unit::Week,
        "måned" | "måneder" | "måneders" | "måneden" | "md" | "mdr" | "month" | "months" => {
            Unit::Month
        }
        "kvartal" | "kvartaler" | "kvartalet" | "quarter" | "quarters" => Unit::Quarter,
        "år" | "års" | "årig" | "årige" | "året" | "åriges" | "årsreglen" | "year" | "years"
        | "yearly" => Unit::Year,
        "kr" | "kroner" | "krone" | "dkk" | "kronor" => Unit::Kroner,
        "pct" | "procent" | "%" | "percent" => Unit::Percent,
        "mm" | "millimeter" | "millimetres" => Unit::Millimetre,
        "cm" | "centimeter" | "centimetre" | "centimetres" | "centimeters" => Unit::Centimetre,
        "m" | "meter" | "metre" | "metres" | "meters" => Unit::Metre,
        "km" | "kilometer" | "kilometre" | "kilometres" | "kilometers" => Unit::Kilometre,
        "m2" | "m²" | "kvm" | "kvadratmeter" => Unit::SquareMetre,
        "kg" | "kilo" | "kilogram" | "kilograms" | "kilos" => Unit::Kilogram,
        "ton" | "tons" | "tonnes" => Unit::Ton,
        "l" | "liter" | "litre" | "litres" | "liters" => Unit::Litre,
        _ => return None,
    })
}

/// The number that a word says, in its one form. `en` and `a` are none here: only a unit makes them one.
pub(crate) fn value(word: &str, tongue: Tongue) -> Option<String> {
    let simple = match tongue {
        Tongue::Danish => danish(word).or_else(|| compound(word)),
        Tongue::English => english(word),
    };
    simple.map(|n| n.to_string())
}

fn danish(word: &str) -> Option<u32> {
    Some(match word {
        "nul" => 0,
        "én" | "ét" => 1,
        "to" => 2,
        "tre" | "tredje" => 3,
        "fire" | "fjerde" => 4,
        "fem" | "femte" => 5,
        "seks" | "sjette" => 6,
        "syv" | "syvende" => 7,
        "otte" | "ottende" => 8,
        "ni" | "niende" => 9,
        "ti" | "tiende" => 10,
        "elleve" => 11,
        "tolv" => 12,
        "tretten" => 13,
        "fjorten" => 14,
        "femten" => 15,
        "seksten" => 16,
        "sytten" => 17,
        "atten" => 18,
        "nitten" => 19,
        "tyve" => 20,
        "tredive" => 30,
        "fyrre" => 40,
        "halvtreds" => 50,
        "tres" => 60,
        "halvfjerds" => 70,
        "firs" => 80,
        "halvfems" => 90,
        "hundrede" | "hundred" => 100,
        "tusind" | "tusinde" => 1000,
        "million" | "millioner" => 1_000_000,
        _ => return None,
    })
}

/// "femogtyve".
fn compound(word: &str) -> Option<u32> {
    let (ones, tens) = word.split_once("og")?;
    let ones = if ones == "en" { 1 } else { danish(ones)? };
    let tens = danish(tens)?;
    (ones < 10 && (20..100).contains(&tens)).then_some(ones + tens)
}

fn english(word: &str) -> Option<u32> {
    Some(match word {
        "zero" => 0,
        "one" => 1,
        "two" | "twice" => 2,
        "three" | "third" => 3,
        "four" | "fourth" => 4,
        "five" | "fifth" => 5,
        "six" | "sixth" => 6,
        "seven" => 7,
        "eight" => 8,
        "nine" => 9,
        "ten" => 10,
        "eleven" => 11,
        "twelve" => 12,
        "thirteen" => 13,
        "fourteen" => 14,
        "fifteen" => 15,
        "sixteen" => 16,
        "seventeen" => 17,
        "eighteen" => 18,
        "nineteen" => 19,
        "twenty" => 20,
        "thirty" => 30,
        "forty" => 40,
        "fifty" => 50,
        "sixty" => 60,
        "seventy" => 70,
        "eighty" => 80,
        "ninety" => 90,
        "hundred" => 100,
        "thousand" => 1000,
        "million" => 1_000_000,
        _ => return None,
    })
}

/// The months by number from 1, Danish and English; `may` counts only with a capital, which the caller sees.
pub(crate) const MONTHS: [[&str; 2]; 12] = [
    ["januar", "january"],
    ["februar", "february"],
    ["marts", "march"],
    ["april", "april"],
    ["maj", "may"],
    ["juni", "june"],
    ["juli", "july"],
    ["august", "august"],
    ["september", "september"],
    ["oktober", "october"],
    ["november", "november"],
    ["december", "december"],
];

pub(crate) fn month(word: &str) -> Option<u32> {
    (1..)
        .zip(MONTHS)
        .find(|(_, names)| names.contains(&word))
        .map(|(n, _)| n)
}

pub(crate) fn weekday(word: &str) -> Option<u32> {
    const DAYS: [[&str; 4]; 7] = [
        ["mandag", "mandage", "monday", "mondays"],
        ["tirsdag", "tirsdage", "tuesday", "tuesdays"],
        ["onsdag", "onsdage", "wednesday", "wednesdays"],
        ["torsdag", "torsdage", "thursday", "thursdays"],
        ["fredag", "fredage", "friday", "fridays"],
        ["lørdag", "lørdage", "saturday", "saturdays"],
        ["søndag", "søndage", "sunday", "sundays"],
    ];
    (1..)
        .zip(DAYS)
        .find(|(_, names)| names.contains(&word))
        .map(|(n, _)| n)
}

/// How often, in a word.
pub(crate) fn often(word: &str) -> Option<Unit> {
    Some(match word {
        "daglig" | "dagligt" | "daily" => Unit::Day,
        "ugentlig" | "ugentligt" | "weekly" => Unit::Week,
        "månedlig" | "månedligt" | "monthly" => Unit::Month,
        "årlig" | "årligt" | "yearly" | "annually" => Unit::Year,
        _ => return None,
    })
}

/// What a word after a number multiplies it by: "to tusind", "2,5 mio."
pub(crate) fn times(word: &str) -> Option<u64> {
    Some(match word {
        "hundrede" | "hundred" => 100,
        "tusind" | "tusinde" | "thousand" => 1000,
        "mio" | "million" | "millioner" | "millions" => 1_000_000,
        "mia" | "milliard" | "milliarder" | "billion" => 1_000_000_000,
        _ => return None,
    })
}

/// The limit that these words before a number, or after it and its unit, make of it. The longest end
/// (before) or start (after) counts; all lower case.
pub(crate) fn bound_of(before: &[&str], after: &[&str]) -> Bound {
    const BEFORE: &[(&[&str], Bound)] = &[
        (&["ikke", "over"], Bound::AtMost),
        (&["ikke", "mere", "end"], Bound::AtMost),
        (&["ikke", "under"], Bound::AtLeast),
        (&["no", "more", "than"], Bound::AtMost),
        (&["not", "more", "than"], Bound::AtMost),
        (&["no", "later", "than"], Bound::Latest),
        (&["no", "earlier", "than"], Bound::Earliest),
        (&["no", "less", "than"], Bound::AtLeast),
        (&["at", "least"], Bound::AtLeast),
        (&["at", "most"], Bound::AtMost),
        (&["at", "the", "latest"], Bound::Latest),
        (&["at", "the", "earliest"], Bound::Earliest),
        (&["up", "to"], Bound::AtMost),
        (&["op", "til"], Bound::AtMost),
        (&["fra", "og", "med"], Bound::From),
        (&["inden", "for"], Bound::Within),
        (&["løbet", "af"], Bound::Within),
        (&["mere", "end"], Bound::Over),
        (&["flere", "end"], Bound::Over),
        (&["længere", "end"], Bound::Over),
        (&["højere", "end"], Bound::Over),
        (&["ældre", "end"], Bound::Over),
        (&["større", "end"], Bound::Over),
        (&["more", "than"], Bound::Over),
        (&["longer", "than"], Bound::Over),
        (&["older", "than"], Bound::Over),
        (&["higher", "than"], Bound::Over),
        (&["larger", "than"], Bound::Over),
        (&["mindre", "end"], Bound::Under),
        (&["færre", "end"], Bound::Under),
        (&["yngre", "end"], Bound::Under),
        (&["kortere", "end"], Bound::Under),
        (&["lavere", "end"], Bound::Under),
        (&["less", "than"], Bound::Under),
        (&["fewer", "than"], Bound::Under),
        (&["younger", "than"], Bound::Under),
        (&["lower", "than"], Bound::Under),
        (&["shorter", "than"], Bound::Under),
        (&["omkring"], Bound::About),
        (&["cirka"], Bound::About),
        (&["ca"], Bound::About),
        (&["about"], Bound::About),
        (&["around"], Bound::About),
        (&["approximately"], Bound::About),
        (&["roughly"], Bound::About),
        (&["over"], Bound::Over),
        (&["above"], Bound::Over),
        (&["under"], Bound::Under),
        (&["below"], Bound::Under),
        (&["mindst"], Bound::AtLeast),
        (&["minimum"], Bound::AtLeast),
        (&["højst"], Bound::AtMost),
        (&["maksimalt"], Bound::AtMost),
        (&["maks"], Bound::AtMost),
        (&["max"], Bound::AtMost),
        (&["maximum"], Bound::AtMost),
        (&["senest"], Bound::Latest),
        (&["by"], Bound::Latest),
        (&["tidligst"], Bound::Earliest),
        (&["inden"], Bound::Within),
        (&["within"], Bound::Within),
        (&["før"], Bound::Before),
        (&["before"], Bound::Before),
        (&["efter"], Bound::After),
        (&["after"], Bound::After),
        (&["fra"], Bound::From),
        (&["from"], Bound::From),
        (&["since"], Bound::From),
        (&["siden"], Bound::From),
        (&["aged"], Bound::None),
        (&["indtil"], Bound::Until),
        (&["until"], Bound::Until),
        (&["til"], Bound::Until),
        (&["to"], Bound::Until),
        (&["fyldt"], Bound::Turned),
        (&["fylder"], Bound::Turned),
        (&["turn"], Bound::Turned),
        (&["turns"], Bound::Turned),
        (&["turned"], Bound::Turned),
        (&["hver"], Bound::Each),
        (&["hvert"], Bound::Each),
        (&["every"], Bound::Each),
        (&["each"], Bound::Each),
    ];
    const AFTER: &[(&[&str], Bound)] = &[
        (&["eller", "mere"], Bound::AtLeast),
        (&["eller", "derover"], Bound::AtLeast),
        (&["eller", "over"], Bound::AtLeast),
        (&["eller", "ældre"], Bound::AtLeast),
        (&["og", "derover"], Bound::AtLeast),
        (&["og", "opefter"], Bound::AtLeast),
        (&["og", "frem"], Bound::From),
        (&["or", "more"], Bound::AtLeast),
        (&["or", "over"], Bound::AtLeast),
        (&["or", "older"], Bound::AtLeast),
        (&["and", "over"], Bound::AtLeast),
        (&["and", "older"], Bound::AtLeast),
        (&["eller", "mindre"], Bound::AtMost),
        (&["eller", "derunder"], Bound::AtMost),
        (&["eller", "yngre"], Bound::AtMost),
        (&["or", "less"], Bound::AtMost),
        (&["or", "under"], Bound::AtMost),
        (&["or", "younger"], Bound::AtMost),
        (&["at", "the", "latest"], Bound::Latest),
        (&["at", "the", "earliest"], Bound::Earliest),
    ];
    let after = AFTER.iter().find(|(words, _)| after.starts_with(words));
    let mut words = before;
    loop {
        if let Some((_, bound)) =
            after.or_else(|| BEFORE.iter().find(|(end, _)| words.ends_with(end)))
        {
            // "til de fylder 22"
            let before = &words[..words.len().saturating_sub(1)];
            let until = after.is_none()
                && *bound == Bound::Turned
                && before
                    .iter()
                    .rev()
                    .take(3)
                    .any(|w| matches!(*w, "til" | "indtil" | "until" | "till"));
            return if until { Bound::Until } else { *bound };
        }
        // What may stand between a limit and its number.
        match words.split_last() {
            Some((
                &("de" | "den" | "det" | "en" | "et" | "kl" | "klokken" | "om" | "i" | "dine"
                | "the" | "a" | "til" | "at" | "nr" | "is" | "er" | "was" | "be" | "on" | "med"
                | "med," | "først" | "af" | "of" | "for" | "age" | "du" | "you" | "are"
                | "barnet" | "gøre" | "ske" | "do" | "it"),
                rest,
            )) if !rest.is_empty() => words = rest,
            _ => return Bound::None,
        }
    }
}
