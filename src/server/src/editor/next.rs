//! What to write next: what citizens asked in vain, grouped by meaning; what should be read again.

mod group;
mod replies;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base::{Lang, MunicipalityCode};
use dialogue::Outcome;
use knowledge::{Audience, Release};
use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

use super::jobs::Job;
use super::problem::Problem;
use super::questions::{Past, Vector, stands_alone, turn};
use super::shelf::Shelf;
use super::wire::{
    ArticleFields, Group, LayerName, Nearest, Next, Overdue, Reasons, Reply, Suggested, Unreached,
};
use super::{Studio, blocking, today};
use crate::app::App;
use crate::runtime::yielding_pool;

/// Turns that are looked at, most.
const TURNS: usize = 20_000;
/// Different questions that are grouped, at most.
const GROUPED: usize = 4_000;
const GROUPS: usize = 50;
const EXAMPLES: usize = 20;
/// An answer is shown from the threshold on. In this part of the way from there to certainty it was shown just so.
const LOW: f32 = 0.25;
/// Questions between two looks at whether the job was stopped.
const STRETCH: usize = 50;
/// A group is at least so many different questions.
const SMALLEST: usize = 2;

/// How many groups there are of questions of which nothing but their vectors is known.
pub(super) fn groups(vectors: &[Vector]) -> usize {
    let profiles = vec![group::Profile::new(); vectors.len()];
    let vectors: Vec<Vec<f32>> = vectors.iter().map(|v| v.to_vec()).collect();
    group::by_meaning(&vectors, &profiles).len()
}

/// A question that was asked in vain, once or more often.
struct Vain {
    text: String,
    lang: Lang,
    municipalities: BTreeSet<MunicipalityCode>,
    times: usize,
    why: Reasons,
    profile: group::Profile,
    /// It was answered surely, by this article, and that was not what the citizen came for.
    disliked: Option<String>,
    /// It was answered with low confidence.
    low: bool,
}

impl Vain {
    /// Whether what is live answers it everywhere by now, and by another article than one that was not wanted.
    fn settled(&self, live: &dialogue::Turn, vector: &Vector) -> bool {
        let threshold = live.snapshot.answer_threshold();
        self.municipalities.iter().all(|code| {
            let got = turn(live, &self.text, *code, self.lang, vector);
            got.is_some_and(|now| {
                now.outcome == Outcome::Answered
                    && (self.disliked.is_none() || self.disliked != now.article)
                    && !(self.low && low(now.confidence, threshold))
            })
        })
    }
}

/// Whether an answer was shown with low confidence.
fn low(confidence: f32, threshold: f32) -> bool {
    confidence < threshold + LOW * (1.0 - threshold)
}

/// Those that are still asked in vain, with their vectors.
fn open(
    vain: Vec<Vain>,
    vectors: Vec<Vector>,
    live: &dialogue::Turn,
    job: &Job,
) -> Result<(Vec<Vain>, Vec<Vector>), Problem> {
    let pool = yielding_pool().map_err(Problem::unavailable)?;
    let total = vain.len();
    let done = AtomicUsize::new(0);
    let all: Vec<(Vain, Vector)> = vain.into_iter().zip(vectors).collect();
    let still = |(v, vector): (Vain, Vector)| {
        let n = done.fetch_add(1, Ordering::Relaxed);
        if n.is_multiple_of(STRETCH) {
            job.go_on()?;
            job.step("Ser efter, hvad der er svar på nu", n, total);
        }
        let open = !v.settled(live, &vector);
        Ok::<_, Problem>(open.then_some((v, vector)))
    };
    let kept: Vec<Option<_>> = pool.install(|| {
        all.into_par_iter()
            .map(still)
            .collect::<Result<_, Problem>>()
    })?;
    Ok(kept.into_iter().flatten().unzip())
}

