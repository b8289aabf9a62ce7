//! Backups of folders that no service runs over, and restores that end at every step.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use base::{Clock as _, DialogueId, Lang, ManualClock, Secret};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use storage::{
    Accounts, Editor, Journal, NewAccount, NewDialogue, NewEvent, NewSession, Options, Proof,
};

use super::lay::{NOTE, Under};
use super::restore::restore_told;
use super::*;
use crate::config::Config;
use crate::runtime::progress::Bars;

const KEEP: u16 = 14;

/// A machine: a data folder, a knowledge folder, and the time.
struct Machine {
    dir: tempfile::TempDir,
    config: Config,
    clock: ManualClock,
}

impl Machine {
    fn empty() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let place = |name: &str| dir.path().join(name).display().to_string();
        let config = Config::read(&|name| match name {
            "BORGERLINJE_HOME" => Some(dir.path().display().to_string()),
            "BORGERLINJE_DATA" => Some(place("data")),
            "BORGERLINJE_KNOWLEDGE" => Some(place("knowledge")),
            _ => None,
        });
        let clock = ManualClock::at("2026-11-22T12:00:00Z".parse().unwrap());
        Self {
            config: config.unwrap(),
            dir,
            clock,
        }
    }

    /// With a dialogue, an account and an article that are called so.
    fn with(name: &str) -> (Self, DialogueId) {
        let machine = Self::empty();
        let data = &machine.config.data;
        fs::create_dir_all(data).unwrap();
        let id = DialogueId::random();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let options = Options::default();
            let at = machine.clock.now();
            let journal = Journal::open(&data.join("journal.sqlite"), &options).unwrap();
            let new = NewDialogue {
                id: id.clone(),
                token: &Secret::random(),
                municipality: "0751".parse().unwrap(),
                lang: Lang::Da,
                at,
            };
            journal.create(new).await.unwrap();
            let event = NewEvent {
                kind: "citizen".to_owned(),
                json: format!(r#"{{"type":"citizen","text":"{name}"}}"#),
                client_id: Some("m-1".to_owned()),
            };
            journal.append(&id, vec![event], at).await.unwrap();
            let accounts = Accounts::open(&data.join("accounts.sqlite"), &options).unwrap();
            let account = NewAccount {
                user: name.to_owned(),
                details: "{}".to_owned(),
                password: "x".to_owned(),
            };
            accounts.add(vec![account], at).await.unwrap();
            let new = NewSession {
                sha256: [7; 32],
                user: name.to_owned(),
                password: "x".to_owned(),
                proof: Proof::None,
                origin: "127.0.0.1".to_owned(),
            };
            let session = accounts.begin_session(new, at);
            assert!(session.await.unwrap());
            let editor = Editor::open(&data.join("editor.sqlite"), &options).unwrap();
            for closed in [journal.close().await, accounts.close().await] {
                closed.unwrap();
            }
            editor.close().await.unwrap();
        });
        fs::write(data.join("node"), format!("node-{name}")).unwrap();
        let shared = machine.config.knowledge.join("shared");
        fs::create_dir_all(&shared).unwrap();
        fs::write(shared.join("a.md"), name).unwrap();
        fs::write(machine.config.knowledge.join("texts.toml"), name).unwrap();
        (machine, id)
    }

    fn backups(&self) -> PathBuf {
        self.dir.path().join("backups")
    }

    fn backup(&self) -> PathBuf {
        let made = make(
            &self.config,
            &self.backups(),
            KEEP,
            &self.clock,
            Bars::quiet(),
        );
        made.unwrap().0
    }

    fn restore(&self, backup: &Path, replace: bool) -> Result<Restored, Failure> {
        let wanted = wanted(backup, replace);
        restore(&self.config, &wanted, &self.clock, Bars::quiet())
    }

    fn refusal(&self, backup: &Path, replace: bool) -> String {
        self.restore(backup, replace).unwrap_err().to_string()
    }

    /// Whose data these are, in both folders.
    fn name(&self) -> (String, String) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let path = self.config.data.join("accounts.sqlite");
        let accounts = Accounts::open(&path, &Options::default()).unwrap();
        let all = runtime.block_on(accounts.list()).unwrap();
        runtime.block_on(accounts.close()).unwrap();
        let article = self.config.knowledge.join("shared/a.md");
        (all[0].user.clone(), fs::read_to_string(article).unwrap())
    }

    /// Every file of both folders that is no lock, by its path; without those that SQLite makes for whoever reads.
    fn everything(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        fn walk(dir: &Path, into: &mut BTreeMap<PathBuf, Vec<u8>>) {
            for entry in fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, into);
                    continue;
                }
                let name = path.file_name().unwrap().to_string_lossy();
                let of_readers = name.ends_with("-shm") || name.ends_with("-wal");
                if name != disk::LOCK && !of_readers {
                    into.insert(path.clone(), fs::read(path).unwrap());
                }
            }
        }
        let mut out = BTreeMap::new();
        walk(&self.config.data, &mut out);
        walk(&self.config.knowledge, &mut out);
        out
    }
}

