//! What operations watch, as Prometheus reads it: counted where it happens, or looked at when it is asked for.
//!
//! Served on an address of its own ([`serve`]), so that the public one cannot reach it. The table in
//! docs/operations.md names every metric, and the tests hold it to that.
//!
//! Invariants:
//! - A label's value is a word of this program's own, a municipality's code or a release's hash, by type: nothing that
//!   anybody typed can become one. A municipality's code is one of the release's, so there are at most 98.
//! - What is counted is counted at one node: the sum over nodes is what happened. What is looked at in the contact
//!   centre is the same at every node: take the largest, not the sum.

mod centre;
mod gather;
mod label;
mod process;

use std::sync::Mutex;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use base::MunicipalityCode;
use composition::Composition;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

pub(crate) use self::centre::follow;
pub(crate) use self::gather::serve;

use self::gather::Looked;
use self::label::{Answer, Cause, Outcome, Reason, Step, Turn, Version};
use crate::embed::Refused;

/// What a turn ended in beside the outcomes of `dialogue`: nothing was answered because the bot is switched off.
pub(crate) const SWITCHED_OFF: &str = "switched_off";

/// Seconds of a turn, an encoding, a search, a transaction: from half a millisecond to half a minute.
const SECONDS: [f64; 15] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 12.0, 30.0,
];
/// Writes of one transaction.
const WRITES: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

fn seconds() -> Histogram {
    Histogram::new(SECONDS)
}

/// A gauge that goes up for as long as this lives.
pub(crate) struct Held(Gauge);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.dec();
    }
}

pub(crate) struct Metrics {
    /// Encoded under this lock: what is looked at belongs to one scrape.
    registry: Mutex<(Registry, Looked)>,
    turns: Family<Turn, Counter>,
    turn_seconds: Histogram,
    encode_seconds: Histogram,
    search_seconds: Histogram,
    refused: Family<Reason, Counter>,
    chat_sockets: Gauge,
    desk_sockets: Gauge,
    dialogues_begun: Counter,
    dialogues_resumed: Counter,
    dialogues_ended: Counter,
    websites_refused: Counter,
    configurations_refused: Family<Reason, Counter>,
    scripts: Family<Version, Counter>,
    handovers: Family<Step, Counter>,
    callbacks: Family<Step, Counter>,
    steps_missed: Counter,
    composed: Family<Cause, Counter>,
    sentences: Family<Outcome, Counter>,
    tokens: Counter,
    writing_seconds: Counter<f64, AtomicU64>,
    sign_ins: Family<Answer, Counter>,
    journal_writes: Histogram,
    journal_seconds: Histogram,
    telemetry_sent: Counter,
    telemetry_dropped: Counter,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut all = <Registry>::with_prefix("borgerlinje");
        let looked = Looked::new(&mut all);
        let metrics = Self {
            turns: Family::default(),
            turn_seconds: seconds(),
            encode_seconds: seconds(),
            search_seconds: seconds(),
            refused: Family::default(),
            chat_sockets: Gauge::default(),
            desk_sockets: Gauge::default(),
            dialogues_begun: Counter::default(),
            dialogues_resumed: Counter::default(),
            dialogues_ended: Counter::default(),
            websites_refused: Counter::default(),
            configurations_refused: Family::default(),
            scripts: Family::default(),
            handovers: Family::default(),
            callbacks: Family::default(),
            steps_missed: Counter::default(),
            composed: Family::default(),
            sentences: Family::default(),
            tokens: Counter::default(),
            writing_seconds: Counter::default(),
            sign_ins: Family::default(),
            journal_writes: Histogram::new(WRITES),
            journal_seconds: seconds(),
            telemetry_sent: Counter::default(),
            telemetry_dropped: Counter::default(),
            registry: Mutex::default(),
        };
        metrics.register(&mut all);
        metrics.begin();
        Self {
            registry: Mutex::new((all, looked)),
            ..metrics
        }
    }
}