impl Studio {
    /// # Errors
    /// `stopped`, `unavailable`.
    pub(super) async fn next(
        &self,
        app: &App,
        days: u32,
        may: impl Fn(MunicipalityCode) -> bool + Send + Sync,
        job: &Arc<Job>,
    ) -> Result<Next, Problem> {
        job.step("Finder spørgsmålene", 0, 0);
        let since = app.clock.now() - Duration::from_secs(u64::from(days) * 86_400);
        let past = self.past(app, since, TURNS, &may).await?;
        let looked_at = past.len();
        // Of more turns than are looked at, nothing is said of the time before them.
        let oldest = past.last().filter(|_| looked_at >= TURNS).map(|p| p.at);
        let since = oldest.unwrap_or(since);
        let reached: BTreeSet<String> = past
            .iter()
            .filter(|p| p.record.outcome != Outcome::Clarify)
            .filter_map(|p| p.record.article_id.clone())
            .collect();
        let vain = vain(past);
        let texts: Vec<String> = vain.iter().map(|v| base::without_masks(&v.text)).collect();
        let vectors = self.encoded(app, texts, job).await?;
        let before = app.turn.load_full();
        let today = today(&*app.clock);
        let (job_of_all, job) = (job, Arc::clone(job));
        let release = Arc::clone(&before.snapshot.release);
        let groups = blocking(move || {
            let (vain, vectors) = open(vain, vectors, &before, &job)?;
            job.step("Samler spørgsmål, der ligner hinanden", 0, 0);
            let profiles: Vec<_> = vain.iter().map(|v| v.profile.clone()).collect();
            let centred = vectors.iter().map(|v| before.snapshot.centred(v));
            let groups = group::by_meaning(&centred.collect::<Vec<_>>(), &profiles);
            let shown = |members: Vec<usize>| {
                job.go_on()?;
                Ok(one_group(&members, &vain, &vectors, &before, today))
            };
            let large = groups.into_iter().filter(|m| m.len() >= SMALLEST);
            let mut groups: Vec<Group> = large.map(shown).collect::<Result<_, Problem>>()?;
            groups.sort_by_key(|g| std::cmp::Reverse(g.size));
            groups.truncate(GROUPS);
            Ok::<_, Problem>(groups)
        })
        .await??;
        let shelf = Shelf::new(&self.live.load_full(), &[], today);
        // Of municipalities that were not asked for, nothing is said.
        let codes = release.municipalities.keys().copied();
        let codes: Vec<MunicipalityCode> = codes.filter(|c| may(*c)).collect();
        let late = shelf.articles.iter().filter(|a| a.review_by < today);
        let late = late.filter(|a| codes.iter().any(|c| shelf.reaches(a.layer, *c)));
        let overdue = late.map(|a| Overdue {
            id: a.id.clone(),
            layer: LayerName(a.layer),
            title: a.title.clone(),
            owner: a.owner.clone(),
            review_by: a.review_by.to_string(),
        });
        let in_the_way = self.in_the_way(app, job_of_all).await?;
        let replies = self.replies(app).await?;
        let replies = replies.into_iter().filter(|d| may(d.municipality));
        Ok(Next {
            since_ms: since.as_millisecond(),
            looked_at,
            groups,
            overdue: overdue.collect(),
            unreached: unreached(&release, &reached, &codes),
            confusions: in_the_way.confusions.clone(),
            twins: in_the_way.twins.clone(),
            links: self.links(),
            replies: replies
                .map(|d| Reply {
                    id: d.id,
                    question: d.question,
                    text: d.text,
                    municipality: d.municipality.to_string(),
                    by: d.by,
                    at_ms: d.at.as_millisecond(),
                })
                .collect(),
        })
    }
}

/// Questions whose citizens did not get what they came for, the most frequent first.
fn vain(past: Vec<Past>) -> Vec<Vain> {
    let mut all: BTreeMap<String, Vain> = BTreeMap::new();
    for p in past {
        let r = p.record;
        let low = r.outcome == Outcome::Answered && low(r.confidence, r.threshold_answer);
        let why = Reasons {
            unanswered: usize::from(r.outcome == Outcome::Handover),
            unsure: usize::from(r.outcome == Outcome::Clarify || low),
            rated: usize::from(p.rated == Some(1)),
            person: usize::from(p.person),
        };
        let none = why.unanswered + why.unsure + why.rated + why.person == 0;
        if none || !stands_alone(&r) {
            continue;
        }
        let key = base::words(&base::fold(&r.message))
            .collect::<Vec<_>>()
            .join(" ");
        let v = all.entry(key).or_insert_with(|| Vain {
            text: r.message,
            lang: r.language,
            municipalities: BTreeSet::new(),
            times: 0,
            profile: r
                .candidates
                .into_iter()
                .map(|c| (c.article_id, c.score))
                .collect(),
            why: Reasons::default(),
            disliked: None,
            low: false,
        });
        v.low |= low;
        if r.outcome == Outcome::Answered && !low {
            v.disliked = r.article_id;
        }
        v.times += 1;
        v.municipalities.insert(p.municipality);
        v.why.unanswered += why.unanswered;
        v.why.unsure += why.unsure;
        v.why.rated += why.rated;
        v.why.person += why.person;
    }
    let mut all: Vec<Vain> = all.into_values().collect();
    all.sort_by_key(|v| std::cmp::Reverse(v.times));
    all.truncate(GROUPED);
    all
}