fn wanted(backup: &Path, replace: bool) -> Wanted<'_> {
    Wanted {
        backup,
        replace,
        expired: false,
        erased: Vec::new(),
    }
}

fn both(name: &str) -> (String, String) {
    (name.to_owned(), name.to_owned())
}

fn change(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(path, text.replace(from, to)).unwrap();
}

#[test]
fn what_was_backed_up_comes_back_on_an_empty_machine() {
    use std::os::unix::fs::PermissionsExt as _;
    let (old, _) = Machine::with("ny");
    let backup = old.backup();
    let manifest = check(&backup, Bars::quiet()).unwrap();
    let days = manifest.expires.duration_since(manifest.made).as_hours();
    assert_eq!(days, 24 * i64::from(KEEP));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&backup), mode(&backup.join("data"))), (0o700, 0o700));
    for entry in &manifest.files {
        assert_eq!(mode(&backup.join(&entry.path)), 0o600, "{}", entry.path);
    }
    let new = Machine::empty();
    let Restored::New { ready, aside, .. } = new.restore(&backup, false).unwrap() else {
        panic!("there was nothing to finish");
    };
    assert_eq!((ready.dialogues, ready.erased, aside.len()), (1, 0, 0));
    assert_eq!(new.name(), both("ny"));
    let node = fs::read_to_string(new.config.data.join("node")).unwrap();
    assert_eq!(node, "node-ny");
    assert_eq!(mode(&new.config.data), 0o700);
    assert_eq!(mode(&new.config.data.join("journal.sqlite")), 0o600);
    // Nobody is signed in, and a chat that stayed open reads everything anew.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let options = Options::default();
        let open = |m: &Machine| Journal::open(&m.config.data.join("journal.sqlite"), &options);
        let [before, after] = [open(&old).unwrap(), open(&new).unwrap()];
        assert_ne!(
            before.identity().await.unwrap(),
            after.identity().await.unwrap()
        );
        let accounts = Accounts::open(&new.config.data.join("accounts.sqlite"), &options);
        assert_eq!(accounts.unwrap().session([7; 32]).await.unwrap(), None);
    });
}

#[test]
fn a_folder_that_is_not_empty_is_set_aside_or_left_alone() {
    let (source, _) = Machine::with("ny");
    let backup = source.backup();
    let (there, _) = Machine::with("gammel");
    let before = there.everything();
    assert!(there.refusal(&backup, false).contains("--replace"));
    assert!(there.everything() == before);
    let Restored::New { aside, .. } = there.restore(&backup, true).unwrap() else {
        panic!("there was nothing to finish");
    };
    assert_eq!(there.name(), both("ny"));
    let [data, knowledge] = &aside[..] else {
        panic!("{aside:?}");
    };
    assert_eq!(
        fs::read_to_string(data.join("node")).unwrap(),
        "node-gammel"
    );
    let article = fs::read_to_string(knowledge.join("shared/a.md")).unwrap();
    assert_eq!(article, "gammel");
    // The knowledge is the backup's now and stays where it is.
    let Restored::New { aside, .. } = there.restore(&backup, true).unwrap() else {
        panic!("there was nothing to finish");
    };
    assert_eq!(aside.len(), 1, "{aside:?}");
}

