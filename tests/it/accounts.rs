//! Accounts over real sockets and commands: who gets in, and what the commands refuse.

use serde_json::{Value, json};

use crate::desk_client::{ALL, PASSWORD, account, origin, request, sign_in, try_sign_in, user};
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
