use axum::http::HeaderValue;
use base::ManualClock;
use contact::centre::{Allowed, Skills};
use storage::NewAccount;
use tempfile::TempDir;

use super::*;

const PASSWORD: &str = "lyng tromme kajak fyr";
const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

pub(super) struct Bench {
    pub(super) auth: Arc<Auth>,
    pub(super) clock: ManualClock,
    dir: TempDir,
}

pub(super) async fn bench() -> Bench {
    with_staff(Staff::default()).await
}

async fn with_staff(staff: Staff) -> Bench {
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
    let origins = Origins::default();
    let auth = Auth::new(
        accounts,
        Arc::new(clock.clone()),
        origins,
        staff,
        Vec::new(),
    );
    let auth = auth.await.unwrap();
    Bench { auth, clock, dir }
}

/// No site has keys, and an audit's origin.
pub(super) const NOWHERE: (Option<&Site>, &str) = (None, "x");

pub(super) fn nothing() -> Shown {
    Shown::default()
}

pub(super) fn coded(code: &str) -> Shown {
    serde_json::from_value(serde_json::json!({"code": code})).unwrap()
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
        let signed = self
            .auth
            .sign_in(" Anna ", PASSWORD.to_owned(), &nothing(), (None, HERE))
            .await;
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
    let again = b
        .auth
        .sign_in("anna", PASSWORD.to_owned(), &nothing(), (None, HERE))
        .await;
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
    let signed = b
        .auth
        .sign_in("bo", PASSWORD.to_owned(), &nothing(), (None, HERE))
        .await;
    assert_eq!(signed.unwrap().1.account.user.as_str(), "bo");
    command.remove("bo", b.clock.now()).await.unwrap();
    let again = b
        .auth
        .sign_in("bo", PASSWORD.to_owned(), &nothing(), (None, HERE))
        .await;
    assert!(matches!(again, Err(Trouble::BadCredentials)));
}

