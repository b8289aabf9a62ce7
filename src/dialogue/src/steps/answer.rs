//! The text of a decision, in the citizen's language where it is ours to say, verbatim where it is an
//! article's.

use base::Lang;
use knowledge::{ArticleIx, Intent};

use super::decide::Decision;
use super::rank::Ranking;
use super::understand::Understood;
use crate::answer::{Answer, Choice, Source};
use crate::context::Context;
use crate::outcome::Outcome;
use crate::turn::{Input, Record, Scored, Settled, Turn, Unsure};

pub(crate) fn run(
    turn: &Turn,
    input: &Input,
    understood: &Understood,
    ranking: &Ranking,
    decision: Decision,
    context: &Context,
) -> Settled {
    let w = Words {
        turn,
        input,
        lang: understood.lang,
    };
    let same = |ix: ArticleIx| {
        ranking.elliptical
            && context.article.as_deref() == Some(turn.snapshot.release.article(ix).id.as_str())
    };
    let section = ranking.found.as_ref().and_then(|f| f.section);
    let unsure = !understood.beside.is_empty()
        && matches!(decision, Decision::Clarify(_) | Decision::NoAnswer)
        && ranking.found.is_some();
    let (outcome, intent, article, answer) = match decision {
        Decision::Answer(ix) => {
            let only = if same(ix) { section } else { None };
            (Outcome::Answered, None, Some(ix), w.article(ix, only))
        }
        Decision::Clarify(list) => (Outcome::Clarify, None, None, w.clarify(&list)),
        Decision::Crisis { article, others } => (
            Outcome::Crisis,
            Some(Intent::Crisis),
            article,
            w.crisis(article, &others),
        ),
        Decision::Intent(Intent::Human) => (
            Outcome::Handover,
            Some(Intent::Human),
            None,
            w.offer("human_offer_open"),
        ),
        Decision::Intent(i) => (Outcome::Smalltalk, Some(i), None, w.say(reply_key(i))),
        Decision::Outside(kind) => {
            let (outcome, key) = match kind.as_str() {
                "attack" => (Outcome::Refused, "refused_attack"),
                "abuse" => (Outcome::Refused, "refused_abuse"),
                "chatter" | "opinion" => (Outcome::Smalltalk, "out_of_scope"),
                "gibberish" => (Outcome::Smalltalk, "no_answer"),
                _ => (Outcome::Handover, "out_of_scope"),
            };
            let mut a = w.say(key);
            a.offer_human = outcome == Outcome::Handover;
            (outcome, None, None, a)
        }
        Decision::NoAnswer => (Outcome::Handover, None, None, w.offer("no_answer")),
        Decision::Wordless => (Outcome::Smalltalk, None, None, w.say("no_answer")),
    };
    let mut next = context.clone();
    if outcome != Outcome::Smalltalk || understood.text.split_whitespace().count() > 2 {
        next.lang = understood.lang;
    }
    let shown = article
        .filter(|ix| outcome == Outcome::Answered && !same(*ix))
        .map(|ix| (ix, section));
    let id = article.map(|ix| turn.snapshot.release.article(ix).id.clone());
    if matches!(outcome, Outcome::Answered | Outcome::Clarify) {
        if let Some(id) = &id {
            next.article = Some(id.clone());
        }
        if !ranking.elliptical {
            next.question = Some(understood.text.clone());
        }
    }
    Settled {
        outcome,
        record: record(turn, input, understood.lang, ranking, outcome, intent, id),
        answer,
        context: next,
        shown,
        attack: ranking.found.as_ref().map_or(0.0, |f| f.attack),
        unsure: unsure.then(|| taken_up(turn, input, understood, context)),
    }
}

/// What a follow-up takes up.
fn taken_up(turn: &Turn, input: &Input, understood: &Understood, context: &Context) -> Unsure {
    let release = &turn.snapshot.release;
    let last = context.article.as_deref();
    let ix = last.and_then(|id| release.view(input.municipality)?.get(id));
    Unsure {
        message: understood.text.clone(),
        question: context.question.clone(),
        title: ix.map(|ix| knowledge::without_slots(&release.article(ix).title)),
    }
}

/// The turn in which a citizen picked an article by its title; `None` when the municipality has no such
/// article.
pub(crate) fn pick(turn: &Turn, id: &str, input: &Input, context: &Context) -> Option<Settled> {
    let ix = turn.snapshot.release.view(input.municipality)?.get(id)?;
    let w = Words {
        turn,
        input,
        lang: context.lang,
    };
    let ranking = Ranking {
        found: None,
        elliptical: false,
    };
    let mut next = context.clone();
    next.article = Some(id.to_owned());
    next.question = Some(knowledge::without_slots(
        &turn.snapshot.release.article(ix).title,
    ));
    let record = record(
        turn,
        input,
        context.lang,
        &ranking,
        Outcome::Answered,
        None,
        Some(id.to_owned()),
    );
    Some(Settled {
        outcome: Outcome::Answered,
        answer: w.article(ix, None),
        record,
        context: next,
        shown: None,
        attack: 0.0,
        unsure: None,
    })
}

