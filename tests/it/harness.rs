//! The real program: started on a free port, asked over HTTP, killed; and its commands.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

/// A cache that was never filled takes the model's download, the encoding and the training.
const START_WITHIN: Duration = Duration::from_secs(900);
const LISTENING: &str = "Borgerlinje is listening on ";
const METRICS: &str = "Metrics are at http://";

/// Every file below a folder, in order.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            out.extend(files_below(&path));
        } else {
            out.push(path);
        }
    }
    out.sort();
    out
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The program with the repository's knowledge and the cache that all tests share.
pub(crate) fn borgerlinje(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_borgerlinje"));
    let cache = std::env::var_os("BORGERLINJE_CACHE").filter(|v| !v.is_empty());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("BORGERLINJE_") {
            command.env_remove(name);
        }
    }
    command
        .args(arguments)
        .env("BORGERLINJE_HOME", root())
        .env(
            "BORGERLINJE_CACHE",
            cache.map_or_else(|| root().join("cache"), PathBuf::from),
        )
        .current_dir(root());
    command
}

/// Runs a command that needs a warm cache to its end.
pub(crate) fn run(arguments: &[&str], input: &[u8]) -> Output {
    // Whoever comes first fills the cache; a second would do the same work beside it.
    Server::shared();
    finish(&mut borgerlinje(arguments), input)
}

pub(crate) fn finish(command: &mut Command, input: &[u8]) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // A program that does not read its input closes the pipe: that is for the caller to judge.
    let writer = std::thread::spawn(move || stdin.write_all(&input).ok());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

/// What a command printed, when it succeeded.
#[track_caller]
pub(crate) fn printed(output: &Output) -> String {
    assert!(
        output.status.success(),
        "{}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// A running service. Ends with this value, and with the test process however that ends.
pub(crate) struct Server {
    child: Child,
    /// Waits for the end of our process, then kills the service: a static is never dropped.
    guard: Child,
    pub(crate) address: String,
    data: PathBuf,
    /// What it wrote to standard error so far.
    stderr: Arc<Mutex<Vec<u8>>>,
    /// And to standard output.
    stdout: Arc<Mutex<Vec<u8>>>,
    _own: Option<TempDir>,
}

impl Server {
    /// The one that most tests talk to.
    pub(crate) fn shared() -> &'static Server {
        static SHARED: OnceLock<Server> = OnceLock::new();
        SHARED.get_or_init(|| Self::with(&[]))
    }

    /// One of the test's own, with a data folder that goes with it.
    pub(crate) fn own() -> Server {
        Self::shared();
        Self::with(&[])
    }

    /// As [`Server::own`], with the environment changed.
    pub(crate) fn with(environment: &[(&str, &str)]) -> Server {
        let data = TempDir::with_prefix("borgerlinje-it-").unwrap();
        let mut server = Self::on(data.path(), environment);
        server._own = Some(data);
        server
    }

    /// One on a data folder that outlives it.
    pub(crate) fn on(data: &Path, environment: &[(&str, &str)]) -> Server {
        let mut child = borgerlinje(&["serve"])
            .env("BORGERLINJE_LISTEN", "127.0.0.1:0")
            .env("BORGERLINJE_DATA", data)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let guard = Command::new("sh")
            .args([
                "-c",
                r#"trap '' INT TERM; read -r _; kill -9 "$0"; rm -rf "$1""#,
            ])
            .arg(child.id().to_string())
            .arg(data)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let stderr = Arc::new(Mutex::new(Vec::new()));
        let (mut from, into) = (child.stderr.take().unwrap(), stderr.clone());
        std::thread::spawn(move || {
            let mut block = [0; 4096];
            while let Ok(n @ 1..) = from.read(&mut block) {
                into.lock().unwrap().extend_from_slice(&block[..n]);
            }
        });
        let (tell, said) = channel();
        let printed = Arc::new(Mutex::new(Vec::new()));
        let into = printed.clone();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                into.lock().unwrap().extend_from_slice(line.as_bytes());
                into.lock().unwrap().push(b'\n');
                let url = line.strip_prefix(LISTENING);
                if let Some((_, address)) = url.and_then(|url| url.split_once("://")) {
                    let _ = tell.send(address.to_owned());
                }
            }
        });
        let mut server = Server {
            child,
            guard,
            address: String::new(),
            data: data.to_owned(),
            stderr,
            stdout: printed,
            _own: None,
        };
        match said.recv_timeout(START_WITHIN) {
            Ok(address) => server.address = address,
            Err(e) => panic!("the service did not come up ({e}):\n{}", server.stderr()),
        }
        server
    }

    pub(crate) fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.stderr.lock().unwrap()).into_owned()
    }

    pub(crate) fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.stdout.lock().unwrap()).into_owned()
    }

    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// Asks the service to stop, as an operator does.
    pub(crate) fn terminate(&self) {
        let pid = self.child.id().to_string();
        let told = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(told.unwrap().success());
    }

    /// Whether the service ended by itself, and well.
    pub(crate) fn ended(mut self) -> bool {
        let status = self.child.wait().unwrap();
        status.success()
    }

    /// Every byte of every file in the data folder.
    pub(crate) fn stored(&self) -> Vec<(String, Vec<u8>)> {
        let files = files_below(&self.data).into_iter();
        files
            .map(|path| {
                let bytes = std::fs::read(&path).unwrap();
                (path.display().to_string(), bytes)
            })
            .collect()
    }

    /// What the system lets it have, as /proc says it.
    pub(crate) fn limits(&self) -> String {
        std::fs::read_to_string(format!("/proc/{}/limits", self.child.id())).unwrap()
    }

    /// Resident memory, in bytes.
    pub(crate) fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap();
        let kb: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        kb << 10
    }

    /// As a power cut: nothing can be tidied up.
    pub(crate) fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        // The guard first: it must not kill whoever has this number next.
        for child in [&mut self.guard, &mut self.child] {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// The status and the body at a path.
    pub(crate) fn get(&self, path: &str) -> (u16, String) {
        Self::get_at(&self.address, path)
    }

    /// The page of metrics, of a service that has an address for them.
    #[track_caller]
    pub(crate) fn metrics(&self) -> String {
        let (status, page) = Self::get_at(&self.metrics_address(), "/metrics");
        assert_eq!(status, 200, "{page}");
        page
    }

    #[track_caller]
    pub(crate) fn metrics_address(&self) -> String {
        let said = self.stdout();
        let line = said.lines().find_map(|l| l.strip_prefix(METRICS));
        let line = line.unwrap_or_else(|| panic!("no metrics are served: {said}"));
        line.strip_suffix("/metrics").unwrap().to_owned()
    }

    /// As [`Server::get`], at another address.
    pub(crate) fn get_at(address: &str, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, body.to_owned())
    }

    pub(crate) fn get_json(&self, path: &str) -> (u16, Value) {
        let (status, body) = self.get(path);
        (status, serde_json::from_str(&body).unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

/// Waits until it is so, a minute at most; `what` is what it was waited for.
pub(crate) async fn until(what: &str, mut there: impl FnMut() -> bool) {
    for _ in 0..600 {
        if there() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{what}");
}