#[test]
fn a_folder_in_use_is_refused() {
    let (source, _) = Machine::with("ny");
    let backup = source.backup();
    let there = Machine::empty();
    let held = claim(&there.config.data).unwrap();
    assert!(there.refusal(&backup, true).contains("in use"));
    drop(held);
    there.restore(&backup, false).unwrap();
}

#[test]
fn a_backup_that_is_not_what_it_says_is_refused_and_nothing_changes() {
    let (source, _) = Machine::with("ny");
    let backup = source.backup();
    let (there, _) = Machine::with("gammel");
    let before = there.everything();
    let file = backup.join("knowledge/shared/a.md");
    let manifest = backup.join("backup.toml");
    let refused = |why: &str| {
        let said = there.refusal(&backup, true);
        assert!(said.contains(why), "{said}");
        assert!(there.everything() == before, "{why}");
        assert!(check(&backup, Bars::quiet()).is_err() || why == "expired");
    };
    fs::write(&file, "nå").unwrap();
    refused("a.md is not the file that was backed up");
    fs::write(&file, "ny").unwrap();
    change(&manifest, "format = 1", "format = 2");
    refused("use the newer program");
    change(&manifest, "format = 2", "format = 1");
    let newest = format!("journal = {}", storage::whole::Kind::Journal.newest());
    change(&manifest, &newest, "journal = 99");
    refused("journal.sqlite has format 99");
    change(&manifest, "journal = 99", &newest);
    change(&manifest, "data/node", "data/../../node");
    refused("is no place in a backup");
    change(&manifest, "data/../../node", "data/node");
    there
        .clock
        .advance(std::time::Duration::from_secs(15 * 86_400));
    refused("expired");
    // A damaged page is found, also when somebody has mended the manifest.
    let journal = backup.join("data/journal.sqlite");
    let mut bytes = fs::read(&journal).unwrap();
    let at = bytes.len() - 4_000;
    bytes[at..].fill(0xff);
    let (old, new) = (disk::digest(&journal).unwrap().1, {
        fs::write(&journal, &bytes).unwrap();
        disk::digest(&journal).unwrap().1
    });
    change(&manifest, &old, &new);
    assert!(check(&backup, Bars::quiet()).is_err());
}

#[test]
fn a_restore_that_ends_anywhere_is_the_old_state_or_can_be_finished() {
    let (source, _) = Machine::with("ny");
    let backup = source.backup();
    let (mut kept, mut unfinished) = (0, 0);
    for end in 0.. {
        let (there, _) = Machine::with("gammel");
        let before = there.everything();
        let mut step = 0;
        let ended = restore_told(
            &there.config,
            &wanted(&backup, true),
            &there.clock,
            Bars::quiet(),
            &mut || {
                step += 1;
                if step > end {
                    return Err("killed".into());
                }
                Ok(())
            },
        );
        if ended.is_ok() {
            assert_eq!(there.name(), both("ny"));
            break;
        }
        if there.config.data.join(NOTE).exists() {
            unfinished += 1;
            let said = refuse_unfinished(&there.config.data)
                .unwrap_err()
                .to_string();
            assert!(said.contains("run `borgerlinje restore"), "{said}");
            let other = source.dir.path().join("another");
            assert!(there.refusal(&other, true).contains("another restore"));
            // Everything old is still somewhere.
            let now = there.everything();
            let values: Vec<&Vec<u8>> = now.values().collect();
            assert!(before.values().all(|v| values.contains(&v)), "step {end}");
            // The backup itself is not needed any more.
            let Restored::Finished { .. } = there.restore(&backup, false).unwrap() else {
                panic!("step {end}: it began anew");
            };
        } else {
            kept += 1;
            let now = there.everything();
            assert!(before.iter().all(|(p, v)| now.get(p) == Some(v)));
            there.restore(&backup, true).unwrap();
        }
        assert_eq!(there.name(), both("ny"), "step {end}");
        assert!(refuse_unfinished(&there.config.data).is_ok());
        let left = there.everything();
        assert!(
            left.keys()
                .all(|p| !p.to_string_lossy().contains("/.restore"))
        );
        let old: Vec<&Vec<u8>> = left.values().collect();
        assert!(before.values().all(|v| old.contains(&v)), "step {end}");
    }
    assert!(kept >= 1 && unfinished >= 10, "{kept}, {unfinished}");
}

