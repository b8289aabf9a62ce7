//! Marked numbers by the ways that are walked more rarely: what a citizen lets an agent see, what a supervisor says into a
//! chat, an editor's preview, question and reasons, addresses to bring in, an operator's reason. What is found of them is
//! looked for in `canary`.

use serde_json::json;

use crate::canary::quiet;
use crate::canary_trace::Canary;
use crate::client::Client;
use crate::desk_client::{Desk, account, sign_in};
use crate::harness::Server;
use crate::reveal::owned;
use crate::studio::rewritten;
use crate::studio_client::Editor;
use crate::switches::switch;

const TOWN: &str = "0751";

pub(crate) async fn ways(server: &Server, canaries: &[Canary]) {
    // Memory holds what citizens have just written, as they wrote it.
    let limits = server.limits();
    let dump = limits.lines().find(|l| l.starts_with("Max core file size"));
    let fields: Vec<&str> = dump.unwrap().split_whitespace().collect();
    assert_eq!(fields[4..6], ["0", "0"], "{limits}");
    people(server, canaries).await;
    editors(server, canaries);
    for c in canaries {
        let reason = format!("svarer forkert om {}", c.written.join(" og "));
        for state in ["off", "on"] {
            switch(server, &["generation", state, "--reason", &reason]);
        }
    }
}

/// What is hidden is shown to an agent who has the chat; a supervisor coaches and joins.
async fn people(server: &Server, canaries: &[Canary]) {
    let mut anna = Desk::of(server, "anna").await;
    let supervisor = ["--role", "supervisor", "--municipalities", "all"];
    account(server, "sofie", "Sofie", &supervisor);
    let mut sofie = Desk::of(server, "sofie").await;
    let (mut citizen, _) = Client::hello(server, TOWN).await;
    let (item, epoch) = owned(&mut citizen, &mut anna).await;
    // Not of each: a dialogue takes so many messages a minute.
    for (n, c) in canaries.iter().enumerate().step_by(3) {
        let (id, text) = (format!("r-{n}"), format!("Det er {}", c.written[0]));
        citizen.say(&id, &text).await;
        quiet(&citizen.next("reveal").await, canaries);
        let reveal = json!({"type": "reveal", "client_id": id, "epoch": epoch, "text": text});
        citizen.send(&reveal).await;
        quiet(&citizen.next("reveal").await, canaries);
        assert_eq!(anna.next("revealed").await["item"], item);
    }
    for level in ["coach", "barge_in"] {
        sofie
            .done(json!({"type": "supervise", "item": item, "level": level}))
            .await;
        for c in canaries.iter().filter(|c| !c.of_offices) {
            let text = format!("Sig {}", c.written[0]);
            let done = sofie
                .done(json!({"type": "supervisor_message", "item": item, "text": text}))
                .await;
            assert_ne!(done["masked"], json!(null), "{done}");
        }
    }
}

/// A preview, a replay and reasons; addresses that hold a number.
fn editors(server: &Server, canaries: &[Canary]) {
    let edda = Editor {
        server,
        session: sign_in(server, "edda"),
    };
    let releases = edda.get("/releases");
    let newest = releases["releases"][0]["number"].clone();
    for c in canaries {
        let words = c.written.join(", ");
        let article = rewritten(&edda.article("affald-storskrald", "shared"), &words);
        edda.try_(
            "POST",
            "/preview",
            &json!({"municipality": TOWN, "layer": "shared", "article": article}),
        );
        // Of a host that is on no list: nobody is asked.
        let web = json!({"format": "web", "addresses": [format!("https://www.example.dk/?q={}", c.plain)],
            "layer": "shared", "area": "affald", "owner": "natur", "name": words});
        let (status, answer) = edda.try_("POST", "/import", &web);
        if status == 202 {
            edda.end(&answer);
        }
        let path = format!("/releases/{}/undo", c.plain);
        edda.try_("POST", &path, &json!({"why": words}));
    }
    let why = canaries.iter().map(|c| c.written[0].as_str());
    let why = format!("Fejl set af {}", why.collect::<Vec<_>>().join(", "));
    edda.done(&format!("/releases/{newest}/undo"), &json!({"why": why}));
}
