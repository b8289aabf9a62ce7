//! Security keys over real requests: added, shown, copied, stolen, taken away.

use serde_json::{Value, json};

use crate::authenticator::Authenticator;
use crate::desk_client::{ALL, Answer, PASSWORD, account, request_at, user};
use crate::harness::Server;

const PUBLIC: &str = "https://desk.example.dk";

/// Where staff reach the service by the address that keys are for.
fn service(config: &str) -> (Server, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("b.toml");
    std::fs::write(&path, config).unwrap();
    Server::shared();
    let path = path.to_str().unwrap();
    let server = Server::with(&[
        ("BORGERLINJE_CONFIG", path),
        ("BORGERLINJE_PUBLIC_URL", PUBLIC),
    ]);
    (server, dir)
}

struct Person<'s> {
    server: &'s Server,
    name: &'static str,
    cookie: String,
    csrf: String,
}

fn read(answer: &Answer) -> (u16, String, Value) {
    let body: Value = serde_json::from_str(&answer.2).unwrap_or_default();
    let code = body["code"].as_str().unwrap_or_default().to_owned();
    (answer.0, code, body)
}

impl<'s> Person<'s> {
    fn new(server: &'s Server, name: &'static str) -> Self {
        account(server, name, name, ALL);
        let (cookie, csrf) = (String::new(), String::new());
        let mut person = Self {
            server,
            name,
            cookie,
            csrf,
        };
        let (status, code, _) = person.sign_in(&json!({}));
        assert_eq!((status, code.as_str()), (200, ""));
        person
    }

    /// With name and password, and what else is shown; who gets in has the new session from then on.
    fn sign_in(&mut self, shown: &Value) -> (u16, String, Value) {
        let mut body = json!({"user": self.name, "password": PASSWORD});
        body.as_object_mut()
            .unwrap()
            .extend(shown.as_object().unwrap().clone());
        let ours = [("Origin", PUBLIC)];
        let answer = request_at(
            self.server,
            "POST",
            "/api/session",
            &ours,
            &body.to_string(),
        );
        let found = read(&answer);
        if found.0 == 200 {
            let cookie = answer
                .1
                .lines()
                .find_map(|l| l.strip_prefix("set-cookie: "));
            let cookie = cookie.unwrap().split(';').next().unwrap();
            self.cookie = cookie.replace("__host-", "__Host-");
            self.csrf = found.2["csrf"].as_str().unwrap().to_owned();
        }
        found
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, String, Value) {
        let headers = [
            ("Origin", PUBLIC),
            ("Cookie", self.cookie.as_str()),
            ("x-borgerlinje-csrf", self.csrf.as_str()),
        ];
        let path = format!("/api/session{path}");
        let body = body.to_string();
        read(&request_at(self.server, method, &path, &headers, &body))
    }

    fn second(&self) -> Value {
        self.ask("GET", "/second-factor", &json!({})).2
    }

    /// What a browser does with what it is asked to add.
    fn add(&self, key: &mut Authenticator, called: &str, shown: &Value) -> (u16, String, Value) {
        let begun = self.ask("POST", "/second-factor/keys", shown);
        if begun.0 != 200 {
            return begun;
        }
        let made = key.make(&begun.2["options"]);
        let said = json!({"name": called, "challenge": begun.2["challenge"], "credential": made});
        self.ask("POST", "/second-factor/keys/confirm", &said)
    }

    /// What is to be shown at a sign-in, as the service asks for it.
    fn half(&mut self) -> Value {
        let (status, code, body) = self.sign_in(&json!({}));
        assert_eq!((status, code.as_str()), (401, "code_needed"), "{body}");
        body
    }

    /// A sign-in by that key.
    fn by(&mut self, key: &mut Authenticator) -> (u16, String) {
        let shown = said(&self.half()["key"], key);
        let (status, code, _) = self.sign_in(&shown);
        (status, code)
    }

    /// Its word that it is still there.
    fn again(&self, key: &mut Authenticator) -> Value {
        let (status, _, asked) = self.ask("POST", "/second-factor/challenge", &json!({}));
        assert_eq!(status, 200, "{asked}");
        said(&asked, key)
    }
}

fn said(asked: &Value, key: &mut Authenticator) -> Value {
    let credential = key.show(&asked["options"]);
    json!({"key": {"challenge": asked["challenge"], "credential": credential}})
}

fn is(found: &(u16, String), status: u16, code: &str) -> bool {
    (found.0, found.1.as_str()) == (status, code)
}

