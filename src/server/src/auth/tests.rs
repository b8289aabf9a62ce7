use axum::http::HeaderValue;
use base::ManualClock;
use contact::centre::{Allowed, Skills};
use storage::NewAccount;
use tempfile::TempDir;

use super::*;

const PASSWORD: &str = "lyng tromme kajak fyr";
const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

struct Bench {
    auth: Arc<Auth>,
    clock: ManualClock,
    dir: TempDir,
}

async fn bench() -> Bench {
    let dir = TempDir::new().unwrap();
    let accounts = open(&dir);
    let clock = ManualClock::at("2026-11-23T08:00:00Z".parse().unwrap());
    let details = Details {
        name: "Anna".into(),
        roles: [Role::Agent].into(),
        team: None,
        skills: Skills {
            municipalities: Allowed::All,
            areas: Allowed::All,
            languages: [base::Lang::Da].into(),
            audiences: [contact::centre::Audience::Citizen].into(),
        },
        capacity: 3,
    };
    let new = NewAccount {
        user: "anna".into(),
        details: serde_json::to_string(&details).unwrap(),
        password: hash_password(PASSWORD).unwrap(),
    };
    accounts.add(vec![new], clock.now()).await.unwrap();
    let auth = Auth::new(accounts, Arc::new(clock.clone()), Origins::default());
    let auth = auth.await.unwrap();
    Bench { auth, clock, dir }
}

fn open(dir: &TempDir) -> Accounts {
    Accounts::open(&dir.path().join(FILE), &storage::Options::default()).unwrap()
}

fn with(token: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let value = format!("a=b; {COOKIE_NAME}={token}; c=d");
    headers.insert(COOKIE, HeaderValue::from_str(&value).unwrap());
    headers
}

impl Bench {
    async fn sign_in(&self) -> HeaderMap {
        let signed = self.auth.sign_in(" Anna ", PASSWORD.to_owned(), HERE).await;
        with(&signed.unwrap().0)
    }

    async fn lives(&self, headers: &HeaderMap) -> bool {
        self.auth.session(headers).await.is_ok()
    }

    fn hours(&self, hours: u64) {
        self.clock.advance(Duration::from_secs(hours * 3600));
    }
}

#[tokio::test]
async fn a_session_ends_when_idle_and_in_any_case() {
    let b = bench().await;
    let (idle, used) = (b.sign_in().await, b.sign_in().await);
    b.hours(7);
    assert!(b.lives(&used).await);
    b.hours(2);
    assert!(!b.lives(&idle).await, "nine hours unused");
    assert!(b.lives(&used).await, "two hours unused");
    b.hours(4);
    assert!(!b.lives(&used).await, "thirteen hours old");
    assert!(!b.lives(&with("made-up")).await);
}

#[tokio::test]
async fn a_command_of_the_operator_ends_sessions_at_once() {
    let b = bench().await;
    let headers = b.sign_in().await;
    let signed = b.auth.session(&headers).await.unwrap();
    assert!(signed.vouches(&signed.csrf.clone()) && !signed.vouches("") && !signed.vouches("x"));
    let command = open(&b.dir);
    let removed = command.remove("anna", b.clock.now());
    removed.await.unwrap();
    assert!(!b.lives(&headers).await);
    assert!(b.auth.still(&signed, false).await.is_err());
    // Heard without anybody signing in.
    let mut changes = b.auth.changes();
    let keeping = tokio::spawn(Arc::clone(&b.auth).keep_up());
    changes.changed().await.unwrap();
    assert!(b.auth.account(&"anna".parse().unwrap()).is_none());
    keeping.abort();
    let again = b.auth.sign_in("anna", PASSWORD.to_owned(), HERE).await;
    assert!(matches!(again, Err(Trouble::BadCredentials)));
}

#[tokio::test]
async fn signing_in_knows_what_a_command_did_the_moment_before() {
    let b = bench().await;
    let command = open(&b.dir);
    let anna = command.list().await.unwrap().remove(0);
    let bo = NewAccount {
        user: "bo".into(),
        details: anna.details,
        password: anna.password,
    };
    command.add(vec![bo], b.clock.now()).await.unwrap();
    let signed = b.auth.sign_in("bo", PASSWORD.to_owned(), HERE).await;
    assert_eq!(signed.unwrap().1.account.user.as_str(), "bo");
    command.remove("bo", b.clock.now()).await.unwrap();
    let again = b.auth.sign_in("bo", PASSWORD.to_owned(), HERE).await;
    assert!(matches!(again, Err(Trouble::BadCredentials)));
}

#[tokio::test]
async fn strangers_and_mistakes_are_answered_alike_and_slowed() {
    let b = bench().await;
    let try_in = async |user: &str, password: &str| {
        let tried = b.auth.sign_in(user, password.to_owned(), HERE).await;
        match tried.unwrap_err() {
            Trouble::BadCredentials => None,
            Trouble::Throttled(wait) => Some(wait.as_secs()),
            other => panic!("{other:?}"),
        }
    };
    for user in ["anna", "nobody", "Anna "] {
        assert_eq!(try_in(user, "wrong wrong wrong").await, None);
    }
    for _ in 0..3 {
        assert_eq!(try_in("anna", "wrong wrong wrong").await, None);
    }
    assert_eq!(
        try_in("anna", PASSWORD).await,
        Some(1),
        "even the right one"
    );
    b.clock.advance(Duration::from_secs(1));
    b.sign_in().await;
    assert_eq!(
        try_in("anna", "wrong wrong wrong").await,
        None,
        "counted anew"
    );
    let audit = b.auth.accounts.audited(10).await.unwrap();
    assert_eq!(audit.len(), 1);
    assert_eq!(
        (audit[0].what.as_str(), audit[0].origin.as_str()),
        ("sign_in", "127.0.0.1")
    );
}
