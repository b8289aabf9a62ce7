//! What a provider may send, and ours make of it. The provider is one of the test's own, over real HTTP with real
//! signatures, so that it can send what no honest one would; an honest one is in tests/browser/oidc.test.mjs.

use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::{get, post};
use axum::{Json, Router};
use base::{Clock as _, ManualClock};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use openidconnect::core::{CoreEdDsaPrivateSigningKey, CoreJwsSigningAlgorithm};
use openidconnect::{JsonWebKeyId, PrivateSigningKey as _};
use serde_json::{Value, json};
use storage::{Accounts, NewAccount};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::waiting::{Begun, Target};
use super::*;
use crate::auth::{FILE, Origins, Staff};

const BACK: &str = "https://desk.example.dk/api/session/oidc/a/return";
const NOW: &str = "2026-11-23T08:00:00Z";

/// What the provider of the test says when it is asked.
#[derive(Default)]
struct Says {
    issuer: String,
    /// Its public keys, each made of one byte.
    keys: Vec<u8>,
    token: String,
    /// The form that came last, and with which authorization.
    asked: (String, String),
}

type Stand = Arc<Mutex<Says>>;

fn key(seed: u8) -> CoreEdDsaPrivateSigningKey {
    // PKCS #8 of an Ed25519 key (RFC 8410, section 7) around its 32 bytes.
    let mut der = vec![
        0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04,
        0x20,
    ];
    der.extend([seed; 32]);
    let inner = STANDARD.encode(der);
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{inner}\n-----END PRIVATE KEY-----\n");
    let kid = JsonWebKeyId::new(format!("k{seed}"));
    CoreEdDsaPrivateSigningKey::from_ed25519_pem(&pem, Some(kid)).unwrap()
}

/// A token of these claims, signed by that key.
fn token(claims: &Value, seed: u8) -> String {
    let part = |v: &Value| URL_SAFE_NO_PAD.encode(v.to_string());
    let head = part(&json!({"alg": "EdDSA", "kid": format!("k{seed}"), "typ": "JWT"}));
    let signed = format!("{head}.{}", part(claims));
    let signature = key(seed).sign(&CoreJwsSigningAlgorithm::EdDsa, signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.unwrap()))
}

fn routes(stand: Stand) -> Router {
    let about = |State(s): State<Stand>| async move {
        let issuer = s.lock().unwrap().issuer.clone();
        Json(json!({
            "issuer": issuer, "authorization_endpoint": format!("{issuer}/auth"),
            "token_endpoint": format!("{issuer}/token"), "jwks_uri": format!("{issuer}/keys"),
            "response_types_supported": ["code"], "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["EdDSA"],
        }))
    };
    let keys = |State(s): State<Stand>| async move {
        let seeds = s.lock().unwrap().keys.clone();
        let keys: Vec<_> = seeds
            .iter()
            .map(|k| key(*k).as_verification_key())
            .collect();
        Json(json!({ "keys": keys }))
    };
    let tokens = |State(s): State<Stand>, headers: HeaderMap, form: String| async move {
        let mut says = s.lock().unwrap();
        let shown = headers.get("authorization").unwrap().to_str().unwrap();
        says.asked = (form, shown.to_owned());
        Json(json!({"access_token": "x", "token_type": "Bearer", "id_token": says.token}))
    };
    Router::new()
        .route("/.well-known/openid-configuration", get(about))
        .route("/keys", get(keys))
        .route("/token", post(tokens))
        .with_state(stand)
}

struct Bench {
    auth: Arc<Auth>,
    clock: ManualClock,
    stand: Stand,
    serving: JoinHandle<()>,
    /// As the operator's commands have it: another hand on the same file.
    command: Accounts,
    _dir: TempDir,
}

const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

fn set_up(issuer: &str) -> Provider {
    Provider {
        id: "a".into(),
        name: "A".into(),
        issuer: IssuerUrl::new(issuer.to_owned()).unwrap(),
        client_id: ClientId::new("bl".into()),
        secret: ClientSecret::new("hemmelig".into()),
        scopes: vec!["profile".into()],
        user_claim: Some("preferred_username".into()),
        second_factor: Vouching::Own,
        second_factor_values: BTreeSet::new(),
        sign_out: SignOut::Here,
    }
}