impl Metrics {
    fn register(&self, all: &mut Registry) {
        let m = self;
        all.register(
            "turns",
            "Turns of the bot by what they ended in",
            m.turns.clone(),
        );
        let help = "From the acknowledgement of a message to the end of its answer";
        all.register_with_unit("turn", help, Unit::Seconds, m.turn_seconds.clone());
        let help = "Waiting for and encoding the texts of a turn";
        all.register_with_unit("encode", help, Unit::Seconds, m.encode_seconds.clone());
        let help = "Searching, ranking and deciding, without waiting for a core";
        all.register_with_unit("search", help, Unit::Seconds, m.search_seconds.clone());
        let help = "Error frames to citizens by their code";
        all.register("refused", help, m.refused.clone());
        let help = "Open sockets of citizens";
        all.register("chat_sockets", help, m.chat_sockets.clone());
        let help = "Open sockets of staff";
        all.register("desk_sockets", help, m.desk_sockets.clone());
        let help = "Dialogues that began";
        all.register("dialogues_begun", help, m.dialogues_begun.clone());
        let help = "Dialogues that a page came back to";
        all.register("dialogues_resumed", help, m.dialogues_resumed.clone());
        let help = "Dialogues that a citizen ended";
        all.register("dialogues_ended", help, m.dialogues_ended.clone());
        let help = "Chats that were asked for from a page that may not open them";
        all.register("websites_refused", help, m.websites_refused.clone());
        let help = "Chats that a page's configuration did not let begin";
        let refused = m.configurations_refused.clone();
        all.register("configurations_refused", help, refused);
        let help =
            "The widget's script by the version that was asked for; gone: one that is not here";
        all.register("scripts", help, m.scripts.clone());
        let help = "Chats with people by how far they came";
        all.register("handovers", help, m.handovers.clone());
        let help = "Promised calls by what became of them";
        all.register("callbacks", help, m.callbacks.clone());
        let help = "Times that steps of the contact centre were missed and not counted";
        all.register("centre_steps_missed", help, m.steps_missed.clone());
        let help = "Answers that were to be said in other words, by why they were verbatim; written: they were not";
        all.register("composed", help, m.composed.clone());
        let help = "Sentences of a language model by what the gate said of them";
        all.register("sentences", help, m.sentences.clone());
        let help = "Tokens that a language model wrote, of answers that came to their end";
        all.register("generated_tokens", help, m.tokens.clone());
        let help = "Time in which those were written";
        let spent = m.writing_seconds.clone();
        all.register_with_unit("generated", help, Unit::Seconds, spent);
        let help = "Attempts of staff to sign in";
        all.register("sign_ins", help, m.sign_ins.clone());
        let help = "Writes of a transaction of the journal";
        all.register("journal_writes", help, m.journal_writes.clone());
        let help = "A transaction of the journal, with its sync to disk";
        let took = m.journal_seconds.clone();
        all.register_with_unit("journal_transaction", help, Unit::Seconds, took);
        let help = "Spans that the collector of traces took";
        all.register("telemetry_sent", help, m.telemetry_sent.clone());
        let help = "Spans that did not reach it";
        all.register("telemetry_dropped", help, m.telemetry_dropped.clone());
    }

    /// What can be counted is there from the start, as nothing: a rate from nothing to one is seen.
    fn begin(&self) {
        for code in crate::wire::Code::ALL {
            let reason = code.name();
            let _ = self.refused.get_or_create(&Reason { reason });
        }
        for step in centre::HANDOVERS {
            let _ = self.handovers.get_or_create(&Step { step });
        }
        for step in centre::CALLBACKS {
            let _ = self.callbacks.get_or_create(&Step { step });
        }
        for cause in label::CAUSES {
            let _ = self.composed.get_or_create(&Cause { cause });
        }
        for outcome in label::SENTENCES {
            let _ = self.sentences.get_or_create(&Outcome { outcome });
        }
        for reason in Refused::ALL.map(Refused::name) {
            let _ = self
                .configurations_refused
                .get_or_create(&Reason { reason });
        }
        for version in ["plain", "current", "earlier", "gone"] {
            let _ = self.scripts.get_or_create(&Version { version });
        }
        for result in ["ok", "refused", "throttled"] {
            let _ = self.sign_ins.get_or_create(&Answer { result });
        }
    }

