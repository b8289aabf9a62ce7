//! What a draft would change: question sets, example sentences and questions of citizens, asked of the draft beside
//! what is live.

mod count;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use base::{Lang, MunicipalityCode};
use dialogue::eval::{Question, parse};
use dialogue::{Outcome, Turn};
use knowledge::{Layer, Release};

use super::drafts::Found;
use super::jobs::Job;
use super::problem::Problem;
use super::questions::{Got, Vector, turn};
use super::texts::with;
use super::wire::{Counts, Flip, GotShown, Replay, ReplayNote};
use super::{Studio, blocking};
use crate::app::App;

use self::count::Counted;

/// Example sentences that are asked at most; those of changed articles first.
const EXAMPLES: usize = 3_000;
pub(super) const QUESTIONS: usize = 2_000;
/// How far back questions of citizens are looked for.
const BACK: Duration = Duration::from_secs(90 * 86_400);
/// Changes that are told at most.
const TOLD: usize = 500;
/// Turns between two looks at whether the job was stopped.
const STRETCH: usize = 50;

/// One text that is asked of both.
pub(super) struct Asked {
    pub text: String,
    pub municipality: MunicipalityCode,
    pub lang: Lang,
    pub from: From,
    /// Ids of articles that answer it, where that is known; none of them: no article should.
    pub expected: Option<Vec<String>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum From {
    Set(String),
    Example,
    Question,
}

/// What both made of it.
pub(super) struct Pair {
    pub before: Got,
    pub after: Got,
}

impl Studio {
    /// Asks everything of a draft and of what is live.
    ///
    /// # Errors
    /// `faults`, `conflict`, `stopped`, `unavailable`.
    pub(super) async fn replay(
        &self,
        app: &App,
        found: &Found,
        questions: usize,
        may: impl Fn(MunicipalityCode) -> bool + Send + Sync,
        job: &Arc<Job>,
    ) -> Result<Replay, Problem> {
        let (laid, conflicts) = self.laid(&found.files).await?;
        if !conflicts.is_empty() {
            return Err(Problem::clashes(&conflicts));
        }
        let live = self.live.load_full();
        job.step("Kontrollerer kladden", 0, 0);
        let files = blocking(move || with(&live.files, &laid)).await?;
        let release = match self.check(app, files).await? {
            (Some(release), _) => release,
            (None, faults) => return Err(Problem::faults(&faults)),
        };
        let draft = self.built(self.maker.beside(), release, job).await?;
        let before = app.turn.load_full();
        let mut after = Turn::new(draft);
        after.policy = before.policy;
        let after = Arc::new(after);
        let since = app.clock.now() - BACK;
        let past = self.past(app, since, questions, &may).await?;
        let root = self.root.clone();
        let changed: Vec<String> = found.paths().map(str::to_owned).collect();
        let releases = (
            Arc::clone(&before.snapshot.release),
            Arc::clone(&after.snapshot.release),
        );
        let mut asked = blocking(move || {
            let mut asked = sets(&root, &releases.0, &releases.1);
            asked.extend(examples(&releases.1, &changed));
            asked
        })
        .await?;
        asked.extend(
            past.into_iter()
                .filter(|p| !p.record.elliptical)
                .map(|p| Asked {
                    text: p.record.message,
                    municipality: p.municipality,
                    lang: p.record.language,
                    from: From::Question,
                    expected: None,
                }),
        );
        asked.retain(|a| !a.text.trim().is_empty());
        let texts = asked.iter().map(|a| base::without_masks(&a.text)).collect();
        let vectors = self.encoded(app, texts, job).await?;
        let job = Arc::clone(job);
        let (asked, pairs, before, after) = blocking(move || {
            let pairs = pairs(&before, &after, &asked, &vectors, &job)?;
            Ok::<_, Problem>((asked, pairs, before, after))
        })
        .await??;
        Ok(told(
            found,
            &asked,
            &pairs,
            &before.snapshot.release,
            &after.snapshot.release,
        ))
    }

