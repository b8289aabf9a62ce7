//! A redis-server of the test's own.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::time::sleep;

/// Whether there is a redis-server. Where CI is set there must be one.
pub(crate) fn is_here() -> bool {
    let mut version = Command::new("redis-server");
    version.arg("--version").stdout(Stdio::null());
    let here = version.status().is_ok();
    if !here {
        assert!(
            std::env::var_os("CI").is_none(),
            "there is no redis-server, and CI needs one"
        );
        println!("SKIPPED: there is no redis-server (apt-get install redis-server)");
    }
    here
}

/// Ends with this value.
pub(crate) struct Server {
    child: Child,
    pub(crate) port: u16,
    dir: tempfile::TempDir,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let dir = tempfile::tempdir().unwrap();
        let child = spawn(port, dir.path());
        let server = Self { child, port, dir };
        server.ready().await;
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    async fn ready(&self) {
        for _ in 0..500 {
            if self.try_say("PING").is_some_and(|a| a.starts_with("+PONG")) {
                return;
            }
            sleep(Duration::from_millis(10)).await;
        }
        panic!("redis-server did not start");
    }

    /// A command on one line, and the beginning of the answer.
    pub(crate) fn say(&self, line: &str) -> String {
        self.try_say(line).unwrap()
    }

    fn try_say(&self, line: &str) -> Option<String> {
        let mut socket = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        socket.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        socket.write_all(format!("{line}\r\n").as_bytes()).ok()?;
        let mut answer = [0; 512];
        let read = socket.read(&mut answer).ok()?;
        Some(String::from_utf8_lossy(&answer[..read]).into_owned())
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) async fn start_again(&mut self) {
        self.child = spawn(self.port, self.dir.path());
        self.ready().await;
    }

    /// A copy of the files as they are now.
    pub(crate) fn copy(&self) -> tempfile::TempDir {
        let copy = tempfile::tempdir().unwrap();
        copy_files(self.dir.path(), copy.path());
        copy
    }

    /// Replaces the files by a copy; the server must be dead.
    pub(crate) fn put(&self, copy: &Path) {
        std::fs::remove_dir_all(self.dir.path().join("appendonlydir")).unwrap();
        copy_files(copy, self.dir.path());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(port: u16, dir: &Path) -> Child {
    Command::new("redis-server")
        .args([
            "--bind",
            "127.0.0.1",
            "--port",
            &port.to_string(),
            "--save",
            "",
        ])
        .args([
            "--appendonly",
            "yes",
            "--appendfsync",
            "always",
            "--loglevel",
            "warning",
        ])
        .args(["--dir", &dir.display().to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
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
