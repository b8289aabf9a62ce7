//! Against receivers of the test's own: real sockets on this machine.

use base::ManualClock;
use jiff::Timestamp;
use opentelemetry::trace::{Span as _, SpanContext};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::*;

/// Answers each request, or never where there is no answer; what it was sent.
async fn receiver(
    answer: Option<Vec<u8>>,
) -> (config::Telemetry, mpsc::UnboundedReceiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1/traces", listener.local_addr().unwrap());
    let (tell, got) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut bytes = Vec::new();
            let mut left = None;
            while left != Some(0) {
                let before = bytes.len();
                if socket.read_buf(&mut bytes).await.unwrap() == 0 {
                    break;
                }
                left = match left {
                    Some(left) => Some(left - (bytes.len() - before)),
                    None => whole(&bytes).map(|whole| whole - bytes.len()),
                };
            }
            let head = bytes.windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4;
            tell.send(bytes.split_off(head)).unwrap();
            match &answer {
                None => kept.push(socket),
                Some(body) => {
                    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
                    let answer = [head.as_bytes(), body].concat();
                    socket.write_all(&answer).await.unwrap();
                }
            }
        }
    });
    let settings = config::Telemetry {
        url: url.parse().unwrap(),
        sample: 1.0,
        header: None,
    };
    (settings, got)
}

/// Bytes of a request, once its head is there.
fn whole(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|w| w == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&bytes[..head]).to_lowercase();
    let length = text.lines().find_map(|l| l.strip_prefix("content-length:"));
    Some(head + length.unwrap().trim().parse::<usize>().unwrap())
}

fn spans(body: &[u8]) -> Vec<Span> {
    let sent = ExportTraceServiceRequest::decode(body).unwrap();
    let scopes = sent.resource_spans.into_iter().flat_map(|r| r.scope_spans);
    scopes.flat_map(|s| s.spans).collect()
}

fn keys(span: &Span) -> Vec<&str> {
    span.attributes.iter().map(|a| a.key.as_str()).collect()
}

fn started(settings: &config::Telemetry) -> (Arc<Telemetry>, ManualClock, Arc<Metrics>) {
    let clock = ManualClock::at("2026-11-23T08:00:00Z".parse::<Timestamp>().unwrap());
    let metrics = Arc::new(Metrics::default());
    let telemetry = Telemetry::start(settings, Arc::new(clock.clone()), Arc::clone(&metrics));
    (telemetry, clock, metrics)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trace_has_its_steps_at_their_times() {
    let (settings, mut got) = receiver(Some(Vec::new())).await;
    let (telemetry, clock, metrics) = started(&settings);
    let trace = telemetry.begin(Root::Turn, &[Said::Municipality("0751".parse().unwrap())]);
    clock.advance(Duration::from_millis(5));
    let asked = trace.now();
    clock.advance(Duration::from_millis(20));
    trace.counted(Step::Encode, asked, 3);
    trace.outcome("answered");
    trace.outcome("failed");
    clock.advance(Duration::from_millis(1));
    drop(trace);
    telemetry.stop().await;
    let sent = spans(&got.recv().await.unwrap());
    let [step, turn] = &sent[..] else {
        panic!("{sent:#?}")
    };
    assert_eq!((turn.name.as_str(), step.name.as_str()), ("turn", "encode"));
    assert_eq!(step.parent_span_id, turn.span_id);
    assert_eq!(step.trace_id, turn.trace_id);
    assert!(turn.parent_span_id.is_empty());
    let begun = turn.start_time_unix_nano;
    assert_eq!(begun, 1_795_420_800_000_000_000);
    let after = |ns: u64| Duration::from_nanos(ns - begun).as_millis();
    let times = [
        step.start_time_unix_nano,
        step.end_time_unix_nano,
        turn.end_time_unix_nano,
    ];
    assert_eq!(times.map(after), [5, 25, 26]);
    assert_eq!(
        keys(turn),
        ["borgerlinje.municipality", "borgerlinje.outcome"]
    );
    assert_eq!(keys(step), ["borgerlinje.count"]);
    let said = format!("{:?}", turn.attributes[1].value);
    assert!(
        said.contains("answered") && !said.contains("failed"),
        "{said}"
    );
    assert_eq!(metrics.telemetry(), (2, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_allowed_by_name_does_not_leave() {
    let (settings, mut got) = receiver(Some(Vec::new())).await;
    let (telemetry, ..) = started(&settings);
    let builder = SpanBuilder::from_name("turn").with_attributes([
        KeyValue::new("user.name", "kanarie"),
        KeyValue::from(Said::Count(1)),
        KeyValue::new("borgerlinje.dialogue", "kanarie"),
    ]);
    let mut span = telemetry
        .tracer
        .build_with_context(builder, &Context::new());
    span.add_event("kanarie", vec![KeyValue::new("text", "kanarie")]);
    span.add_link(
        SpanContext::empty_context(),
        vec![KeyValue::new("text", "kanarie")],
    );
    span.end();
    telemetry.stop().await;
    let body = got.recv().await.unwrap();
    let sent = spans(&body);
    assert_eq!(sent.len(), 1);
    assert_eq!(keys(&sent[0]), ["borgerlinje.count"]);
    assert!(!String::from_utf8_lossy(&body).contains("kanarie"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spans_that_find_no_room_are_dropped_and_counted() {
    let (settings, mut got) = receiver(None).await;
    let (telemetry, _, metrics) = started(&settings);
    let trace = telemetry.begin(Root::Turn, &[]);
    let all = 4 * export::MOST;
    for _ in 0..all {
        trace.step(Step::Wait, trace.now());
    }
    // Full, and what the one request that is under way has taken.
    let (sent, dropped) = metrics.telemetry();
    assert_eq!(sent, 0);
    assert!(
        dropped as usize >= all - 2 * export::MOST,
        "{dropped} of {all}"
    );
    assert!((dropped as usize) < all);
    assert!(got.recv().await.is_some());
    // And an end is not waited for either.
    drop(trace);
    telemetry.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_collector_refuses_is_counted() {
    let answer = ExportTraceServiceResponse {
        partial_success: Some(ExportTracePartialSuccess {
            rejected_spans: 2,
            error_message: "too old".to_owned(),
        }),
    };
    let (settings, _got) = receiver(Some(answer.encode_to_vec())).await;
    let (telemetry, _, metrics) = started(&settings);
    let trace = telemetry.begin(Root::Publish, &[]);
    trace.step(Step::Check, trace.now());
    trace.step(Step::Build, trace.now());
    drop(trace);
    telemetry.stop().await;
    assert_eq!(metrics.telemetry(), (1, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_sampled_is_not_made() {
    let (mut settings, _got) = receiver(Some(Vec::new())).await;
    settings.sample = 0.0;
    let (telemetry, _, metrics) = started(&settings);
    for _ in 0..100 {
        let trace = telemetry.begin(Root::Turn, &[]);
        assert!(trace.0.is_none());
        assert_eq!(trace.now(), Duration::ZERO);
        trace.step(Step::Wait, trace.now());
    }
    telemetry.stop().await;
    assert_eq!(metrics.telemetry(), (0, 0));
}

#[test]
fn every_attribute_has_a_key_that_may_leave() {
    for said in [
        Said::Municipality("0751".parse().unwrap()),
        Said::Outcome("answered"),
        Said::Language(Lang::Da),
        Said::Count(1),
        Said::Method("GET"),
        Said::Route("/api/session"),
        Said::Status(200),
    ] {
        let key = KeyValue::from(said).key;
        assert!(word::KEYS.contains(&key.as_str()), "{key}");
    }
}
