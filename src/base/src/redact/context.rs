//! What the words beside a number call it.

/// What a number is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    Cpr,
    Phone,
    Account,
    Passport,
    /// The number of an order, a case, a company, a thing, called so: `ordrenummer`, `CVR`.
    Other,
    /// Beside a word for a thing that may have a number: `ordre`. A CPR number has been put beside many words.
    Thing,
    Amount,
    Date,
}

/// Bytes that are looked at on either side.
const WINDOW: usize = 96;

/// Words between a number and what it is called: "mit nummer er", "is my".
const LINKS: [&str; 24] = [
    "er", "var", "på", "med", "nr", "nummer", "nummeret", "is", "was", "my", "min", "mit", "mine",
    "ist", "lautet", "to", "har", "hedder", "vores", "hos", "det", "the", "med", "fra",
];
const BARE: [&str; 14] = [
    "nr",
    "nummer",
    "nummeret",
    "numre",
    "no",
    "number",
    "num",
    "numer",
    "numara",
    "numarası",
    "номер",
    "رقم",
    "nummern",
    "kode",
];
const PHONE: [&str; 42] = [
    "tlf",
    "tel",
    "mob",
    "mobil",
    "mobilen",
    "mobiltelefon",
    "ring",
    "ringe",
    "ringer",
    "ringes",
    "ringet",
    "ringede",
    "opringning",
    "opkald",
    "sms",
    "sms'e",
    "træffes",
    "call",
    "phone",
    "telephone",
    "mobile",
    "cell",
    "cellphone",
    "whatsapp",
    "handy",
    "anrufen",
    "rufnummer",
    "rückruf",
    "dzwonić",
    "zadzwonić",
    "zadzwoń",
    "komórka",
    "arayın",
    "arayabilirsiniz",
    "cep",
    "тел",
    "зателефонуйте",
    "дзвоніть",
    "هاتف",
    "هاتفي",
    "جوال",
    "اتصل",
];
const ACCOUNT: [&str; 18] = [
    "konto",
    "kontoen",
    "kontonr",
    "kontonummer",
    "kontonummeret",
    "reg",
    "regnr",
    "iban",
    "bank",
    "banken",
    "account",
    "rachunek",
    "rachunku",
    "рахунок",
    "рахунку",
    "hesap",
    "hesabım",
    "حساب",
];
const PASSPORT: [&str; 20] = [
    "pas",
    "passet",
    "pasnr",
    "pasnummer",
    "pasnummeret",
    "passport",
    "passnummer",
    "reisepass",
    "pass",
    "paszport",
    "paszportu",
    "pasaport",
    "pasaportum",
    "паспорт",
    "паспорта",
    "جواز",
    "passports",
    "pasid",
    "passeport",
    "pases",
];
/// How words begin that name a thing with a number. Alone they count only beside the number.
const THINGS: [&str; 54] = [
    "ordre",
    "order",
    "booking",
    "sag",
    "journal",
    "faktura",
    "regning",
    "invoice",
    "kunde",
    "customer",
    "reference",
    "referat",
    "matrikel",
    "ejendom",
    "måler",
    "vare",
    "serie",
    "kvittering",
    "bilag",
    "ansøgning",
    "tilladelse",
    "låner",
    "medlem",
    "ticket",
    "case",
    "dokument",
    "installation",
    "transaktion",
    "projekt",
    "udbud",
    "zamówieni",
    "spraw",
    "aktenzeichen",
    "rechnung",
    "замовлення",
    "справ",
    "sipariş",
    "dosya",
    "lokale",
    "postnr",
    "registrering",
    "girokort",
    "afgørelse",
    "beholder",
    "tegning",
    "brønd",
    "stander",
    "blanket",
    "skema",
    "affald",
    "dæksel",
    "container",
    "bestilling",
    "aftagenummer",
];
/// Words that only begin so: people are named by them, or something is said.
const NO_THINGS: [&str; 7] = [
    "sagde",
    "sagt",
    "sagsbehandl",
    "sagfører",
    "kunderådgiv",
    "kundeservice",
    "kundecent",
];
/// How words begin that call a number a person's own.
const CPR_STEMS: [&str; 6] = [
    "cpr",
    "personn",
    "fødselsn",
    "sygesikring",
    "sundhedskort",
    "identitetsn",
];
/// What is in words for a telephone, and how other words for its number begin.
const PHONE_STEMS: [&str; 5] = ["telefon", "tlf", "mobil", "phone", "телефон"];
const PHONE_NUMBERS: [&str; 7] = [
    "tel", "handy", "kontaktn", "privatn", "hjemmen", "fastnet", "arbejdsn",
];
/// Names of numbers, and of numbers alone.
const NUMBERS: [&str; 18] = [
    "cvr", "ean", "gln", "jnr", "isbn", "issn", "postnr", "kle", "bbr", "matr", "esdh", "ref",
    "faktura", "matrikel", "sagsnr", "sku", "fik", "bfe",
];
const MONEY: [&str; 7] = ["kr", "kroner", "krone", "dkk", "euro", "eur", "usd"];
/// Before a word for money. Alone they are names: Mia, Mio.
const MANY: [&str; 2] = ["mio", "mia"];
const UNITS: [&str; 19] = [
    "øre",
    "tkr",
    "pct",
    "procent",
    "stk",
    "m2",
    "m3",
    "kvm",
    "kvadratmeter",
    "kwh",
    "mwh",
    "liter",
    "km",
    "kg",
    "meter",
    "zł",
    "tons",
    "kubikmeter",
    "грн",
];
const DATES: [&str; 14] = [
    "den",
    "d",
    "dato",
    "født",
    "fødselsdato",
    "fødselsdag",
    "fødselsdagen",
    "udløb",
    "udløber",
    "udløbsdato",
    "frist",
    "fristen",
    "senest",
    "datoen",
];

