//! A follow-up that was not understood, written out by the model.

use std::sync::Arc;
use std::time::Duration;

use base::Clock;
use composition::{Doubt, FollowUp, doubt, rewriting, rewritten};
use dialogue::Settled;
use inference::generator::{Answer, Event, Request};
use tokio::time::timeout;

use super::{ATTACK, Composer};

/// How long it may take; the citizen waits meanwhile.
const BUDGET: Duration = Duration::from_secs(2);

/// A question that is being written.
pub(crate) struct Rewriting {
    follow_up: FollowUp,
    answer: Answer,
    clock: Arc<dyn Clock>,
    deadline: Duration,
}

impl Rewriting {
    /// The question, if it came in time and may be searched with.
    pub(crate) async fn question(mut self) -> Option<String> {
        let mut written = String::new();
        loop {
            let patience = self.deadline.saturating_sub(self.clock.monotonic());
            match timeout(patience, self.answer.next()).await.ok()?? {
                Event::Text(text) => written.push_str(&text),
                Event::End(_) => return rewritten(&written, &self.follow_up),
            }
        }
    }

    /// What was written, and the question if it may be searched with, on a thread that may block.
    pub(crate) fn question_blocking(mut self) -> (String, Option<String>) {
        let mut written = String::new();
        while let Some(Event::Text(text)) = self.answer.next_blocking() {
            written.push_str(&text);
        }
        let question = rewritten(&written, &self.follow_up);
        (written, question)
    }
}

impl Composer {
    /// Has the model write out what was not understood; `None` where it is not asked. `hidden`: the message held
    /// characters that nobody sees, or may have.
    pub(crate) fn rewrite(&self, settled: &Settled, hidden: bool) -> Option<Rewriting> {
        let unsure = settled.unsure.as_ref()?;
        let lang = settled.record.language;
        if hidden || settled.attack >= ATTACK || !self.settings.rewrites(lang) {
            return None;
        }
        // Its own case is asked about as any other; what tells the machine something is not written out.
        if let Some(Doubt::Long | Doubt::Markup | Doubt::Instruction) = doubt(&unsure.message, lang)
        {
            return None;
        }
        let follow_up = FollowUp {
            message: unsure.message.clone(),
            question: unsure.question.clone(),
            title: unsure.title.clone(),
            lang,
        };
        let generator = self.generator().ok()?;
        let deadline = self.clock.monotonic() + BUDGET;
        let request = Request {
            deadline: Some(deadline),
            ..rewriting(&follow_up, generator.describe().form)
        };
        let answer = generator.generate(request).ok()?;
        Some(Rewriting {
            follow_up,
            answer,
            clock: Arc::clone(&self.clock),
            deadline,
        })
    }
}
