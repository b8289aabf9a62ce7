use std::sync::Arc;

use base::{Clock as _, DialogueId, Lang, ManualClock, Secret, TurnId};
use storage::log::{Entry, Keep, Position, Snapshot};
use storage::{NewCallback, NewDialogue, NewEvent, Options};

use super::*;

/// In every text that a citizen has left here, and in nothing else.
const MARK: &str = "hemmelighed";

struct Home {
    folder: tempfile::TempDir,
    clock: ManualClock,
    journal: Journal,
    accounts: Accounts,
    log: Log,
}

impl Home {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = ManualClock::at("2026-03-01T10:00:00Z".parse().unwrap());
        let options = Options::default();
        let journal = Journal::open(&folder.path().join("journal.sqlite"), &options).unwrap();
        let accounts = Accounts::open(&folder.path().join("accounts.sqlite"), &options).unwrap();
        let log = Log::embedded(
            journal.clone(),
            Arc::new(clock.clone()),
            "n",
            Keep::default(),
        );
        Self {
            folder,
            journal,
            accounts,
            log: log.unwrap(),
            clock,
        }
    }

    /// A dialogue with everything that can belong to one.
    async fn dialogue(&self, n: u32) -> DialogueId {
        let id = DialogueId::random();
        let at = self.clock.now();
        let new = NewDialogue {
            id: id.clone(),
            token: &Secret::random(),
            municipality: "0751".parse().unwrap(),
            lang: Lang::Da,
            at,
        };
        self.journal.create(new).await.unwrap();
        let text = format!("{MARK} {n} {}", "ord ".repeat(200 * (n as usize % 5)));
        let event = |kind: &str, json: String| NewEvent {
            kind: kind.to_owned(),
            json,
            client_id: Some(format!("{MARK}-{kind}-{n}")),
        };
        let said = event("citizen", format!("{{\"text\":\"{text}\"}}"));
        let rated = event("rated", format!("{{\"score\":3,\"comment\":\"{MARK}\"}}"));
        self.journal
            .append(&id, vec![said, rated], at)
            .await
            .unwrap();
        let callback = NewCallback {
            reference: format!("B-{n:05}"),
            phone: format!("+45{MARK}{n}"),
            topic: Some(MARK.to_owned()),
        };
        let saved = event("callback_saved", format!("{{\"reference\":\"B-{n:05}\"}}"));
        self.journal
            .append_callback(&id, saved, callback, at)
            .await
            .unwrap();
        let record = format!("{{\"message\":\"{text}\",\"outcome\":\"answered\"}}");
        self.journal
            .record_turn(&TurnId::random(), &id, record, at)
            .await
            .unwrap();
        let entry = Entry {
            id: format!("e-{n}"),
            body: format!("{} {text}", id.as_str()).into_bytes(),
        };
        let head = self.log.head().await.unwrap();
        self.log.append(head, vec![entry]).await.unwrap();
        id
    }

    async fn snapshot(&self) {
        let position: Position = self.log.head().await.unwrap();
        let at = self.clock.now();
        let snapshot = Snapshot {
            position,
            at,
            bytes: b"{}".to_vec(),
        };
        self.log.save_snapshot(snapshot).await.unwrap();
    }

    async fn run(&self) -> Report {
        let periods = Retention::default();
        let now = self.clock.now();
        run(
            &self.journal,
            &self.accounts,
            Some(&self.log),
            &periods,
            now,
        )
        .await
        .unwrap()
    }

    /// How often the mark lies in the files.
    fn marks(&self) -> usize {
        let files = std::fs::read_dir(self.folder.path()).unwrap();
        let count = |bytes: &[u8]| {
            bytes
                .windows(MARK.len())
                .filter(|w| *w == MARK.as_bytes())
                .count()
        };
        files
            .map(|f| count(&std::fs::read(f.unwrap().path()).unwrap()))
            .sum()
    }
}

fn days(n: u64) -> Duration {
    Duration::from_secs(n * 86_400)
}

