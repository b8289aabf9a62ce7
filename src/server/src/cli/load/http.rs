//! The few requests that come before the sockets.

use std::net::SocketAddr;

use serde::Deserialize;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::Failure;

/// A session of staff.
pub(in crate::cli) struct Session {
    /// As the `Cookie` header has it.
    pub(in crate::cli) cookie: String,
    pub(in crate::cli) csrf: String,
}

#[derive(Deserialize)]
struct Municipality {
    code: String,
}

#[derive(Deserialize)]
struct SignedIn {
    csrf: String,
}

/// One request on a connection of its own: status, headers, body.
pub(in crate::cli) async fn ask(
    address: SocketAddr,
    request: &str,
) -> Result<(u16, String, String), Failure> {
    let mut socket = TcpStream::connect(address).await?;
    socket.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("not HTTP")?;
    let status = head.split(' ').nth(1).and_then(|s| s.parse().ok());
    Ok((status.ok_or("not HTTP")?, head.to_owned(), body.to_owned()))
}

pub(in crate::cli) async fn municipalities(address: SocketAddr) -> Result<Vec<String>, Failure> {
    let request =
        format!("GET /api/municipalities HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    let (_, _, body) = ask(address, &request).await?;
    let all: Vec<Municipality> = serde_json::from_str(&body)?;
    Ok(all.into_iter().map(|m| m.code).collect())
}

pub(in crate::cli) async fn sign_in(
    address: SocketAddr,
    user: &str,
    password: &str,
) -> Result<Session, Failure> {
    let body = json!({"user": user, "password": password}).to_string();
    let request = format!(
        "POST /api/session HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let (status, head, body) = ask(address, &request).await?;
    if status != 200 {
        return Err(format!("{user} cannot sign in: {status} {body}").into());
    }
    let cookie = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let pair = value.split(';').next()?.trim();
        name.eq_ignore_ascii_case("set-cookie")
            .then(|| pair.to_owned())
    });
    let signed_in: SignedIn = serde_json::from_str(&body)?;
    Ok(Session {
        cookie: cookie.ok_or("no session cookie came")?,
        csrf: signed_in.csrf,
    })
}
