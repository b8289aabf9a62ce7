//! Sockets of the chat, from a network of one's choice.

use std::net::{Ipv4Addr, SocketAddr};

use futures_util::SinkExt as _;
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

pub(super) type Socket = WebSocketStream<TcpStream>;

const BUFFER: usize = 4 << 10;

/// The n-th network of measurements.
pub(super) fn network(n: usize) -> Ipv4Addr {
    let n = (n % 0x1_fffe + 1) as u32;
    Ipv4Addr::from(u32::from(Ipv4Addr::new(198, 18, 0, 0)) + n)
}

/// A connection to the service; `room` is how much may lie unread at this end, in bytes, where it matters.
pub(super) async fn tcp(address: SocketAddr, room: Option<u32>) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    if let Some(room) = room {
        socket.set_recv_buffer_size(room)?;
    }
    let stream = socket.connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// A socket of the chat, before `hello`.
pub(super) async fn chat(stream: TcpStream, from: Ipv4Addr) -> Result<Socket, Error> {
    let address = stream.peer_addr()?;
    let mut request = format!("ws://{address}/ws/chat").into_client_request()?;
    let from = HeaderValue::try_from(from.to_string()).map_err(|e| Error::HttpFormat(e.into()))?;
    request.headers_mut().insert("x-forwarded-for", from);
    let config = WebSocketConfig::default()
        .read_buffer_size(BUFFER)
        .write_buffer_size(0)
        .max_write_buffer_size(16 * BUFFER);
    let (socket, _) = client_async_with_config(request, stream, Some(config)).await?;
    Ok(socket)
}

pub(super) fn hello(municipality: &str) -> Value {
    json!({"type": "hello", "v": 1, "municipality": municipality, "lang": "da"})
}

pub(super) async fn say(socket: &mut Socket, frame: &Value) -> Result<(), Error> {
    socket.send(Message::text(frame.to_string())).await
}
