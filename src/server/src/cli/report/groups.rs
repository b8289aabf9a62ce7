//! How well it goes by area, by language and by kind of question.

use std::collections::BTreeMap;

use base::Lang;
use dialogue::eval::{Question, Share, Tally};

use super::charts::{self, Bar};
use super::html::{Narrow, Row, esc, figure, numbers, paragraph, table, words as column};
use super::words::{self, Measure, interval, measures, percent};
use super::{Failure, Study};

/// A group of questions, by the name people know it by.
struct Group {
    name: String,
    tally: Tally,
}

/// Below this number a group says little alone.
const FEW: u32 = 20;

/// Of more groups than this, those where all is well are left out of the pictures.
const MANY: usize = 12;

/// What the groups are.
struct Kind {
    name: &'static str,
    many: &'static str,
    /// Said when there is but one, before its name.
    alone: &'static str,
}

const AREAS: Kind = Kind {
    name: "Område",
    many: "områder",
    alone: "Alle spørgsmål hører til samme område",
};
const LANGUAGES: Kind = Kind {
    name: "Sprog",
    many: "sprog",
    alone: "Alle spørgsmål er på samme sprog",
};
const SLICES: Kind = Kind {
    name: "Slags",
    many: "slags",
    alone: "Alle spørgsmål er af samme slags",
};

const NO_ARTICLE: &str = "Ingen artikel";
const UNKNOWN: &str = "Ukendt artikel";

fn area(study: &Study<'_>, question: &Question) -> String {
    if question.expected.is_empty() {
        return NO_ARTICLE.to_owned();
    }
    let found = question
        .expected
        .iter()
        .find_map(|id| study.article(question, id));
    found.map_or(UNKNOWN.to_owned(), |a| {
        let title = study.release.areas.get(&a.area);
        title.unwrap_or(&a.area).clone()
    })
}

/// By area, worst first.
fn by_area(study: &Study<'_>) -> Vec<Group> {
    worst_first(study.tally(|q| [area(study, q)]))
}

fn worst_first(tallies: BTreeMap<String, Tally>) -> Vec<Group> {
    let mut groups: Vec<Group> = tallies
        .into_iter()
        .map(|(name, tally)| Group { name, tally })
        .collect();
    // Where nothing can be right, what is answered all the same counts; of equals the surer knowledge first.
    let right = |t: &Tally| match t.answerable {
        0 => 1.0 - f64::from(t.unanswerable_answered) / f64::from(t.unanswerable.max(1)),
        n => f64::from(t.first) / f64::from(n),
    };
    let answered = |t: &Tally| f64::from(t.answered) / f64::from(t.answerable.max(1));
    groups.sort_by(|a, b| {
        let (a, b) = (&a.tally, &b.tally);
        right(a)
            .total_cmp(&right(b))
            .then(answered(a).total_cmp(&answered(b)))
            .then(b.answerable.cmp(&a.answerable))
    });
    groups
}

/// One sentence on where another article most often came first.
pub(super) fn worst_areas(study: &Study<'_>) -> Option<String> {
    let mut groups = by_area(study);
    let missed = |g: &Group| g.tally.answerable - g.tally.first;
    groups.retain(|g| missed(g) > 0);
    groups.sort_by_key(|g| std::cmp::Reverse(missed(g)));
    let named: Vec<String> = groups
        .iter()
        .take(3)
        .map(|g| format!("{} ({} af {})", g.name, missed(g), g.tally.answerable))
        .collect();
    (!named.is_empty()).then(|| format!("Ramte oftest ved siden af i: {}.", named.join(", ")))
}

pub(super) fn areas(study: &Study<'_>, all: &Tally) -> Result<String, Failure> {
    let mut out = paragraph(
        "Området er det, som den rigtige artikel hører til. Svageste område står øverst.",
    );
    out += &render(&AREAS, &by_area(study), all)?;
    Ok(out)
}

pub(super) fn languages(study: &Study<'_>, all: &Tally) -> Result<String, Failure> {
    let mut tallies = study.tally(|q| [q.lang]);
    let groups: Vec<Group> = Lang::ALL
        .iter()
        .filter_map(|lang| {
            Some(Group {
                name: words::language(*lang).to_owned(),
                tally: tallies.remove(lang)?,
            })
        })
        .collect();
    render(&LANGUAGES, &groups, all)
}