#[test]
fn a_key_is_added_asked_for_and_taken_away() {
    let (server, _dir) = service("[staff]\nsecond_factor = \"required\"\n");
    let mut anna = Person::new(&server, "anna");
    let before = anna.second();
    assert_eq!(
        (&before["state"], &before["keys_here"]),
        (&json!("needed"), &json!(true))
    );
    let mut blue = Authenticator::new(PUBLIC, 1);
    let (status, _, body) = anna.add(&mut blue, "  Blå   nøgle ", &json!({}));
    assert_eq!(status, 200, "{body}");
    let recovery = body["recovery_codes"].clone();
    assert_eq!(recovery.as_array().unwrap().len(), 10);
    let second = anna.second();
    assert_eq!(
        (&second["state"], &second["app"], &second["recovery_codes"]),
        (&json!("on"), &json!(false), &json!(10)),
        "a key satisfies the demand"
    );
    assert_eq!(second["keys"][0]["name"], "Blå nøgle");
    assert_eq!(second["keys"][0]["used_ms"], Value::Null);

    let asked = anna.half();
    assert_eq!(
        (&asked["app"], &asked["keys"]),
        (&json!(false), &json!(true))
    );
    let options = &asked["key"]["options"];
    assert_eq!(options["rpId"], "desk.example.dk");
    assert_eq!(options["userVerification"], "discouraged");
    let shown = said(&asked["key"], &mut blue);
    assert_eq!(anna.sign_in(&shown).0, 200);
    assert!(anna.second()["keys"][0]["used_ms"].is_i64());
    let (status, code, _) = anna.sign_in(&shown);
    assert!(
        is(&(status, code), 400, "key_over"),
        "a challenge is good once"
    );

    // Another is added by whoever shows the first, and a recovery code stands in for one that is lost.
    let mut red = Authenticator::new(PUBLIC, 2);
    let (status, code, _) = anna.add(&mut red, "Rød", &json!({}));
    assert!(
        is(&(status, code), 401, "code_needed"),
        "a session alone adds none"
    );
    let (status, code, _) = anna.ask("POST", "/second-factor", &json!({}));
    assert!(is(&(status, code), 401, "code_needed"), "nor a code app");
    let shown = anna.again(&mut blue);
    let (status, _, body) = anna.add(&mut red, "Rød", &shown);
    assert_eq!(
        (status, &body["recovery_codes"]),
        (200, &json!([])),
        "the codes stay"
    );
    assert!(is(&anna.by(&mut red), 200, ""));
    let shown = anna.again(&mut blue);
    let (status, code, _) = anna.add(&mut red, "Rød", &shown);
    assert!(is(&(status, code), 409, "second_factor"), "it is there");

    let id = |person: &Person<'_>, n: usize| {
        let second = person.second();
        second["keys"][n]["id"].as_str().unwrap().to_owned()
    };
    let named = |person: &Person<'_>, name: &str| {
        let path = format!("/second-factor/keys/{}/name", id(person, 1));
        person.ask("POST", &path, &json!({"name": name})).0
    };
    assert_eq!(named(&anna, "Rød fra kontoret"), 204);
    assert_eq!(
        (named(&anna, " "), named(&anna, &"x".repeat(61))),
        (400, 400)
    );
    assert_eq!(anna.second()["keys"][1]["name"], "Rød fra kontoret");

    let other = (anna.cookie.clone(), anna.csrf.clone());
    let code = json!({"code": recovery[0]});
    assert_eq!(anna.sign_in(&code).0, 200);
    let lost = id(&anna, 0);
    let remove = |person: &Person<'_>, id: &str, shown: &Value| {
        let (status, code, _) =
            person.ask("POST", &format!("/second-factor/keys/{id}/remove"), shown);
        (status, code)
    };
    assert!(is(&remove(&anna, &lost, &json!({})), 401, "code_needed"));
    assert!(is(
        &remove(&anna, &lost, &json!({"code": recovery[1]})),
        204,
        ""
    ));
    assert!(
        is(&remove(&anna, &lost, &json!({})), 409, "second_factor"),
        "gone"
    );
    let headers = [("Cookie", other.0.as_str())];
    let ended = request_at(&server, "GET", "/api/session", &headers, "");
    assert_eq!(ended.0, 401, "whoever has the key may have used it");
    let asked = anna.half();
    let allowed = asked["key"]["options"]["allowCredentials"]
        .as_array()
        .unwrap();
    assert_eq!(allowed.len(), 1);
    let shown = said(&asked["key"], &mut blue);
    let (status, code, _) = anna.sign_in(&shown);
    assert!(is(&(status, code), 401, "bad_key"), "it is no longer hers");
    let last = id(&anna, 0);
    let shown = anna.again(&mut red);
    assert!(
        is(&remove(&anna, &last, &shown), 409, "second_factor"),
        "one is demanded"
    );

    user(&server, &["reset-second-factor", "anna"], "");
    assert_eq!(anna.ask("GET", "", &json!({})).0, 401, "signed out");
    assert_eq!(anna.sign_in(&json!({})).0, 200);
    assert_eq!(anna.second()["keys"], json!([]));
    let audit = user(&server, &["audit"], "");
    for what in [
        "anna\tadd_key\t127.0.0.1\tBlå nøgle",
        "anna\trename_key\t127.0.0.1\tRød: Rød fra kontoret",
        "anna\tremove_key\t127.0.0.1\tBlå nøgle",
        "anna\tsign_in\t127.0.0.1\tkey",
        "operator\treset_second_factor\tcommand\tanna",
    ] {
        assert!(audit.contains(what), "{what}: {audit}");
    }
}

