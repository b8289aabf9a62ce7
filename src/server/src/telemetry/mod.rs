//! Traces of turns, handovers, releases and requests of staff, sent to the collector that the operator has named
//! (OTLP over HTTP). Without one nothing here runs: where a trace would begin, one branch finds that there is none.
//!
//! Invariants:
//! - Only what [`Said`] and the names in `word` allow leaves this machine, by type, and is looked at once more before it
//!   is sent. Nothing is taken from the log or from `tracing`, so a field that somebody adds there goes nowhere.
//! - A trace holds nobody up: a span that has ended goes into a bounded queue, or is dropped and counted.
//! - OpenTelemetry's own environment variables (`OTEL_…`) change nothing: there is one configuration.

mod export;
mod word;

use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use base::{Clock, Lang, MunicipalityCode};
use opentelemetry::trace::{
    SpanBuilder, SpanKind, Status, TraceContextExt as _, Tracer as _, TracerProvider as _,
};
use opentelemetry::{Context, InstrumentationScope, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider, SpanLimits};

use self::export::Export;
pub(crate) use self::word::{Root, Said, Step};
use crate::app::App;
use crate::config;
use crate::metrics::Metrics;

const NAME: &str = "borgerlinje";
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// How long the last spans of a service that stops may take.
const LAST: Duration = Duration::from_secs(2);
/// What a trace ended in that nobody has said: it was refused, or the service failed.
const REFUSED: &str = "refused";

/// Makes traces, and sends them.
pub(crate) struct Telemetry {
    tracer: SdkTracer,
    provider: SdkTracerProvider,
    clock: Arc<dyn Clock>,
}

impl Telemetry {
    /// Begins to send. Called within the runtime that the sending is to happen on.
    pub(crate) fn start(
        settings: &config::Telemetry,
        clock: Arc<dyn Clock>,
        metrics: Arc<Metrics>,
    ) -> Arc<Self> {
        let resource = Resource::builder_empty()
            .with_service_name(NAME)
            .with_attribute(KeyValue::new("service.version", VERSION))
            .build();
        let export = Export::new(settings, &resource, Arc::clone(&clock), metrics);
        let share = Sampler::TraceIdRatioBased(settings.sample);
        let provider = SdkTracerProvider::builder()
            .with_resource(resource)
            .with_sampler(Sampler::ParentBased(Box::new(share)))
            .with_span_limits(SpanLimits::default())
            .with_span_processor(export.queue())
            .build();
        let scope = InstrumentationScope::builder(NAME).with_version(VERSION);
        Arc::new(Self {
            tracer: provider.tracer_with_scope(scope.build()),
            provider,
            clock,
        })
    }

    /// Sends what is left, for [`LAST`] at most.
    pub(crate) async fn stop(&self) {
        let provider = self.provider.clone();
        let stopped = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(LAST));
        if let Ok(Err(e)) = stopped.await {
            tracing::debug!("the last traces were not sent: {e}");
        }
    }

    fn begin(self: &Arc<Self>, root: Root, said: &[Said]) -> Trace {
        let began = (SystemTime::from(self.clock.now()), self.clock.monotonic());
        let builder = SpanBuilder::from_name(root.name())
            .with_kind(SpanKind::Server)
            .with_start_time(began.0)
            .with_attributes(said.iter().copied().map(KeyValue::from));
        let span = self.tracer.build_with_context(builder, &Context::new());
        let context = Context::new().with_span(span);
        if !context.span().span_context().is_sampled() {
            return Trace(None);
        }
        Trace(Some(Arc::new(Made {
            telemetry: Arc::clone(self),
            context,
            began,
            outcome: OnceLock::new(),
        })))
    }
}

/// A trace that is being made, or none. It ends with its last copy.
#[derive(Clone, Default)]
pub(crate) struct Trace(Option<Arc<Made>>);

struct Made {
    telemetry: Arc<Telemetry>,
    /// With the span that the steps are part of.
    context: Context,
    /// The time of day, and the monotonic time.
    began: (SystemTime, Duration),
    outcome: OnceLock<&'static str>,
}

impl Made {
    /// The time of day of a monotonic time, so that no span ends before it begins.
    fn at(&self, monotonic: Duration) -> SystemTime {
        self.began.0 + monotonic.saturating_sub(self.began.1)
    }

    fn say(&self, said: Said) {
        self.context.span().set_attribute(said.into());
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        let outcome = *self.outcome.get_or_init(|| REFUSED);
        // A request of staff says how it ended by its status.
        if !outcome.is_empty() {
            self.say(Said::Outcome(outcome));
        }
        if outcome == dialogue::Outcome::Failed.name() {
            self.context.span().set_status(Status::error(""));
        }
        let now = self.telemetry.clock.monotonic();
        self.context.span().end_with_timestamp(self.at(now));
    }
}

impl Trace {
    /// Begins one for a municipality, if any is made of this.
    pub(crate) fn of(app: &App, root: Root, code: MunicipalityCode) -> Self {
        Self::begin(app, root, &[Said::Municipality(code)])
    }

    /// Begins one, if any is made of this.
    pub(crate) fn begin(app: &App, root: Root, said: &[Said]) -> Self {
        match app.telemetry.get() {
            None => Self(None),
            Some(telemetry) => telemetry.begin(root, said),
        }
    }

    /// Begins one for a request of staff.
    pub(crate) fn request(app: &App, method: &'static str, route: &'static str) -> Self {
        let said = [Said::Method(method), Said::Route(route)];
        Self::begin(app, Root::Request { method, route }, &said)
    }

    /// When a step begins, of a monotonic clock; nothing where none is looked for.
    pub(crate) fn now(&self) -> Duration {
        let now = |made: &Arc<Made>| made.telemetry.clock.monotonic();
        self.0.as_ref().map_or(Duration::ZERO, now)
    }

    /// A step has ended just now.
    pub(crate) fn step(&self, step: Step, began: Duration) {
        self.step_with(step, began, &[]);
    }

    /// As [`Trace::step`], of so many.
    pub(crate) fn counted(&self, step: Step, began: Duration, count: usize) {
        self.step_with(step, began, &[Said::Count(count)]);
    }

    fn step_with(&self, step: Step, began: Duration, said: &[Said]) {
        use opentelemetry::trace::Span as _;
        let Some(made) = &self.0 else { return };
        let now = made.telemetry.clock.monotonic();
        let builder = SpanBuilder::from_name(step.name())
            .with_kind(SpanKind::Internal)
            .with_start_time(made.at(began))
            .with_attributes(said.iter().copied().map(KeyValue::from));
        let tracer = &made.telemetry.tracer;
        let mut span = tracer.build_with_context(builder, &made.context);
        span.end_with_timestamp(made.at(now));
    }

    /// What it ends in; what was said first holds.
    pub(crate) fn outcome(&self, outcome: &'static str) {
        if let Some(made) = &self.0 {
            let _ = made.outcome.set(outcome);
        }
    }

    /// The language that was answered in. Said once.
    pub(crate) fn language(&self, lang: Lang) {
        if let Some(made) = &self.0 {
            made.say(Said::Language(lang));
        }
    }

    /// The status that a request was answered with. Said once.
    pub(crate) fn status(&self, status: u16) {
        if let Some(made) = &self.0 {
            made.say(Said::Status(status));
            let _ = made.outcome.set("");
            if status >= 500 {
                made.context.span().set_status(Status::error(""));
            }
        }
    }
}

#[cfg(test)]
mod tests;