    /// Keeps with a draft what its replay found.
    pub(super) async fn keep_replay(
        &self,
        app: &App,
        found: Found,
        replay: &Replay,
        job: &str,
    ) -> Result<(), Problem> {
        let worse = replay.sets.iter().filter(|s| s.guarded && s.worse);
        let mut meta = found.meta.clone();
        meta.replay = Some(ReplayNote {
            version: found.row.version,
            job: job.to_owned(),
            worse: worse.map(|s| s.set.clone()).collect(),
        });
        // Of another version it says nothing.
        let now = self.found(&found.row.id).await?;
        if now.row.version == found.row.version && !now.over() {
            let mut newest = now.meta.clone();
            newest.replay = meta.replay;
            self.keep(app, &now, &now.row.state, &newest).await?;
        }
        Ok(())
    }
}

/// Where question sets lie beside a knowledge folder.
fn folder(root: &Path) -> Option<PathBuf> {
    root.parent().map(|p| p.join("tests/questions"))
}

/// The question sets, without what asks for articles or municipalities that are not here.
fn sets(root: &Path, before: &Release, after: &Release) -> Vec<Asked> {
    let Some(Ok(entries)) = folder(root).map(std::fs::read_dir) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.filter_map(|e| Some(e.ok()?.path())).collect();
    paths.sort();
    let known = |id: &String| {
        let has = |r: &Release| r.articles.iter().any(|a| a.id == *id);
        has(before) || has(after)
    };
    let mut asked = Vec::new();
    for path in paths
        .iter()
        .filter(|p| p.extension().is_some_and(|e| e == "tsv"))
    {
        // Sets of another shape are for other measurements.
        let read = std::fs::read_to_string(path).ok();
        let Some(Ok(questions)) = read.map(|text| parse(&text)) else {
            continue;
        };
        let set = path.file_stem().unwrap_or_default().to_string_lossy();
        for q in questions {
            if q.expected.is_empty() || q.expected.iter().any(known) {
                asked.push(of_set(q, &set));
            }
        }
    }
    asked
}

fn of_set(q: Question, set: &str) -> Asked {
    Asked {
        text: base::redact(&base::clean(&q.text)).text,
        municipality: q.municipality,
        lang: q.lang,
        from: From::Set(set.to_owned()),
        expected: Some(q.expected),
    }
}

/// Example sentences: all of changed articles, then evenly from the others.
fn examples(release: &Release, changed: &[String]) -> Vec<Asked> {
    let (mut first, mut others) = (Vec::new(), Vec::new());
    for (ix, a) in (0..).zip(&release.articles) {
        let place = release.municipalities.values().find(|m| {
            let fits = match a.layer {
                Layer::Shared => true,
                Layer::Region(r) => m.region == r,
                Layer::Municipality(c) => m.code == c,
            };
            fits && release.view(m.code).is_some_and(|v| v.sees(ix))
        });
        let Some(m) = place else { continue };
        let list = if changed.contains(&a.file) {
            &mut first
        } else {
            &mut others
        };
        for (lang, sentences) in &a.examples {
            list.extend(sentences.iter().map(|s| Asked {
                text: base::redact(&base::clean(s)).text,
                municipality: m.code,
                lang: *lang,
                from: From::Example,
                expected: Some(vec![a.id.clone()]),
            }));
        }
    }
    first.truncate(EXAMPLES);
    let room = EXAMPLES - first.len();
    let every = others.len().div_ceil(room.max(1)).max(1);
    first.extend(others.into_iter().step_by(every).take(room));
    first
}

fn pairs(
    before: &Turn,
    after: &Turn,
    asked: &[Asked],
    vectors: &[Vector],
    job: &Job,
) -> Result<Vec<Option<Pair>>, Problem> {
    let mut pairs = Vec::with_capacity(asked.len());
    for (n, (a, v)) in asked.iter().zip(vectors).enumerate() {
        if n % STRETCH == 0 {
            job.go_on()?;
            job.step("Stiller spørgsmålene", n, asked.len());
        }
        let of = |t: &Turn| turn(t, &a.text, a.municipality, a.lang, v);
        pairs.push(
            of(before)
                .zip(of(after))
                .map(|(before, after)| Pair { before, after }),
        );
    }
    Ok(pairs)
}

/// Whether what was said is what should have been; `None` where that is not known.
pub(super) fn right(a: &Asked, got: &Got) -> Option<bool> {
    let expected = a.expected.as_ref()?;
    let answered = got.outcome == Outcome::Answered;
    Some(match &got.article {
        Some(id) if answered => expected.contains(id),
        _ => expected.is_empty() && !answered,
    })
}

/// What changed, if it matters to a citizen.
fn kind(p: &Pair) -> Option<&'static str> {
    let answered = |g: &Got| g.outcome == Outcome::Answered;
    let crisis = |g: &Got| g.outcome == Outcome::Crisis;
    match (answered(&p.before), answered(&p.after)) {
        _ if crisis(&p.before) != crisis(&p.after) => {
            Some(if crisis(&p.before) { "lost" } else { "flipped" })
        }
        (true, true) => (p.before.article != p.after.article).then_some("flipped"),
        (true, false) if p.after.outcome == Outcome::Clarify => Some("contested"),
        (true, false) => Some("lost"),
        (false, true) => Some("answered"),
        (false, false) => None,
    }
}

fn shown(g: &Got) -> GotShown {
    GotShown {
        outcome: g.outcome.name().to_owned(),
        article: g.article.clone(),
        title: g.title.clone(),
        confidence: g.confidence,
    }
}

fn told(
    found: &Found,
    asked: &[Asked],
    pairs: &[Option<Pair>],
    before: &Release,
    after: &Release,
) -> Replay {
    let mut counted = Counted::default();
    let mut counts = Counts::default();
    let mut changes = Vec::new();
    let mut unchanged = 0;
    for (a, p) in asked.iter().zip(pairs) {
        let Some(p) = p else { continue };
        let (from, set) = match &a.from {
            From::Set(set) => {
                counts.sets += 1;
                counted.add(set, a, p, after);
                ("set", Some(set.clone()))
            }
            From::Example => {
                counts.examples += 1;
                ("example", None)
            }
            From::Question => {
                counts.questions += 1;
                ("question", None)
            }
        };
        let Some(kind) = kind(p) else {
            unchanged += 1;
            continue;
        };
        let better = right(a, &p.before)
            .zip(right(a, &p.after))
            .and_then(|(b, n)| (b != n).then_some(n));
        changes.push(Flip {
            kind,
            text: a.text.clone(),
            from,
            set,
            municipality: a.municipality.to_string(),
            lang: a.lang.code().to_owned(),
            before: shown(&p.before),
            after: shown(&p.after),
            expected: a.expected.clone(),
            better,
        });
    }
    let rank = |f: &Flip| {
        let worse = match f.better {
            Some(false) => 0,
            None => 1,
            Some(true) => 2,
        };
        let kind = ["lost", "flipped", "contested", "answered"];
        (worse, kind.iter().position(|k| *k == f.kind))
    };
    changes.sort_by_key(rank);
    changes.truncate(TOLD);
    Replay {
        draft: found.row.id.clone(),
        version: found.row.version,
        release: before.hash.clone(),
        asked: counts,
        changes,
        unchanged,
        areas: counted.areas(after),
        sets: counted.sets(),
    }
}
