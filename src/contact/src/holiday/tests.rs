use super::*;
use proptest::prelude::*;

/// Skærtorsdag, langfredag, påskedag, 2. påskedag, Kristi himmelfart, pinsedag, 2. pinsedag.
const MOVABLE: [(i16, [&str; 7]); 7] = [
    (
        2024,
        [
            "03-28", "03-29", "03-31", "04-01", "05-09", "05-19", "05-20",
        ],
    ),
    (
        2025,
        [
            "04-17", "04-18", "04-20", "04-21", "05-29", "06-08", "06-09",
        ],
    ),
    (
        2026,
        [
            "04-02", "04-03", "04-05", "04-06", "05-14", "05-24", "05-25",
        ],
    ),
    (
        2027,
        [
            "03-25", "03-26", "03-28", "03-29", "05-06", "05-16", "05-17",
        ],
    ),
    (
        2028,
        [
            "04-13", "04-14", "04-16", "04-17", "05-25", "06-04", "06-05",
        ],
    ),
    (
        2029,
        [
            "03-29", "03-30", "04-01", "04-02", "05-10", "05-20", "05-21",
        ],
    ),
    (
        2030,
        [
            "04-18", "04-19", "04-21", "04-22", "05-30", "06-09", "06-10",
        ],
    ),
];

/// The same in every year.
const FIXED: [&str; 3] = ["01-01", "12-25", "12-26"];

fn all_of(year: i16) -> Vec<Date> {
    let first: Date = format!("{year:04}-01-01").parse().unwrap();
    first
        .series(jiff::ToSpan::day(1))
        .take_while(|d| d.year() == year)
        .filter(|&d| holiday(d).is_some())
        .collect()
}

#[test]
fn the_table_of_2024_to_2030() {
    for (year, movable) in MOVABLE {
        let mut expected: Vec<Date> = movable
            .iter()
            .chain(&FIXED)
            .map(|md| format!("{year}-{md}").parse().unwrap())
            .collect();
        expected.sort();
        assert_eq!(all_of(year), expected);
    }
}

#[test]
fn store_bededag_ends_with_2023() {
    let named = |s: &str| holiday(s.parse().unwrap());
    assert_eq!(named("2022-05-13"), Some("store bededag"));
    assert_eq!(named("2023-05-05"), Some("store bededag"));
    assert_eq!(named("2024-04-26"), None);
}

#[test]
fn the_earliest_and_the_latest_easter() {
    for (year, day) in [
        (1818, "03-22"),
        (2008, "03-23"),
        (2038, "04-25"),
        (1981, "04-19"),
        (2285, "03-22"),
    ] {
        assert_eq!(easter(year), format!("{year}-{day}").parse().ok());
    }
}

#[test]
fn customary_days_are_not_statutory() {
    for d in [
        "2026-06-05",
        "2026-12-24",
        "2026-12-31",
        "2026-05-01",
        "2026-05-15",
    ] {
        assert_eq!(holiday(d.parse().unwrap()), None, "{d}");
    }
}

proptest! {
    #[test]
    fn every_year_jiff_knows_has_one_easter_sunday_in_spring(year in -9999_i16..=9999) {
        let e = easter(year).unwrap();
        prop_assert_eq!(e.weekday(), jiff::civil::Weekday::Sunday);
        let md = (e.month(), e.day());
        prop_assert!(((3, 22)..=(4, 25)).contains(&md));
        prop_assert_eq!(holiday(e), Some("påskedag"));
    }
}