#[tokio::test]
async fn strangers_and_mistakes_are_answered_alike_and_slowed() {
    let b = bench().await;
    let try_in = async |user: &str, password: &str| {
        let tried = b
            .auth
            .sign_in(user, password.to_owned(), &nothing(), (None, HERE))
            .await;
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

/// What the code app shows now.
fn code(b: &Bench, key: &str) -> String {
    let secret = totp_rs::Secret::try_from_base32(key.replace(' ', "")).unwrap();
    let app = totp_rs::Builder::new().with_secret(secret).build().unwrap();
    let now = u64::try_from(b.clock.now().as_second()).unwrap();
    app.generate(now).to_string()
}

fn half_a_minute(b: &Bench) {
    b.clock.advance(Duration::from_secs(30));
}

impl Bench {
    pub(super) async fn try_in(&self, code: Option<&str>) -> Result<Signed, Trouble> {
        let shown = code.map(coded).unwrap_or_default();
        let tried = self
            .auth
            .sign_in("anna", PASSWORD.to_owned(), &shown, (None, HERE));
        tried.await.map(|(_, signed)| signed)
    }

    /// Sets a second factor up; its key and the recovery codes.
    pub(super) async fn set_up(&self, signed: &Signed) -> (String, Vec<String>) {
        let offered = self.auth.offer(signed, &nothing(), NOWHERE).await.unwrap();
        let key = serde_json::to_value(&offered).unwrap()["key"].clone();
        let key = key.as_str().unwrap().to_owned();
        let codes = self.auth.set_up(signed, &code(self, &key), "x").await;
        (key, codes.unwrap())
    }
}

#[tokio::test]
async fn a_code_is_asked_for_where_there_is_a_second_factor_and_is_good_once() {
    let b = bench().await;
    let other = b.sign_in().await;
    let signed = b.try_in(None).await.unwrap();
    let (key, codes) = b.set_up(&signed).await;
    assert!(!b.lives(&other).await, "it had shown none");
    assert!(b.auth.still(&signed, false).await.unwrap().second);
    assert_eq!(codes.len(), 10);
    assert!(codes.iter().all(|c| c.len() == 31), "{codes:?}");

    let refused = b.try_in(None).await.unwrap_err();
    assert!(matches!(refused, Trouble::CodeNeeded(_)), "{refused:?}");
    let used = code(&b, &key);
    let refused = b.try_in(Some(&used)).await.unwrap_err();
    assert!(matches!(refused, Trouble::BadCode), "used to set it up");
    half_a_minute(&b);
    let new = code(&b, &key);
    let spaced = format!(" {} {} ", &new[..3], &new[3..]);
    assert!(b.try_in(Some(&spaced)).await.unwrap().second);
    assert!(matches!(b.try_in(Some(&new)).await, Err(Trouble::BadCode)));
    assert!(matches!(b.try_in(Some(&used)).await, Err(Trouble::BadCode)));

    // A recovery code, as people type it, once.
    let typed = codes[3].to_uppercase().replace('-', " ");
    assert!(b.try_in(Some(&typed)).await.unwrap().second);
    assert!(matches!(
        b.try_in(Some(&typed)).await,
        Err(Trouble::BadCode)
    ));
    let (standing, factor) = b.auth.standing(&signed).await.unwrap();
    assert_eq!((standing, factor.recovery_codes), (second::Standing::On, 9));

    // Without the right password nobody hears of it.
    let zeros = coded("000000");
    let wrong = b
        .auth
        .sign_in("anna", "wrong wrong wrong".into(), &zeros, (None, HERE));
    assert!(matches!(wrong.await, Err(Trouble::BadCredentials)));

    half_a_minute(&b);
    half_a_minute(&b);
    let more = b
        .auth
        .other_codes(&signed, &coded(&code(&b, &key)), NOWHERE)
        .await;
    assert!(matches!(
        b.try_in(Some(&codes[0])).await,
        Err(Trouble::BadCode)
    ));
    assert!(b.try_in(Some(&more.unwrap()[0])).await.is_ok());
    half_a_minute(&b);
    let off = b
        .auth
        .take_away(&signed, &coded(&code(&b, &key)), NOWHERE)
        .await;
    off.unwrap();
    assert!(!b.try_in(None).await.unwrap().second);
    let done: Vec<String> = b
        .auth
        .accounts
        .audited(20)
        .await
        .unwrap()
        .into_iter()
        .map(|l| l.what)
        .collect();
    for what in ["second_factor_on", "recovery_codes", "second_factor_off"] {
        assert!(done.iter().any(|d| d == what), "{done:?}");
    }
}

#[tokio::test]
async fn guesses_at_codes_are_slowed_and_a_right_password_does_not_help() {
    let b = bench().await;
    let signed = b.try_in(None).await.unwrap();
    let (key, _) = b.set_up(&signed).await;
    let mut guesses = 0;
    for n in 0..40 {
        let from = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, n));
        for shown in [nothing(), coded("000000")] {
            let tried = b
                .auth
                .sign_in("anna", PASSWORD.to_owned(), &shown, (None, from));
            match tried.await.unwrap_err() {
                Trouble::CodeNeeded(_) => {}
                Trouble::BadCode => guesses += 1,
                Trouble::Throttled(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(guesses, 6);
    b.clock.advance(Duration::from_secs(3600));
    let code = code(&b, &key);
    assert!(b.try_in(Some(&code)).await.is_ok(), "never for good");
}

#[tokio::test]
async fn what_is_demanded_is_set_up_before_anything_else_and_stays() {
    let demand = |roles: &[Role]| Staff {
        second_factor: second::Demand::Required,
        second_factor_roles: roles.iter().copied().collect(),
    };
    let b = with_staff(demand(&[Role::Editor])).await;
    let signed = b.try_in(None).await.unwrap();
    assert!(!b.auth.lacks_second(&signed), "an agent, here");
    let b = with_staff(demand(&[])).await;
    let signed = b.try_in(None).await.unwrap();
    assert!(b.auth.lacks_second(&signed));
    let (standing, _) = b.auth.standing(&signed).await.unwrap();
    assert_eq!(standing, second::Standing::Needed);
    let (key, _) = b.set_up(&signed).await;
    let signed = b.auth.still(&signed, false).await.unwrap();
    assert!(!b.auth.lacks_second(&signed));
    half_a_minute(&b);
    let kept = b
        .auth
        .take_away(&signed, &coded(&code(&b, &key)), NOWHERE)
        .await;
    assert!(matches!(kept, Err(Trouble::SecondFactor("required"))));

    let off = Staff {
        second_factor: second::Demand::Off,
        ..Staff::default()
    };
    let b = with_staff(off).await;
    let signed = b.try_in(None).await.unwrap();
    assert!(b.auth.offer(&signed, &nothing(), NOWHERE).await.is_err());
}

#[tokio::test]
async fn the_picture_says_what_the_key_says() {
    let b = bench().await;
    let signed = b.try_in(None).await.unwrap();
    let offered = b.auth.offer(&signed, &nothing(), NOWHERE).await.unwrap();
    let offered = serde_json::to_value(&offered).unwrap();
    let picture = offered["qr"].as_str().unwrap();
    assert!(
        picture.starts_with("<svg") && picture.ends_with("</svg>"),
        "{picture}"
    );
    let key = offered["key"].as_str().unwrap();
    assert_eq!(key.len(), 39, "32 letters of base32 in groups of four");
    let wrong = b.auth.set_up(&signed, "000000", "x").await;
    assert!(matches!(wrong, Err(Trouble::BadCode)));
    assert!(
        b.try_in(None).await.is_ok(),
        "not asked for before a code was shown"
    );
}

#[tokio::test]
async fn one_sees_where_one_is_signed_in_and_ends_it() {
    let b = bench().await;
    let other = b.sign_in().await;
    let signed = b.try_in(None).await.unwrap();
    let now = b.clock.now();
    let all = b.auth.sessions_of(&signed.account, now).await.unwrap();
    assert_eq!(all.len(), 2);
    assert!(all.iter().all(|s| s.origin == "127.0.0.1"));
    let one = all.iter().find(|s| s.sha256 != signed.key).unwrap();
    b.auth.end_other(&signed, one.sha256, HERE).await.unwrap();
    assert!(!b.lives(&other).await && b.auth.still(&signed, false).await.is_ok());
    b.hours(9);
    let now = b.clock.now();
    let all = b.auth.sessions_of(&signed.account, now).await.unwrap();
    assert!(all.is_empty(), "what has ended is not shown");
}