/// A group, its most typical question first.
fn one_group(
    members: &[usize],
    vain: &[Vain],
    vectors: &[Vector],
    before: &dialogue::Turn,
    today: jiff::civil::Date,
) -> Group {
    let of = || members.iter().map(|m| &vain[*m]);
    let first = &vain[members[0]];
    let release = &before.snapshot.release;
    let code = first.municipalities.iter().next();
    let got = code.and_then(|c| turn(before, &first.text, *c, first.lang, &vectors[members[0]]));
    let nearest = got.and_then(|g| g.ranked.into_iter().next());
    let nearest = nearest.and_then(|id| release.articles.iter().find(|a| a.id == id));
    let mut why = Reasons::default();
    for v in of() {
        why.unanswered += v.why.unanswered;
        why.unsure += v.why.unsure;
        why.rated += v.why.rated;
        why.person += v.why.person;
    }
    let mut examples: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for v in of() {
        let list = examples.entry(v.lang.code().to_owned()).or_default();
        list.push(v.text.clone());
    }
    let title: String = first.text.chars().take(70).collect();
    let area = nearest.map_or_else(String::new, |a| a.area.clone());
    Group {
        id: group_id(&first.text),
        size: of().map(|v| v.times).sum(),
        municipalities: of()
            .flat_map(|v| v.municipalities.iter().map(ToString::to_string))
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect(),
        why,
        examples: of().take(EXAMPLES).map(|v| v.text.clone()).collect(),
        nearest: nearest.map(|a| Nearest {
            id: a.id.clone(),
            title: a.title.clone(),
        }),
        draft: Suggested {
            title: title.clone(),
            area: area.clone(),
            article: ArticleFields {
                owner: nearest.map_or_else(String::new, |a| a.owner.clone()),
                examples,
                body: "Skriv det korte svar her.".to_owned(),
                ..ArticleFields::begun(slug(&first.text), area, title, today)
            },
        },
    }
}

fn group_id(text: &str) -> String {
    super::texts::text_hash(Some(text))
        .chars()
        .take(12)
        .collect()
}

/// A name for an article's file, from words.
pub(super) fn slug(text: &str) -> String {
    let folded = base::fold(text)
        .replace('æ', "ae")
        .replace('ø', "oe")
        .replace('å', "aa");
    let plain: String = folded
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { ' ' })
        .collect();
    let mut name = String::new();
    for word in plain.split_whitespace() {
        if name.len() + word.len() > 48 {
            break;
        }
        if !name.is_empty() {
            name.push('-');
        }
        name.push_str(word);
    }
    if name.len() < 2 {
        "ny-artikel".to_owned()
    } else {
        name
    }
}

/// Articles that these municipalities' citizens can get, and that none of them was answered with.
fn unreached(
    release: &Release,
    reached: &BTreeSet<String>,
    codes: &[MunicipalityCode],
) -> Vec<Unreached> {
    let mut ids = BTreeSet::new();
    let views: Vec<_> = codes.iter().filter_map(|c| release.view(*c)).collect();
    let citizens = (0..).zip(&release.articles);
    citizens
        .filter(|(ix, a)| a.audience == Audience::Citizen && views.iter().any(|v| v.sees(*ix)))
        .map(|(_, a)| a)
        .filter(|a| !reached.contains(&a.id))
        .filter(|a| ids.insert(a.id.clone()))
        .map(|a| Unreached {
            id: a.id.clone(),
            title: a.title.clone(),
            area: a.area.clone(),
        })
        .collect()
}

#[cfg(test)]
mod tests;
