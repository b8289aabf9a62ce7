use tempfile::TempDir;

use super::*;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap()
}

fn open(dir: &TempDir) -> Accounts {
    Accounts::open(&dir.path().join("accounts.sqlite"), &Options::default()).unwrap()
}

fn anna() -> NewAccount {
    NewAccount {
        user: "anna".into(),
        details: "{}".into(),
        password: "$1".into(),
    }
}

async fn with_session(accounts: &Accounts, password: &str, key: u8) -> bool {
    let begun = accounts.begin_session(session(key, password, Proof::None), at(5));
    begun.await.unwrap()
}

fn session(key: u8, password: &str, proof: Proof) -> NewSession {
    NewSession {
        sha256: [key; 32],
        user: "anna".into(),
        password: password.into(),
        proof,
        origin: "127.0.0.1".into(),
    }
}

#[tokio::test]
async fn a_session_ends_with_password_roles_and_account() {
    let dir = TempDir::new().unwrap();
    let accounts = open(&dir);
    accounts.add(vec![anna()], at(1)).await.unwrap();
    assert_eq!(
        accounts.add(vec![anna()], at(1)).await,
        Err(Error::Taken("account"))
    );
    let lives = async |key| accounts.session([key; 32]).await.unwrap().is_some();

    assert!(with_session(&accounts, "$1", 1).await);
    assert!(lives(1).await);
    accounts
        .change("anna", "{\"a\":1}".into(), false, at(2))
        .await
        .unwrap();
    assert!(lives(1).await, "other skills end nothing");
    accounts
        .change("anna", "{}".into(), true, at(2))
        .await
        .unwrap();
    assert!(!lives(1).await, "other roles do");

    assert!(with_session(&accounts, "$1", 2).await);
    accounts
        .set_password("anna", "$2".into(), at(3))
        .await
        .unwrap();
    assert!(!lives(2).await);
    assert!(
        !with_session(&accounts, "$1", 3).await,
        "who was checked against the old password comes too late"
    );
    assert!(with_session(&accounts, "$2", 3).await);
    accounts.remove("anna", at(4)).await.unwrap();
    assert!(!lives(3).await);
    assert!(
        !with_session(&accounts, "", 4).await,
        "no way in without one"
    );
    assert_eq!(
        accounts.remove("anna", at(4)).await,
        Err(Error::UnknownAccount)
    );
    assert!(accounts.list().await.unwrap()[0].removed);
    accounts.add(vec![anna()], at(6)).await.unwrap();
    assert!(!accounts.list().await.unwrap()[0].removed);
}