/// The nearest word before the number that names it; else a word after it. A unit after it is before all else, but
/// for what is called a person's own number: «CPR 010190-1234 kr» is none of money.
pub(super) fn named(text: &str, start: usize, end: usize) -> Option<Named> {
    let words = before(&text[..start]);
    let called = led(&words);
    if unit_follows(&text[end..]) {
        // Right beside it, with nothing but links between: "kontonummer og en saldo på 200 kr." names no account.
        let beside = |(w, comma): &&(String, bool)| {
            !comma && (bare(w) || LINKS.contains(&w.as_str()) || class(w).is_some())
        };
        let near: Vec<(String, bool)> = words.iter().take_while(beside).cloned().collect();
        // An account may have an amount beside it; its number has not.
        let account = || near.iter().any(|(w, _)| bare(w) || numbered(w));
        return match called {
            Some(Named::Cpr | Named::Passport) => called,
            Some(Named::Phone) if led(&near) == called => called,
            Some(Named::Account) if led(&near) == called && account() => called,
            _ => Some(Named::Amount),
        };
    }
    called.or_else(|| after(&text[end..]))
}

/// What the words before a number call it.
fn led(words: &[(String, bool)]) -> Option<Named> {
    let mut linked = true;
    for (n, (word, comma)) in words.iter().enumerate() {
        linked &= !comma;
        let word = word.as_str();
        if bare(word) {
            // "sags nr.", "telefon nr.": the word before says whose number.
            if let Some(named) = words.get(n + 1).and_then(|(w, _)| stem(w)) {
                return Some(named);
            }
            continue;
        }
        match class(word) {
            Some((Named::Other, true)) if n <= 3 => return Some(Named::Other),
            Some((Named::Other, false)) if linked => return Some(Named::Thing),
            Some((Named::Date | Named::Amount, _)) if n > 1 => {}
            Some((Named::Amount, _)) if n > 0 => {}
            Some((Named::Other, _)) | None => {}
            Some((named, _)) => return Some(named),
        }
        linked &= LINKS.contains(&word);
    }
    None
}

fn bare(word: &str) -> bool {
    BARE.contains(&word)
}

/// Whether one of the two words before this place is short for a bank's registration number.
pub(super) fn called_registration(text: &str, start: usize) -> bool {
    let called = |w: &str| w.starts_with("reg") && w.len() <= 20;
    before(&text[..start])
        .iter()
        .take(2)
        .any(|(w, _)| called(w))
}

/// The words before a number, the nearest first, in lower case, and whether a comma stands after each. They end with
/// the sentence, with another number, and with what was hidden.
fn before(text: &str) -> Vec<(String, bool)> {
    let mut from = text.len().saturating_sub(WINDOW);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let mut rest = &text[from..];
    let mut words: Vec<(String, bool)> = Vec::new();
    while words.len() < 6 {
        let trimmed = rest.trim_end_matches(|c: char| !c.is_alphanumeric());
        let sep = &rest[trimmed.len()..];
        let line = sep.contains('\n') && !sep.contains(':');
        if line || sep.contains(['[', ']', '@', '\u{ff20}']) {
            break;
        }
        let start = trimmed
            .char_indices()
            .rev()
            .take_while(|(_, c)| c.is_alphanumeric())
            .last()
            .map(|(at, _)| at);
        let Some(start) = start else { break };
        let word = trimmed[start..].to_lowercase();
        let digits = word.chars().filter(|c| c.is_numeric()).count();
        let sentence = sep.len() > 1 && sep.starts_with(['.', '!', '?', ';']) && !short(&word);
        if digits >= 3 || sentence {
            break;
        }
        words.push((word, sep.contains([',', ';', '!', '?'])));
        rest = &trimmed[..start];
    }
    words
}

