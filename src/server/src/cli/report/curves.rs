//! Whether the confidence can be trusted, and what another threshold would give.

use dialogue::eval::calibration::{Bin, Point, Trial, bins, calibration_error, curve, reached};
use dialogue::eval::{Share, Tally};

use super::charts::{self, Belief, Trace};
use super::html::{Narrow, Row, figure, numbers, paragraph, table, words as column};
use super::words::{count, decimal, interval, percent};
use super::{Failure, Study};

/// Below this number a bin's share is mostly chance.
const FEW: u32 = 10;

pub(super) fn reliability(
    study: &Study<'_>,
    all: &Tally,
    trials: &[Trial],
) -> Result<String, Failure> {
    if all.answerable == 0 {
        return Ok(paragraph(
            "Sikkerheden siger, hvor tit den bedste artikel er den rigtige. Her er ingen rigtige artikler, så det kan ikke måles med disse spørgsmål.",
        ));
    }
    let bins = bins(trials);
    let Some(error) = calibration_error(&bins) else {
        return Ok(paragraph(
            "Der blev ikke fundet en artikel til noget spørgsmål, så der er ingen sikkerhed at måle.",
        ));
    };
    let mut out = paragraph(
        "Til hvert spørgsmål siger Borgerlinje, hvor sikker den er på, at den bedste artikel er den rigtige. Når den siger 80 %, skal den have ret otte ud af ti gange. Søjlerne bør følge den stiplede linje: en søjle over linjen er for forsigtig, en under er for sikker.",
    );
    if all.unanswerable == 0 {
        out += &paragraph(
            "Sættet har ingen beskeder, som ingen artikel besvarer. Sikkerheden er indstillet på en blanding, hvor de er med, så her kan den se for forsigtig ud.",
        );
    }
    let told = verdict(error, &bins);
    let beliefs: Vec<Belief> = bins
        .iter()
        .map(|b| Belief {
            n: b.n,
            share: Share::of(b.right, b.n),
        })
        .collect();
    out += &wide(&figure(
        "Sikkerhed og andel rigtige",
        Some(&charts::reliability(&beliefs)?),
        &told,
    ));
    let rows: Vec<Row> = bins
        .iter()
        .enumerate()
        .map(|(i, b)| {
            let s = Share::of(b.right, b.n);
            let apart = s.percent - b.mean();
            let apart = if b.n == 0 {
                "–".to_owned()
            } else {
                points(apart)
            };
            vec![
                format!("{}–{}\u{a0}%", 10 * i, 10 * (i + 1)),
                b.n.to_string(),
                percent(b.mean()),
                percent(s.percent),
                interval(s),
                apart,
            ]
            .into()
        })
        .collect();
    let columns = [
        column("Sikkerhed"),
        numbers("Spørgsmål"),
        numbers("Sikkerhed i snit"),
        numbers("Andel rigtige"),
        numbers("95 %-interval"),
        numbers("Forskel i point"),
    ];
    out += &table(
        "Sikkerheden, ti lige brede trin",
        &columns,
        &rows,
        Narrow::Scrolls,
    );
    if let Some(silent) = study
        .cases
        .len()
        .checked_sub(trials.len())
        .filter(|n| *n > 0)
    {
        out += &paragraph(&format!(
            "{} er ikke med her, fordi der ikke blev søgt efter en artikel.",
            count(silent, "spørgsmål", "spørgsmål")
        ));
    }
    Ok(out)
}

/// A difference with its sign.
fn points(apart: f64) -> String {
    match decimal(apart, 1) {
        s if s.starts_with('-') => s.replace('-', "−"),
        s => format!("+{s}"),
    }
}

/// The expected calibration error, said so that it can be used.
fn verdict(error: f64, bins: &[Bin]) -> String {
    let n: u32 = bins.iter().map(|b| b.n).sum();
    let right: u32 = bins.iter().map(|b| b.right).sum();
    let believed: f64 = bins
        .iter()
        .filter(|b| b.n > 0)
        .map(|b| b.mean() * f64::from(b.n))
        .sum();
    let (right, believed) = (
        100.0 * f64::from(right) / f64::from(n),
        believed / f64::from(n),
    );
    let leaning = match right - believed {
        d if d > 1.0 => "Samlet er den for forsigtig",
        d if d < -1.0 => "Samlet er den for sikker",
        _ => "Samlet rammer den",
    };
    let few = bins.iter().filter(|b| b.n > 0 && b.n < FEW).count();
    let few = match few {
        0 => String::new(),
        _ => format!(
            " {} har under {FEW} spørgsmål og siger ikke meget.",
            count(few, "trin", "trin")
        ),
    };
    format!(
        "Forventet kalibreringsfejl: {} point. {leaning}: i snit siger den {}, og {} er rigtige.{few}",
        decimal(error, 1),
        percent(believed),
        percent(right)
    )
}

