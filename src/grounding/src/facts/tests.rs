use super::*;
use crate::lexicon::Tongue;
use crate::token::tokens;

fn of(text: &str, tongue: Tongue) -> Vec<String> {
    facts(&tokens(text), tongue)
        .into_iter()
        .map(|f| {
            let unit = f.unit.map_or(String::new(), |u| format!(" {u:?}"));
            let per = f.per.map_or(String::new(), |u| format!("/{u:?}"));
            let bound = if f.bound == Bound::None {
                String::new()
            } else {
                format!("{:?} ", f.bound)
            };
            let side = if f.side == Bound::None {
                String::new()
            } else {
                format!(" {:?}", f.side)
            };
            format!("{bound}{}{unit}{per}{side}", f.value)
        })
        .collect()
}

#[test]
fn danish_facts() {
    let da = |t| of(t, Tongue::Danish);
    assert_eq!(
        da("Det koster 1.150,50 kr. om måneden."),
        ["1150.5 Kroner/Month"]
    );
    assert_eq!(
        da("senest 14 dage før den 12. marts"),
        ["Latest 14 Day Before", "Before 12/3"]
    );
    assert_eq!(da("inden 5 hverdage"), ["Within 5 Workday"]);
    assert_eq!(
        da("under 18 år og fra 15 år"),
        ["Under 18 Year", "From 15 Year"]
    );
    assert_eq!(da("to til tre uger"), ["2 Week", "Until 3 Week"]);
    assert_eq!(da("2-3 uger"), ["2 Week", "3 Week"]);
    assert_eq!(da("kl. 10-14 og kl. 8.30"), ["10:00", "14:00", "8:30"]);
    assert_eq!(
        da("en halv time, halvanden uge, et par dage, en uge"),
        ["0.5 Hour", "1.5 Week", "par Day", "1 Week"]
    );
    assert_eq!(
        da("efter § 83 a og § 18, stk. 2"),
        ["After 83a", "18", "stk 2"]
    );
    assert_eq!(
        da("ring 70 20 12 34, 112 eller borger.dk"),
        ["70201234", "112", "borger.dk"]
    );
    assert_eq!(
        da("den 20. januar, april og femogtyve"),
        ["20/1", "4", "25"]
    );
    assert_eq!(
        da("18 år eller derover, højst 12 pct."),
        ["AtLeast 18 Year", "AtMost 12 Percent"]
    );
}

#[test]
fn english_facts() {
    let en = |t| of(t, Tongue::English);
    assert_eq!(
        en("It costs 1,150.50 kroner a month."),
        ["1150.5 Kroner/Month"]
    );
    assert_eq!(
        en("no later than 14 days before March 12"),
        ["Latest 14 Day Before", "Before 12/3"]
    );
    assert_eq!(
        en("under 18 years, two or three weeks"),
        ["Under 18 Year", "2 Week", "3 Week"]
    );
    assert_eq!(en("from 10 am to 2 pm"), ["From 10:00", "Until 14:00"]);
    assert_eq!(
        en("you go to one office, you may wait a week, 37 hours a week"),
        ["1 Week", "37 Hour/Week"]
    );
}

/// Found by the fuzz target `gate`: the reader went on behind the last word.
#[test]
fn an_amount_whose_unit_is_before_it_may_end_the_text() {
    let da = |t| of(t, Tongue::Danish);
    assert_eq!(da("Prisen er kr. 250"), ["250 Kroner"]);
    assert_eq!(da("Prisen er kr. 250."), ["250 Kroner"]);
    assert_eq!(da("Det koster kr 250 om måneden"), ["250 Kroner/Month"]);
    assert_eq!(
        da("DKK 250, dog højst 3 uger"),
        ["250 Kroner", "AtMost 3 Week"]
    );
}
