//! The steps of a turn, in order.

use std::sync::Arc;

use base::{Lang, MunicipalityCode};
use index::Snapshot;
use inference::Vector;
use knowledge::{ArticleIx, Intent};
use serde::{Deserialize, Serialize};

use crate::answer::Answer;
use crate::context::Context;
use crate::outcome::Outcome;
use crate::steps::{answer, check, decide, guard, rank, reread, retrieve, understand};

/// What a citizen sent: cleaned and redacted.
#[derive(Clone, Debug)]
pub struct Input {
    pub text: String,
    pub municipality: MunicipalityCode,
}

/// What the operator decides.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// At or above this probability a message is a cry for help.
    pub crisis: f32,
    /// At or above this probability another intent is acted on.
    pub intent: f32,
}

impl Default for Policy {
    /// A missed crisis is far worse than a help line shown in vain.
    fn default() -> Self {
        Self {
            crisis: 0.25,
            intent: 0.50,
        }
    }
}

/// A turn could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Index(#[from] index::Error),
}

/// Begins turns on one release.
#[derive(Clone)]
pub struct Turn {
    pub snapshot: Arc<Snapshot>,
    pub policy: Policy,
}

/// A turn whose texts are being encoded.
pub struct Begun {
    turn: Turn,
    input: Input,
    pub(crate) understood: understand::Understood,
}

/// A candidate of the record: id and probability.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scored {
    pub article_id: String,
    pub score: f32,
}

/// Enough to replay and to explain a turn. Holds nothing that the citizen wrote but its redacted text.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    pub message: String,
    pub outcome: Outcome,
    pub intent: Option<Intent>,
    pub article_id: Option<String>,
    /// Ten, best first.
    pub candidates: Vec<Scored>,
    pub confidence: f32,
    pub language: Lang,
    /// The message was read beside the last question.
    pub elliptical: bool,
    /// Kind and probability of a message that no article answers.
    pub outside: Option<(String, f32)>,
    pub threshold_answer: f32,
    pub threshold_clarify: f32,
    /// Hash of the release.
    pub release: String,
    /// What the last check said, empty when it passed.
    pub check: Vec<String>,
    /// The message written out by a language model, where it was found by that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rewritten: Option<String>,
}

/// A follow-up that was not understood beside what it takes up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsure {
    /// Without masks.
    pub message: String,
    /// The last message that stood on its own.
    pub question: Option<String>,
    /// Title of the article shown last, without slots.
    pub title: Option<String>,
}

/// The end of a turn.
#[derive(Clone, Debug)]
pub struct Settled {
    pub outcome: Outcome,
    pub answer: Answer,
    pub record: Record,
    /// The dialogue's memory after this turn.
    pub context: Context,
    /// The article that is shown whole, and its section nearest to the question; none where a follow-up shows a section
    /// alone, and where the citizen picked the article.
    pub shown: Option<(ArticleIx, Option<u32>)>,
    /// Probability that the message, by itself, is an attack.
    pub attack: f32,
    /// Set where somebody who writes the message out as a whole question may ask again: [`Turn::reread`].
    pub unsure: Option<Unsure>,
}

impl Turn {
    pub fn new(snapshot: Arc<Snapshot>) -> Self {
        Self {
            snapshot,
            policy: Policy::default(),
        }
    }

    /// Guards and understands. Cheap: well under a millisecond.
    pub fn begin(&self, input: Input, context: &Context) -> Begun {
        let guarded = guard::run(&self.snapshot.release, &input);
        let understood = understand::run(&self.snapshot, &input, context, guarded);
        Begun {
            turn: self.clone(),
            input,
            understood,
        }
    }

    /// The turn in which a citizen picked an article by its title.
    pub fn pick(&self, article_id: &str, input: &Input, context: &Context) -> Option<Settled> {
        answer::pick(self, article_id, input, context)
    }

    /// The turn read anew by a whole question that somebody made of an unsure follow-up, `vector` being that question
    /// encoded as a query. It counts only where it finds, with certainty enough for an answer, an article that was
    /// among the first before; else the turn stays as it was. Costs one search.
    ///
    /// # Errors
    /// As [`Begun::finish`].
    pub fn reread(
        &self,
        input: &Input,
        question: &str,
        vector: &Vector,
        context: &Context,
        before: Settled,
    ) -> Result<Settled, Error> {
        reread::run(self, input, (question, vector), context, before)
    }
}

impl Begun {
    /// The texts to encode as queries before [`Begun::finish`], none to three.
    pub fn texts(&self) -> Vec<String> {
        self.understood.texts()
    }

    /// Retrieves, ranks, decides and answers. A few milliseconds of one core.
    ///
    /// # Errors
    /// [`Error::Index`] when the municipality is unknown or the index fails.
    pub fn finish(self, vectors: &[Vector], context: &Context) -> Result<Settled, Error> {
        let found = retrieve::run(&self.turn.snapshot, &self.input, &self.understood, vectors)?;
        let ranked = rank::run(&self.turn.snapshot, &self.input, found, context);
        let decided = decide::run(&self.turn, &self.understood, &ranked);
        let answered = answer::run(
            &self.turn,
            &self.input,
            &self.understood,
            &ranked,
            decided,
            context,
        );
        Ok(check::run(&self.turn, &self.input, answered))
    }
}
