//! The way of a span to the collector: a bounded queue, a last look at what it says, one request at a time.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, HeaderValue, Request};
use base::Clock;
use opentelemetry::Context;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Span, SpanData, SpanEvents, SpanExporter, SpanLinks,
    SpanProcessor,
};
use prost::Message as _;
use tokio::runtime::Handle;
use url::Url;

use super::word::KEYS;
use crate::config;
use crate::metrics::Metrics;
use crate::web::Caller;

/// Spans that wait at most: some hundred turns.
pub(super) const MOST: usize = 2_048;
/// Spans of a request at most.
const AT_ONCE: usize = 512;
/// How long a span waits for others.
const EVERY: Duration = Duration::from_secs(2);
/// Between two warnings that the collector does not take them.
const AGAIN: Duration = Duration::from_secs(600);

/// Sends spans, from the batch processor's own thread.
pub(super) struct Export {
    shared: Arc<Shared>,
    resource: ResourceAttributesWithSchema,
    runtime: Handle,
}

/// What queue and exporter have in common.
struct Shared {
    caller: Caller,
    url: Url,
    header: Option<(HeaderName, HeaderValue)>,
    waiting: AtomicUsize,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    /// When it was last said that the collector does not take them; none: it does.
    said: Mutex<Option<Duration>>,
}

impl Export {
    pub(super) fn new(
        settings: &config::Telemetry,
        resource: &Resource,
        clock: Arc<dyn Clock>,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                caller: Caller::new(),
                url: settings.url.clone(),
                header: settings.header.clone(),
                waiting: AtomicUsize::new(0),
                clock,
                metrics,
                said: Mutex::new(None),
            }),
            resource: resource.into(),
            runtime: Handle::current(),
        }
    }

    /// What spans are handed to.
    pub(super) fn queue(self) -> Queue {
        let shared = Arc::clone(&self.shared);
        let config = BatchConfigBuilder::default()
            .with_max_queue_size(MOST)
            .with_max_export_batch_size(AT_ONCE)
            .with_scheduled_delay(EVERY)
            .build();
        let batches = BatchSpanProcessor::builder(self).with_batch_config(config);
        Queue {
            batches: batches.build(),
            shared,
        }
    }
}

impl fmt::Debug for Export {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Export")
    }
}

impl SpanExporter for Export {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        self.shared.waiting.fetch_sub(spans, Ordering::Relaxed);
        let batch = batch.into_iter().map(stripped).collect();
        let body = ExportTraceServiceRequest {
            resource_spans: group_spans_by_resource_and_scope(batch, &self.resource),
        };
        let (shared, body) = (Arc::clone(&self.shared), body.encode_to_vec());
        // The thread that this runs on has no reactor.
        let sent = self.runtime.spawn(async move { shared.send(body).await });
        let sent = sent
            .await
            .unwrap_or_else(|_| Err("the service stops".to_owned()));
        let refused = match &sent {
            Ok(refused) => (*refused).min(spans),
            Err(_) => spans,
        };
        self.shared.metrics.telemetry_sent(spans - refused);
        self.shared.metrics.telemetry_dropped(refused);
        let sent = sent.map(drop);
        self.shared.tell(&sent);
        sent.map_err(OTelSdkError::InternalFailure)
    }
}

impl Shared {
    /// How many spans the collector has refused of a request that it took.
    async fn send(&self, body: Vec<u8>) -> Result<usize, String> {
        let mut request = Request::post(self.url.as_str());
        request = request.header(CONTENT_TYPE, "application/x-protobuf");
        if let Some((name, value)) = &self.header {
            request = request.header(name, value);
        }
        let request = request.body(body).map_err(|e| e.to_string())?;
        let answer = self.caller.call(request).await.map_err(|e| {
            tracing::debug!("the collector: {e}");
            "it does not answer".to_owned()
        })?;
        if !answer.status().is_success() {
            return Err(format!("it answers {}", answer.status().as_u16()));
        }
        // What cannot be read of it is taken for all being well, as the status says.
        let answer = ExportTraceServiceResponse::decode(&answer.body()[..]).unwrap_or_default();
        let refused = answer.partial_success.map_or(0, |p| p.rejected_spans);
        Ok(usize::try_from(refused).unwrap_or(0))
    }

    /// Says when it begins to fail, now and then while it does, and when it is over.
    fn tell(&self, sent: &Result<(), String>) {
        let now = self.clock.monotonic();
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        match (sent, *said) {
            (Ok(()), None) => {}
            (Ok(()), Some(_)) => {
                tracing::info!("traces reach the collector again");
                *said = None;
            }
            (Err(_), Some(last)) if now.saturating_sub(last) < AGAIN => {}
            (Err(why), _) => {
                tracing::warn!("traces do not reach the collector: {why}; they are dropped");
                *said = Some(now);
            }
        }
    }
}

/// A span without anything that is not allowed by name.
fn stripped(mut span: SpanData) -> SpanData {
    span.attributes.retain(|a| KEYS.contains(&a.key.as_str()));
    span.events = SpanEvents::default();
    span.links = SpanLinks::default();
    span
}

/// Takes spans that have ended, as long as there is room.
pub(super) struct Queue {
    batches: BatchSpanProcessor,
    shared: Arc<Shared>,
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Queue")
    }
}

impl SpanProcessor for Queue {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        let room = |n: usize| (n < MOST).then_some(n + 1);
        let waiting = &self.shared.waiting;
        let took = waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room);
        // Its own queue is as long, so that it drops none that are counted here as waiting.
        match took {
            Ok(_) => self.batches.on_end(span),
            Err(_) => self.shared.metrics.telemetry_dropped(1),
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.batches.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.batches.shutdown_with_timeout(timeout)
    }
}
