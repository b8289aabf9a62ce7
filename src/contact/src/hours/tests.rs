use super::*;
use jiff::civil::{DateTime, time};
use jiff::{SignedDuration, ToSpan};
use proptest::prelude::*;

fn span(from: &str, to: &str) -> Span {
    Span::new(from.parse().unwrap(), to.parse().unwrap()).unwrap()
}

/// Monday to Friday 8 to 20, and what is customary.
fn office() -> Hours {
    let day = vec![span("08:00", "20:00")];
    let mut week: [Vec<Span>; 7] = Default::default();
    week[..5].fill(day);
    Hours::new(week).closed_yearly(CUSTOMARILY_CLOSED)
}

fn every_day(spans: &[Span]) -> Hours {
    Hours::new(std::array::from_fn(|_| spans.to_vec()))
}

fn local(text: &str) -> Timestamp {
    let dt: DateTime = text.parse().unwrap();
    dt.to_zoned(copenhagen().clone()).unwrap().timestamp()
}

#[track_caller]
fn opens(hours: &Hours, at: &str, expected: &str) {
    let Status::Closed { opens: Some(t) } = status(hours, local(at)) else {
        panic!("{:?}", status(hours, local(at)));
    };
    assert_eq!(t.datetime(), expected.parse().unwrap());
}

#[track_caller]
fn until(hours: &Hours, at: &str, expected: &str) {
    let Status::Open { until } = status(hours, local(at)) else {
        panic!("{:?}", status(hours, local(at)));
    };
    assert_eq!(until.datetime(), expected.parse().unwrap());
}

#[test]
fn an_ordinary_week() {
    let h = office();
    opens(&h, "2026-03-02T07:59:59", "2026-03-02T08:00");
    until(&h, "2026-03-02T08:00", "2026-03-02T20:00");
    until(&h, "2026-03-02T19:59:59", "2026-03-02T20:00");
    opens(&h, "2026-03-02T20:00", "2026-03-03T08:00");
    opens(&h, "2026-03-06T20:00", "2026-03-09T08:00");
}

#[test]
fn holidays_and_custom_move_the_opening() {
    let h = office();
    opens(&h, "2026-04-01T20:00", "2026-04-07T08:00"); // Easter
    opens(&h, "2026-12-23T20:00", "2026-12-28T08:00"); // Christmas and a weekend
    opens(&h, "2026-12-30T20:00", "2027-01-04T08:00"); // New Year and a weekend
    opens(&h, "2026-06-04T20:00", "2026-06-08T08:00"); // grundlovsdag, a Friday
    until(&h, "2024-04-26T10:00", "2024-04-26T20:00"); // would have been store bededag
    let closed = office().closed_on(["2026-05-15".parse().unwrap()]);
    opens(&closed, "2026-05-13T20:00", "2026-05-18T08:00"); // the day after Kristi himmelfart
}

#[test]
fn spans_that_touch_are_one_opening_also_over_midnight() {
    let h = every_day(&[
        span("20:00", "00:00"),
        span("00:00", "02:00"),
        span("01:00", "04:00"),
    ]);
    until(&h, "2026-03-03T21:00", "2026-03-04T04:00");
    opens(&h, "2026-03-04T04:00", "2026-03-04T20:00");
    let always = every_day(&[span("00:00", "00:00")]);
    until(&always, "2026-06-01T00:00", "2026-12-25T00:00");
}

#[test]
fn the_skipped_and_the_repeated_hour() {
    let h = every_day(&[span("02:30", "04:00")]);
    opens(&h, "2027-03-27T23:00", "2027-03-30T02:30"); // 28 March 2027 is Easter Sunday
    opens(&h, "2026-03-29T00:00", "2026-03-29T03:00");
    let h = every_day(&[span("02:15", "02:45")]);
    opens(&h, "2026-03-29T00:00", "2026-03-30T02:15");
    let first = local("2026-10-25T02:15"); // the first of the two
    let second = first + SignedDuration::from_hours(1);
    assert!(matches!(status(&h, first), Status::Open { .. }));
    assert!(matches!(status(&h, second), Status::Closed { .. }));
}

#[test]
fn never_open_and_the_ends_of_time() {
    let never = Hours::default();
    assert_eq!(
        status(&never, local("2026-03-02T10:00")),
        Status::Closed { opens: None }
    );
    for at in [Timestamp::MIN, Timestamp::MAX, Timestamp::UNIX_EPOCH] {
        status(&office(), at);
        status(&every_day(&[span("00:00", "00:00")]), at);
    }
}

#[test]
fn empty_spans_are_refused() {
    for (a, b) in [("08:00", "08:00"), ("20:00", "08:00")] {
        let e = Span::new(a.parse().unwrap(), b.parse().unwrap()).unwrap_err();
        assert!(e.to_string().contains("empty"));
    }
}

/// Quarters of an hour, but none inside the hour that the clocks skip or repeat: there a local time is
/// no longer one instant, and the model below would be about something else.
fn quarter() -> impl Strategy<Value = i8> {
    (0_i8..96).prop_filter("not inside 2 to 3", |q| !(9..12).contains(q))
}