/// Whether a full stop after the word is one of an abbreviation.
fn short(word: &str) -> bool {
    word.chars().count() <= 3 || word.ends_with("nr") || unit(word)
}

/// What a word calls the number it stands beside, and whether it calls nothing else so.
fn class(word: &str) -> Option<(Named, bool)> {
    if word.starts_with(char::is_numeric) {
        return None;
    }
    let has = |list: &[&str]| list.contains(&word);
    let begins = |list: &[&str]| list.iter().any(|p| word.starts_with(p));
    if word == "person" || begins(&CPR_STEMS) {
        Some((Named::Cpr, true))
    } else if has(&PASSPORT) {
        Some((Named::Passport, true))
    } else if has(&ACCOUNT) || word.ends_with("konto") {
        Some((Named::Account, true))
    } else if has(&PHONE)
        || (PHONE_STEMS.iter().any(|p| word.contains(p))
            && !word.contains("mobilitet")
            && !word.starts_with("automobil"))
        || (numbered(word) && begins(&PHONE_NUMBERS))
    {
        Some((Named::Phone, true))
    } else if unit(word) {
        Some((Named::Amount, true))
    } else if has(&DATES) {
        Some((Named::Date, true))
    } else if has(&NUMBERS) || numbered(word) {
        Some((Named::Other, true))
    } else if word == "id" || (begins(&THINGS) && !begins(&NO_THINGS)) {
        Some((Named::Other, false))
    } else {
        None
    }
}

/// ordrenummer, kundenr, sagsnummeret; not «nummer» itself.
fn numbered(word: &str) -> bool {
    ["nr", "nummer", "nummeret", "numre", "number"]
        .iter()
        .any(|end| {
            word.strip_suffix(end)
                .is_some_and(|stem| stem.chars().count() > 1)
        })
        && !["hemmeligt", "husk"].iter().any(|s| word.starts_with(s))
}

/// As [`class`], for the word before «nr.» or «nummer».
fn stem(word: &str) -> Option<Named> {
    if matches!(word, "p" | "se" | "j" | "l" | "s" | "løbe" | "hus" | "lb") {
        return Some(Named::Other);
    }
    let named = match class(word)? {
        // «ID-nummer» is said of CPR numbers too; «ordre nr.» is not.
        (Named::Other, false) if word == "id" => Named::Thing,
        (named, _) => named,
    };
    (!matches!(named, Named::Date | Named::Amount)).then_some(named)
}

fn unit(word: &str) -> bool {
    MONEY.contains(&word) || UNITS.contains(&word)
}

fn unit_follows(text: &str) -> bool {
    let rest = text.trim_start_matches([' ', '\u{a0}']);
    if rest.starts_with([',', '.']) && rest[1..].starts_with('-')
        || rest.starts_with(['€', '$', '£', '%'])
    {
        return true;
    }
    if text.len() - rest.len() > 3 {
        return false;
    }
    let (word, rest) = first_word(rest);
    if MANY.contains(&word.as_str()) {
        let rest = rest.trim_start_matches(['.', ' ', '\u{a0}']);
        return MONEY.contains(&first_word(rest).0.as_str());
    }
    unit(&word)
}

/// The word that begins here, in lower case, and what follows it. No further than the longest unit: a text may be
/// one word.
fn first_word(text: &str) -> (String, &str) {
    const LONGEST: usize = 16;
    let word = text.char_indices().take(LONGEST + 1);
    let len = word
        .take_while(|(_, c)| c.is_alphanumeric())
        .last()
        .map_or(0, |(at, c)| at + c.len_utf8());
    (text[..len].to_lowercase(), &text[len..])
}

/// 12345678 er mit ordrenummer; 12345678 (CVR).
fn after(text: &str) -> Option<Named> {
    let mut to = text.len().min(WINDOW / 2);
    while !text.is_char_boundary(to) {
        to -= 1;
    }
    let head = text[..to].to_lowercase();
    let stop = head
        .find(['[', '\n', '.', ',', '?', '!'])
        .unwrap_or(head.len());
    let head = &head[..stop];
    let bracket = head.trim_start().starts_with('(');
    let mut words = head
        .split(|c: char| !c.is_alphanumeric())
        .filter(|w| !w.is_empty());
    let linked = bracket || words.next().is_some_and(|w| LINKS.contains(&w));
    if !linked {
        return None;
    }
    let strong = |n: &Named| !matches!(n, Named::Date | Named::Amount);
    words.take(3).find_map(|w| {
        class(w)
            .filter(|(_, sure)| *sure)
            .map(|(n, _)| n)
            .filter(strong)
    })
}
