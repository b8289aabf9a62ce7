//! What a draft would change: question sets, example sentences and questions of citizens, asked of the draft beside
//! what is live.

mod asked;
mod count;
mod guard;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base::{Lang, MunicipalityCode};
use dialogue::{Outcome, Turn};
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};

use super::drafts::Found;
use super::jobs::Job;
use super::problem::Problem;
use super::questions::{Got, Vector, turn};
use super::texts::with;
use super::wire::{Counts, Flip, GotShown, Replay, ReplayNote};
use super::{Studio, blocking};
use crate::app::App;
use crate::boot::Maker;
use crate::runtime::yielding_pool;

use self::asked::{Asked, From, examples, sets};
use self::count::Counted;
pub(super) use self::guard::{Guard, excused, worse};

pub(super) const QUESTIONS: usize = 2_000;
/// How far back questions of citizens are looked for.
const BACK: Duration = Duration::from_secs(90 * 86_400);
/// Changes that are told at most.
const TOLD: usize = 500;
/// Turns between two looks at whether the job was stopped.
const STRETCH: usize = 50;

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
        let before = app.turn.load_full();
        let live_now = Arc::clone(&before.snapshot);
        let maker = self.maker.beside();
        let (draft, _) = self.built(maker.clone(), live_now, release, job).await?;
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
            asked.extend(examples(&releases.0, &releases.1, &changed));
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
        let vectors = self.vectors(app, maker, texts, job).await?;
        let known = self.answers.at(&before).unwrap_or_default();
        let job = Arc::clone(job);
        let of = (found.row.id.clone(), found.row.version);
        let (replay, answers, before) = blocking(move || {
            let turns = (&*before, &*after);
            let pairs = pairs(turns, &asked, &vectors, &known, &job)?;
            let answers = Arc::new(answers(&asked, &pairs, |a| a.from == From::Example));
            Ok::<_, Problem>((told(of, &asked, &pairs, turns), answers, before))
        })
        .await??;
        self.answers.keep(&before, &answers);
        Ok(replay)
    }

    /// The vectors of what is asked: those of the releases' own sentences are known, the others are encoded, and kept
    /// nowhere.
    async fn vectors(
        &self,
        app: &App,
        maker: Maker,
        texts: Vec<String>,
        job: &Arc<Job>,
    ) -> Result<Vec<Vector>, Problem> {
        let (texts, known) = blocking(move || {
            let known = maker.known(&texts);
            known.map(|known| (texts, known))
        })
        .await?
        .map_err(Problem::unavailable)?;
        let unknown = texts.into_iter().zip(&known);
        let unknown = unknown.filter(|(_, v)| v.is_none()).map(|(text, _)| text);
        let mut encoded = self.encoded(app, unknown.collect(), job).await?.into_iter();
        Ok(known
            .into_iter()
            .filter_map(|v| v.or_else(|| encoded.next()))
            .collect())
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

/// What a release made of example sentences or of sets, each asked in a place and a language. Citizens' questions are
/// not kept.
pub(super) type Answers = HashMap<(String, MunicipalityCode, Lang), Got>;

fn key(a: &Asked) -> (String, MunicipalityCode, Lang) {
    (a.text.clone(), a.municipality, a.lang)
}

fn answers(asked: &[Asked], pairs: &[Option<Pair>], wanted: impl Fn(&Asked) -> bool) -> Answers {
    let kept = asked.iter().zip(pairs).filter(|(a, _)| wanted(a));
    kept.filter_map(|(a, p)| Some((key(a), p.as_ref()?.before.clone())))
        .collect()
}

/// Asks each text of both, on threads that give way to citizens; what is known of the first is not asked again.
fn pairs(
    (before, after): (&Turn, &Turn),
    asked: &[Asked],
    vectors: &[Vector],
    known: &Answers,
    job: &Job,
) -> Result<Vec<Option<Pair>>, Problem> {
    let pool = yielding_pool().map_err(Problem::unavailable)?;
    let both: Vec<(&Asked, &Vector)> = asked.iter().zip(vectors).collect();
    let done = AtomicUsize::new(0);
    let ask = |(a, v): &(&Asked, &Vector)| {
        let n = done.fetch_add(1, Ordering::Relaxed);
        if n.is_multiple_of(STRETCH) {
            job.go_on()?;
            job.step("Stiller spørgsmålene", n, asked.len());
        }
        let of = |t: &Turn| turn(t, &a.text, a.municipality, a.lang, v);
        let before = known.get(&key(a)).cloned().or_else(|| of(before));
        let pair = before.zip(of(after));
        Ok(pair.map(|(before, after)| Pair { before, after }))
    };
    pool.install(|| both.par_iter().map(ask).collect())
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
    (draft, version): (String, u64),
    asked: &[Asked],
    pairs: &[Option<Pair>],
    (before, after): (&Turn, &Turn),
) -> Replay {
    let (before, after) = (&before.snapshot.release, &after.snapshot.release);
    let mut counted = Counted::default();
    let mut counts = Counts::default();
    let mut changes = Vec::new();
    let mut unchanged = 0;
    for (a, p) in asked.iter().zip(pairs) {
        let Some(p) = p else { continue };
        let (from, set) = match &a.from {
            From::Set(set) => {
                counts.sets += 1;
                counted.add(set, a, p, [before, after]);
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
        draft,
        version,
        release: before.hash.clone(),
        asked: counts,
        changes,
        unchanged,
        areas: counted.areas(after),
        sets: counted.sets(),
    }
}