pub(super) fn slices(study: &Study<'_>, all: &Tally) -> Result<String, Failure> {
    let groups = worst_first(study.tally(|q| [words::slice(&q.slice).to_owned()]));
    render(&SLICES, &groups, all)
}

/// Pictures and a table. One group alone has no picture: there is nothing to hold it against.
fn render(kind: &Kind, groups: &[Group], all: &Tally) -> Result<String, Failure> {
    let measures = measures(all);
    let mut out = String::new();
    if groups.len() > 1 {
        let few = groups
            .iter()
            .filter(|g| g.tally.answerable + g.tally.unanswerable < FEW)
            .count();
        if few > 0 {
            out += &paragraph(&format!(
                "{few} af {} {} har under {FEW} spørgsmål. Der kan et enkelt spørgsmål flytte andelen meget; den tynde streg i figuren viser, hvor usikkert tallet er.",
                groups.len(),
                kind.many
            ));
        }
        out += &pictures(kind, groups, &measures)?;
    } else if let Some(only) = groups.first() {
        out += &paragraph(&format!("{}: {}.", kind.alone, only.name));
    }
    out += &figures(kind.name, groups, &measures);
    Ok(out)
}

fn pictures(kind: &Kind, groups: &[Group], measures: &[Measure]) -> Result<String, Failure> {
    let mut out = String::from("<div class=\"grid\">\n");
    for m in measures {
        let mut rows: Vec<Bar> = groups
            .iter()
            .map(|g| Bar {
                label: g.name.clone(),
                share: (m.share)(&g.tally),
            })
            .filter(|b| b.share.n > 0)
            .collect();
        let told = told(kind, m, &rows);
        // Of many, only those with something to look at, worst first.
        if rows.len() > MANY {
            rows.retain(|r| r.share.percent != best(m));
            rows.sort_by(|a, b| a.share.percent.total_cmp(&b.share.percent));
            if m.bad {
                rows.reverse();
            }
        }
        let picture = match rows.len() {
            0 => None,
            _ => Some(charts::bars(&rows, m.bad)?),
        };
        out += &figure(m.name, picture.as_deref(), &told);
    }
    out += "</div>\n";
    Ok(out)
}

fn best(m: &Measure) -> f64 {
    if m.bad { 0.0 } else { 100.0 }
}

/// What a picture shows, in words.
fn told(kind: &Kind, m: &Measure, rows: &[Bar]) -> String {
    let best = best(m);
    let perfect = rows.iter().filter(|r| r.share.percent == best).count();
    let by = |a: &&Bar, b: &&Bar| a.share.percent.total_cmp(&b.share.percent);
    let worst = if m.bad {
        rows.iter().max_by(by)
    } else {
        rows.iter().min_by(by)
    };
    let Some(worst) = worst.filter(|w| w.share.percent != best) else {
        return format!("{} i alle {} {}.", percent(best), rows.len(), kind.many);
    };
    let rest = match (rows.len() > MANY, perfect) {
        (_, 0) => String::new(),
        (true, _) => format!(
            " De {perfect} {} med {} er ikke tegnet.",
            kind.many,
            percent(best)
        ),
        (false, _) => format!(" {} i {perfect} af {}.", percent(best), rows.len()),
    };
    format!(
        "{}: {} ({}).{rest}",
        if m.bad { "Højest" } else { "Lavest" },
        worst.label,
        percent(worst.share.percent)
    )
}

fn figures(kind: &str, groups: &[Group], measures: &[Measure]) -> String {
    let mut columns = vec![column(kind), numbers("Spørgsmål")];
    columns.extend(measures.iter().map(|m| numbers(m.name)));
    let cell = |s: Share| match s.n {
        0 => "–".to_owned(),
        _ => format!("{}<small>{}</small>", percent(s.percent), interval(s)),
    };
    let rows: Vec<Row> = groups
        .iter()
        .map(|g| {
            let t = &g.tally;
            let mut cells = vec![esc(&g.name), (t.answerable + t.unanswerable).to_string()];
            cells.extend(measures.iter().map(|m| cell((m.share)(t))));
            cells.into()
        })
        .collect();
    let caption = format!("{kind} for {}, med 95 %-intervaller", kind.to_lowercase());
    table(&caption, &columns, &rows, Narrow::Scrolls)
}