async fn bench() -> Bench {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let stand = Stand::default();
    {
        let mut says = stand.lock().unwrap();
        says.issuer = issuer.clone();
        says.keys = vec![1];
    }
    let router = routes(stand.clone());
    let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let dir = TempDir::new().unwrap();
    let open = || Accounts::open(&dir.path().join(FILE), &storage::Options::default()).unwrap();
    let (accounts, command) = (open(), open());
    let clock = ManualClock::at(NOW.parse().unwrap());
    let shared = Arc::new(clock.clone());
    let (origins, staff) = (Origins::default(), Staff::default());
    let auth = Auth::new(accounts, shared, origins, staff, vec![set_up(&issuer)]);
    let auth = auth.await.unwrap();
    Bench {
        auth,
        clock,
        stand,
        serving,
        command,
        _dir: dir,
    }
}

impl Bench {
    fn provider(&self) -> &Connected {
        self.auth.oidc.find("a").unwrap()
    }

    async fn begin(&self) -> Result<(url::Url, Begun), Fault> {
        let (caller, target) = (&self.auth.oidc.caller, Target::Studio);
        self.provider()
            .begin(caller, &self.clock, BACK, target)
            .await
    }

    /// What comes of a token with these claims in place of the honest ones, signed by that key.
    async fn finish(&self, other: Value, seed: u8) -> Result<Who, Fault> {
        let (_, begun) = self.begin().await?;
        let now = self.clock.now().as_second();
        let mut claims = json!({
            "iss": self.stand.lock().unwrap().issuer, "aud": "bl", "sub": "s-1", "iat": now, "exp": now + 300,
            "nonce": begun.nonce.secret(), "preferred_username": "anna", "email": "anna@example.dk",
        });
        let put = claims.as_object_mut().unwrap();
        for (name, value) in other.as_object().unwrap() {
            put.insert(name.clone(), value.clone());
        }
        put.retain(|_, value| !value.is_null());
        self.stand.lock().unwrap().token = token(&claims, seed);
        self.redeem(begun).await
    }

    async fn redeem(&self, begun: Begun) -> Result<Who, Fault> {
        let (caller, code) = (&self.auth.oidc.caller, "c-1".to_owned());
        self.provider()
            .finish(caller, &self.clock, BACK, code, begun)
            .await
    }

    async fn account(&self, user: &str) {
        let details = r#"{"name":"Anna","roles":["agent"],"team":null,"skills":{"municipalities":"all",
            "areas":"all","languages":["da"],"audiences":["citizen"]},"capacity":3}"#;
        let new = NewAccount {
            user: user.into(),
            details: details.into(),
            password: String::new(),
        };
        self.command.add(vec![new], self.clock.now()).await.unwrap();
    }

    /// Opens an account for the provider.
    async fn open(&self, user: &str, subject: Option<&str>) {
        let identity = Identity {
            user: user.into(),
            issuer: self.stand.lock().unwrap().issuer.clone(),
            subject: subject.map(str::to_owned),
        };
        self.command
            .set_identity(identity, self.clock.now())
            .await
            .unwrap();
    }

    /// The account of whom the provider calls so.
    async fn is(&self, subject: &str, user: Option<&str>) -> Option<String> {
        let who = Who {
            subject: subject.into(),
            user: user.map(str::to_owned),
            vouched: false,
        };
        let found = self.auth.identified(&self.provider().provider, &who, HERE);
        found.await.unwrap().map(|a| a.user.as_str().to_owned())
    }
}

#[tokio::test]
async fn an_honest_token_says_who_it_is_and_what_was_begun_is_proved() {
    let b = bench().await;
    let (url, _) = b.begin().await.unwrap();
    let asked: std::collections::BTreeMap<_, _> = url.query_pairs().into_owned().collect();
    assert!(url.as_str().starts_with(&b.stand.lock().unwrap().issuer));
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", "bl"),
        ("redirect_uri", BACK),
        ("scope", "openid profile"),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(asked[name], value, "{url}");
    }
    assert!(
        asked["state"].len() > 20
            && asked["nonce"].len() > 20
            && asked["code_challenge"].len() > 40
    );
    let who = b.finish(json!({}), 1).await.unwrap();
    let wanted = Who {
        subject: "s-1".into(),
        user: Some("anna".into()),
        vouched: false,
    };
    assert_eq!(who, wanted);
    let (form, shown) = b.stand.lock().unwrap().asked.clone();
    assert!(
        form.contains("code=c-1") && form.contains("code_verifier="),
        "{form}"
    );
    assert_eq!(shown, format!("Basic {}", STANDARD.encode("bl:hemmelig")));
    assert!(!form.contains("hemmelig"));
}

