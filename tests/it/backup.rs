//! Backup and restore of the real program: while everybody writes, and killed (-9) in the middle of either.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use futures_util::future::join_all;
use tempfile::TempDir;
use tokio::sync::Semaphore;

use crate::client::Client;
use crate::desk_client::{ALL, Desk, account};
use crate::harness::{Server, borgerlinje, files_below, finish, printed, root};

const AARHUS: &str = "0751";
const CITIZENS: usize = 16;
/// What a citizen's rate allows.
const MESSAGES: usize = 18;

/// A machine to restore onto: a data folder and a knowledge folder that are not there yet.
pub(crate) struct Machine(TempDir);

impl Machine {
    pub(crate) fn new() -> Self {
        Self(TempDir::with_prefix("borgerlinje-machine-").unwrap())
    }

    fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    fn knowledge(&self) -> PathBuf {
        self.0.path().join("knowledge")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = borgerlinje(arguments);
        command
            .env("BORGERLINJE_DATA", self.data())
            .env("BORGERLINJE_KNOWLEDGE", self.knowledge());
        command
    }

    pub(crate) fn restore(&self, backup: &Path) -> String {
        let backup = backup.display().to_string();
        printed(&finish(&mut self.command(&["restore", &backup]), b""))
    }

    pub(crate) fn serve(&self, environment: &[(&str, &str)]) -> Server {
        let knowledge = self.knowledge().display().to_string();
        let mut all = vec![("BORGERLINJE_KNOWLEDGE", knowledge.as_str())];
        all.extend(environment);
        Server::on(&self.data(), &all)
    }
}

/// Backs a data folder up with the repository's knowledge, and says where to.
pub(crate) fn back_up(data: &Path, into: &Path) -> PathBuf {
    let folder = into.display().to_string();
    let mut command = borgerlinje(&["backup", &folder]);
    printed(&finish(command.env("BORGERLINJE_DATA", data), b""));
    backups(into).pop().unwrap()
}

/// The folders that have a backup's name.
fn backups(into: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(into) else {
        return Vec::new();
    };
    let mut out: Vec<PathBuf> = entries
        .map(|e| e.unwrap().path())
        .filter(|p| {
            p.file_name()
                .unwrap()
                .to_string_lossy()
                .starts_with("borgerlinje-")
        })
        .collect();
    out.sort();
    out
}

fn check(backup: &Path) {
    let path = backup.display().to_string();
    printed(&finish(
        &mut borgerlinje(&["backup", "--check", &path]),
        b"",
    ));
}

/// Who wrote what, as far as it was acknowledged.
pub(crate) struct Told {
    pub(crate) dialogue: String,
    pub(crate) token: String,
    pub(crate) acknowledged: Vec<String>,
}

/// Writes on and on; with each acknowledgement `begun` has one more permit.
async fn write(mut c: Client, begun: &Semaphore, said: &std::sync::Mutex<Vec<String>>) {
    for n in 0..MESSAGES {
        let id = format!("m-{n}");
        c.say(&id, "Hvornår bliver storskrald hentet?").await;
        loop {
            let Some(frame) = c.frame().await else { return };
            if frame["type"] == "citizen" && frame["client_id"] == id.as_str() {
                break;
            }
        }
        said.lock().unwrap().push(id);
        begun.add_permits(1);
    }
}