#[test]
fn what_a_key_says_holds_for_one_site_one_account_one_session_and_once() {
    let (server, _dir) = service("");
    let mut anna = Person::new(&server, "anna");
    let mut bo = Person::new(&server, "bo");
    let (mut blue, mut red) = (Authenticator::new(PUBLIC, 1), Authenticator::new(PUBLIC, 2));
    assert_eq!(anna.add(&mut blue, "Blå", &json!({})).0, 200);
    assert_eq!(bo.add(&mut red, "Rød", &json!({})).0, 200);
    let mut same = Authenticator::new(PUBLIC, 1);
    let shown = bo.again(&mut red);
    let (status, code, _) = bo.add(&mut same, "Annas", &shown);
    assert!(
        is(&(status, code), 409, "second_factor"),
        "an id is one account's"
    );

    // A page that looks like ours passes on what it was asked.
    blue.origin = "https://desk.example.dk.evil.example".to_owned();
    assert!(is(&anna.by(&mut blue), 401, "bad_key"));
    blue.origin = PUBLIC.to_owned();
    assert!(is(&anna.by(&mut blue), 200, ""));
    // Another key under that id; a colleague's own key; what a colleague was asked.
    assert!(is(&anna.by(&mut same), 401, "bad_key"));
    assert!(is(&anna.by(&mut red), 401, "bad_key"));
    let asked = bo.half();
    let (status, code, _) = anna.sign_in(&said(&asked["key"], &mut blue));
    assert!(is(&(status, code), 400, "key_over"));
    assert!(is(&anna.by(&mut blue), 200, ""));
    // What was asked at a sign-in is no word within a session, nor within another session of hers, nor the other way.
    let at_sign_in = said(&anna.half()["key"], &mut blue);
    let (status, code, _) = anna.ask("POST", "/second-factor/recovery-codes", &at_sign_in);
    assert!(is(&(status, code), 400, "key_over"));
    let in_session = anna.again(&mut blue);
    let (status, code, _) = anna.sign_in(&in_session);
    assert!(is(&(status, code), 400, "key_over"));
    let in_session = anna.again(&mut blue);
    assert!(is(&anna.by(&mut blue), 200, ""));
    let (status, code, _) = anna.ask("POST", "/second-factor/recovery-codes", &in_session);
    assert!(is(&(status, code), 400, "key_over"), "another session");
    let shown = anna.again(&mut blue);
    let (status, _, body) = anna.ask("POST", "/second-factor/recovery-codes", &shown);
    assert_eq!(
        (status, body["recovery_codes"].as_array().map(Vec::len)),
        (200, Some(10))
    );

    // A copy of the key, which has counted less.
    let counted = blue.count;
    assert!(is(&anna.by(&mut blue), 200, ""));
    blue.count = counted;
    assert!(is(&anna.by(&mut blue), 401, "bad_key"));
    assert!(is(&anna.by(&mut blue), 200, ""), "the key itself goes on");
    let audit = user(&server, &["audit"], "");
    assert_eq!(
        audit.matches("anna\tkey_counter\t127.0.0.1\tBlå").count(),
        1,
        "{audit}"
    );

    // Nonsense is refused and counted, and a colleague is not slowed by it.
    let mut codes = Vec::new();
    for n in 0..20 {
        let odd = [json!({}), json!("x"), json!({"id": "AA"}), Value::Null];
        let shown = json!({"key": {"challenge": anna.half()["key"]["challenge"], "credential": odd[n % 4]}});
        codes.push(anna.sign_in(&shown).0);
        if codes.ends_with(&[429]) {
            break;
        }
    }
    assert!(codes.len() > 4 && codes.ends_with(&[429]), "{codes:?}");
    assert!(
        codes[..codes.len() - 1].iter().all(|c| *c == 401),
        "{codes:?}"
    );
    assert!(is(&bo.by(&mut red), 200, ""));
}

#[test]
fn at_an_address_that_is_a_number_keys_are_not_offered() {
    let server = Server::own();
    account(&server, "anna", "Anna", ALL);
    let session = crate::desk_client::sign_in(&server, "anna");
    let origin = crate::desk_client::origin(&server);
    let headers = [
        ("Origin", origin.as_str()),
        ("Cookie", session.cookie.as_str()),
        ("x-borgerlinje-csrf", session.csrf.as_str()),
    ];
    let path = "/api/session/second-factor";
    let (_, _, second) = read(&request_at(&server, "GET", path, &headers, ""));
    assert_eq!(second["keys_here"], false);
    let path = "/api/session/second-factor/keys";
    let (status, code, _) = read(&request_at(&server, "POST", path, &headers, "{}"));
    assert!(is(&(status, code), 409, "second_factor"));
}
