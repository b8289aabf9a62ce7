//! Nodes whose folders outlive their processes, and a Redis that can be killed.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Duration, sleep};

use crate::harness::Server;
use crate::studio_client::{Service, knowledge};

/// A redis-server that can be killed, forgets everything then, and is there again at the same address.
pub(crate) struct Redis {
    pub(crate) port: u16,
    child: Option<Child>,
}

impl Redis {
    /// None, and a line that says so, where there is no redis-server.
    pub(crate) async fn start() -> Option<Self> {
        let (probe, _) = crate::centre::redis()?;
        drop(probe);
        let mut redis = Self {
            port: own_port(),
            child: None,
        };
        redis.again().await;
        Some(redis)
    }

    pub(crate) async fn again(&mut self) {
        let child = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &self.port.to_string()])
            .args(["--save", "", "--appendonly", "no", "--dir", "/tmp"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.child = Some(child);
        for _ in 0..1_000 {
            if TcpStream::connect(("127.0.0.1", self.port)).await.is_ok() {
                return;
            }
            sleep(Duration::from_millis(10)).await;
        }
        panic!("redis-server did not start");
    }

    /// So much it may keep, in bytes; 0 is no limit.
    pub(crate) async fn memory(&self, bytes: usize) {
        let mut socket = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        let set = format!("CONFIG SET maxmemory {bytes}\r\n");
        socket.write_all(set.as_bytes()).await.unwrap();
        let mut answer = [0; 5];
        socket.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"+OK\r\n");
    }

    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A free port below those that the system gives out: nobody gets it while the server that had it is away.
fn own_port() -> u16 {
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    let first = std::process::id().wrapping_mul(61);
    loop {
        let n = first.wrapping_add(TAKEN.fetch_add(1, Ordering::Relaxed));
        // Below 30,000, so it fits.
        let port = 20_000 + (n % 10_000) as u16;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// A node's folders, which outlive its process.
pub(crate) struct Home {
    name: &'static str,
    url: String,
    pub(crate) data: TempDir,
    knowledge: Option<TempDir>,
}

impl Home {
    pub(crate) fn new(name: &'static str, redis: &Redis) -> Self {
        Self {
            name,
            url: format!("redis://127.0.0.1:{}", redis.port),
            data: TempDir::with_prefix("borgerlinje-node-").unwrap(),
            knowledge: Some(knowledge()),
        }
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.knowledge.as_ref().unwrap().path().join("knowledge")
    }

    pub(crate) fn start(&mut self) -> Service {
        let folder = self.folder();
        let environment = [
            ("BORGERLINJE_KNOWLEDGE", folder.to_str().unwrap()),
            ("BORGERLINJE_REDIS_URL", &self.url),
            ("BORGERLINJE_NODE", self.name),
        ];
        Service {
            server: Server::on(self.data.path(), &environment),
            knowledge: self.knowledge.take().unwrap(),
        }
    }

    /// As a power cut.
    pub(crate) fn kill(&mut self, service: Service) {
        let Service { server, knowledge } = service;
        server.kill();
        self.knowledge = Some(knowledge);
    }
}

/// A folder and all that is in it.
pub(crate) fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            fs::create_dir_all(&target).unwrap();
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}