pub(super) fn coverage(
    study: &Study<'_>,
    all: &Tally,
    trials: &[Trial],
) -> Result<String, Failure> {
    let curve = curve(trials);
    let now = reached(&curve, study.answer);
    let of = |hits: u32, n: u32| Share::of(hits, n).percent;
    let mut out = paragraph(
        "Grænsen bestemmer, hvor sikker Borgerlinje skal være for at vise et svar. En lavere grænse giver flere svar og flere fejl, en højere færre af begge. Den sættes af sig selv, så artiklernes eksempelsætninger holder fejlbudgettet; et mindre budget giver en højere grænse.",
    );
    let answerable = all.answerable > 0;
    if answerable {
        let share = |p: &Point| (of(p.answered, all.answerable), of(p.wrong, all.answerable));
        let trace = Trace {
            points: curve.iter().map(share).collect(),
            now: share(&now),
            budget: f64::from(study.budget.wrong) * 100.0,
        };
        let most = curve.last().copied().unwrap_or_default();
        let told = format!(
            "I dag besvares {}, og {} af alle spørgsmål får vist et forkert svar. Uden grænse ville det være {} og {}.",
            percent(trace.now.0),
            percent(trace.now.1),
            percent(of(most.answered, all.answerable)),
            percent(of(most.wrong, all.answerable))
        );
        let svg = charts::coverage(&trace, "Andel besvaret", "Andel med forkert svar")?;
        out += &wide(&figure(
            "Besvaret og forkert, for hver grænse",
            Some(&svg),
            &told,
        ));
    }
    if all.unanswerable > 0 {
        let n = all.unanswerable;
        let share = |p: &Point| (100.0 * (1.0 - f64::from(p.threshold)), of(p.anyway, n));
        let trace = Trace {
            points: curve.iter().map(share).collect(),
            now: share(&now),
            budget: f64::from(study.budget.unanswerable) * 100.0,
        };
        let told = format!(
            "I dag får {} af {} beskeder, som ingen artikel besvarer, alligevel vist en artikel ({}).",
            now.anyway,
            n,
            percent(trace.now.1)
        );
        let svg = charts::coverage(&trace, "100 % minus grænsen", "Andel fejlagtigt besvaret")?;
        out += &wide(&figure(
            "Fejlagtigt besvaret, for hver grænse",
            Some(&svg),
            &told,
        ));
    }
    out += &thresholds(study, all, &curve);
    let held = trials.iter().filter(|t| t.settled).count();
    if held > 0 {
        out += &paragraph(&format!(
            "{} afgøres ikke af grænsen: de blev læst som en hilsen, et ønske om et menneske eller et nødråb.",
            count(held, "spørgsmål", "spørgsmål")
        ));
    }
    Ok(out)
}

fn thresholds(study: &Study<'_>, all: &Tally, curve: &[Point]) -> String {
    let few = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7];
    let steps = few
        .into_iter()
        .chain([0.75, 0.8, 0.85, 0.9, 0.95, 0.97, 0.99]);
    let mut steps: Vec<(f32, bool)> = steps.map(|t| (t, false)).collect();
    steps.push((study.answer, true));
    steps.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut columns = vec![column("Svarer fra sikkerhed")];
    if all.answerable > 0 {
        columns.extend([
            numbers("Besvaret"),
            numbers("Forkert svar vist"),
            numbers("Forkerte, antal"),
        ]);
    }
    if all.unanswerable > 0 {
        columns.push(numbers("Fejlagtigt besvaret"));
    }
    let rows: Vec<Row> = steps
        .iter()
        .map(|&(threshold, now)| {
            let p = reached(curve, threshold);
            let name = percent(f64::from(threshold) * 100.0);
            let mut cells = vec![if now { format!("{name} (i dag)") } else { name }];
            let share = |hits, n| {
                let s = Share::of(hits, n);
                format!("{}<small>{}</small>", percent(s.percent), interval(s))
            };
            if all.answerable > 0 {
                cells.push(share(p.answered, all.answerable));
                cells.push(share(p.wrong, all.answerable));
                cells.push(p.wrong.to_string());
            }
            if all.unanswerable > 0 {
                cells.push(share(p.anyway, all.unanswerable));
            }
            Row {
                cells,
                class: if now { "now" } else { "" },
            }
        })
        .collect();
    table(
        "Hvad andre grænser ville give, med 95 %-intervaller",
        &columns,
        &rows,
        Narrow::Scrolls,
    )
}

fn wide(figure: &str) -> String {
    figure.replacen("<figure>", "<figure class=\"wide\">", 1)
}
