//! A redis-server of the test's own, a wire that can be cut, and a bench for either store.

use std::net::TcpListener as StdListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use base::ManualClock;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::sleep;

use crate::log::*;
use crate::{Journal, Options};

/// Whether there is a redis-server. Where CI is set there must be one.
pub(crate) fn redis_is_here() -> bool {
    let here = Command::new("redis-server")
        .arg("--version")
        .stdout(Stdio::null())
        .status()
        .is_ok();
    if !here {
        assert!(
            std::env::var_os("CI").is_none(),
            "there is no redis-server, and CI needs one"
        );
        println!("SKIPPED: there is no redis-server (apt-get install redis-server)");
    }
    here
}

/// A process that ends with the test, also when it fails.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn free_port() -> u16 {
    let socket = StdListener::bind("127.0.0.1:0").unwrap();
    socket.local_addr().unwrap().port()
}

pub(crate) struct Server {
    child: Running,
    pub(crate) port: u16,
    pub(crate) dir: tempfile::TempDir,
    args: Vec<String>,
    /// The largest file it may write, in KiB: then its disk is full.
    disk: Option<u32>,
}

impl Server {
    /// With the AOF on; `args` as on the command line.
    pub(crate) async fn start(args: &[&str]) -> Self {
        Self::start_with(args, None).await
    }

    pub(crate) async fn start_with(args: &[&str], disk: Option<u32>) -> Self {
        let (port, dir) = (free_port(), tempfile::tempdir().unwrap());
        let mut all: Vec<String> = format!(
            "--bind 127.0.0.1 --port {port} --dir {} --save \"\" --appendonly yes --appendfsync no \
             --enable-debug-command yes --loglevel warning",
            dir.path().display()
        )
        .split(' ')
        .map(|a| a.trim_matches('"').to_owned())
        .collect();
        all.extend(args.iter().map(|a| (*a).to_owned()));
        let child = Self::spawn(&all, disk);
        let server = Self {
            child,
            port,
            dir,
            args: all,
            disk,
        };
        server.ready().await;
        server
    }

    fn spawn(args: &[String], disk: Option<u32>) -> Running {
        let limit = disk.map_or(String::new(), |kib| {
            format!("trap '' XFSZ; ulimit -f {kib}; ")
        });
        let child = Command::new("bash")
            .args(["-c", &format!("{limit}exec redis-server \"$@\""), "redis"])
            .args(args)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Running(child)
    }

    pub(crate) async fn ready(&self) {
        for _ in 0..400 {
            if let Ok(mut socket) = TcpStream::connect(("127.0.0.1", self.port)).await {
                socket.write_all(b"PING\r\n").await.unwrap();
                let mut answer = [0; 5];
                let read = socket.read_exact(&mut answer).await;
                // TLS servers answer nothing that is PONG, but they answer.
                if read.is_err() || &answer == b"+PONG" {
                    return;
                }
            }
            sleep(Duration::from_millis(10)).await;
        }
        panic!("redis-server did not start");
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn cmd<T: ::redis::FromRedisValue>(&self, words: &[&str]) -> T {
        self.try_cmd(words).unwrap()
    }

    pub(crate) fn try_cmd<T: ::redis::FromRedisValue>(
        &self,
        words: &[&str],
    ) -> ::redis::RedisResult<T> {
        let mut conn = ::redis::Client::open(self.url())?.get_connection()?;
        let mut cmd = ::redis::cmd(words[0]);
        for word in &words[1..] {
            cmd.arg(*word);
        }
        cmd.query(&mut conn)
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.child.0.kill().unwrap();
        self.child.0.wait().unwrap();
    }

    pub(crate) async fn start_again(&mut self) {
        self.child = Self::spawn(&self.args, self.disk);
        self.ready().await;
    }

    /// From the next start on, its disk has room.
    pub(crate) fn roomier(&mut self) {
        self.disk = None;
    }

    /// STOP or CONT.
    pub(crate) fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.0.id());
        assert!(
            Command::new("sh")
                .args(["-c", &kill])
                .status()
                .unwrap()
                .success()
        );
    }

    /// A copy of the files as they are now.
    pub(crate) fn copy(&self) -> tempfile::TempDir {
        let copy = tempfile::tempdir().unwrap();
        copy_files(self.dir.path(), copy.path());
        copy
    }

    /// Replaces the files by a copy; the server must be dead.
    pub(crate) fn put(&self, copy: &Path) {
        let _ = std::fs::remove_dir_all(self.dir.path().join("appendonlydir"));
        copy_files(copy, self.dir.path());
    }
}

fn copy_files(from: &Path, to: &Path) {
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap().path();
        let target = to.join(file.file_name().unwrap());
        if file.is_dir() {
            std::fs::create_dir_all(&target).unwrap();
            copy_files(&file, &target);
        } else {
            std::fs::copy(&file, &target).unwrap();
        }
    }
}

/// What a wire does with its connections.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Mode {
    Pass,
    /// Every answer comes this much later.
    Slow(Duration),
    /// Requests arrive; of answers nothing, nor of any later one on the same connection.
    Mute,
    /// Connections are closed at once, old and new.
    Cut,
}

