//! Accounts over real sockets and commands: who gets in, and what the commands refuse.

use serde_json::{Value, json};

use crate::desk_client::{
    ALL, Answer, Desk, PASSWORD, Session, account, origin, request, request_at, sign_in,
    try_sign_in, user,
};
use crate::harness::{Server, borgerlinje, finish};

fn json_of(body: &str) -> Value {
    serde_json::from_str(body).unwrap()
}

#[test]
fn signing_in_needs_the_password_and_a_page_of_ours() {
    let server = Server::own();
    assert_eq!(request(&server, "GET", &[], "").0, 401);
    account(
        &server,
        "Anna",
        "Anna Holm",
        &["--municipalities", "0751", "--role", "agent,supervisor"],
    );
    let session = sign_in(&server, "anna");
    // The page says so some minutes before the session ends.
    let headers = [("Cookie", session.cookie.as_str())];
    let (_, _, me) = request(&server, "GET", &headers, "");
    let left = json_of(&me)["ends_in_ms"].as_u64().unwrap();
    assert!((11 * 3_600_000..=12 * 3_600_000).contains(&left), "{left}");

    let (status, _, body) = try_sign_in(&server, "anna", "lyng tromme kajak fy");
    assert_eq!(
        (status, &json_of(&body)["code"]),
        (401, &json!("bad_credentials"))
    );
    let (unknown, _, other) = try_sign_in(&server, "bo", "lyng tromme kajak fy");
    assert_eq!(
        (unknown, other),
        (status, body),
        "nobody learns who has an account"
    );
    let credentials = json!({"user": "anna", "password": PASSWORD}).to_string();
    for headers in [&[][..], &[("Origin", "https://evil.example")]] {
        let (status, head, body) = request(&server, "POST", headers, &credentials);
        assert_eq!(
            (status, &json_of(&body)["code"]),
            (403, &json!("wrong_origin"))
        );
        assert!(!head.contains("set-cookie"));
    }
    assert_eq!(
        request(&server, "POST", &[("Origin", &origin(&server))], "x").0,
        400
    );

    let cookie = ("Cookie", session.cookie.as_str());
    let (status, head, body) = request(&server, "GET", &[cookie], "");
    let me = json_of(&body);
    assert_eq!(status, 200);
    assert!(head.contains("cache-control: no-store"), "{head}");
    assert_eq!(me["user"], "anna");
    assert_eq!(me["roles"], json!(["agent", "supervisor"]));
    assert_eq!(me["csrf"], session.csrf.as_str());

    let from = ("Origin", &*origin(&server));
    let csrf = ("x-borgerlinje-csrf", session.csrf.as_str());
    for (headers, want) in [
        (&[cookie, from][..], 403),
        (&[cookie, from, ("x-borgerlinje-csrf", "0000")], 403),
        (&[cookie, csrf], 403),
        (&[from, csrf], 401),
        (&[cookie, from, csrf], 204),
    ] {
        assert_eq!(
            request(&server, "DELETE", headers, "").0,
            want,
            "{headers:?}"
        );
    }
    assert_eq!(request(&server, "GET", &[cookie], "").0, 401, "signed out");
    let audit = user(&server, &["audit"], "");
    assert!(
        audit.contains("anna\tsign_in\t127.0.0.1") && audit.contains("anna\tsign_out"),
        "{audit}"
    );
    let secret = server.stored().iter().any(|(_, bytes)| {
        let holds = |needle: &str| bytes.windows(needle.len()).any(|w| w == needle.as_bytes());
        holds(PASSWORD) || holds(&session.cookie["__Host-borgerlinje=".len()..])
    });
    assert!(!secret, "neither password nor token is on disk");
}

#[test]
fn guessing_is_slowed_with_the_time_to_wait() {
    let server = Server::own();
    account(&server, "anna", "Anna", ALL);
    sign_in(&server, "anna");
    let mut codes = Vec::new();
    for _ in 0..7 {
        let (status, head, _) = try_sign_in(&server, "anna", "lyng tromme kajak fy");
        if status == 429 {
            assert!(head.contains("retry-after: "), "{head}");
        }
        codes.push(status);
    }
    assert_eq!(codes[..5], [401; 5]);
    assert!(codes[5..].contains(&429), "{codes:?}");
}