#[tokio::test]
async fn no_byte_of_an_old_dialogue_is_left_in_the_files() {
    let home = Home::new();
    for n in 0..120 {
        home.dialogue(n).await;
    }
    home.snapshot().await;
    assert!(home.marks() > 500);
    assert!(home.run().await.gone.is_nothing(), "nothing is old yet");

    home.clock.advance(days(31));
    let report = home.run().await;
    assert_eq!((report.gone.callbacks, report.gone.log_records), (120, 120));
    assert_eq!(report.gone.dialogues, 0);

    home.clock.advance(days(60));
    let report = home.run().await;
    assert_eq!((report.gone.dialogues, report.gone.turns), (120, 120));
    assert!(report.left.is_nothing() && report.scrubbed, "{report:?}");
    assert_eq!(home.marks(), 0);
    // What is said of nobody stays.
    let tallies = home.journal.tallies().await.unwrap();
    let of = |what: &str| {
        tallies
            .iter()
            .filter(|t| t.2 == what)
            .map(|t| t.3)
            .sum::<u64>()
    };
    assert_eq!(
        ["dialogue", "turn.answered", "rated.3", "callback"].map(of),
        [120, 120, 120, 120]
    );
    assert_eq!(home.journal.reports(10).await.unwrap().len(), 3);
}

#[tokio::test]
async fn what_is_young_stays_and_the_log_waits_for_a_snapshot() {
    let home = Home::new();
    home.dialogue(1).await;
    home.clock.advance(days(80));
    let young = home.dialogue(2).await;
    home.clock.advance(days(15));
    let report = home.run().await;
    assert_eq!(report.gone.dialogues, 1);
    assert!(home.journal.transcript(&young).await.unwrap().is_some());
    // No state covers the log's records yet: they are said to be left, and go once one does.
    assert_eq!((report.gone.log_records, report.left.log_records), (0, 2));
    home.snapshot().await;
    let report = home.run().await;
    assert_eq!((report.gone.log_records, report.left.log_records), (2, 0));
    // The log goes on from there.
    home.dialogue(3).await;
    assert_eq!(home.log.head().await.unwrap().seq, 3);
}

#[tokio::test]
async fn one_citizen_is_shown_and_erased_by_a_code() {
    let home = Home::new();
    let (asked, other) = (home.dialogue(7).await, home.dialogue(8).await);
    assert!(home.journal.citizen("B-99999").await.unwrap().is_none());
    for code in ["B-00007", asked.as_str()] {
        let all = home.journal.citizen(code).await.unwrap().unwrap();
        assert_eq!(all.meta.id, asked);
        assert_eq!(
            (all.events.len(), all.turns.len(), all.callbacks.len()),
            (3, 1, 1)
        );
        assert_eq!(all.in_log, 1);
    }
    let now = home.clock.now();
    let erased = home.journal.erase(&asked, now).await.unwrap();
    assert_eq!(
        (erased.gone.dialogues, erased.gone.events, erased.in_log),
        (1, 3, 1)
    );
    assert!(home.journal.scrub().await.unwrap());
    assert!(home.journal.citizen("B-00007").await.unwrap().is_none());
    let again = home.journal.erase(&asked, now).await.unwrap();
    assert!(again.gone.is_nothing(), "{again:?}");
    assert!(
        home.journal
            .citizen(other.as_str())
            .await
            .unwrap()
            .is_some()
    );
    let tallies = home.journal.tallies().await.unwrap();
    assert!(tallies.iter().any(|t| t.2 == "turn.answered" && t.3 == 1));
}

#[tokio::test]
async fn what_is_left_in_the_file_of_accounts_is_told_too() {
    let home = Home::new();
    let at = home.clock.now();
    let line = storage::AuditLine {
        at,
        user: "anna".to_owned(),
        what: "sign_in".to_owned(),
        origin: "127.0.0.1".to_owned(),
        detail: String::new(),
    };
    home.accounts.audit(line).await.unwrap();
    let draft = storage::Draft {
        id: "anna-1".to_owned(),
        item: "i".to_owned(),
        municipality: "0751".parse().unwrap(),
        question: MARK.to_owned(),
        text: MARK.to_owned(),
        by: "anna".to_owned(),
        at,
    };
    home.accounts.add_draft(draft).await.unwrap();
    home.clock.advance(days(181));
    let now = home.clock.now();
    assert_eq!(home.accounts.left(now, now).await.unwrap(), (1, 1));
    let report = home.run().await;
    assert_eq!((report.proposals, report.audit_lines), (1, 0));
    assert_eq!((report.left_proposals, report.left_audit_lines), (0, 0));
    assert_eq!(home.marks(), 0);
    let kept = home.journal.reports(1).await.unwrap();
    assert!(kept[0].contains("\"left_proposals\":0"), "{kept:?}");
}

#[test]
fn periods_have_bounds() {
    assert!(Retention::default().check().is_ok());
    let none = Retention {
        log_days: 0,
        ..Retention::default()
    };
    assert!(none.check().unwrap_err().starts_with("log_days"));
}
