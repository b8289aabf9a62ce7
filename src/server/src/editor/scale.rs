//! What the studio's lists cost at the size of a whole country's knowledge: for `borgerlinje bench studio`.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::Clock;
use inference::Vector;
use knowledge::{Fault, File, Release};
use serde::Serialize;

use super::api::listed;
use super::{Live, next, today};

/// Milliseconds, unless the name says otherwise.
#[derive(Serialize)]
pub(crate) struct Scale {
    pub articles: usize,
    /// `GET /knowledge` for the first time, every article read.
    pub knowledge_first_ms: f64,
    /// Afterwards, as a municipality sees it.
    pub knowledge_ms: f64,
    pub knowledge_kb: f64,
    pub grouped: usize,
    /// Grouping that many questions, the part of `POST /next` that grows fastest.
    pub grouping_ms: f64,
}

/// Measures over a knowledge; `questions` are grouped as if citizens had asked them.
pub(crate) fn measure(
    files: Vec<File>,
    release: Release,
    notes: Vec<Fault>,
    questions: &[Vector],
    clock: &dyn Clock,
) -> Result<Scale, serde_json::Error> {
    let live = Live::new(files, Arc::new(release), notes, 1);
    let today = today(clock);
    let seat = live.release.municipalities.keys().next().copied();
    let timed = |work: &mut dyn FnMut() -> Result<usize, serde_json::Error>| {
        let begun = clock.monotonic();
        let size = work()?;
        let took = clock.monotonic() - begun;
        Ok::<_, serde_json::Error>((size, took.as_secs_f64() * 1e3))
    };
    let list = |seat| {
        let listed = listed(&live, &[], BTreeMap::new(), seat, today, &|_| true);
        serde_json::to_vec(&listed).map(|json| json.len())
    };
    let (_, knowledge_first_ms) = timed(&mut || list(None))?;
    let (bytes, knowledge_ms) = timed(&mut || list(seat))?;
    let (_, grouping_ms) = timed(&mut || Ok(next::groups(questions)))?;
    Ok(Scale {
        articles: live.articles().len(),
        knowledge_first_ms,
        knowledge_ms,
        knowledge_kb: bytes as f64 / 1024.0,
        grouped: questions.len(),
        grouping_ms,
    })
}