#[tokio::test]
async fn what_does_not_hold_is_refused() {
    let b = bench().await;
    let now = b.clock.now().as_second();
    for (what, claims) in [
        ("another sign-in's nonce", json!({"nonce": "another"})),
        ("no nonce", json!({"nonce": null})),
        ("for another service", json!({"aud": "other"})),
        ("for another service too", json!({"aud": ["bl", "other"]})),
        ("expired", json!({"iat": now - 900, "exp": now - 1})),
        (
            "from times to come",
            json!({"iat": now + 900, "exp": now + 1_800}),
        ),
        ("by another issuer", json!({"iss": "https://evil.example"})),
        ("nobody", json!({"sub": ""})),
        ("too long a subject", json!({"sub": "s".repeat(256)})),
        (
            "another access token",
            json!({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}),
        ),
    ] {
        assert_eq!(b.finish(claims, 1).await, Err(Fault::Failed), "{what}");
    }
    assert_eq!(
        b.finish(json!({}), 2).await,
        Err(Fault::Failed),
        "a key of nobody's"
    );
    assert!(b.finish(json!({}), 1).await.is_ok());

    // Without a signature, and with that of other words.
    let (_, begun) = b.begin().await.unwrap();
    let honest = b.stand.lock().unwrap().token.clone();
    let parts: Vec<&str> = honest.split('.').collect();
    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
    b.stand.lock().unwrap().token = format!("{none}.{}.", parts[1]);
    assert_eq!(b.redeem(begun).await, Err(Fault::Failed));
    let (_, begun) = b.begin().await.unwrap();
    let payload = URL_SAFE_NO_PAD.decode(parts[1]).unwrap();
    let mut claims: Value = serde_json::from_slice(&payload).unwrap();
    claims["sub"] = "s-2".into();
    claims["nonce"] = begun.nonce.secret().as_str().into();
    let other = URL_SAFE_NO_PAD.encode(claims.to_string());
    b.stand.lock().unwrap().token = format!("{}.{other}.{}", parts[0], parts[2]);
    assert_eq!(b.redeem(begun).await, Err(Fault::Failed));
}

#[tokio::test]
async fn new_keys_are_fetched_when_a_token_names_one_and_not_at_will() {
    let b = bench().await;
    assert!(b.finish(json!({}), 1).await.is_ok());
    b.stand.lock().unwrap().keys = vec![2];
    assert_eq!(
        b.finish(json!({}), 2).await,
        Err(Fault::Failed),
        "asked a moment ago"
    );
    b.clock.advance(Duration::from_secs(6));
    assert!(b.finish(json!({}), 2).await.is_ok());
    b.clock.advance(Duration::from_secs(6));
    assert_eq!(
        b.finish(json!({}), 1).await,
        Err(Fault::Failed),
        "withdrawn"
    );
}

#[tokio::test]
async fn a_provider_that_is_away_is_said_and_comes_back() {
    let b = bench().await;
    b.serving.abort();
    let away = async || b.begin().await.map(|_| ()) == Err(Fault::Away);
    while !away().await {
        // What was accepted before is answered still.
        b.clock.advance(Duration::from_secs(3_600));
        tokio::task::yield_now().await;
    }
    let issuer = b.stand.lock().unwrap().issuer.clone();
    let listener = TcpListener::bind(issuer.strip_prefix("http://").unwrap())
        .await
        .unwrap();
    let router = routes(b.stand.clone());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    assert!(away().await, "not asked again at once");
    b.clock.advance(Duration::from_secs(6));
    assert!(b.finish(json!({}), 1).await.is_ok());

    // One that calls itself otherwise than the operator does.
    b.stand.lock().unwrap().issuer = "https://evil.example".into();
    let stranger = Connected::new(set_up(&issuer));
    let begun = stranger.begin(&b.auth.oidc.caller, &b.clock, BACK, Target::Desk);
    assert!(matches!(begun.await, Err(Fault::Away)));
}

#[tokio::test]
async fn an_account_is_found_by_subject_and_only_one_that_waits_by_name() {
    let b = bench().await;
    assert_eq!(b.is("s-1", Some("anna")).await, None, "there is none");
    b.account("anna").await;
    b.account("bo").await;
    assert_eq!(b.is("s-1", Some("anna")).await, None, "nobody opened it");
    b.open("anna", None).await;
    assert_eq!(b.is("s-1", None).await, None, "no name was given");
    assert_eq!(b.is("s-1", Some("bo")).await, None);
    assert_eq!(b.is("s-1", Some(" Anna ")).await.as_deref(), Some("anna"));
    assert_eq!(
        b.is("s-1", Some("bo")).await.as_deref(),
        Some("anna"),
        "renamed"
    );
    assert_eq!(
        b.is("s-2", Some("anna")).await,
        None,
        "another of that name"
    );
    b.open("bo", Some("s-9")).await;
    assert_eq!(b.is("s-2", Some("bo")).await, None, "it waits for nobody");
    assert_eq!(b.is("s-9", None).await.as_deref(), Some("bo"));
    let audit = b.auth.accounts.audited(9).await.unwrap();
    let told: Vec<_> = audit
        .iter()
        .map(|l| (&*l.user, &*l.what, &*l.detail))
        .collect();
    assert_eq!(told, [("anna", "bind_identity", "a")]);

    // A removed account is nobody's, and who comes under its name is another.
    b.command.remove("anna", b.clock.now()).await.unwrap();
    assert_eq!(b.is("s-1", Some("anna")).await, None);
    b.account("anna").await;
    assert_eq!(b.is("s-1", Some("anna")).await, None);
}