#[test]
fn the_command_refuses_what_is_no_account() {
    let server = Server::own();
    let run = |arguments: &[&str], input: &str| {
        let mut all = vec!["user"];
        all.extend(arguments);
        let mut command = borgerlinje(&all);
        command.env("BORGERLINJE_DATA", server.data());
        let output = finish(&mut command, input.as_bytes());
        assert!(!output.status.success(), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let add = ["add", "anna", "--name", "Anna", "--municipalities"];
    let with = |more: &[&'static str]| [&add[..], more].concat();
    for (arguments, input, want) in [
        (with(&["all"]), "kort", "12 to 200 characters"),
        (with(&["all"]), "password12345", "among the first"),
        (with(&["all"]), "", "12 to 200 characters"),
        (with(&["9999"]), PASSWORD, "none with code 9999"),
        (with(&["07"]), PASSWORD, "four digits"),
        (
            with(&["all", "--areas", "pas,xyz"]),
            PASSWORD,
            "«xyz» is not in omraader.toml",
        ),
        (with(&["all", "--role", "boss"]), PASSWORD, "is no role"),
        (
            vec!["set", "anna", "--capacity", "2"],
            "",
            "no such account",
        ),
        (vec!["remove", "anna"], "", "no such account"),
    ] {
        let said = run(&arguments, input);
        assert!(said.contains(want), "{arguments:?}: {said}");
    }
    account(&server, "anna", "Anna", ALL);
    assert!(run(&with(&["all"]), PASSWORD).contains("user set"));
    user(
        &server,
        &["set", "anna", "--capacity", "2", "--languages", "da,en"],
        "",
    );
    let import = format!(
        "user\tname\tmunicipalities\tpassword\nbo\tBo\t0751\t{PASSWORD}\ncecilie\tCecilie\tall\t{PASSWORD}\n"
    );
    user(&server, &["import", "-"], &import);
    let list = user(&server, &["list"], "");
    assert!(
        list.contains("anna\tAnna\tagent\tall\tall\tda,en\tcitizen\t\t2"),
        "{list}"
    );
    assert_eq!(list.lines().count(), 4);
    user(&server, &["remove", "bo"], "");
    assert!(!user(&server, &["list"], "").contains("bo\tBo"));
}

/// What a code app shows so many steps of 30 seconds from now.
#[allow(
    clippy::disallowed_methods,
    reason = "the service under test has the machine's clock, and so has a code app"
)]
fn code(key: &str, steps: u64) -> String {
    let secret = totp_rs::Secret::try_from_base32(key.replace(' ', "")).unwrap();
    let app = totp_rs::Builder::new().with_secret(secret).build().unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    app.generate(now.unwrap().as_secs() + 30 * steps)
        .to_string()
}

/// A request of somebody who has signed in.
fn mine(server: &Server, session: &Session, method: &str, path: &str, body: &Value) -> Answer {
    let origin = origin(server);
    let headers = [
        ("Cookie", session.cookie.as_str()),
        ("x-borgerlinje-csrf", session.csrf.as_str()),
        ("Origin", origin.as_str()),
    ];
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    request_at(
        server,
        method,
        &format!("/api/session{path}"),
        &headers,
        &body,
    )
}

fn with_code(server: &Server, code: &str) -> Answer {
    let body = json!({"user": "anna", "password": PASSWORD, "code": code}).to_string();
    request(server, "POST", &[("Origin", &origin(server))], &body)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_factor_that_is_demanded_comes_before_everything_and_is_asked_for_from_then_on() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("b.toml");
    std::fs::write(&path, "[staff]\nsecond_factor = \"required\"\n").unwrap();
    Server::shared();
    let server = Server::with(&[("BORGERLINJE_CONFIG", path.to_str().unwrap())]);
    account(
        &server,
        "anna",
        "Anna",
        &["--municipalities", "all", "--role", "agent,editor"],
    );
    let session = sign_in(&server, "anna");
    let me = json_of(&mine(&server, &session, "GET", "", &Value::Null).2);
    assert_eq!(me["second_factor"], "needed");
    let from = origin(&server);
    let refused = Desk::connect(&server, Some(&session.cookie), Some(&from)).await;
    assert_eq!(refused.err(), Some(403));
    let studio = request_at(
        &server,
        "GET",
        "/api/studio/me",
        &[("Cookie", &session.cookie)],
        "",
    );
    assert_eq!(
        (studio.0, &json_of(&studio.2)["code"]),
        (403, &json!("second_factor_needed"))
    );

    let offered = json_of(&mine(&server, &session, "POST", "/second-factor", &Value::Null).2);
    let key = offered["key"].as_str().unwrap();
    assert!(offered["qr"].as_str().unwrap().starts_with("<svg"));
    let confirm = |code: &str| {
        let asked = json!({"code": code});
        mine(&server, &session, "POST", "/second-factor/confirm", &asked)
    };
    assert_eq!(confirm("000000").0, 401);
    let (status, head, body) = confirm(&code(key, 0));
    assert_eq!(status, 200, "{body}");
    assert!(head.contains("cache-control: no-store"));
    let recovery = json_of(&body)["recovery_codes"].clone();
    assert_eq!(recovery.as_array().unwrap().len(), 10);
    drop(Desk::open(&server, &session).await);

    // From now on the password alone says only that it is right, and a wrong one nothing else than before.
    let (status, head, body) = try_sign_in(&server, "anna", PASSWORD);
    assert_eq!(
        (status, &json_of(&body)["code"]),
        (401, &json!("code_needed"))
    );
    assert!(!head.contains("set-cookie"));
    let (status, _, body) = try_sign_in(&server, "anna", "lyng tromme kajak fy");
    assert_eq!(
        (status, &json_of(&body)["code"]),
        (401, &json!("bad_credentials"))
    );
    let next = code(key, 1);
    assert_eq!(with_code(&server, &next).0, 200);
    let (status, _, body) = with_code(&server, &next);
    assert_eq!((status, &json_of(&body)["code"]), (401, &json!("bad_code")));
    assert_eq!(with_code(&server, recovery[0].as_str().unwrap()).0, 200);
    assert_eq!(with_code(&server, recovery[0].as_str().unwrap()).0, 401);

    // Where one is signed in, and ending it.
    let list =
        || json_of(&mine(&server, &session, "GET", "/all", &Value::Null).2)["sessions"].clone();
    let all = list();
    let all = all.as_array().unwrap();
    assert_eq!(all.len(), 3, "{all:#?}");
    assert!(
        all.iter()
            .all(|s| s["from"] == "127.0.0.1" && s["second_factor"] == true)
    );
    let other = all.iter().find(|s| s["this"] == false).unwrap()["id"]
        .as_str()
        .unwrap();
    assert_eq!(
        mine(
            &server,
            &session,
            "DELETE",
            &format!("/all/{other}"),
            &Value::Null
        )
        .0,
        204
    );
    assert_eq!(list().as_array().unwrap().len(), 2);
    let shown = user(&server, &["sessions", "anna"], "");
    assert_eq!(shown.lines().count(), 3, "{shown}");

    // The operator brings back who has lost everything.
    let kept = server.stored().iter().any(|(_, bytes)| {
        let code = recovery[1].as_str().unwrap().as_bytes();
        bytes.windows(code.len()).any(|w| w == code)
    });
    assert!(!kept, "no recovery code is on disk");
    user(&server, &["reset-second-factor", "anna"], "");
    assert_eq!(
        mine(&server, &session, "GET", "", &Value::Null).0,
        401,
        "signed out"
    );
    let session = sign_in(&server, "anna");
    assert!(user(&server, &["sessions", "anna", "--end"], "").contains("1 sessions of anna"));
    assert_eq!(mine(&server, &session, "GET", "", &Value::Null).0, 401);
    let audit = user(&server, &["audit"], "");
    for what in [
        "operator\treset_second_factor\tcommand\tanna",
        "operator\tend_sessions\tcommand\tanna",
        "anna\tsecond_factor_on",
        "anna\tend_session\t127.0.0.1",
        "anna\tsign_in\t127.0.0.1\trecovery_code",
    ] {
        assert!(audit.contains(what), "{what}: {audit}");
    }
}

#[test]
fn what_was_done_to_the_audit_is_found_by_the_command() {
    let server = Server::own();
    account(&server, "anna", "Anna", ALL);
    sign_in(&server, "anna");
    let verify = |more: &[&str]| {
        let mut command = borgerlinje(&[&["audit", "verify"], more].concat());
        command.env("BORGERLINJE_DATA", server.data());
        let output = finish(&mut command, b"");
        let said = String::from_utf8(output.stdout).unwrap();
        (output.status.code(), said)
    };
    let (status, said) = verify(&[]);
    assert_eq!(status, Some(0), "{said}");
    let head = said.lines().find_map(|l| l.strip_prefix("head ")).unwrap();
    assert!(head.starts_with("2:"), "{head}");
    sign_in(&server, "anna");
    assert_eq!(verify(&["--head", head]).0, Some(0), "it has grown");

    let change = |sql: &str| {
        let path = server.data().join("accounts.sqlite");
        rusqlite::Connection::open(path)
            .unwrap()
            .execute_batch(sql)
            .unwrap();
    };
    change("CREATE TABLE kept AS SELECT * FROM audit; DELETE FROM audit WHERE id > 1");
    assert_eq!(verify(&[]).0, Some(0), "what is left is whole");
    let (status, said) = verify(&["--head", head]);
    assert_eq!(status, Some(1));
    assert!(said.contains("line 2 does not hold"), "{said}");
    change(
        "DELETE FROM audit; INSERT INTO audit SELECT * FROM kept; UPDATE audit SET user = 'bo' WHERE id = 2",
    );
    let (status, said) = verify(&[]);
    assert_eq!(status, Some(1));
    assert!(said.starts_with("line 2 does not hold"), "{said}");
}
