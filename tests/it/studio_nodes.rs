//! Several nodes and a real Redis: what is published at one is what citizens of every other get, or it is said why not.

use std::fs;

use serde_json::{Value, json};
use tokio::time::{Duration, sleep};

use crate::studio::{asked, rewritten};
use crate::studio_client::{Editor, Service, write};
use crate::studio_home::{Home, Redis, copy};

const FILE: &str = "shared/affald/affald-storskrald.md";
const OTHER: &str = "shared/affald/affald-haveaffald.md";
/// Inherits everything.
const TOWN: &str = "0615";

fn state(status: &Value, node: &str) -> Value {
    let nodes = status["nodes"].as_array().unwrap();
    let found = nodes.iter().find(|n| n["node"] == node);
    found.cloned().unwrap_or_default()
}

/// Waits until both say of both that they serve the newest release; its hash.
fn agreed(editors: &[&Editor<'_>], names: &[&str]) -> String {
    let mut hashes: Vec<String> = Vec::new();
    for editor in editors {
        let status = editor.until("/status", |s| {
            let same = |name: &&str| {
                let node = state(s, name);
                node["state"] == "same" && node["release"] == s["release"]
            };
            names.iter().all(same)
        });
        hashes.push(status["release"].as_str().unwrap().to_owned());
    }
    assert!(hashes.windows(2).all(|w| w[0] == w[1]), "{hashes:?}");
    hashes.remove(0)
}

/// A draft with another first line of the article.
fn draft(editor: &Editor<'_>, sentence: &str) -> Value {
    let article = rewritten(&editor.article("affald-storskrald", "shared"), sentence);
    editor.draft(&json!([{"kind": "article", "layer": "shared", "article": article}]))
}

/// Starts to publish, again while something else is being taken in; the job, or why it was refused.
fn begin(editor: &Editor<'_>, draft: &Value) -> Result<Value, Value> {
    let path = format!("/drafts/{}/publish", draft["id"].as_str().unwrap());
    let body = json!({"version": draft["version"]});
    for _ in 0..10_000 {
        let (status, answer) = editor.try_("POST", &path, &body);
        match answer["code"].as_str() {
            Some("busy") => {}
            Some(_) => return Err(answer),
            None => {
                assert_eq!(status, 202, "{answer}");
                return Ok(answer);
            }
        }
    }
    panic!("it stays busy");
}

fn published(editor: &Editor<'_>, draft: &Value) -> Value {
    let job = editor.end(&begin(editor, draft).unwrap());
    assert_eq!(job["state"], "done", "{job:#}");
    job["result"]["release"].clone()
}

async fn until_asked(service: &Service, contains: &str) {
    for _ in 0..600 {
        if asked(service, TOWN).await.contains(contains) {
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!(
        "nobody is answered «{contains}»:\n{}",
        service.server.stderr()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_published_at_one_node_is_answered_at_every_other_redis() {
    let Some(redis) = Redis::start().await else {
        return;
    };
    let (mut a_home, mut b_home) = (Home::new("a", &redis), Home::new("b", &redis));
    let a = a_home.start();
    let mut b = b_home.start();
    let anna = a.editor("anna", "all");
    {
        let bo = b.editor("bo", "all");
        agreed(&[&anna, &bo], &["a", "b"]);
        let (before, file) = (asked(&b, TOWN).await, b.file(FILE));

        let release = published(&anna, &draft(&anna, "Sofaer hentes hver tirsdag."));
        until_asked(&b, "Sofaer hentes hver tirsdag.").await;
        let hash = agreed(&[&anna, &bo], &["a", "b"]);
        assert_eq!(release["hash"], hash);
        assert_eq!(a.file(FILE), b.file(FILE));
        let ready = b.server.get_json("/health/ready").1;
        assert_eq!(ready["release"], hash, "{ready:#}");
        assert_eq!(state(&ready, "a")["release"], hash, "{ready:#}");
        // Under the same number, with who and what.
        let there = bo.get(&format!("/releases/{}", release["number"]));
        for field in ["hash", "by", "title", "kind", "draft"] {
            assert_eq!(there[field], release[field], "{field}");
        }
        assert!(there["diff"].to_string().contains("tirsdag"));
        assert_eq!(there["live"], true);

        let undo = format!("/releases/{}/undo", release["number"]);
        let undone = bo.done(&undo, &json!({"why": "Nej"}));
        assert_eq!(undone["release"]["undoes"], release["number"]);
        until_asked(&a, before.lines().next().unwrap()).await;
        agreed(&[&anna, &bo], &["a", "b"]);
        assert_eq!((a.file(FILE), b.file(FILE)), (file.clone(), file));
    }

    // Away for two releases.
    b_home.kill(b);
    published(&anna, &draft(&anna, "Sofaer hentes hver onsdag."));
    let second = published(&anna, &draft(&anna, "Sofaer hentes hver torsdag."));
    b = b_home.start();
    until_asked(&b, "hver torsdag").await;
    let bo = b.again("bo");
    agreed(&[&anna, &bo], &["a", "b"]);
    assert_eq!(a.file(FILE), b.file(FILE));
    let history = bo.get("/releases");
    let numbers = |h: &Value| -> Vec<u64> {
        let all = h["releases"].as_array().unwrap().iter();
        all.map(|r| r["number"].as_u64().unwrap()).collect()
    };
    assert_eq!(numbers(&history), numbers(&anna.get("/releases")));
    assert_eq!(history["releases"][0]["number"], second["number"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_killed_in_a_release_has_the_old_or_the_new_one_whole_redis() {
    let Some(redis) = Redis::start().await else {
        return;
    };
    let (mut a_home, mut b_home) = (Home::new("a", &redis), Home::new("b", &redis));
    let a = a_home.start();
    let anna = a.editor("anna", "all");
    let mut b = b_home.start();
    let bo = b.editor("bo", "all");
    agreed(&[&anna, &bo], &["a", "b"]);
    drop(bo);
    for (n, waits) in [false, true].into_iter().enumerate() {
        let old = b.file(FILE);
        let sentence = format!("Sofaer hentes {n} gange om ugen.");
        let began = begin(&anna, &draft(&anna, &sentence)).unwrap();
        if waits {
            // In the folder, and perhaps not in use yet.
            while b.file(FILE) == old {
                sleep(Duration::from_millis(1)).await;
            }
        } else {
            anna.end(&began);
        }
        b_home.kill(b);
        assert_eq!(anna.end(&began)["state"], "done");
        let found = fs::read_to_string(b_home.folder().join(FILE)).unwrap();
        let new = a.file(FILE);
        assert!(found == old || found == new, "{found}");
        b = b_home.start();
        until_asked(&b, &sentence).await;
        agreed(&[&anna, &b.again("bo")], &["a", "b"]);
        assert_eq!(b.file(FILE), new);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_publish_at_once_one_wins_and_nothing_is_lost_redis() {
    let Some(redis) = Redis::start().await else {
        return;
    };
    let (mut a_home, mut b_home) = (Home::new("a", &redis), Home::new("b", &redis));
    let (a, b) = (a_home.start(), b_home.start());
    let (anna, bo) = (a.editor("anna", "all"), b.editor("bo", "all"));
    agreed(&[&anna, &bo], &["a", "b"]);

    // Other files: both, one after the other.
    let mut haveaffald = bo.article("affald-haveaffald", "shared");
    haveaffald = rewritten(&haveaffald, "Haveaffald hentes om foråret.");
    let drafts = (
        draft(&anna, "Sofaer hentes om efteråret."),
        bo.draft(&json!([{"kind": "article", "layer": "shared", "article": haveaffald}])),
    );
    let began = (begin(&anna, &drafts.0).unwrap(), begin(&bo, &drafts.1));
    let ended = (anna.end(&began.0), bo.end(&began.1.unwrap()));
    assert_eq!(
        (&ended.0["state"], &ended.1["state"]),
        (&json!("done"), &json!("done")),
        "{ended:#?}"
    );
    agreed(&[&anna, &bo], &["a", "b"]);
    for node in [&a, &b] {
        assert!(node.file(FILE).contains("om efteråret"));
        assert!(node.file(OTHER).contains("om foråret"));
    }
    let numbers = (
        ended.0["result"]["release"]["number"].as_u64().unwrap(),
        ended.1["result"]["release"]["number"].as_u64().unwrap(),
    );
    assert_eq!(numbers.0.abs_diff(numbers.1), 1);

    // The same place: one of them, and the other is told with both texts, and keeps the draft.
    let drafts = [draft(&anna, "Annas sætning."), draft(&bo, "Bos sætning.")];
    let began = [begin(&anna, &drafts[0]), begin(&bo, &drafts[1])];
    let mut won = Vec::new();
    for (began, (editor, draft)) in began.into_iter().zip([&anna, &bo].into_iter().zip(&drafts)) {
        let refused = match began {
            Ok(job) => {
                let job = editor.end(&job);
                if job["state"] == "done" {
                    won.push(job["result"]["release"]["title"].clone());
                    continue;
                }
                job["error"].clone()
            }
            Err(refused) => refused,
        };
        assert_eq!(refused["code"], "conflict", "{refused:#}");
        let path = format!("/drafts/{}", draft["id"].as_str().unwrap());
        let now = editor.until(&path, |d| d["conflicts"] == json!([FILE]));
        assert_eq!(now["state"], "open");
    }
    assert_eq!(won.len(), 1, "one wins");
    agreed(&[&anna, &bo], &["a", "b"]);
    assert_eq!(a.file(FILE), b.file(FILE));
}

/// Refused for now, and it is said why.
fn refused(editor: &Editor<'_>, draft: &Value, why: &str) {
    let refused = match begin(editor, draft) {
        Ok(job) => editor.end(&job)["error"].clone(),
        Err(refused) => refused,
    };
    assert_eq!(refused["code"], "nodes_away", "{refused:#}");
    assert!(refused["text"].as_str().unwrap().contains(why), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_redis_is_away_nothing_is_published_and_everybody_is_answered_redis() {
    let Some(mut redis) = Redis::start().await else {
        return;
    };
    let (mut a_home, mut b_home) = (Home::new("a", &redis), Home::new("b", &redis));
    let (a, b) = (a_home.start(), b_home.start());
    let (anna, bo) = (a.editor("anna", "all"), b.editor("bo", "all"));
    agreed(&[&anna, &bo], &["a", "b"]);
    published(&anna, &draft(&anna, "Sofaer hentes før."));
    agreed(&[&anna, &bo], &["a", "b"]);
    let kept = draft(&anna, "Sofaer hentes efter.");

    redis.memory(1).await;
    refused(&anna, &kept, "Redis har ikke plads");
    redis.memory(0).await;
    redis.kill();
    anna.until("/status", |s| state(s, "a")["state"] == "away");
    refused(&anna, &kept, "Forbindelsen til de andre servere er væk");
    let id = kept["id"].as_str().unwrap();
    assert_eq!(anna.get(&format!("/drafts/{id}"))["state"], "open");
    assert!(asked(&b, TOWN).await.contains("hentes før"));

    // It comes back and knows nothing: the nodes do.
    redis.again().await;
    agreed(&[&anna, &bo], &["a", "b"]);
    let release = published(&anna, &kept);
    until_asked(&b, "hentes efter").await;
    agreed(&[&anna, &bo], &["a", "b"]);
    assert_eq!(bo.get("/status")["number"], release["number"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_that_was_changed_by_hand_is_left_and_said_redis() {
    let Some(redis) = Redis::start().await else {
        return;
    };
    let (mut a_home, mut b_home) = (Home::new("a", &redis), Home::new("b", &redis));
    let a = a_home.start();
    let mut b = b_home.start();
    let anna = a.editor("anna", "all");
    let bo = b.editor("bo", "all");
    agreed(&[&anna, &bo], &["a", "b"]);
    let old = a.file(FILE);
    let by_hand = old.replace("owner = \"", "owner = \"hånd-");
    assert_ne!(by_hand, old);
    write(&b.folder(), FILE, &by_hand);

    let release = published(&anna, &draft(&anna, "Sofaer hentes hver fredag."));
    until_asked(&b, "hver fredag").await;
    assert_eq!(b.file(FILE), by_hand, "it is not overwritten");
    // Everybody sees it, and the release is the same.
    for editor in [&anna, &bo] {
        let status = editor.until("/status", |s| state(s, "b")["state"] == "folder");
        let node = state(&status, "b");
        assert!(node["why"].as_str().unwrap().contains(FILE), "{node}");
        assert_eq!(node["release"], release["hash"]);
    }
    drop(bo);
    // Also after a start.
    b_home.kill(b);
    b = b_home.start();
    let bo = b.again("bo");
    let status = bo.until("/status", |s| state(s, "b")["state"] == "folder");
    assert_eq!(status["release"], release["hash"]);
    assert_eq!(status["folder"]["changed"], json!([FILE]));

    // When it is published, it is on top of what came meanwhile.
    let adopted = bo.done("/releases/folder", &json!({"why": "Fra mappen"}));
    assert_eq!(adopted["release"]["kind"], "folder");
    agreed(&[&anna, &bo], &["a", "b"]);
    for node in [&a, &b] {
        let text = node.file(FILE);
        assert!(
            text.contains("hånd-") && text.contains("hver fredag"),
            "{text}"
        );
    }

    // A newcomer with an older checkout: what was released once is brought up to date, what nobody knows is left.
    let mut c_home = Home::new("c", &redis);
    assert_eq!(fs::read_to_string(c_home.folder().join(FILE)).unwrap(), old);
    let unknown = fs::read_to_string(c_home.folder().join(OTHER)).unwrap() + "\nHelt nyt.\n";
    write(&c_home.folder(), OTHER, &unknown);
    let c = c_home.start();
    let cara = c.editor("cara", "all");
    let status = cara.until("/status", |s| state(s, "c")["state"] == "folder");
    assert_eq!(status["release"], adopted["release"]["hash"]);
    assert_eq!(status["number"], adopted["release"]["number"]);
    assert_eq!(status["folder"]["changed"], json!([OTHER]));
    assert_eq!(c.file(FILE), a.file(FILE));
    assert_eq!(c.file(OTHER), unknown);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_two_nodes_have_scheduled_is_published_once_redis() {
    let Some(redis) = Redis::start().await else {
        return;
    };
    let (mut a_home, mut b_home) = (Home::new("a", &redis), Home::new("b", &redis));
    let mut a = a_home.start();
    {
        let anna = a.editor("anna", "all");
        anna.until("/status", |s| state(s, "a")["state"] == "same");
        let draft = draft(&anna, "Sofaer hentes om natten.");
        let at = draft["created_ms"].as_i64().unwrap() + 30_000;
        let path = format!("/drafts/{}/state", draft["id"].as_str().unwrap());
        anna.post(
            &path,
            &json!({"version": 1, "to": "scheduled", "at_ms": at}),
        );
    }
    a_home.kill(a);
    copy(a_home.data.path(), b_home.data.path());
    a = a_home.start();
    let b = b_home.start();
    let (anna, bo) = (a.again("anna"), b.again("anna"));
    for (node, editor) in [(&a, &anna), (&b, &bo)] {
        until_asked(node, "om natten").await;
        let drafts = editor.until("/drafts?state=published", |d| {
            d["drafts"].as_array().unwrap().len() == 1
        });
        assert_eq!(drafts["drafts"][0]["state"], "published");
    }
    agreed(&[&anna, &bo], &["a", "b"]);
    for editor in [&anna, &bo] {
        let history = editor.get("/releases");
        let all = history["releases"].as_array().unwrap().iter();
        assert_eq!(
            all.filter(|r| r["kind"] == "draft").count(),
            1,
            "{history:#}"
        );
    }
}

/// A failover can lose what was acknowledged; the editor's work is still there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_release_that_redis_forgot_is_a_draft_again_redis() {
    let Some(mut redis) = Redis::start().await else {
        return;
    };
    let (mut a_home, mut b_home) = (Home::new("a", &redis), Home::new("b", &redis));
    let (mut a, mut b) = (a_home.start(), b_home.start());
    agreed(
        &[&a.editor("anna", "all"), &b.editor("bo", "all")],
        &["a", "b"],
    );
    b_home.kill(b);
    {
        let anna = a.again("anna");
        published(&anna, &draft(&anna, "Annas sofaer."));
    }
    a_home.kill(a);
    redis.kill();
    redis.again().await;
    b = b_home.start();
    let bo = b.again("bo");
    bo.until("/status", |s| state(s, "b")["state"] == "same");
    published(&bo, &draft(&bo, "Bos sofaer."));
    a = a_home.start();
    until_asked(&a, "Bos sofaer").await;
    let anna = a.again("anna");
    agreed(&[&anna, &bo], &["a", "b"]);
    assert_eq!(a.file(FILE), b.file(FILE));
    let drafts = anna.get("/drafts");
    let again = &drafts["drafts"][0];
    assert_eq!(again["title"], "Gik tabt: En kladde", "{drafts:#}");
    let diff = anna.get(&format!("/drafts/{}/diff", again["id"].as_str().unwrap()));
    assert!(diff.to_string().contains("Annas sofaer."), "{diff:#}");
}
