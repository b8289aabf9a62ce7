//! Numbers in every spelling, anywhere in a text, and texts of any kind.

use super::*;

fn grouped(digits: &str, sizes: &[usize], sep: &str) -> String {
    let mut rest = digits;
    let parts: Vec<&str> = sizes
        .iter()
        .map(|n| {
            let (part, left) = rest.split_at(*n);
            rest = left;
            part
        })
        .collect();
    parts.join(sep)
}

fn in_script(text: &str, zero: char) -> String {
    let of = |c: char| {
        c.to_digit(10)
            .and_then(|d| char::from_u32(u32::from(zero) + d))
    };
    text.chars().map(|c| of(c).unwrap_or(c)).collect()
}

/// How a CPR number is spelled.
fn cpr(n: &str, how: usize) -> String {
    let (date, serial) = n.split_at(6);
    match how {
        0 => n.to_owned(),
        1 => format!("{date}-{serial}"),
        2 => format!("{date} {serial}"),
        3 => grouped(n, &[2, 2, 2, 4], " "),
        4 => grouped(n, &[2, 2, 2, 2, 2], " "),
        5 => format!("{}-{serial}", grouped(date, &[2, 2, 2], ".")),
        6 => format!("{}-{serial}", grouped(date, &[2, 2, 2], "/")),
        7 => format!("{date} - {serial}"),
        8 => format!("{date}–{serial}"),
        9 => format!("{date}/{serial}"),
        10 => format!("{date}.{serial}"),
        11 => format!("{date}\u{200b}{serial}"),
        12 => grouped(n, &[1; 10], " "),
        13 => in_script(n, '\u{660}'),
        _ => in_script(n, '\u{ff10}'),
    }
}

/// How a Danish phone number is spelled.
fn phone(n: &str, how: usize) -> String {
    match how {
        0 => n.to_owned(),
        1 => grouped(n, &[2, 2, 2, 2], " "),
        2 => grouped(n, &[2, 2, 2, 2], "-"),
        3 => grouped(n, &[2, 2, 2, 2], "."),
        4 => format!("tlf. {}", grouped(n, &[4, 4], " ")),
        5 => format!("tlf {}", grouped(n, &[4, 4], "-")),
        6 => format!("+45{n}"),
        7 => format!("+45 {}", grouped(n, &[2, 2, 2, 2], " ")),
        8 => format!("0045{n}"),
        9 => format!("(+45) {n}"),
        10 => format!("45 {}", grouped(n, &[2, 2, 2, 2], " ")),
        11 => grouped(n, &[2, 2, 2, 2], "\u{a0}"),
        12 => grouped(n, &[4, 4], "\u{ad}"),
        13 => in_script(n, '\u{6f0}'),
        _ => in_script(&format!("+45 {n}"), '\u{ff10}'),
    }
}

const SPELLINGS: usize = 15;

/// Whether words that happen to stand here name a number; the rest of the alphabet has none.
fn names_nothing(before: &str, after: &str) -> bool {
    let text = clean(&format!("{before} 0 {after}"));
    let at = text.find('0').unwrap_or(0);
    context::named(&text, at, at + 1).is_none()
}

/// Beginnings, ends and middles of what the finders know.
const PIECES: &[&str] = &[
    "DK50 ",
    "DK50",
    "0040 0440 1162 43",
    "00400440116243",
    "GB82 ",
    "WEST",
    "12345698765432",
    "@mail.dk",
    "@",
    "%40",
    "(at)",
    " snabel-a ",
    "gmail.com",
    " . dk",
    "bo.",
    "5019 7170 1010 3742",
    "5019",
    "reg. 1234",
    "konto ",
    " 1234567890",
    "1234 ",
    "070761-4285",
    "0101901234",
    "010190",
    "-1234",
    "1/1-90-1234",
    "19",
    "cpr ",
    "pas A",
    "1234567",
    "204 567 891",
    "tlf",
    "+45",
    "+49 170 1234567",
    "0045",
    "20 30 40 50",
    "20304050",
    "2030-4050",
    "5798001234567",
    " kr",
    " mia",
    ",00",
    "ordre ",
    "sagsnr. ",
    "(",
    ")",
    " ",
    ".",
    "-",
    "/",
    "\n",
    "æ",
    "\u{200b}",
    "٢٠",
    "é",
];