#[tokio::test]
async fn a_session_begins_as_after_a_password_and_no_password_opens_the_account() {
    let b = bench().await;
    b.account("anna").await;
    b.open("anna", Some("s-1")).await;
    b.is("s-1", None).await.unwrap();
    let anna = b.auth.account(&"anna".parse().unwrap()).unwrap();
    let enter = async |vouched: bool| {
        let nothing = Shown::default();
        let signed = b
            .auth
            .sign_in_by("a", anna.clone(), vouched, &nothing, (None, HERE));
        signed.await.map(|(_, signed)| signed)
    };
    let signed = enter(false).await.unwrap();
    assert!(!signed.second && enter(true).await.unwrap().second);
    assert!(b.auth.still(&signed, false).await.is_ok());
    let audit = b.auth.accounts.audited(2).await.unwrap();
    let told: Vec<_> = audit.iter().map(|l| (&*l.what, &*l.detail)).collect();
    let vouched = "oidc a, its own second factor";
    assert_eq!(told, [("sign_in", vouched), ("sign_in", "oidc a")]);
    for guess in ["", "en lang sætning om noget"] {
        let tried = b
            .auth
            .sign_in("anna", guess.into(), &Shown::default(), (None, HERE))
            .await;
        assert!(matches!(tried, Err(Trouble::BadCredentials)));
    }

    // With a code app, its code is asked for too, unless the provider's own counts.
    b.auth.accounts.enrol("anna", vec![7; 20]).await.unwrap();
    let confirmed = b.auth.accounts.confirm(
        "anna",
        vec![7; 20],
        1,
        Vec::new(),
        signed.key,
        b.clock.now(),
    );
    assert!(confirmed.await.unwrap().is_some());
    assert!(matches!(enter(false).await, Err(Trouble::CodeNeeded(_))));
    assert!(enter(true).await.is_ok());
    // Taken from its provider the account's sessions end.
    assert!(b.auth.still(&signed, false).await.is_ok());
    assert!(b.command.remove_identity("anna").await.unwrap());
    assert!(b.auth.still(&signed, false).await.is_err());
}

#[test]
fn a_providers_second_factor_and_an_address_count_only_where_it_says_so() {
    let who = |change: &dyn Fn(&mut Provider), claims: Value| {
        let mut provider = set_up("https://id.example.dk");
        change(&mut provider);
        let found = Connected::new(provider).who(claims.as_object().unwrap());
        found.unwrap()
    };
    let mfa = |p: &mut Provider| {
        p.second_factor = Vouching::Provider;
        p.second_factor_values = ["mfa".to_owned()].into();
    };
    assert!(!who(&|_| {}, json!({"sub": "s", "amr": ["mfa"]})).vouched);
    assert!(
        who(
            &|p| p.second_factor = Vouching::Provider,
            json!({"sub": "s"})
        )
        .vouched
    );
    assert!(who(&mfa, json!({"sub": "s", "amr": ["pwd", "mfa"]})).vouched);
    assert!(who(&mfa, json!({"sub": "s", "acr": "mfa"})).vouched);
    assert!(!who(&mfa, json!({"sub": "s", "amr": ["pwd"], "acr": "1"})).vouched);

    let mail = |p: &mut Provider| p.user_claim = Some("email".into());
    let user = |verified: Value| {
        who(
            &mail,
            json!({"sub": "s", "email": "anna@a.dk", "email_verified": verified}),
        )
        .user
    };
    assert_eq!(user(json!(true)).as_deref(), Some("anna@a.dk"));
    assert_eq!(user(json!(false)), None);
    assert_eq!(user(json!("true")), None);
    assert_eq!(
        who(&mail, json!({"sub": "s", "email": "anna@a.dk"})).user,
        None
    );
}
