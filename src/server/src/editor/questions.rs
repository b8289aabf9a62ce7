//! Questions that citizens asked, and what releases make of questions.

use std::collections::HashSet;
use std::sync::Arc;

use base::{Lang, MunicipalityCode};
use dialogue::{Context, Input, Outcome, Record, Turn};
use inference::Kind;
use jiff::Timestamp;
use knowledge::Intent;

use super::jobs::Job;
use super::problem::Problem;
use super::{Studio, blocking};
use crate::app::App;

/// Turns that are read from the journal at once: a citizen's message waits no longer than for these.
const PAGE: u32 = 200;
/// Texts that are encoded between two looks at whether the job was stopped.
const STRETCH: usize = 64;

/// A vector of unit length.
pub(super) type Vector = inference::Vector;

/// A turn that was.
pub(super) struct Past {
    pub at: Timestamp,
    pub municipality: MunicipalityCode,
    pub record: Record,
    pub rated: Option<u8>,
    /// The last thing that was asked before the citizen went on to a person.
    pub person: bool,
}

/// What a turn came to.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Got {
    pub outcome: Outcome,
    pub article: Option<String>,
    pub title: Option<String>,
    pub confidence: f32,
    /// Best first.
    pub ranked: Vec<String>,
}

impl Studio {
    /// The latest turns since an instant that `may` lets be read, newest first.
    pub(super) async fn past(
        &self,
        app: &App,
        since: Timestamp,
        most: usize,
        may: &(dyn Fn(MunicipalityCode) -> bool + Sync),
    ) -> Result<Vec<Past>, Problem> {
        let mut out = Vec::new();
        let mut after = None;
        // Which way to a person has its question already: the newest turn comes first.
        let mut gone = HashSet::new();
        while out.len() < most {
            let page = app.journal.turns(since, after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some((last.at, last.turn.clone()));
            for row in page {
                // A record of an older program may have other fields.
                let Ok(record) = serde_json::from_str::<Record>(&row.record) else {
                    continue;
                };
                let way = row.person.filter(|_| stands_alone(&record));
                // Who is in danger is meant to go to a person.
                let meant = record.outcome == Outcome::Crisis;
                let person = way.is_some_and(|way| gone.insert((row.dialogue, way))) && !meant;
                if may(row.municipality) && out.len() < most {
                    out.push(Past {
                        at: row.at,
                        municipality: row.municipality,
                        record,
                        rated: row.rated,
                        person,
                    });
                }
            }
        }
        Ok(out)
    }

    /// The vectors of texts, as questions.
    ///
    /// # Errors
    /// `stopped`, `unavailable`.
    pub(super) async fn encoded(
        &self,
        app: &App,
        texts: Vec<String>,
        job: &Arc<Job>,
    ) -> Result<Vec<Vector>, Problem> {
        let (encoder, job) = (app.encoder.clone(), Arc::clone(job));
        blocking(move || {
            let mut vectors = Vec::with_capacity(texts.len());
            for stretch in texts.chunks(STRETCH) {
                job.go_on()?;
                job.step("Læser spørgsmålene", vectors.len(), texts.len());
                let new = encoder.encode_blocking(Kind::Query, stretch, &mut |_, _| {});
                vectors.extend(new.map_err(Problem::unavailable)?);
            }
            Ok(vectors)
        })
        .await?
    }
}

/// Whether a message asks something by itself: a follow-up says nothing alone, a greeting asks nothing, and whoever
/// only asks for a person has not said what about.
pub(super) fn stands_alone(r: &Record) -> bool {
    let asks = r.intent != Some(Intent::Human) && r.outcome != Outcome::Smalltalk;
    asks && !r.elliptical && base::words(&r.message).count() >= 2
}

/// What a release makes of a question that stands alone; `None` where it does not know the municipality.
pub(super) fn turn(
    turn: &Turn,
    text: &str,
    municipality: MunicipalityCode,
    lang: Lang,
    vector: &Vector,
) -> Option<Got> {
    let release = &turn.snapshot.release;
    release.view(municipality)?;
    let context = Context::new(lang);
    let input = Input {
        text: text.to_owned(),
        municipality,
    };
    let begun = turn.begin(input, &context);
    let vectors: Vec<Vector> = begun.texts().iter().map(|_| vector.clone()).collect();
    let settled = begun.finish(&vectors, &context).ok()?;
    let article = settled.record.article_id;
    Some(Got {
        outcome: settled.outcome,
        title: settled.answer.title.filter(|_| article.is_some()),
        article,
        confidence: settled.record.confidence,
        ranked: settled
            .record
            .candidates
            .into_iter()
            .map(|c| c.article_id)
            .collect(),
    })
}