fn any_span() -> impl Strategy<Value = Span> {
    (quarter(), quarter()).prop_filter_map("not empty", |(a, b)| {
        let t = |q: i8| time(q / 4, q % 4 * 15, 0, 0);
        Span::new(t(a), t(b)).ok()
    })
}

/// Mondays of weeks in which the clocks change, the year ends, holidays fall, or nothing happens.
fn monday() -> impl Strategy<Value = Date> {
    prop::sample::select(vec![
        "2026-03-23",
        "2026-10-19",
        "2027-03-22",
        "2027-10-25",
        "2028-03-20",
        "2026-12-21",
        "2026-12-28",
        "2024-12-30",
        "2026-05-11",
        "2026-06-01",
        "2026-08-10",
        "2026-11-02",
    ])
    .prop_map(|s| s.parse().unwrap())
}

fn any_hours() -> impl Strategy<Value = Hours> {
    let day = || prop::collection::vec(any_span(), 0..3);
    let week = [day(), day(), day(), day(), day(), day(), day()];
    (week, any::<bool>()).prop_map(|(week, custom)| {
        Hours::new(week).closed_yearly(CUSTOMARILY_CLOSED.into_iter().filter(|_| custom))
    })
}

/// Whether the clocks show a time that the table calls open.
fn open_by_the_clock(hours: &Hours, at: Timestamp) -> bool {
    let now = at.to_zoned(copenhagen().clone());
    hours
        .on(now.date())
        .iter()
        .any(|s| s.from <= now.time() && (now.time() < s.to || s.to == Time::midnight()))
}

/// Open quarters of a day by the table, each counted once.
fn quarters(spans: &[Span]) -> i64 {
    let open = |q: &i8| {
        let t = time(q / 4, q % 4 * 15, 0, 0);
        spans
            .iter()
            .any(|s| s.from <= t && (t < s.to || s.to == Time::midnight()))
    };
    i64::try_from((0_i8..96).filter(open).count()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn agrees_with_the_clock_and_names_the_first_change(hours in any_hours(), monday in monday(), offset in 0_i64..672) {
        let start = instant(monday, Time::midnight()).unwrap();
        let at = start + SignedDuration::from_mins(15 * offset);
        let open = open_by_the_clock(&hours, at);
        let (says, change) = match status(&hours, at) {
            Status::Open { until } => (true, Some(until.timestamp())),
            Status::Closed { opens } => (false, opens.map(|z| z.timestamp())),
        };
        prop_assert_eq!(says, open);
        if let Some(change) = change {
            prop_assert!(change > at);
            prop_assert_eq!(open_by_the_clock(&hours, change), !open);
            let mut t = at;
            while t < change && t < at + SignedDuration::from_hours(24 * 40) {
                prop_assert_eq!(open_by_the_clock(&hours, t), open);
                t += SignedDuration::from_mins(15);
            }
        }
    }

    #[test]
    fn open_time_of_a_week_is_the_table_less_holidays(hours in any_hours(), monday in monday()) {
        let from = instant(monday, Time::midnight()).unwrap();
        let to = instant(monday.checked_add(7.days()).unwrap(), Time::midnight()).unwrap();
        let mut open = SignedDuration::ZERO;
        let mut t = from;
        while t < to {
            t = match status(&hours, t) {
                Status::Open { until } => {
                    let end = until.timestamp().min(to);
                    open += end.duration_since(t);
                    end
                }
                Status::Closed { opens } => opens.map_or(to, |z| z.timestamp()),
            };
        }
        // A day on which the clocks change gains or loses the hour from 2 to 3, if that is open.
        let table: i64 = monday
            .series(1.day())
            .take(7)
            .map(|d| {
                let spans = hours.on(d);
                let end = instant(d.tomorrow().unwrap(), Time::midnight()).unwrap();
                let length = end.duration_since(instant(d, Time::midnight()).unwrap());
                let at_two = spans.iter().any(|s| {
                    s.from <= time(2, 0, 0, 0) && (s.to >= time(3, 0, 0, 0) || s.to == Time::midnight())
                });
                quarters(spans) * 15 + if at_two { length.as_mins() - 24 * 60 } else { 0 }
            })
            .sum();
        prop_assert_eq!(open.as_mins(), table);
    }
}

#[test]
fn always_is_open_on_christmas_day_too_and_comes_back_from_json() {
    let at: Timestamp = "2026-12-25T02:00:00Z".parse().unwrap();
    let hours = Hours::always();
    assert!(matches!(status(&hours, at), Status::Open { .. }));
    let again: Hours = serde_json::from_str(&serde_json::to_string(&hours).unwrap()).unwrap();
    assert_eq!(again, hours);
    let usual = every_day(&[span("00:00", "00:00")]);
    assert!(!serde_json::to_string(&usual).unwrap().contains("always"));
    assert!(matches!(status(&usual, at), Status::Closed { .. }));
}