/// The client ids of what a citizen said, as a node has them now.
pub(crate) async fn said(server: &Server, told: &Told) -> BTreeSet<String> {
    let events = Client::events(server, AARHUS, &told.dialogue, &told.token, 0).await;
    let ids = events.iter().filter(|e| e["type"] == "citizen");
    ids.map(|e| e["client_id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_acknowledged_before_a_backup_under_load_is_in_it() {
    let server = Server::own();
    account(&server, "anna", "Anna", ALL);
    let into = TempDir::new().unwrap();
    let citizens = join_all((0..CITIZENS).map(|_| Client::hello(&server, AARHUS))).await;
    let begun = Semaphore::new(0);
    let mut lists = Vec::new();
    let mut people = Vec::new();
    for (client, _) in citizens {
        people.push((client.dialogue.clone(), client.token.clone()));
        lists.push((client, std::sync::Mutex::new(Vec::new())));
    }
    let (clients, lists): (Vec<Client>, Vec<_>) = lists.into_iter().unzip();
    let writing = join_all(
        clients
            .into_iter()
            .zip(&lists)
            .map(|(c, l)| write(c, &begun, l)),
    );
    let (data, folder) = (server.data().to_owned(), into.path().to_owned());
    let backing_up = async {
        // In the midst of it.
        let half = (CITIZENS * MESSAGES / 3) as u32;
        begun.acquire_many(half).await.unwrap().forget();
        let before: Vec<Vec<String>> = lists.iter().map(|l| l.lock().unwrap().clone()).collect();
        let made = tokio::task::spawn_blocking(move || back_up(&data, &folder));
        let backup = made.await.unwrap();
        let during: usize = lists.iter().map(|l| l.lock().unwrap().len()).sum();
        (before, backup, during)
    };
    let ((before, backup, during), _) = tokio::join!(backing_up, writing);
    let told: Vec<Told> = people
        .into_iter()
        .zip(before)
        .map(|((dialogue, token), acknowledged)| Told {
            dialogue,
            token,
            acknowledged,
        })
        .collect();
    let known: usize = told.iter().map(|t| t.acknowledged.len()).sum();
    println!("{known} acknowledged before the backup, {during} when it was made");
    server.kill();
    check(&backup);

    let machine = Machine::new();
    println!("{}", machine.restore(&backup).trim());
    let server = machine.serve(&[]);
    for t in &told {
        let there = said(&server, t).await;
        for id in &t.acknowledged {
            assert!(there.contains(id), "{id} was acknowledged: {there:?}");
        }
    }
    // And it goes on: the dialogue, the account, the release.
    let (status, ready) = server.get_json("/health/ready");
    assert_eq!(
        (status, ready["dialogues"].as_u64()),
        (200, Some(CITIZENS as u64))
    );
    let mut c = Client::resume(&server, AARHUS, &told[0].dialogue, &told[0].token, 0).await;
    assert_eq!(c.next("welcome").await["resumed"], true);
    c.say("after", "Hvordan fornyer jeg mit pas?").await;
    while c.next("citizen").await["client_id"] != "after" {}
    Desk::of(&server, "anna").await;
    let shared = fs::read(machine.knowledge().join("satser.toml")).unwrap();
    assert_eq!(
        shared,
        fs::read(root().join("knowledge/satser.toml")).unwrap()
    );
}

/// A data folder and a knowledge folder that take a while to copy.
fn large() -> Machine {
    let machine = Machine::new();
    let server = Server::on(&machine.data(), &[]);
    account(&server, "gammel", "Gammel", ALL);
    server.kill();
    for n in 0..1_500 {
        let folder = machine
            .knowledge()
            .join(format!("shared/omraade-{}", n % 30));
        fs::create_dir_all(&folder).unwrap();
        fs::write(
            folder.join(format!("{n}.md")),
            format!("{n} ").repeat(2_000),
        )
        .unwrap();
    }
    machine
}

fn start(mut command: Command) -> Child {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Kills (-9) once that holds; whether the process was still at work.
fn kill_when(child: &mut Child, holds: impl Fn() -> bool) -> bool {
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "{status}");
            return false;
        }
        if holds() {
            break;
        }
        std::thread::yield_now();
    }
    let _ = child.kill();
    !child.wait().unwrap().success()
}

/// Files below a hidden folder of this beginning.
fn hidden(folder: &Path, beginning: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut out = Vec::new();
    let mut folders: Vec<PathBuf> = entries
        .flatten()
        .map(|e| e.path())
        .filter(|p| {
            p.file_name()
                .unwrap()
                .to_string_lossy()
                .starts_with(beginning)
        })
        .collect();
    // What is looked at is moved meanwhile.
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                out.push(path);
            }
        }
    }
    out
}

#[test]
fn a_backup_that_is_killed_leaves_nothing_that_looks_whole() {
    let machine = large();
    let into = TempDir::new().unwrap();
    let folder = into.path().display().to_string();
    let at = |name: &'static str, files: usize| {
        let into = into.path().to_owned();
        move || {
            let found = hidden(&into, ".half-");
            let named = found.iter().any(|p| p.to_string_lossy().contains(name));
            named && found.len() >= files
        }
    };
    let mut killed = 0;
    for (name, files) in [
        ("accounts.sqlite", 1),
        ("journal.sqlite", 2),
        ("editor.sqlite", 3),
        ("knowledge/", 800),
        ("knowledge/", 1_503),
        ("backup.", 1_504),
        ("knowledge/", 10),
    ] {
        let mut child = start(machine.command(&["backup", &folder]));
        let in_midst = kill_when(&mut child, at(name, files));
        println!("{name} {files}: killed in the middle: {in_midst}");
        killed += usize::from(in_midst);
        let whole = backups(into.path());
        for backup in &whole {
            check(backup);
            fs::remove_dir_all(backup).unwrap();
        }
        assert!(in_midst || whole.len() == 1);
        // One that came to its end first has tidied up.
        assert!(!in_midst || !hidden(into.path(), ".half-").is_empty());
    }
    assert!(killed >= 4, "{killed}");
    printed(&finish(&mut machine.command(&["backup", &folder]), b""));
    check(&backups(into.path())[0]);
    assert!(hidden(into.path(), ".half-").is_empty(), "it tidies up");
}

