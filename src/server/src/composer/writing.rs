//! An answer that a model is writing.

use std::sync::Arc;
use std::time::Duration;

use base::Clock;
use composition::{Candidate, Composition, Material, Part, Writer};
use inference::generator::{Answer, Ended, Event, Reason};

use super::Composer;
use super::meaning::Meaning;

/// An answer that a model is writing.
pub(crate) struct Writing<'a> {
    pub answer: Answer,
    writer: Writer<'a>,
    clock: Arc<dyn Clock>,
    began: Duration,
    /// When something must have been shown.
    first_by: Duration,
    /// When all must have been.
    last_by: Duration,
    /// When the first sentence could be shown.
    first: Option<Duration>,
    end: Option<Ended>,
    meaning: Meaning,
    /// Why meanings could not be compared.
    blind: Option<inference::Error>,
}

impl<'a> Writing<'a> {
    pub(super) fn new(
        answer: Answer,
        material: &'a Material,
        model: &str,
        composer: &Composer,
        began: Duration,
    ) -> Self {
        let settings = &composer.settings;
        Self {
            answer,
            writer: Writer::new(material, model, settings.wording),
            clock: Arc::clone(&composer.clock),
            began,
            first_by: began + settings.first(),
            last_by: began + settings.budget(),
            first: None,
            end: None,
            meaning: Meaning::new(composer.encoder.clone(), material),
            blind: None,
        }
    }

    /// What may be shown after this event.
    pub(crate) async fn hear(&mut self, event: Event) -> Vec<Part> {
        let mut parts = Vec::new();
        for candidate in self.completed(event) {
            let cosine = self.meaning.of(&candidate.sentence.text).await;
            parts.extend(self.judged(&candidate, cosine));
        }
        parts
    }

    /// As [`Writing::hear`], on a thread that may block.
    pub(crate) fn hear_blocking(&mut self, event: Event) -> Vec<Part> {
        let mut parts = Vec::new();
        for candidate in self.completed(event) {
            let cosine = self.meaning.of_blocking(&candidate.sentence.text);
            parts.extend(self.judged(&candidate, cosine));
        }
        parts
    }

    fn completed(&mut self, event: Event) -> Vec<Candidate> {
        match event {
            Event::Text(text) => self.writer.sentences(&text),
            Event::End(end) => {
                let whole = end.reason == Reason::Stop;
                self.end = Some(end);
                self.writer.rest(whole)
            }
        }
    }

    /// Nothing is shown on words alone: without an encoder that is the end of it.
    fn judged(
        &mut self,
        candidate: &Candidate,
        cosine: Result<f32, inference::Error>,
    ) -> Option<Part> {
        let part = match cosine {
            Ok(cosine) => self.writer.judge(candidate, Some(cosine))?,
            Err(e) => {
                self.blind.get_or_insert(e);
                return None;
            }
        };
        self.first.get_or_insert_with(|| self.clock.monotonic());
        Some(part)
    }

    /// How long the next event is waited for.
    pub(crate) fn patience(&self) -> Duration {
        let by = match self.first {
            None => self.first_by,
            Some(_) => self.last_by,
        };
        by.saturating_sub(self.clock.monotonic())
    }

    /// Whether nothing more is to be heard: it ended, enough is said, or nothing could be shown in time.
    pub(crate) fn over(&self) -> bool {
        self.end.is_some() || self.writer.full() || self.late() || self.blind.is_some()
    }

    fn late(&self) -> bool {
        self.first.is_none() && self.clock.monotonic() >= self.first_by
    }

    /// How it came about.
    pub(crate) fn told(self) -> Composition {
        let (late, full) = (self.late(), self.writer.full());
        let mut told = self.writer.composition();
        if told.kept == 0 {
            told.fell_back = Some(match &self.end {
                Some(Ended {
                    reason: Reason::Failed(why),
                    ..
                }) => format!("the model failed: {why}"),
                _ if self.blind.is_some() => "the encoder did not answer".to_owned(),
                _ if full => "the model went in circles".to_owned(),
                _ if late => "nothing could be shown in time".to_owned(),
                Some(_) => "nothing passed the gate".to_owned(),
                None => "it was broken off".to_owned(),
            });
        }
        let ms = |at: Duration| at.saturating_sub(self.began).as_secs_f64() * 1e3;
        told.first_sentence_ms = self.first.map(|at| (ms(at) * 10.0).round() / 10.0);
        if let Some(end) = &self.end {
            told.prompt_tokens = Some(end.prompt_tokens);
            told.tokens = Some(end.tokens);
        }
        told
    }
}
