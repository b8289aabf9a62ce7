//! A collector of traces: a real receiver of OTLP over HTTP, which keeps every byte that it is sent.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use prost::Message as _;
use tokio::time::sleep;

const TAKEN: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n";

/// What it does with a request that it has read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    Takes,
    /// Keeps the connection, and never answers.
    Silent,
}

pub(crate) struct Collector {
    pub(crate) port: u16,
    got: Arc<Mutex<Vec<Request>>>,
}

#[derive(Clone)]
struct Request {
    head: String,
    body: Vec<u8>,
}

/// A span as it came. Ids in hexadecimal, an empty parent where it has none, times in ns since 1970.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Span {
    pub(crate) name: String,
    pub(crate) trace: String,
    pub(crate) id: String,
    pub(crate) parent: String,
    pub(crate) from: u64,
    pub(crate) until: u64,
    /// Attributes; a number as its digits.
    pub(crate) said: BTreeMap<String, String>,
    pub(crate) failed: bool,
}

impl Collector {
    pub(crate) fn start() -> Self {
        Self::at(0, Manner::Takes)
    }

    /// At a port, 0 for a free one. It listens until the test process ends.
    pub(crate) fn at(port: u16, manner: Manner) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let got = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&got);
        std::thread::spawn(move || {
            let mut kept = Vec::new();
            for mut socket in listener.incoming().map_while(Result::ok) {
                let request = read(&mut socket);
                into.lock().unwrap().push(request);
                match manner {
                    Manner::Takes => socket.write_all(TAKEN.as_bytes()).unwrap(),
                    Manner::Silent => kept.push(socket),
                }
            }
        });
        Self { port, got }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// How often it was called.
    pub(crate) fn requests(&self) -> usize {
        self.got.lock().unwrap().len()
    }

    /// Heads of the requests, in lower case.
    pub(crate) fn heads(&self) -> Vec<String> {
        let got = self.got.lock().unwrap();
        got.iter().map(|r| r.head.to_lowercase()).collect()
    }

    /// All that it was sent, as it came.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let got = self.got.lock().unwrap();
        got.iter()
            .flat_map(|r| [r.head.as_bytes(), &r.body].concat())
            .collect()
    }

    /// All spans. What is around them says what service this is, and nothing else.
    pub(crate) fn spans(&self) -> Vec<Span> {
        let got = self.got.lock().unwrap().clone();
        let mut out = Vec::new();
        for request in got {
            let sent = ExportTraceServiceRequest::decode(&request.body[..]).unwrap();
            for of_resource in sent.resource_spans {
                let resource = of_resource.resource.unwrap();
                let who = said(&resource.attributes);
                let keys: Vec<&str> = who.keys().map(String::as_str).collect();
                assert_eq!(keys, ["service.name", "service.version"]);
                assert_eq!(who["service.name"], "borgerlinje");
                for of_scope in of_resource.scope_spans {
                    let scope = of_scope.scope.unwrap();
                    assert_eq!(scope.name, "borgerlinje");
                    assert!(scope.attributes.is_empty());
                    out.extend(of_scope.spans.into_iter().map(span));
                }
            }
        }
        out
    }

    /// All spans, once they are as wanted.
    pub(crate) async fn until(&self, what: &str, wanted: impl Fn(&[Span]) -> bool) -> Vec<Span> {
        for _ in 0..600 {
            let spans = self.spans();
            if wanted(&spans) {
                return spans;
            }
            sleep(Duration::from_millis(100)).await;
        }
        panic!("{what} did not come: {:#?}", self.spans());
    }
}

/// One request, whole; what ends before is what came.
fn read(socket: &mut TcpStream) -> Request {
    let (mut bytes, mut block) = (Vec::new(), [0; 16 << 10]);
    let mut end = None;
    loop {
        if let Some((head, length)) = end
            && bytes.len() >= head + length
        {
            let body = bytes.split_off(head);
            let head = String::from_utf8(bytes).unwrap();
            return Request { head, body };
        }
        match socket.read(&mut block) {
            Ok(n @ 1..) => bytes.extend_from_slice(&block[..n]),
            _ => {
                let head = String::from_utf8_lossy(&bytes).into_owned();
                return Request {
                    head,
                    body: Vec::new(),
                };
            }
        }
        if end.is_none()
            && let Some(at) = bytes.windows(4).position(|w| w == b"\r\n\r\n")
        {
            let head = String::from_utf8_lossy(&bytes[..at]).to_lowercase();
            let length = head.lines().find_map(|l| l.strip_prefix("content-length:"));
            end = Some((at + 4, length.unwrap().trim().parse::<usize>().unwrap()));
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn said(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let one = |a: &KeyValue| {
        let value = match a.value.clone().unwrap().value.unwrap() {
            Value::StringValue(text) => text,
            Value::IntValue(n) => n.to_string(),
            other => panic!("{}: {other:?} is no word and no number", a.key),
        };
        (a.key.clone(), value)
    };
    let all: BTreeMap<_, _> = attributes.iter().map(one).collect();
    assert_eq!(all.len(), attributes.len(), "said twice: {attributes:?}");
    all
}

fn span(s: opentelemetry_proto::tonic::trace::v1::Span) -> Span {
    assert!(s.events.is_empty() && s.links.is_empty() && s.trace_state.is_empty());
    let status = s.status.unwrap_or_default();
    assert_eq!(status.message, "");
    Span {
        name: s.name,
        trace: hex(&s.trace_id),
        id: hex(&s.span_id),
        parent: hex(&s.parent_span_id),
        from: s.start_time_unix_nano,
        until: s.end_time_unix_nano,
        said: said(&s.attributes),
        failed: status.code == 2,
    }
}
