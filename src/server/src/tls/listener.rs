//! The listener: whoever has shaken hands is handed on, in the order in which they finish.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::serve::Listener;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// A handshake takes two ways there and back.
const WITHIN: Duration = Duration::from_secs(10);
/// Handshakes under way. One more, and the oldest is given up: whoever means it has long finished.
const MOST: usize = 1_024;
/// Who has finished and is not taken yet.
const READY: usize = 64;

type Ready = (TlsStream<TcpStream>, SocketAddr);

/// Accepts connections and shakes hands with them beside one another.
pub(crate) struct Handshakes {
    tcp: TcpListener,
    acceptor: TlsAcceptor,
    /// Ends them all when the listener goes.
    tasks: JoinSet<()>,
    /// The oldest first; some have ended.
    underway: VecDeque<AbortHandle>,
    most: usize,
    tell: Sender<Ready>,
    ready: Receiver<Ready>,
}

impl Handshakes {
    pub(crate) fn new(tcp: TcpListener, acceptor: TlsAcceptor) -> Self {
        Self::bounded(tcp, acceptor, MOST)
    }

    /// As [`Handshakes::new`], with another number of handshakes under way.
    pub(super) fn bounded(tcp: TcpListener, acceptor: TlsAcceptor, most: usize) -> Self {
        let (tell, ready) = channel(READY);
        Self {
            tcp,
            acceptor,
            tasks: JoinSet::new(),
            underway: VecDeque::new(),
            most,
            tell,
            ready,
        }
    }

    fn begin(&mut self, socket: TcpStream, peer: SocketAddr) {
        if let Err(e) = socket.set_nodelay(true) {
            tracing::debug!("a socket keeps its delay: {e}");
        }
        while self.tasks.try_join_next().is_some() {}
        if self.underway.len() >= self.most {
            self.underway.retain(|task| !task.is_finished());
        }
        if self.underway.len() >= self.most
            && let Some(oldest) = self.underway.pop_front()
        {
            oldest.abort();
        }
        let (shaking, tell) = (self.acceptor.accept(socket), self.tell.clone());
        let task = self.tasks.spawn(async move {
            match timeout(WITHIN, shaking).await {
                // Nobody takes it when the service stops.
                Ok(Ok(stream)) => drop(tell.send((stream, peer)).await),
                Ok(Err(e)) => tracing::debug!("no TLS came of a connection: {e}"),
                Err(_) => tracing::debug!("no TLS came of a connection in time"),
            }
        });
        self.underway.push_back(task);
    }
}

impl Listener for Handshakes {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            tokio::select! {
                // Its sender is here, so there is always another.
                Some(ready) = self.ready.recv() => return ready,
                (socket, peer) = Listener::accept(&mut self.tcp) => self.begin(socket, peer),
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.tcp.local_addr()
    }
}