fn reply_key(intent: Intent) -> &'static str {
    match intent {
        Intent::Greeting => "greeting_reply",
        Intent::Thanks => "thanks_reply",
        Intent::Goodbye => "goodbye_reply",
        Intent::Bot => "bot_reply",
        Intent::Human => "human_offer_open",
        // Nothing is said to it as such.
        Intent::Remark => "no_answer",
        Intent::Crisis => "crisis",
    }
}

fn record(
    turn: &Turn,
    input: &Input,
    language: Lang,
    ranking: &Ranking,
    outcome: Outcome,
    intent: Option<Intent>,
    article_id: Option<String>,
) -> Record {
    let release = &turn.snapshot.release;
    let found = ranking.found.as_ref();
    Record {
        message: input.text.clone(),
        outcome,
        intent,
        article_id,
        candidates: found.map_or_else(Vec::new, |f| {
            f.candidates
                .iter()
                .take(10)
                .map(|c| Scored {
                    article_id: release.article(c.article).id.clone(),
                    score: c.score,
                })
                .collect()
        }),
        confidence: found.map_or(1.0, |f| f.confidence),
        language,
        elliptical: ranking.elliptical,
        outside: found.and_then(|f| f.outside.clone()),
        threshold_answer: turn.snapshot.answer_threshold(),
        threshold_clarify: turn.snapshot.clarify_threshold(),
        release: release.hash.clone(),
        check: Vec::new(),
        rewritten: None,
    }
}

struct Words<'a> {
    turn: &'a Turn,
    input: &'a Input,
    lang: Lang,
}

impl Words<'_> {
    /// A system text with everything it may name filled in.
    fn text(&self, key: &str) -> String {
        let release = &self.turn.snapshot.release;
        let code = self.input.municipality;
        let fill = |slot: &str| release.fill(slot, code);
        let crisis = |name: &str| fill(&format!("{{{{krise.{name}}}}}"));
        release.texts.get(
            key,
            self.lang,
            &[
                ("municipality", &fill("{{kommune.navn}}")),
                ("phone", &fill("{{kommune.telefon}}")),
                ("hours", &fill("{{kommune.aabningstid}}")),
                ("alarm", &crisis("alarm")),
                ("laegevagt", &crisis("laegevagt")),
                ("livslinien", &crisis("livslinien")),
                ("boernetelefonen", &crisis("boernetelefonen")),
                ("lev_uden_vold", &crisis("lev_uden_vold")),
                ("giftlinjen", &crisis("giftlinjen")),
            ],
        )
    }

    fn say(&self, key: &str) -> Answer {
        Answer {
            text: self.text(key),
            content_lang: self.lang,
            ..Answer::default()
        }
    }

    /// As `say`, with a person offered below. The edge knows the hour and says whether anyone is there.
    fn offer(&self, key: &str) -> Answer {
        Answer {
            offer_human: true,
            ..self.say(key)
        }
    }

    /// The help lines in the citizen's language, and a way to the article that fits. Where danger is not sure, what
    /// else may have been meant. A person is offered.
    fn crisis(&self, ix: Option<ArticleIx>, others: &[ArticleIx]) -> Answer {
        let mut text = self.text("crisis");
        if !others.is_empty() {
            text = format!("{text}\n\n{}", self.text("crisis_else"));
        }
        let titles: Vec<ArticleIx> = ix.iter().chain(others).copied().collect();
        Answer {
            text,
            content_lang: self.lang,
            offer_human: true,
            sources: ix
                .map(|ix| self.article(ix, None).sources)
                .unwrap_or_default(),
            choices: self.choices(&titles),
            ..Answer::default()
        }
    }

    fn clarify(&self, list: &[ArticleIx]) -> Answer {
        Answer {
            choices: self.choices(list),
            ..self.say("clarify")
        }
    }

    /// Titles as this municipality's citizens see them.
    fn choices(&self, list: &[ArticleIx]) -> Vec<Choice> {
        let release = &self.turn.snapshot.release;
        let choices = list.iter().filter_map(|&ix| {
            let r = release.render(ix, self.input.municipality)?;
            Some(Choice {
                article_id: release.article(ix).id.clone(),
                title: r.title,
            })
        });
        choices.collect()
    }

    /// An article verbatim, or one section of it when the rest has just been shown.
    fn article(&self, ix: ArticleIx, only: Option<u32>) -> Answer {
        let release = &self.turn.snapshot.release;
        let Some(r) = release.render(ix, self.input.municipality) else {
            return Answer::default();
        };
        let a = release.article(ix);
        let section = only.and_then(|n| a.sections.get(n as usize)).map(|s| {
            let text = match &s.heading {
                Some(h) => format!("## {h}\n{}", s.text),
                None => s.text.clone(),
            };
            release.fill(&text, self.input.municipality)
        });
        Answer {
            notice: (self.lang != Lang::Da).then(|| self.text("answer_in_danish")),
            text: section.unwrap_or(r.body),
            content_lang: Lang::Da,
            sources: vec![Source {
                article_id: a.id.clone(),
                title: r.title.clone(),
                source: r.source,
            }],
            title: Some(r.title),
            links: r.links,
            choices: Vec::new(),
            offer_human: false,
        }
    }
}
