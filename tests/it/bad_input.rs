//! What nobody should send, and what then happens: a clear error, no growth, no panic.

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Duration, Instant, sleep, timeout};
use tokio_tungstenite::tungstenite::Message;

use crate::client::{Client, hello};
use crate::harness::Server;

/// A frame as it stands on the wire: opcode, payload.
type Framed = (u8, Vec<u8>);

const TEXT: u8 = 1;
const CLOSE: u8 = 8;

/// A WebSocket by hand, for frames that a proper client refuses to send.
async fn by_hand(server: &Server) -> TcpStream {
    let mut stream = TcpStream::connect(&server.address).await.unwrap();
    let request = format!(
        "GET /ws/chat HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        server.address
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101"));
    stream
}

/// A masked frame, as a client must send them; a mask of zeros leaves the payload as it is.
fn framed(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![0x80 | opcode];
    match payload.len() {
        n @ 0..126 => out.push(0x80 | n as u8),
        n @ 126..0x1_0000 => {
            out.push(0x80 | 126);
            out.extend((n as u16).to_be_bytes());
        }
        n => {
            out.push(0x80 | 127);
            out.extend((n as u64).to_be_bytes());
        }
    }
    out.extend([0; 4]);
    out.extend(payload);
    out
}

/// Sends as much as is taken and reads to the end of the connection.
async fn last_words(stream: TcpStream, bytes: Vec<u8>) -> Vec<Framed> {
    let (mut from, mut to) = stream.into_split();
    let writer = tokio::spawn(async move {
        let _ = to.write_all(&bytes).await;
        to
    });
    let mut got = Vec::new();
    let read = async {
        let mut block = [0; 4096];
        while let Ok(n @ 1..) = from.read(&mut block).await {
            got.extend_from_slice(&block[..n]);
        }
    };
    timeout(Duration::from_secs(30), read)
        .await
        .expect("the connection stays open");
    drop(writer.await.unwrap());
    let mut rest = got.as_slice();
    let mut out = Vec::new();
    while let [first, length, tail @ ..] = rest {
        let (n, tail) = match length {
            126 => (
                usize::from(u16::from_be_bytes([tail[0], tail[1]])),
                &tail[2..],
            ),
            n => (usize::from(*n), tail),
        };
        out.push((first & 15, tail[..n].to_vec()));
        rest = &tail[n..];
    }
    out
}

/// Of the close frame.
fn code(frames: &[Framed]) -> Option<u16> {
    let (_, payload) = frames.iter().find(|(opcode, _)| *opcode == CLOSE)?;
    Some(u16::from_be_bytes([payload[0], payload[1]]))
}

/// Of the error frames.
fn errors(frames: &[Framed]) -> Vec<Value> {
    frames
        .iter()
        .filter(|(opcode, _)| *opcode == TEXT)
        .map(|(_, payload)| serde_json::from_slice::<Value>(payload).unwrap())
        .filter(|f| f["type"] == "error")
        .map(|f| f["code"].clone())
        .collect()
}

async fn still_answers(server: &Server) {
    let (mut c, _) = Client::hello(server, "0751").await;
    let turn = c.ask("still", "Hvordan fornyer jeg mit pas?").await;
    assert_eq!(
        turn.last().unwrap()["sources"][0]["article_id"],
        "pas-forny"
    );
}

#[tokio::test]
async fn a_frame_of_a_megabyte_is_refused() {
    let server = Server::shared();
    let greeting = framed(TEXT, hello("0751").to_string().as_bytes());
    let text = "a".repeat(1 << 20);
    let message = json!({"type": "message", "client_id": "big", "text": text}).to_string();
    for (what, first) in [("before hello", vec![]), ("after hello", greeting)] {
        let stream = by_hand(server).await;
        let bytes = [first, framed(TEXT, message.as_bytes())].concat();
        let got = last_words(stream, bytes).await;
        assert!(
            code(&got) == Some(1009) || errors(&got).contains(&json!("too_large")),
            "{what}: {} frames, close {:?}",
            got.len(),
            code(&got)
        );
    }
    still_answers(server).await;
}

#[tokio::test]
async fn a_frame_just_beyond_the_limit_is_told_so() {
    let server = Server::shared();
    let (mut c, _) = Client::hello(server, "0751").await;
    let padding = " ".repeat(16 << 10);
    c.raw(&format!("{{\"type\":\"typing\"{padding}}}")).await;
    c.refused("too_large").await;
    assert_eq!(c.end().await, (vec![], Some(1009)));
}

#[tokio::test]
async fn text_that_is_not_utf8_closes_the_connection() {
    let server = Server::shared();
    let greeting = framed(TEXT, hello("0751").to_string().as_bytes());
    for first in [vec![], greeting] {
        let stream = by_hand(server).await;
        let bad = b"{\"type\":\"message\",\"client_id\":\"a\",\"text\":\"k\xf8rekort\"}";
        let got = last_words(stream, [first, framed(TEXT, bad)].concat()).await;
        assert!(
            matches!(code(&got), None | Some(1007)),
            "close {:?}",
            code(&got)
        );
    }
    still_answers(server).await;
}

#[tokio::test]
async fn broken_json_is_borne_ten_times() {
    let server = Server::shared();
    let (mut c, _) = Client::hello(server, "0751").await;
    let broken = [
        "",
        "{",
        "null",
        "[]",
        "\"hej\"",
        "{\"type\":\"message\"",
        "{}",
        "{\"type\":7}",
        "\u{0}",
    ];
    for text in broken {
        c.raw(text).await;
        c.refused("bad_frame").await;
    }
    // Nine are borne, and questions are answered all the while.
    c.ask("q", "Hvordan fornyer jeg mit pas?").await;
    c.raw("{{{").await;
    c.refused("bad_frame").await;
    assert_eq!(c.end().await, (vec![], Some(1008)));
}

#[tokio::test]
async fn a_fault_names_the_field() {
    let server = Server::shared();
    let faulty = [
        (json!({"client_id": "a", "text": "hej"}), "type"),
        (json!({"type": "telepathy"}), "telepathy"),
        (json!({"type": "message", "client_id": "a"}), "text"),
        (json!({"type": "message", "text": "hej"}), "client_id"),
        (
            json!({"type": "message", "client_id": "a b", "text": "hej"}),
            "client_id",
        ),
        (
            json!({"type": "message", "client_id": "", "text": "hej"}),
            "client_id",
        ),
        (
            json!({"type": "message", "client_id": "a", "text": 7}),
            "text",
        ),
        (
            json!({"type": "rate", "client_id": "a", "score": "god"}),
            "score",
        ),
        (json!({"type": "lang", "lang": "xx"}), "lang"),
        (json!({"type": "ping", "n": -1}), "n"),
        (json!({"type": "choose", "client_id": "a"}), "article_id"),
        (json!({"type": "callback", "client_id": "a"}), "phone"),
    ];
    let mut unnamed = Vec::new();
    for (frame, field) in faulty {
        let (mut c, _) = Client::hello(server, "0751").await;
        c.raw(&frame.to_string()).await;
        let error = c.refused("bad_frame").await;
        let said = error["text"].as_str().unwrap();
        let named = said
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .any(|w| w == field);
        if !named {
            unnamed.push(format!("{frame}: {field} is not named in «{said}»"));
        }
    }
    for (frame, field) in [
        (json!({"type": "hello", "v": 1}), "municipality"),
        (json!({"type": "hello", "municipality": "0751"}), "v"),
        (
            json!({"type": "hello", "v": 1, "municipality": "0751", "resume": {"dialogue": "x", "token": "y"}}),
            "seq",
        ),
    ] {
        let mut c = Client::open(server).await;
        c.raw(&frame.to_string()).await;
        let error = c.refused("bad_frame").await;
        if !error["text"].as_str().unwrap().contains(field) {
            unnamed.push(format!("{frame}: {field} is not named in {error}"));
        }
    }
    assert!(unnamed.is_empty(), "{}", unnamed.join("\n"));
}

#[tokio::test]
async fn a_wrong_beginning_ends_the_connection() {
    let server = Server::shared();
    for (frame, code) in [
        (hello("9999"), "unknown_municipality"),
        (hello("0000"), "unknown_municipality"),
        (
            json!({"type": "hello", "v": 1, "municipality": "Aarhus", "lang": "da"}),
            "unknown_municipality",
        ),
        (
            json!({"type": "hello", "v": 2, "municipality": "0751", "lang": "da"}),
            "unsupported_version",
        ),
        (
            json!({"type": "message", "client_id": "a", "text": "hej"}),
            "hello_expected",
        ),
    ] {
        let mut c = Client::open(server).await;
        c.raw(&frame.to_string()).await;
        c.refused(code).await;
        assert_eq!(c.end().await, (vec![], Some(1008)), "{frame}");
    }
}

#[tokio::test]
async fn silence_is_not_waited_for() {
    let server = Server::shared();
    let mut c = Client::open(server).await;
    let start = Instant::now();
    // Nor does a sign of life count.
    c.send(&json!({"type": "ping", "n": 1})).await;
    c.next("pong").await;
    c.refused("hello_expected").await;
    assert_eq!(c.end().await, (vec![], Some(1008)));
    let took = start.elapsed().as_secs_f64();
    assert!((9.5..20.0).contains(&took), "{took} s");
}

#[tokio::test]
async fn a_binary_frame_closes_the_connection() {
    let server = Server::shared();
    let (mut c, _) = Client::hello(server, "0751").await;
    c.message(Message::binary(hello("0751").to_string().into_bytes()))
        .await;
    assert_eq!(c.end().await, (vec![], Some(1003)));
}

#[tokio::test]
async fn a_long_message_is_refused_and_the_next_is_answered() {
    let server = Server::shared();
    let (mut c, _) = Client::hello(server, "0751").await;
    for (id, text) in [("ascii", "a".repeat(2001)), ("danish", "å".repeat(2001))] {
        c.raw(&json!({"type": "message", "client_id": id, "text": text}).to_string())
            .await;
        let error = c.refused("too_large").await;
        assert_eq!(error["client_id"], id);
        assert!(error["text"].as_str().unwrap().contains('2'), "{error}");
    }
    for (id, text) in [("just", "å".repeat(2000)), ("emoji", "😀".repeat(2000))] {
        let turn = c.ask(id, &text).await;
        assert_eq!(turn[0]["text"], *text);
    }
    for (id, text) in [("empty", ""), ("blank", " \n\t "), ("unseen", "\u{200b}")] {
        c.raw(&json!({"type": "message", "client_id": id, "text": text}).to_string())
            .await;
        assert_eq!(c.refused("bad_frame").await["client_id"], id);
    }
    c.ask("q", "Hvordan fornyer jeg mit pas?").await;
}

#[tokio::test]
async fn a_flood_of_frames_closes_the_connection() {
    let server = Server::shared();
    let (mut c, _) = Client::hello(server, "0751").await;
    for n in 0..400 {
        c.send(&json!({"type": "ping", "n": n})).await;
    }
    let (frames, code) = c.end().await;
    let (pongs, rest): (Vec<_>, Vec<_>) = frames.iter().partition(|f| f["type"] == "pong");
    assert!(pongs.len() >= 299, "{}", pongs.len());
    assert_eq!(rest.len(), 1, "{rest:?}");
    assert_eq!(rest[0]["code"], "rate_limited");
    assert_eq!(code, Some(1008));
}

#[tokio::test]
async fn ten_thousand_connections_leave_nothing_behind() {
    const WAVE: usize = 200;
    let server = Server::own();
    let mut open = Vec::new();
    for _ in 0..3 {
        open.push(Client::hello(&server, "0751").await.0);
    }
    let live = || server.get_json("/health/ready").1["live"].as_u64().unwrap();
    let settled = async |want: u64| {
        let drained = async {
            while live() != want {
                sleep(Duration::from_millis(20)).await;
            }
        };
        if timeout(Duration::from_secs(60), drained).await.is_err() {
            panic!("{} are live, {want} are open", live());
        }
    };
    let mut settled_at = 0;
    for wave in 0..10_000 / WAVE {
        let clients = join_all((0..WAVE).map(async |i| {
            if i % 2 == 0 {
                Client::open(&server).await
            } else {
                Client::hello(&server, "0751").await.0
            }
        }));
        drop(clients.await);
        if wave == 4 {
            settled(3).await;
            settled_at = server.resident();
        }
    }
    settled(3).await;
    still_answers(&server).await;
    let turn = open[0].ask("q", "Hvordan fornyer jeg mit pas?").await;
    assert_eq!(turn[0]["seq"], 1);
    let after = server.resident();
    assert!(
        after < settled_at + (40 << 20),
        "{} MB after 1,000 connections, {} MB after 10,000",
        settled_at >> 20,
        after >> 20
    );
    drop(open);
    settled(0).await;
    assert!(!server.stderr().contains("panicked"), "{}", server.stderr());
}

#[test]
fn unknown_addresses_are_answered_in_json() {
    let server = Server::shared();
    for (path, code) in [
        ("/demo/9999", "unknown_municipality"),
        ("/demo/x%20y", "unknown_municipality"),
        ("/api/municipalities/9999/theme", "unknown_municipality"),
        ("/nowhere", "not_found"),
        ("/pages/../Cargo.toml", "not_found"),
    ] {
        let (status, body) = server.get_json(path);
        assert_eq!(status, 404, "{path}");
        assert_eq!(body["code"], code, "{path}");
        assert_ne!(body["text"], "", "{path}");
    }
}

#[test]
fn thirty_nine_municipalities_have_legible_themes() {
    let server = Server::shared();
    let (status, list) = server.get_json("/api/municipalities");
    let list = list.as_array().unwrap();
    assert_eq!((status, list.len()), (200, 39));
    for m in list {
        let code = m["code"].as_str().unwrap();
        let (_, theme) = server.get_json(&format!("/api/municipalities/{code}/theme"));
        assert_eq!(theme["name"], m["name"]);
        assert!(theme["contrast"].as_f64().unwrap() >= 4.5, "{theme}");
    }
}
