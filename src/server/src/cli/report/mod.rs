//! `eval --report`: one page that an editor or a project lead can read, in Danish. It needs no network and no
//! script; every picture is also told in words and given in a table.

mod charts;
mod curves;
mod faults;
mod groups;
mod html;
mod words;

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use dialogue::Record;
use dialogue::eval::calibration::{Trial, bins, calibration_error};
use dialogue::eval::{Given, Question, Share, Tally, Verdict, tally_by};
use index::ErrorBudget;
use jiff::Timestamp;
use knowledge::{Article, Release};

use super::Failure;
use html::{Narrow, Row, esc, numbers, paragraph, section, table, words as column};
use words::{count, date, decimal, hits, interval, measures, percent};

/// One question and how the whole turn met it.
pub(super) struct Case<'a> {
    pub question: &'a Question,
    /// As it was searched for: cleaned and redacted.
    pub text: &'a str,
    pub given: &'a Given,
    pub record: &'a Record,
}

impl Case<'_> {
    fn verdict(&self) -> Verdict {
        Verdict::of(self.question, self.given)
    }
}

/// What a report is made from.
pub(super) struct Study<'a> {
    pub file: &'a Path,
    pub release: &'a Release,
    pub model: String,
    pub budget: ErrorBudget,
    /// The thresholds.
    pub answer: f32,
    pub clarify: f32,
    pub now: Timestamp,
    pub cases: Vec<Case<'a>>,
}

impl Study<'_> {
    fn all(&self) -> Tally {
        self.tally(|_| [()]).remove(&()).unwrap_or_default()
    }

    fn tally<K: Ord, G: IntoIterator<Item = K>>(
        &self,
        groups: impl Fn(&Question) -> G,
    ) -> std::collections::BTreeMap<K, Tally> {
        tally_by(self.cases.iter().map(|c| (c.question, c.given)), groups)
    }

    fn trials(&self) -> Vec<Trial> {
        let of = |c: &Case<'_>| Trial::of(c.question, c.record);
        self.cases.iter().filter_map(of).collect()
    }

    /// The article that a question's municipality has by this id.
    fn article(&self, question: &Question, id: &str) -> Option<&Article> {
        let ix = self.release.view(question.municipality)?.get(id)?;
        Some(self.release.article(ix))
    }

    fn with(&self, wanted: Verdict) -> impl Iterator<Item = &Case<'_>> {
        self.cases.iter().filter(move |c| c.verdict() == wanted)
    }

    /// Questions that wait for an article which their municipality does not have.
    fn orphans(&self) -> Vec<&Case<'_>> {
        let known = |c: &Case<'_>, id: &String| self.article(c.question, id).is_some();
        let orphan = |c: &&Case<'_>| {
            let expected = &c.question.expected;
            !expected.is_empty() && !expected.iter().any(|id| known(c, id))
        };
        self.cases.iter().filter(orphan).collect()
    }
}

/// Where a report goes.
pub(super) struct Target(PathBuf);

