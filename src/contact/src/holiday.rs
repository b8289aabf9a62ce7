//! The Danish public holidays.
//!
//! Our own thirty lines, after a look at what there is: `holidays-rs` 0.5 has Denmark right, but brings
//! nine thousand lines for a hundred other countries and a date type of its own; `opening-hours` 2.1 brings
//! chrono, flate2 and a language of its own; neither knows the customary days that municipalities close on.
//! What Denmark needs is Easter and three fixed dates. The tests hold it to a table of 2024 to 2030.
//!
//! Source: the holidays of folkekirken; bill L 13 of the Folketing 2022-23 (2nd session) ended store bededag
//! from 1 January 2024. Days that are only customary (5 June, 24 and 31 December) are not here:
//! see [`crate::CUSTOMARILY_CLOSED`].

use jiff::civil::Date;

/// Easter Sunday of a Gregorian year (Meeus, Jones and Butcher). None outside the years jiff knows.
fn easter(year: i16) -> Option<Date> {
    let y = i32::from(year);
    let (golden, century, of_century) = (y.rem_euclid(19), y.div_euclid(100), y.rem_euclid(100));
    let correction = (century + 8).div_euclid(25);
    let moon_shift = (century - correction + 1).div_euclid(3);
    let epact = (19 * golden + century - century.div_euclid(4) - moon_shift + 15).rem_euclid(30);
    let weekday = (32 + 2 * century.rem_euclid(4) + 2 * (of_century / 4) - epact - of_century % 4)
        .rem_euclid(7);
    let late = (golden + 11 * epact + 22 * weekday) / 451;
    let days = epact + weekday - 7 * late + 114;
    Date::new(
        year,
        i8::try_from(days / 31).ok()?,
        i8::try_from(days % 31 + 1).ok()?,
    )
    .ok()
}

/// The Danish name of the public holiday on a date, if it is one.
pub fn holiday(date: Date) -> Option<&'static str> {
    match (date.month(), date.day()) {
        (1, 1) => return Some("nytårsdag"),
        (12, 25) => return Some("juledag"),
        (12, 26) => return Some("2. juledag"),
        _ => {}
    }
    let days_after_easter = date.duration_since(easter(date.year())?).as_hours() / 24;
    match days_after_easter {
        -3 => Some("skærtorsdag"),
        -2 => Some("langfredag"),
        0 => Some("påskedag"),
        1 => Some("2. påskedag"),
        26 if date.year() <= 2023 => Some("store bededag"),
        39 => Some("Kristi himmelfartsdag"),
        49 => Some("pinsedag"),
        50 => Some("2. pinsedag"),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