#[test]
fn what_was_erased_since_is_erased_again() {
    let (source, id) = Machine::with("ny");
    let backup = source.backup();
    // The journal that is there knows of it.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let path = source.config.data.join("journal.sqlite");
    runtime.block_on(async {
        let journal = Journal::open(&path, &Options::default()).unwrap();
        journal.erase(&id, source.clock.now()).await.unwrap();
        journal.close().await.unwrap();
    });
    let Restored::New { ready, .. } = source.restore(&backup, true).unwrap() else {
        panic!("there was nothing to finish");
    };
    assert_eq!((ready.erased, ready.dialogues), (1, 0));
    // On another machine the list says so, and there it goes on being known.
    let new = Machine::empty();
    let hash: [u8; 32] = Sha256::digest(id.as_str().as_bytes()).into();
    let wanted = Wanted {
        erased: vec![hash, [1; 32]],
        ..wanted(&backup, false)
    };
    let restored = restore(&new.config, &wanted, &new.clock, Bars::quiet()).unwrap();
    let Restored::New { ready, .. } = restored else {
        panic!("there was nothing to finish");
    };
    assert_eq!((ready.erased, ready.dialogues), (1, 0));
    let known = storage::whole::erased(&new.config.data.join("journal.sqlite")).unwrap();
    let known: Vec<[u8; 32]> = known.into_iter().map(|(hash, _)| hash).collect();
    assert!(known.contains(&hash) && known.contains(&[1; 32]));
    let bytes: Vec<u8> = new.everything().into_values().flatten().collect();
    let name = id.as_str().as_bytes();
    assert!(!bytes.windows(name.len()).any(|w| w == name));
}

#[test]
fn a_backup_that_has_expired_is_deleted_and_no_other() {
    let (machine, _) = Machine::with("ny");
    let first = machine.backup();
    machine
        .clock
        .advance(std::time::Duration::from_secs(86_400));
    let second = machine.backup();
    let odd = machine.backups().join("borgerlinje-odd");
    fs::create_dir(&odd).unwrap();
    fs::create_dir_all(machine.backups().join(".half-borgerlinje-x/data")).unwrap();
    fs::create_dir(machine.backups().join("others")).unwrap();
    let expires = Manifest::read(&first).unwrap().expires;
    let before = expires.checked_sub(jiff::SignedDuration::from_secs(1));
    let pruned = prune(&machine.backups(), before.unwrap()).unwrap();
    assert_eq!((pruned.gone.len(), pruned.kept), (0, 2));
    let pruned = prune(&machine.backups(), expires).unwrap();
    assert_eq!((&pruned.gone, pruned.kept), (&vec![first.clone()], 1));
    assert_eq!(pruned.unread.len(), 1, "{:?}", pruned.unread);
    assert!(!first.exists() && second.exists() && odd.exists());
    let left = disk::names(&machine.backups()).unwrap();
    assert!(
        !left
            .iter()
            .any(|n| n.starts_with(".half") || n.starts_with(".gone"))
    );
    assert!(left.contains(&"others".to_owned()));
}

#[test]
fn only_one_backup_at_a_time_is_made_into_a_folder() {
    let (machine, _) = Machine::with("ny");
    fs::create_dir(machine.backups()).unwrap();
    let held = disk::lock(&machine.backups(), make::LOCK).unwrap().unwrap();
    let made = make(
        &machine.config,
        &machine.backups(),
        KEEP,
        &machine.clock,
        Bars::quiet(),
    );
    assert!(made.unwrap_err().to_string().contains("another backup"));
    let pruned = prune(&machine.backups(), Timestamp::MAX);
    assert!(pruned.unwrap_err().to_string().contains("being made"));
    drop(held);
    machine.backup();
}

#[test]
fn the_note_of_a_restore_is_read_as_it_was_written() {
    let text = "backup = \"/b\"\nstep = \"setting_aside\"\naside = \"before-restore-1\"\n";
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(NOTE), text).unwrap();
    let under = Under::read(dir.path()).unwrap().unwrap();
    assert_eq!(under.backup, Path::new("/b"));
    fs::write(dir.path().join(NOTE), "backup = 1").unwrap();
    assert!(refuse_unfinished(dir.path()).is_err());
}