    /// A turn of the bot has ended, `took` after the message was acknowledged.
    pub(crate) fn turn(&self, outcome: &'static str, code: MunicipalityCode, took: Duration) {
        let turn = Turn {
            outcome,
            municipality: code.into(),
        };
        self.turns.get_or_create(&turn).inc();
        self.turn_seconds.observe(took.as_secs_f64());
    }

    pub(crate) fn encoded(&self, took: Duration) {
        self.encode_seconds.observe(took.as_secs_f64());
    }

    pub(crate) fn searched(&self, took: Duration) {
        self.search_seconds.observe(took.as_secs_f64());
    }

    /// A citizen was sent an error.
    pub(crate) fn refused(&self, code: crate::wire::Code) {
        let reason = code.name();
        self.refused.get_or_create(&Reason { reason }).inc();
    }

    /// A citizen's socket is open while what is returned lives.
    pub(crate) fn chat_socket(&self) -> Held {
        self.chat_sockets.inc();
        Held(self.chat_sockets.clone())
    }

    /// A member of staff's socket is open while what is returned lives.
    pub(crate) fn desk_socket(&self) -> Held {
        self.desk_sockets.inc();
        Held(self.desk_sockets.clone())
    }

    pub(crate) fn dialogue(&self, resumed: bool) {
        if resumed {
            self.dialogues_resumed.inc();
        } else {
            self.dialogues_begun.inc();
        }
    }

    /// A chat was asked for from a page of a website that is not listed, or not for that municipality.
    pub(crate) fn website_refused(&self) {
        self.websites_refused.inc();
    }

    /// A chat was asked for by a page whose configuration does not let it.
    pub(crate) fn configuration_refused(&self, why: Refused) {
        let reason = why.name();
        let counters = &self.configurations_refused;
        counters.get_or_create(&Reason { reason }).inc();
    }

    /// The widget's script was asked for: `plain`, `current`, `earlier`, `gone`.
    pub(crate) fn script(&self, version: &'static str) {
        self.scripts.get_or_create(&Version { version }).inc();
    }

    pub(crate) fn dialogue_ended(&self) {
        self.dialogues_ended.inc();
    }

    /// An answer that was to be said in other words was said, `took` after that was begun.
    pub(crate) fn composed(&self, told: &Composition, took: Duration) {
        let cause = label::cause(told);
        self.composed.get_or_create(&Cause { cause }).inc();
        let sentences = |outcome, n: usize| {
            let counter = self.sentences.get_or_create_owned(&Outcome { outcome });
            counter.inc_by(n as u64);
        };
        if told.model.is_some() {
            sentences("shown", told.kept);
            for dropped in &told.dropped {
                sentences(label::fault(dropped.why.first()), 1);
            }
        }
        if let Some(tokens) = told.tokens {
            self.tokens.inc_by(tokens as u64);
            self.writing_seconds.inc_by(took.as_secs_f64());
        }
    }

    /// Somebody of the staff tried to sign in: `ok`, `refused`, `throttled`.
    pub(crate) fn sign_in(&self, result: &'static str) {
        self.sign_ins.get_or_create(&Answer { result }).inc();
    }

    /// The journal has written a transaction.
    pub(crate) fn journal(&self, writes: usize, took: Duration) {
        self.journal_writes.observe(writes as f64);
        self.journal_seconds.observe(took.as_secs_f64());
    }

    /// The collector of traces took so many spans.
    pub(crate) fn telemetry_sent(&self, spans: usize) {
        self.telemetry_sent.inc_by(spans as u64);
    }

    /// So many spans did not reach the collector of traces.
    pub(crate) fn telemetry_dropped(&self, spans: usize) {
        self.telemetry_dropped.inc_by(spans as u64);
    }

    /// Spans that the collector of traces took, and those that did not reach it.
    #[cfg(test)]
    pub(crate) fn telemetry(&self) -> (u64, u64) {
        (self.telemetry_sent.get(), self.telemetry_dropped.get())
    }
}

#[cfg(test)]
mod tests;