#[tokio::test]
async fn sessions_grow_old_and_are_few() {
    let dir = TempDir::new().unwrap();
    let accounts = open(&dir);
    accounts.add(vec![anna()], at(1)).await.unwrap();
    for key in 0..25 {
        let new = session(key, "$1", Proof::None);
        assert!(accounts.begin_session(new, at(key.into())).await.unwrap());
    }
    let mut left = Vec::new();
    for key in 0..25 {
        if accounts.session([key; 32]).await.unwrap().is_some() {
            left.push(key);
        }
    }
    assert_eq!(left, (5..25).collect::<Vec<_>>(), "the newest twenty");
    accounts.touch_session([10; 32], at(100)).await.unwrap();
    accounts.touch_session([5; 32], at(100)).await.unwrap();
    accounts.end_old_sessions(at(8), at(50)).await.unwrap();
    assert!(accounts.session([10; 32]).await.unwrap().is_some());
    for ended in [5, 11, 24] {
        assert!(accounts.session([ended; 32]).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn another_process_is_seen_and_all_come_or_none() {
    let dir = TempDir::new().unwrap();
    let (service, command) = (open(&dir), open(&dir));
    let before = service.version().await.unwrap();
    assert_eq!(service.version().await.unwrap(), before);
    command.add(vec![anna()], at(1)).await.unwrap();
    assert_ne!(service.version().await.unwrap(), before);
    let bo = NewAccount {
        user: "bo".into(),
        ..anna()
    };
    assert!(command.add(vec![bo, anna()], at(2)).await.is_err());
    let users: Vec<String> = service
        .list()
        .await
        .unwrap()
        .into_iter()
        .map(|a| a.user)
        .collect();
    assert_eq!(users, ["anna"]);
}

#[cfg(unix)]
#[test]
fn only_the_owner_reads_the_file() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = TempDir::new().unwrap();
    drop(open(&dir));
    let meta = std::fs::metadata(dir.path().join("accounts.sqlite")).unwrap();
    assert_eq!(meta.permissions().mode() & 0o777, 0o600);
    let journal = Journal::open(&dir.path().join("accounts.sqlite"), &Options::default());
    assert!(
        matches!(journal, Err(Error::Corrupt(_))),
        "it is no journal"
    );
}

#[tokio::test]
async fn drafts_and_audit_are_kept() {
    let dir = TempDir::new().unwrap();
    let accounts = open(&dir);
    let draft = Draft {
        id: "anna-1".into(),
        item: "i".into(),
        municipality: "0751".parse().unwrap(),
        question: "q".into(),
        text: "t".into(),
        by: "anna".into(),
        at: at(7),
    };
    accounts.add_draft(draft.clone()).await.unwrap();
    let again = Draft {
        text: "other".into(),
        ..draft.clone()
    };
    accounts.add_draft(again).await.unwrap();
    assert_eq!(accounts.drafts(10).await.unwrap(), [draft]);
    let line = |n: i64| AuditLine {
        at: at(n),
        user: "anna".into(),
        what: "sign_in".into(),
        origin: "127.0.0.1".into(),
        detail: String::new(),
    };
    for n in 1..4 {
        accounts.audit(line(n)).await.unwrap();
    }
    assert_eq!(accounts.audited(2).await.unwrap(), [line(3), line(2)]);
}

#[tokio::test]
async fn what_is_switched_off_stays_off_and_is_in_the_audit() {
    let dir = TempDir::new().unwrap();
    let accounts = open(&dir);
    let off = |ms: i64, reason: &str| SwitchedOff {
        name: "bot".into(),
        at: at(ms),
        by: "root".into(),
        reason: reason.into(),
    };
    let line = |ms: i64, what: &str| AuditLine {
        at: at(ms),
        user: "root".into(),
        what: what.into(),
        origin: "command".into(),
        detail: "bot".into(),
    };
    let first = accounts.switch_off(off(1, "wrong"), line(1, "switch_off"));
    first.await.unwrap();
    let again = accounts.switch_off(off(2, "still wrong"), line(2, "switch_off"));
    again.await.unwrap();
    accounts.close().await.unwrap();

    let accounts = open(&dir);
    assert_eq!(
        accounts.switched_off().await.unwrap(),
        [off(2, "still wrong")]
    );
    assert!(
        accounts
            .switch_on("bot", line(3, "switch_on"))
            .await
            .unwrap()
    );
    assert!(
        !accounts
            .switch_on("bot", line(4, "switch_on"))
            .await
            .unwrap()
    );
    assert_eq!(accounts.switched_off().await.unwrap(), []);
    let told = accounts.audited(9).await.unwrap();
    let told: Vec<_> = told.iter().map(|l| (l.at, l.what.as_str())).collect();
    assert_eq!(
        told,
        [
            (at(3), "switch_on"),
            (at(2), "switch_off"),
            (at(1), "switch_off")
        ],
        "switching on what is on is nothing"
    );
}

#[tokio::test]
async fn a_code_and_a_recovery_code_are_good_once() {
    let dir = TempDir::new().unwrap();
    let accounts = open(&dir);
    accounts.add(vec![anna()], at(1)).await.unwrap();
    let begin = async |key, proof| {
        let begun = accounts.begin_session(session(key, "$1", proof), at(5));
        begun.await.unwrap()
    };
    assert!(begin(1, Proof::None).await && begin(2, Proof::None).await);
    assert!(!begin(3, Proof::Step(9)).await, "there is none");
    assert!(accounts.enrol("anna", vec![1; 20]).await.unwrap());
    assert!(!begin(3, Proof::Step(9)).await, "not confirmed");
    assert!(accounts.enrol("anna", vec![2; 20]).await.unwrap(), "anew");
    let confirm = async |secret: u8| {
        let codes = vec![[7; 32], [8; 32]];
        let confirmed = accounts.confirm("anna", vec![secret; 20], 10, codes, [1; 32], at(6));
        confirmed.await.unwrap()
    };
    assert_eq!(confirm(1).await, None, "the one before");
    assert_eq!(confirm(2).await, Some(true), "the first");
    assert_eq!(confirm(2).await, None);
    assert!(!accounts.enrol("anna", vec![3; 20]).await.unwrap());
    let of = accounts.sessions_of("anna").await.unwrap();
    assert_eq!(of.len(), 1, "the others have not shown it");
    assert!(of[0].second && of[0].sha256 == [1; 32] && of[0].origin == "127.0.0.1");

    assert!(!begin(4, Proof::Step(10)).await, "used to confirm");
    assert!(begin(4, Proof::Step(12)).await);
    assert!(!begin(5, Proof::Step(12)).await && !begin(5, Proof::Step(11)).await);
    assert!(begin(5, Proof::Recovery([7; 32])).await);
    assert!(!begin(6, Proof::Recovery([7; 32])).await);
    let found = accounts.second_factor("anna").await.unwrap();
    assert!(found.is_on() && found.confirmed_app().is_some() && found.recovery_codes == 1);
    assert!(!format!("{found:?}").contains('2'), "{found:?}");
    let other = accounts.set_recovery_codes("anna", Proof::Step(12), vec![[9; 32]]);
    assert!(!other.await.unwrap());
    let other = accounts.set_recovery_codes("anna", Proof::Step(13), vec![[9; 32]]);
    assert!(other.await.unwrap());
    assert!(
        !begin(6, Proof::Recovery([8; 32])).await,
        "they were replaced"
    );
    let remove = async |proof| {
        accounts
            .remove_code_app("anna", proof, [1; 32])
            .await
            .unwrap()
    };
    assert!(!remove(Proof::Step(13)).await && remove(Proof::Step(14)).await);
    let none = SecondFactor::default();
    assert_eq!(accounts.second_factor("anna").await.unwrap(), none);
    assert_eq!(
        accounts.end_sessions_of("anna").await.unwrap(),
        1,
        "this one"
    );

    // An account that goes and comes again has none.
    accounts.enrol("anna", vec![4; 20]).await.unwrap();
    accounts.remove("anna", at(7)).await.unwrap();
    assert!(!accounts.enrol("anna", vec![4; 20]).await.unwrap());
    accounts.add(vec![anna()], at(8)).await.unwrap();
    assert_eq!(accounts.second_factor("anna").await.unwrap(), none);
}

fn key(id: u8, sign_count: u32) -> SecurityKey {
    SecurityKey {
        id: vec![id; 16],
        name: "Blå nøgle".into(),
        handle: [3; 16],
        public_key: vec![4; 40],
        transports: 5,
        backup: 0,
        verified: false,
        sign_count,
        added: at(i64::from(id)),
        used: None,
    }
}

#[tokio::test]
async fn a_key_is_a_second_factor_and_its_counter_only_grows() {
    let dir = TempDir::new().unwrap();
    let accounts = open(&dir);
    let bo = NewAccount {
        user: "bo".into(),
        ..anna()
    };
    accounts.add(vec![anna(), bo], at(1)).await.unwrap();
    assert!(with_session(&accounts, "$1", 1).await && with_session(&accounts, "$1", 2).await);
    let add = async |user: &str, key, codes| {
        let added = accounts.add_key(user, key, codes, [1; 32]);
        added.await.unwrap()
    };
    assert_eq!(add("carl", key(1, 0), vec![]).await, KeyAdded::Full);
    let codes = vec![[7; 32], [8; 32]];
    assert_eq!(add("anna", key(1, 9), codes).await, KeyAdded::First);
    let sessions = accounts.sessions_of("anna").await.unwrap();
    assert_eq!(sessions.len(), 1, "the other has shown none");
    assert!(sessions[0].second && sessions[0].sha256 == [1; 32]);
    for user in ["anna", "bo"] {
        assert_eq!(add(user, key(1, 0), vec![]).await, KeyAdded::Taken);
    }
    assert_eq!(add("anna", key(2, 0), vec![]).await, KeyAdded::Another);
    let found = accounts.second_factor("anna").await.unwrap();
    assert_eq!(found.keys, [key(1, 9), key(2, 0)]);
    assert!(found.is_on() && found.app.is_none() && found.recovery_codes == 2);

    let shown = |id: u8, sign_count| Proof::Key {
        id: vec![id; 16],
        sign_count,
        backup: 0,
        at: at(50),
    };
    let begin = async |n, proof| {
        let begun = accounts.begin_session(session(n, "$1", proof), at(50));
        begun.await.unwrap()
    };
    assert!(!begin(3, shown(1, 9)).await && !begin(3, shown(1, 0)).await);
    assert!(begin(3, shown(1, 10)).await && !begin(4, shown(1, 10)).await);
    assert!(
        begin(4, shown(2, 0)).await && begin(5, shown(2, 0)).await,
        "it does not count"
    );
    assert!(
        begin(6, shown(2, 3)).await && !begin(7, shown(2, 0)).await,
        "now it does"
    );
    assert!(!begin(7, shown(9, 1)).await, "nobody's");
    let found = accounts.second_factor("anna").await.unwrap();
    assert_eq!(
        (found.keys[0].sign_count, found.keys[0].used),
        (10, Some(at(50)))
    );

    let name = async |user: &str| {
        let named = accounts.name_key(user, vec![1; 16], "Rød".into());
        named.await.unwrap()
    };
    assert!(!name("bo").await && name("anna").await);
    let remove = async |user: &str, id: u8, proof| {
        let removed = accounts.remove_key(user, vec![id; 16], proof, [1; 32]);
        removed.await.unwrap()
    };
    assert!(!remove("bo", 1, Proof::None).await, "another's");
    assert!(!remove("anna", 1, shown(1, 10)).await, "used");
    assert!(remove("anna", 1, Proof::Recovery([7; 32])).await);
    assert_eq!(accounts.sessions_of("anna").await.unwrap().len(), 1);
    assert!(!begin(7, shown(1, 11)).await, "it is gone");
    let found = accounts.second_factor("anna").await.unwrap();
    assert_eq!((found.keys.len(), found.recovery_codes), (1, 1));
    assert!(remove("anna", 2, shown(2, 4)).await);
    let found = accounts.second_factor("anna").await.unwrap();
    assert_eq!(found, SecondFactor::default(), "no codes without a factor");
}

#[tokio::test]
async fn app_and_keys_stand_beside_one_another_and_go_together() {
    let dir = TempDir::new().unwrap();
    let accounts = open(&dir);
    accounts.add(vec![anna()], at(1)).await.unwrap();
    assert!(with_session(&accounts, "$1", 1).await);
    for id in 0..10 {
        let added = accounts.add_key("anna", key(id, 0), vec![[7; 32]], [1; 32]);
        let want = [KeyAdded::Another, KeyAdded::First][usize::from(id == 0)];
        assert_eq!(added.await.unwrap(), want);
    }
    let more = accounts.add_key("anna", key(10, 0), vec![], [1; 32]);
    assert_eq!(more.await.unwrap(), KeyAdded::Full);
    assert!(with_session(&accounts, "$1", 2).await);
    assert!(accounts.enrol("anna", vec![1; 20]).await.unwrap());
    let confirmed = accounts.confirm("anna", vec![1; 20], 10, vec![[9; 32]], [1; 32], at(6));
    assert_eq!(confirmed.await.unwrap(), Some(false), "not the first");
    assert_eq!(accounts.sessions_of("anna").await.unwrap().len(), 2);
    let old = Proof::Recovery([7; 32]);
    assert!(
        accounts.use_proof("anna", old.clone()).await.unwrap(),
        "the codes stay"
    );
    assert!(!accounts.use_proof("anna", old).await.unwrap());
    let gone = accounts.remove_code_app("anna", Proof::Step(11), [1; 32]);
    assert!(gone.await.unwrap());
    assert!(
        accounts.second_factor("anna").await.unwrap().is_on(),
        "keys are left"
    );

    assert!(accounts.reset_second_factor("anna").await.unwrap());
    assert!(!accounts.reset_second_factor("anna").await.unwrap());
    let added = accounts.add_key("anna", key(1, 0), vec![], [1; 32]);
    assert_eq!(added.await.unwrap(), KeyAdded::First);
    accounts.remove("anna", at(7)).await.unwrap();
    accounts.add(vec![anna()], at(8)).await.unwrap();
    assert!(
        !accounts.second_factor("anna").await.unwrap().is_on(),
        "gone with the account"
    );
}
