//! What the service answers already, in other words than the rows have: each row is asked as a citizen would ask it.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::Lang;
use dialogue::Outcome;
use knowledge::Layer;

use super::super::jobs::Job;
use super::super::problem::Problem;
use super::super::questions::turn;
use super::super::wire::Duplicate;
use super::super::{Studio, long};
use crate::app::App;

impl Studio {
    /// The rows whose question a live article answers with certainty. They are brought in all the same: whether they
    /// say the same is for people to judge.
    ///
    /// The ranker and the vectors of sections are asked, as in a dialogue: the work grows with the rows alone, and
    /// drafts, which have no ranker, are compared by their words only.
    ///
    /// # Errors
    /// `stopped`, `unavailable`.
    pub(super) async fn alike(
        &self,
        app: &App,
        asked: Vec<(usize, String, Layer)>,
        job: &Arc<Job>,
    ) -> Result<Vec<Duplicate>, Problem> {
        let texts = asked.iter().map(|(_, title, _)| title.clone()).collect();
        let vectors = self.encoded(app, texts, job).await?;
        let (live, job) = (app.turn.load_full(), Arc::clone(job));
        long(move || {
            let release = &live.snapshot.release;
            let mut somewhere = BTreeMap::new();
            for m in release.municipalities.values().rev() {
                somewhere.insert(Layer::Shared, m.code);
                somewhere.insert(Layer::Region(m.region), m.code);
                somewhere.insert(Layer::Municipality(m.code), m.code);
            }
            let mut alike = Vec::new();
            for (n, ((row, title, layer), vector)) in asked.iter().zip(&vectors).enumerate() {
                if n % 50 == 0 {
                    job.step("Ser efter, hvad der besvares i forvejen", n, asked.len());
                    job.go_on()?;
                }
                let Some(code) = somewhere.get(layer) else {
                    continue;
                };
                let Some(got) = turn(&live, title, *code, Lang::Da, vector) else {
                    continue;
                };
                if got.outcome != Outcome::Answered {
                    continue;
                }
                alike.extend(got.article.map(|of| Duplicate {
                    row: *row,
                    title: title.clone(),
                    of,
                    draft: None,
                    likeness: got.confidence,
                }));
            }
            Ok(alike)
        })
        .await?
    }
}
