//! Example sentences in each other's way, as editors and `borgerlinje check --sentences` are told.

use std::sync::Arc;

use index::{Overlap, Stage};
use knowledge::Release;
use serde::Serialize;

use super::jobs::Job;
use super::problem::Problem;
use super::wire::{Confusion, LayerName, Named, Strayed, Twin, Twins};
use super::{Studio, blocking};
use crate::app::App;

/// Pairs that a page is told, at most.
const TOLD: usize = 200;

/// What is known of the sentences of one release.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct InTheWay {
    pub confusions: Vec<Confusion>,
    pub twins: Vec<Twins>,
}

impl InTheWay {
    pub(crate) fn of(overlap: &Overlap, release: &Release, answer: f32) -> Self {
        let article = |i: usize| release.article(overlap.sentences[i].article);
        let named = |id: &str| {
            let found = release.articles.iter().find(|a| a.id == id);
            Named {
                id: id.to_owned(),
                title: found.map_or_else(|| id.to_owned(), |a| a.title.clone()),
                area: found.map_or_else(String::new, |a| a.area.clone()),
            }
        };
        let strayed = |s: &index::Strayed| {
            let sentence = &overlap.sentences[s.sentence];
            Strayed {
                text: sentence.text.clone(),
                lang: sentence.lang.code().to_owned(),
                layer: LayerName(article(s.sentence).layer),
                file: article(s.sentence).file.clone(),
                confidence: s.confidence,
                shown: s.confidence.is_some_and(|c| c >= answer),
                nearest: s.nearest.map(|(j, _)| overlap.sentences[j].text.clone()),
            }
        };
        let twin = |i: usize| Twin {
            id: article(i).id.clone(),
            title: article(i).title.clone(),
            layer: LayerName(article(i).layer),
            file: article(i).file.clone(),
            lang: overlap.sentences[i].lang.code().to_owned(),
            text: overlap.sentences[i].text.clone(),
        };
        let confusions = overlap.confusions.iter().map(|c| Confusion {
            of: named(&c.of),
            with: named(&c.with),
            shown: c.shown(answer),
            sentences: c.strayed.iter().map(strayed).collect(),
        });
        Self {
            confusions: confusions.collect(),
            twins: overlap
                .twins
                .iter()
                .map(|t| Twins {
                    one: twin(t.one),
                    other: twin(t.other),
                    likeness: t.likeness,
                })
                .collect(),
        }
    }
}

impl Studio {
    /// The worst of what is live.
    ///
    /// # Errors
    /// `stopped`, `unavailable`.
    pub(super) async fn in_the_way(
        &self,
        app: &App,
        job: &Arc<Job>,
    ) -> Result<Arc<InTheWay>, Problem> {
        let snapshot = app.snapshot();
        if let Some(found) = self.looked.at(&snapshot) {
            return Ok(found);
        }
        job.go_on()?;
        let (maker, of, shown) = (self.maker.clone(), Arc::clone(&snapshot), Arc::clone(job));
        let found = blocking(move || {
            shown.step("Sammenligner eksemplerne", 0, 0);
            let step = &mut |_: Stage, done, total| {
                shown.step("Sammenligner eksemplerne", done, total);
            };
            let overlap = maker.overlap(&of, step).map_err(Problem::unavailable)?;
            let mut found = InTheWay::of(&overlap, &of.release, of.answer_threshold());
            found.confusions.truncate(TOLD);
            found.twins.truncate(TOLD);
            Ok::<_, Problem>(Arc::new(found))
        })
        .await??;
        self.looked.keep(&snapshot, &found);
        Ok(found)
    }
}