/// A TCP proxy before a server.
pub(crate) struct Wire {
    pub(crate) port: u16,
    mode: watch::Sender<Mode>,
}

impl Wire {
    pub(crate) async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mode = watch::Sender::new(Mode::Pass);
        let wire = Self {
            port: listener.local_addr().unwrap().port(),
            mode: mode.clone(),
        };
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let mode = mode.subscribe();
                if *mode.borrow() == Mode::Cut {
                    continue;
                }
                tokio::spawn(async move {
                    let Ok(far) = TcpStream::connect(("127.0.0.1", port)).await else {
                        return;
                    };
                    let ((near_in, near_out), (far_in, far_out)) =
                        (near.into_split(), far.into_split());
                    let mut end = mode.clone();
                    tokio::select! {
                        () = pump(near_in, far_out, None) => {}
                        () = pump(far_in, near_out, Some(mode)) => {}
                        _ = end.wait_for(|m| *m == Mode::Cut) => {}
                    }
                });
            }
        });
        wire
    }

    pub(crate) fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}

async fn pump(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    mode: Option<watch::Receiver<Mode>>,
) {
    let mut chunk = vec![0; 64 * 1024];
    let mut mute = false;
    loop {
        let Ok(n @ 1..) = from.read(&mut chunk).await else {
            return;
        };
        let now = mode.as_ref().map_or(Mode::Pass, |m| *m.borrow());
        if let Mode::Slow(by) = now {
            sleep(by).await;
        }
        mute |= now == Mode::Mute;
        if mute {
            continue;
        }
        if to.write_all(&chunk[..n]).await.is_err() {
            return;
        }
    }
}

/// A journal in a folder of its own.
pub(crate) fn journal() -> (tempfile::TempDir, Journal) {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(&dir.path().join("journal.db"), &Options::default()).unwrap();
    (dir, journal)
}

/// Settings that make tests short.
pub(crate) fn hasty(url: String) -> RedisOptions {
    RedisOptions {
        connect: Duration::from_millis(300),
        answer: Duration::from_millis(300),
        patience: Duration::from_millis(1500),
        poll: Duration::from_millis(100),
        grace: Duration::ZERO,
        keep: Keep { tail: 5 },
        ..RedisOptions::new(url)
    }
}

/// A store to test, and as many logs over it as wanted.
pub(crate) enum Bench {
    Embedded {
        _dir: tempfile::TempDir,
        journal: Journal,
        clock: ManualClock,
    },
    Redis {
        server: Arc<Server>,
        prefix: String,
    },
}

impl Bench {
    pub(crate) fn embedded() -> Option<Self> {
        let (dir, journal) = journal();
        Some(Self::Embedded {
            _dir: dir,
            journal,
            clock: ManualClock::at(crate::tests::at(0)),
        })
    }

    pub(crate) async fn redis() -> Option<Self> {
        if !redis_is_here() {
            return None;
        }
        Some(Self::Redis {
            server: Arc::new(Server::start(&[]).await),
            prefix: "test".to_owned(),
        })
    }

    /// A handle of a node of this name, found ready to append to. With Redis it has a new journal.
    pub(crate) async fn log(&self, node: &str) -> Log {
        let log = match self {
            Self::Embedded { journal, clock, .. } => {
                let clock = Arc::new(clock.clone());
                Log::embedded(journal.clone(), clock, node, Keep { tail: 5 }).unwrap()
            }
            Self::Redis { server, prefix } => {
                let options = RedisOptions {
                    prefix: prefix.clone(),
                    ..hasty(server.url())
                };
                Log::redis(Journal::in_memory().unwrap(), node, &options).unwrap()
            }
        };
        assert_eq!(log.recover().await, Ok(Recovered::default()));
        log
    }

    /// An empty store of the same kind.
    pub(crate) fn empty(self) -> Self {
        match self {
            Self::Embedded { .. } => Self::embedded().unwrap(),
            Self::Redis { server, prefix } => Self::Redis {
                server,
                prefix: prefix + "-",
            },
        }
    }

    pub(crate) async fn wait(&self, ms: u64) {
        match self {
            Self::Embedded { clock, .. } => clock.advance(Duration::from_millis(ms)),
            Self::Redis { .. } => sleep(Duration::from_millis(ms)).await,
        }
    }
}

/// A node with a journal of its own on disk, kept when the node is started again.
pub(crate) struct Home {
    pub(crate) dir: tempfile::TempDir,
    name: String,
    options: RedisOptions,
}

impl Home {
    pub(crate) fn new(name: &str, url: String) -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            name: name.to_owned(),
            options: hasty(url),
        }
    }

    pub(crate) fn with(mut self, change: impl FnOnce(&mut RedisOptions)) -> Self {
        change(&mut self.options);
        self
    }

    pub(crate) fn log(&self) -> Log {
        let path = self.dir.path().join("journal.db");
        let journal = Journal::open(&path, &Options::default()).unwrap();
        Log::redis(journal, &self.name, &self.options).unwrap()
    }

    /// Started: recovered and read to the end.
    pub(crate) async fn node(&self) -> super::Node {
        let mut node = super::Node::new(self.log());
        node.recover().await;
        node.catch_up().await;
        node
    }
}
