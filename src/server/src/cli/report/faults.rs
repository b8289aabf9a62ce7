//! What went wrong: articles taken for one another, and the questions.

use std::collections::BTreeMap;

use dialogue::eval::Verdict;

use super::html::{Narrow, Row, esc, numbers, paragraph, said, table, words as column};
use super::words::{count, language, outcome, percent, slice};
use super::{Case, Study};

/// An article by its title, its id below.
fn article(study: &Study<'_>, case: &Case<'_>, id: &str) -> String {
    let view = study.release.view(case.question.municipality);
    let title = view
        .and_then(|v| v.get(id))
        .and_then(|ix| study.release.render(ix, case.question.municipality));
    match title {
        Some(r) => format!("{}<small>{}</small>", esc(&r.title), esc(id)),
        None => format!("{}<small>findes ikke i kommunen</small>", esc(id)),
    }
}

fn expected(study: &Study<'_>, case: &Case<'_>) -> String {
    let ids = &case.question.expected;
    if ids.is_empty() {
        return "Ingen artikel".to_owned();
    }
    let named: Vec<String> = ids.iter().map(|id| article(study, case, id)).collect();
    named.join("eller<br>")
}

fn found(study: &Study<'_>, case: &Case<'_>) -> String {
    let first = case.given.ranked.first();
    first.map_or("Ingen artikel".to_owned(), |id| article(study, case, id))
}

/// One article found in place of another.
#[derive(Default)]
struct Confusion<'a> {
    shown: usize,
    cases: Vec<&'a Case<'a>>,
}

/// Which article came first in place of which, worst first: what was shown as the answer, then the frequent.
pub(super) fn confusions(study: &Study<'_>) -> String {
    let mut pairs: BTreeMap<(String, &str), Confusion<'_>> = BTreeMap::new();
    for case in &study.cases {
        let verdict = case.verdict();
        if !matches!(verdict, Verdict::Wrong | Verdict::Missed) {
            continue;
        }
        let Some(first) = case.given.ranked.first() else {
            continue;
        };
        let pair = (case.question.expected.join("|"), first.as_str());
        let entry = pairs.entry(pair).or_default();
        entry.shown += usize::from(verdict == Verdict::Wrong);
        entry.cases.push(case);
    }
    if pairs.is_empty() {
        return paragraph("Ingen artikel blev sat foran den rigtige.");
    }
    let mut pairs: Vec<Confusion<'_>> = pairs.into_values().collect();
    pairs.sort_by_key(|c| std::cmp::Reverse((c.shown, c.cases.len())));
    let rows: Vec<Row> = pairs
        .iter()
        .map(|c| {
            let first = c.cases[0];
            let questions: String = c
                .cases
                .iter()
                .map(|c| format!("<li>{}</li>", said(c.text, c.question.lang)))
                .collect();
            vec![
                expected(study, first),
                found(study, first),
                c.cases.len().to_string(),
                c.shown.to_string(),
                format!("<ul class=\"questions\">{questions}</ul>"),
            ]
            .into()
        })
        .collect();
    let columns = [
        column("Rigtig artikel"),
        column("Blev sat først i stedet"),
        numbers("Gange"),
        numbers("Vist som svar"),
        column("Spørgsmål"),
    ];
    let mut out = paragraph(
        "Her blev en anden artikel sat foran den rigtige. De værste står øverst: dem, som borgeren fik vist som svar. En forveksling rettes bedst ved at give den rigtige artikel flere eksempler på, hvordan borgere spørger – med andre ord end spørgsmålene her.",
    );
    out += &table(
        &count(pairs.len(), "forveksling", "forvekslinger"),
        &columns,
        &rows,
        Narrow::Stacks,
    );
    out
}

const KINDS: [(Verdict, &str, &str); 4] = [
    (
        Verdict::Wrong,
        "Forkert svar vist",
        "Borgeren fik en forkert artikel vist som svar.",
    ),
    (
        Verdict::Anyway,
        "Fejlagtigt besvaret",
        "Ingen artikel passer, og alligevel blev en vist.",
    ),
    (
        Verdict::Missed,
        "Den rigtige artikel kom ikke først",
        "Borgeren fik ikke noget forkert svar, men blev bedt om at vælge, fik tilbudt en medarbejder eller et andet svar.",
    ),
    (
        Verdict::Unsure,
        "Rigtig artikel, men ikke vist som svar",
        "Den rigtige artikel var den bedste, men Borgerlinje var ikke sikker nok, eller den læste beskeden som noget andet end et spørgsmål.",
    ),
];

/// Every question that did not get the right answer at once, gravest first.
pub(super) fn list(study: &Study<'_>) -> String {
    let mut out = String::new();
    for (verdict, heading, meaning) in KINDS {
        let mut cases: Vec<&Case<'_>> = study.with(verdict).collect();
        if cases.is_empty() {
            continue;
        }
        // Of faults the surest is the worst; of right articles that were held back the surest is the nearest.
        cases.sort_by(|a, b| b.record.confidence.total_cmp(&a.record.confidence));
        let rows: Vec<Row> = cases.iter().map(|c| row(study, c)).collect();
        let columns = [
            column("Spørgsmål"),
            column("Ventet"),
            column("Fundet først"),
            numbers("Sikkerhed"),
            column("Hvad der skete"),
        ];
        out += &format!("<h3>{}</h3>\n", esc(heading));
        out += &paragraph(meaning);
        out += &table(
            &count(cases.len(), "spørgsmål", "spørgsmål"),
            &columns,
            &rows,
            Narrow::Stacks,
        );
    }
    if out.is_empty() {
        return paragraph("Alle spørgsmål endte, som de skulle.");
    }
    out
}

fn row(study: &Study<'_>, case: &Case<'_>) -> Row {
    let (q, r) = (case.question, case.record);
    let right = case.verdict() == Verdict::Unsure;
    vec![
        format!(
            "{}<small>{}, {}</small>",
            said(case.text, q.lang),
            esc(language(q.lang)),
            esc(slice(&q.slice))
        ),
        expected(study, case),
        if right {
            "Den rigtige".to_owned()
        } else {
            found(study, case)
        },
        if case.given.ranked.is_empty() {
            "–".to_owned()
        } else {
            percent(f64::from(r.confidence) * 100.0)
        },
        esc(outcome(r.outcome)),
    ]
    .into()
}