#[test]
fn a_restore_that_is_killed_is_the_old_state_or_can_be_finished() {
    let source = large();
    let into = TempDir::new().unwrap();
    let folder = into.path().display().to_string();
    printed(&finish(&mut source.command(&["backup", &folder]), b""));
    let backup = backups(into.path()).pop().unwrap();
    let backup = backup.display().to_string();
    let machine = Machine::new();
    let server = Server::on(&machine.data(), &[]);
    account(&server, "lokal", "Lokal", ALL);
    server.kill();
    fs::create_dir_all(machine.knowledge()).unwrap();
    fs::write(machine.knowledge().join("texts.toml"), "lokal").unwrap();
    let users = || finish(&mut machine.command(&["user", "list"]), b"");
    let (data, knowledge) = (machine.data(), machine.knowledge());
    let note = data.join("restore.toml");
    let ready =
        |n: usize| hidden(&data, ".restore").len() + hidden(&knowledge, ".restore").len() >= n;
    let points: [(&str, &dyn Fn() -> bool); 6] = [
        ("the first file", &|| ready(1)),
        ("half of them", &|| ready(700)),
        ("all of them", &|| ready(1_504)),
        ("the note", &|| note.exists()),
        ("the old aside", &|| {
            note.exists() && !knowledge.join("texts.toml").exists()
        }),
        ("the new in place", &|| {
            note.exists() && knowledge.join("shared").exists()
        }),
    ];
    let (mut kept, mut finished) = (0, 0);
    for (name, point) in points {
        let mut child = start(machine.command(&["restore", "--replace", &backup]));
        let in_midst = kill_when(&mut child, point);
        let unfinished = note.exists();
        println!("killed at {name}: in the middle {in_midst}, to be finished {unfinished}");
        let listed = users();
        if unfinished {
            finished += 1;
            assert!(!listed.status.success());
            let why = String::from_utf8_lossy(&listed.stderr).into_owned();
            assert!(why.contains("was not finished"), "{why}");
            printed(&finish(&mut machine.command(&["restore", &backup]), b""));
        } else if printed(&listed).contains("lokal") {
            kept += 1;
            let text = fs::read_to_string(knowledge.join("texts.toml")).unwrap();
            assert_eq!(text, "lokal");
            continue;
        }
        assert!(printed(&users()).contains("gammel"));
        assert_eq!(files_below(&knowledge.join("shared")).len(), 1_500);
        // What was there lies aside: it is brought back for the next point.
        let mut aside: Vec<PathBuf> = fs::read_dir(&data)
            .unwrap()
            .map(|e| e.unwrap().path())
            .filter(|p| p.to_string_lossy().contains("before-restore-"))
            .collect();
        let old = aside.pop().unwrap();
        let name = format!(".{}", old.file_name().unwrap().to_string_lossy());
        let lokal = fs::read_to_string(knowledge.join(&name).join("texts.toml")).unwrap();
        assert_eq!(lokal, "lokal");
        let keep = machine.0.path().join("keep");
        fs::rename(&old, &keep).unwrap();
        fs::remove_dir_all(&data).unwrap();
        fs::rename(&keep, &data).unwrap();
        fs::remove_dir_all(&knowledge).unwrap();
        fs::create_dir_all(&knowledge).unwrap();
        fs::write(knowledge.join("texts.toml"), "lokal").unwrap();
    }
    assert!(kept >= 1, "{kept} kept, {finished} finished");
}

#[test]
fn the_next_backup_deletes_what_has_expired_and_names_what_it_cannot_judge() {
    let server = Server::own();
    let into = TempDir::new().unwrap();
    let folder = into.path().display().to_string();
    let next = || {
        let mut command = borgerlinje(&["backup", &folder]);
        finish(command.env("BORGERLINJE_DATA", server.data()), b"")
    };
    printed(&next());
    let first = backups(into.path()).pop().unwrap();
    printed(&next());
    assert_eq!(backups(into.path()).len(), 2, "neither has expired");
    let file = first.join("backup.toml");
    let text = fs::read_to_string(&file).unwrap();
    let date = regex::Regex::new("(?m)^expires = .*$").unwrap();
    let text = date.replace(&text, "expires = \"2026-01-01T00:00:00Z\"");
    fs::write(&file, &*text).unwrap();
    let said = printed(&next());
    assert!(said.contains("1 deleted, 2 kept"), "{said}");
    assert!(!first.exists());
    fs::write(backups(into.path())[0].join("backup.toml"), "hvad?").unwrap();
    let output = next();
    assert!(!output.status.success(), "somebody has to look at it");
    assert!(String::from_utf8_lossy(&output.stdout).contains("is left"));
    assert_eq!(backups(into.path()).len(), 3);
}

#[test]
fn a_data_folder_that_a_service_has_is_not_restored_into_nor_served_twice() {
    let server = Server::own();
    let into = TempDir::new().unwrap();
    let backup = back_up(server.data(), into.path()).display().to_string();
    for arguments in [&["restore", "--replace", &backup][..], &["serve"]] {
        let mut command = borgerlinje(arguments);
        command
            .env("BORGERLINJE_DATA", server.data())
            .env("BORGERLINJE_LISTEN", "127.0.0.1:0");
        let refused = finish(&mut command, b"");
        let why = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && why.contains("in use"), "{why}");
    }
    assert_eq!(server.get("/health/ready").0, 200);
}