impl Target {
    /// Finds out whether a report can be written, before the work for it is done.
    ///
    /// # Errors
    /// When the path cannot be written, or is the question set's own.
    pub(super) fn open(path: &Path, questions: &Path) -> Result<Self, Failure> {
        let named = |e: &dyn std::fmt::Display| {
            format!("the report cannot be written to {}: {e}", path.display())
        };
        let same = |a: io::Result<PathBuf>, b: io::Result<PathBuf>| matches!((a, b), (Ok(a), Ok(b)) if a == b);
        if same(path.canonicalize(), questions.canonicalize()) {
            return Err(named(&"that is the question set").into());
        }
        let new = !path.exists();
        // What is there stays until there is something better.
        OpenOptions::new()
            .append(true)
            .create(true)
            .open(path)
            .map_err(|e| named(&e))?;
        if new {
            fs::remove_file(path).map_err(|e| named(&e))?;
        }
        Ok(Self(path.to_owned()))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn write(&self, page: &str) -> Result<(), Failure> {
        let named = |e| format!("the report cannot be written to {}: {e}", self.0.display());
        Ok(fs::write(&self.0, page).map_err(named)?)
    }
}

/// The page.
///
/// # Errors
/// When a picture cannot be drawn.
pub(super) fn page(study: &Study<'_>) -> Result<String, Failure> {
    let all = study.all();
    let mut sections: Vec<(&str, &str, String)> = vec![("tal", "Nøgletal", figures(&all))];
    let worst = faults::list(study);
    if all.answerable > 0 {
        sections.push(("forvekslinger", "Forvekslinger", faults::confusions(study)));
    }
    if all.answerable > 0 {
        let areas = groups::areas(study, &all)?;
        sections.push(("omraader", "Efter område", areas));
    }
    sections.push(("sprog", "Efter sprog", groups::languages(study, &all)?));
    sections.push((
        "slags",
        "Efter slags spørgsmål",
        groups::slices(study, &all)?,
    ));
    let trials = study.trials();
    sections.push((
        "sikkerhed",
        "Kan man stole på sikkerheden?",
        curves::reliability(study, &all, &trials)?,
    ));
    sections.push((
        "graense",
        "Skal den svare på flere eller færre?",
        curves::coverage(study, &all, &trials)?,
    ));
    sections.push(("spoergsmaal", "Spørgsmål, der gik galt", worst));
    sections.push(("maade", "Sådan er tallene lavet", method(study, &all)));

    let contents: String = sections
        .iter()
        .map(|(id, name, _)| format!("<li><a href=\"#{id}\">{}</a></li>\n", esc(name)))
        .collect();
    let body: String = sections
        .iter()
        .map(|(id, name, body)| section(id, name, body))
        .collect();
    let name = study.file.file_name().unwrap_or_default().to_string_lossy();
    Ok(html::document(
        &format!("Hvor godt svarer Borgerlinje? {name}"),
        &format!(
            "<header>\n<p class=\"brand\">Borgerlinje</p>\n<h1>Hvor godt svarer Borgerlinje?</h1>\n{}{}</header>\n\
             <nav aria-labelledby=\"h-indhold\"><h2 id=\"h-indhold\">Indhold</h2>\n<ul class=\"contents\">\n{contents}</ul></nav>\n\
             <main id=\"indhold\">\n{body}</main>\n\
             <footer><p>Lavet af <code>borgerlinje eval --report</code>. Siden henter intet og kan gemmes og sendes, som den er.</p></footer>\n",
            summary(study, &all),
            facts(study),
        ),
    ))
}

/// What there is to know, for whoever reads no further.
fn summary(study: &Study<'_>, all: &Tally) -> String {
    let mut lead = String::new();
    let mut found = Vec::new();
    if all.answerable > 0 {
        lead += &format!(
            "Af {} med et svar i artiklerne fandt Borgerlinje den rigtige artikel til {} ({}). Den viste svaret med det samme på {} og tog fejl i {} af dem.",
            count(all.answerable as usize, "spørgsmål", "spørgsmål"),
            all.first,
            percent(Share::of(all.first, all.answerable).percent),
            all.answered,
            all.wrong,
        );
        let click = Share::of(all.one_click, all.answerable);
        found.push(format!(
            "Svaret lå højst ét klik væk for {} af {} ({}).",
            all.one_click,
            all.answerable,
            percent(click.percent)
        ));
        if let Some(worst) = groups::worst_areas(study) {
            found.push(worst);
        }
    } else {
        lead += "Ingen af spørgsmålene har en artikel som svar, så her måles kun én ting: om Borgerlinje lader være med at svare.";
    }
    if all.unanswerable > 0 {
        let share = Share::of(all.unanswerable_answered, all.unanswerable);
        found.push(format!(
            "{} har ingen artikel som svar. {} fik alligevel vist en artikel ({}).",
            count(all.unanswerable as usize, "besked", "beskeder"),
            all.unanswerable_answered,
            percent(share.percent)
        ));
    }
    if all.answerable > 0
        && let Some(error) = calibration_error(&bins(&study.trials()))
    {
        found.push(format!(
            "Når Borgerlinje siger, hvor sikker den er, rammer den i gennemsnit {} point ved siden af.",
            decimal(error, 1)
        ));
    }
    let orphans = study.orphans();
    if !orphans.is_empty() {
        found.push(format!(
            "{} venter en artikel, som kommunen ikke har, og kan derfor ikke besvares rigtigt. Ret spørgsmålene, eller skriv artiklen.",
            count(orphans.len(), "spørgsmål", "spørgsmål")
        ));
    }
    let items: String = found
        .iter()
        .map(|f| format!("<li>{}</li>\n", esc(f)))
        .collect();
    format!(
        "<p class=\"lead\">{}</p>\n<ul class=\"found\">\n{items}</ul>\n",
        esc(&lead)
    )
}

fn facts(study: &Study<'_>) -> String {
    let at = |threshold: f32| percent(f64::from(threshold) * 100.0);
    let budget = |share: f32| percent((f64::from(share) * 1e4).round() / 100.0);
    let rows = [
        (
            "Spørgsmål",
            format!("{} fra {}", study.cases.len(), study.file.display()),
        ),
        ("Dato", date(study.now)),
        ("Udgivelse", study.release.hash.clone()),
        ("Model", study.model.clone()),
        (
            "Grænser",
            format!(
                "viser svaret, når sikkerheden er mindst {}; beder ellers borgeren vælge, når den er mindst {}",
                at(study.answer),
                at(study.clarify)
            ),
        ),
        (
            "Fejlbudget",
            format!(
                "højst {} af spørgsmålene må få vist et forkert svar, og højst {} af de beskeder, ingen artikel besvarer, må få vist et svar",
                budget(study.budget.wrong),
                budget(study.budget.unanswerable)
            ),
        ),
    ];
    let rows: String = rows
        .iter()
        .map(|(name, value)| format!("<dt>{}</dt><dd>{}</dd>\n", esc(name), esc(value)))
        .collect();
    format!("<dl class=\"facts\">\n{rows}</dl>\n")
}

fn figures(all: &Tally) -> String {
    let rows: Vec<Row> = measures(all)
        .iter()
        .map(|m| {
            let s = (m.share)(all);
            vec![
                format!("{}<small>{}</small>", esc(m.name), esc(m.meaning)),
                format!("<span class=\"big\">{}</span>", percent(s.percent)),
                interval(s),
                format!("{} af {}", hits(s), s.n),
            ]
            .into()
        })
        .collect();
    let columns = [
        column("Mål"),
        numbers("Andel"),
        numbers("95 %-interval"),
        numbers("Antal"),
    ];
    let mut out = table("Alle spørgsmål under ét", &columns, &rows, Narrow::Stacks);
    out += &paragraph(
        "Tallene bygger på en stikprøve. Intervallet viser, hvor den sande andel med 95 % sikkerhed ligger: jo færre spørgsmål, jo bredere.",
    );
    out
}

fn method(study: &Study<'_>, all: &Tally) -> String {
    let mut out = paragraph(
        "Hvert spørgsmål stilles for sig, som en borger ville gøre, i den kommune, der står ud for det, og går hele vejen gennem programmet. Spørgsmålene er skrevet til prøven, og Borgerlinje har ikke lært af dem.",
    );
    out += &paragraph(
        "Andelene under »rigtig artikel først«, »besvaret«, »forkert svar vist« og »rigtig inden for ét klik« er andele af de spørgsmål, der har en artikel som svar. Står der flere artikler som rigtige, tæller enhver af dem. Intervallerne er Wilsons 95 %-intervaller.",
    );
    out += &paragraph(
        "Et spørgsmål, der besvares med hjælpelinjer, fordi nogen kan være i fare, tæller som ikke besvaret med en artikel, også når det er det rigtige at gøre.",
    );
    let language = Share::of(all.language, study.cases.len() as u32);
    out += &paragraph(&format!(
        "Sproget blev genkendt rigtigt i {} af {} spørgsmål ({}).",
        all.language,
        study.cases.len(),
        percent(language.percent)
    ));
    out
}