proptest! {
    #[test]
    fn no_cpr_number_survives(
        day in 1_u32..=28, replacement in any::<bool>(), month in 1_u32..=12, year in 0_u32..=99,
        serial in 1000_u32..=9999, how in 0..SPELLINGS,
        before in "[a-zæøå ,:]{0,12}", after in "[a-zæøå ,.!]{0,12}",
    ) {
        prop_assume!(names_nothing(&before, &after));
        let day = if replacement { day + 60 } else { day };
        let n = format!("{day:02}{month:02}{year:02}{serial:04}");
        let text = format!("{before} {} {after}", cpr(&n, how));
        let r = redact(&clean(&text));
        prop_assert_eq!(&r.masked, &[Masked::Cpr], "{} became {}", text, r.text);
        prop_assert!(!r.text.chars().any(|c| digits::digit(c).is_some()), "{} became {}", text, r.text);
    }

    #[test]
    fn no_phone_number_survives(
        n in "[2-9][0-9]{7}", how in 0..SPELLINGS,
        before in "[a-zæøå ,:]{0,12}", after in "[a-zæøå ,.!]{0,12}",
    ) {
        prop_assume!(names_nothing(&before, &after));
        let text = format!("{before} {} {after}", phone(&n, how));
        let r = redact(&clean(&text));
        prop_assert!(!r.masked.is_empty(), "{} became {}", text, r.text);
        prop_assert!(!r.text.chars().any(|c| digits::digit(c).is_some()), "{} became {}", text, r.text);
    }

    #[test]
    fn no_address_survives(
        local in "[a-zæøå0-9][a-zæøå0-9._+-]{0,12}", domain in "[a-z][a-z0-9-]{1,8}", end in "dk|com|se|eu|info",
        how in 0_usize..5, before in "[a-zæøå ,:(]{0,12}", after in "[a-zæøå ,!)]{0,12}",
    ) {
        let at = ["@", " @ ", "(at)", " snabel-a ", "%40"][how];
        let text = format!("{before} {local}{at}{domain}.{end} {after}");
        let r = redact(&clean(&text));
        prop_assert!(r.masked.contains(&Masked::Email), "{} became {}", text, r.text);
        let left = r.text.replace(Masked::Email.mask(), "");
        prop_assert!(!left.contains(at.trim()) && !left.contains(&format!("{domain}.{end}")), "{} became {}", text, r.text);
    }

    #[test]
    fn no_account_survives(
        reg in "[0-9]{4}", konto in "[1-9][0-9]{6,9}", how in 0_usize..5, tail in "[a-zæøå ,.]{0,12}",
    ) {
        let text = match how {
            0 => format!("reg. {reg} konto {konto} {tail}"),
            1 => format!("min konto er {reg} {konto} {tail}"),
            2 => format!("kontonr.: {reg}-{konto} {tail}"),
            3 => format!("Reg.nr.: {reg}\nKontonr.: {konto}\n{tail}"),
            _ => format!("konto {reg}{konto} {tail}"),
        };
        prop_assume!(names_nothing("", &tail));
        let r = redact(&clean(&text));
        prop_assert!(!r.text.chars().any(|c| digits::digit(c).is_some()), "{} became {}", text, r.text);
    }

    #[test]
    fn redaction_settles(s in "([0-9]{1,4}|[ ./,:+@-]|ordre|konto|reg|pas|tlf|kr|er|nr\\.|CVR|dk|\\[|\\(|bo|\n){0,40}") {
        let once = redact(&s).text;
        let twice = redact(&once);
        prop_assert_eq!(&twice.text, &once, "from {:?}", s);
        prop_assert!(twice.masked.is_empty());
    }

    /// Whatever the finders look for, in each other's way: nothing panics, and no mask is torn.
    #[test]
    fn pieces_of_everything_are_read_to_their_end(parts in prop::collection::vec(prop::sample::select(PIECES), 0..12)) {
        let s = parts.concat();
        for rules in [Rules::ALL, Rules::REPLY, Rules::KNOWLEDGE] {
            let r = redact_by(&s, rules);
            for kind in &r.masked {
                prop_assert!(rules.hides(*kind) && r.text.contains('['), "{:?} became {:?}", s, r.text);
            }
            let opened = r.text.matches('[').count();
            prop_assert_eq!(opened, r.text.matches(" skjult]").count(), "{:?} became {:?}", s, r.text);
        }
    }

    #[test]
    fn any_text_is_read_to_its_end(s in "\\PC{0,200}", t in any::<String>()) {
        for s in [s, t] {
            let r = redact(&s);
            let again = redact(&r.text);
            prop_assert_eq!(again.text, r.text);
            for rules in [Rules::REPLY, Rules::KNOWLEDGE] {
                redact_by(&s, rules);
            }
            Published::of([s.as_str()]);
        }
    }
}

/// Any three of the pieces beside one another: what is found lies apart, so that each thing has its own mask.
#[test]
fn no_two_finders_take_the_same_characters() {
    for a in PIECES {
        for b in PIECES {
            for c in PIECES {
                let text = [*a, *b, *c].concat();
                let text = visible(&text);
                for two in spans(&text, Rules::ALL).windows(2) {
                    assert!(two[0].end <= two[1].start, "{text:?}");
                }
            }
        }
    }
}

/// Texts made to be slow: looked at as long as it takes, a square of their length would take hours.
#[test]
fn the_time_grows_with_the_text_alone() {
    for part in [
        "1",
        "12 ",
        "2030 ",
        "20 ",
        "@",
        "a@",
        "a@b.",
        "+45",
        "0",
        "konto 1",
        "DK50 ",
        "((((",
        "nr. ",
        "20304050a",
        "%40",
        "a%40",
        "DK50a",
        "20304050 ",
        "cpr 0101",
    ] {
        let text = part.repeat(50_000 / part.len());
        let r = redact(&text);
        assert!(r.text.len() <= text.len() * 12);
    }
}
