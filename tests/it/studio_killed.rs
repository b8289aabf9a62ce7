//! The real program, killed (-9) while it publishes: the folder, the history and what is answered are the old release
//! or the new one, whole.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::studio::asked;
use crate::studio_client::{Service, knowledge, write};

const IDS: [&str; 5] = [
    "pas-forny",
    "pas-barn",
    "affald-storskrald",
    "affald-haveaffald",
    "genbrugsplads",
];
const LAYERS: [&str; 5] = [
    "region/1081",
    "region/1082",
    "kommune/0751",
    "kommune/0615",
    "kommune/0851",
];

pub(crate) fn text(id: &str, layer: &str, round: usize) -> String {
    let filler =
        "Ring til os, hvis du er i tvivl om noget af det, så hjælper vi dig videre. ".repeat(4);
    format!(
        "+++\nid = \"{id}\"\narea = \"affald\"\ntitle = \"{id} hos os\"\naudience = \"citizen\"\n\
         source = \"Bekendtgørelsen om affald\"\nowner = \"affald\"\nreview_by = 2099-01-01\n[examples]\n\
         da = [\"{id} i {layer}\"]\n+++\nRunde {round}.\n\n## Mere\n{filler}\n"
    )
}

fn paths() -> impl Iterator<Item = (String, &'static str, &'static str)> {
    let pairs = LAYERS
        .iter()
        .flat_map(|l| IDS.iter().map(move |id| (*l, *id)));
    pairs.map(|(layer, id)| (format!("{layer}/{id}.md"), layer, id))
}

/// The round that each file is of.
fn rounds(folder: &Path) -> Vec<usize> {
    let of = |path: &str| {
        let text = fs::read_to_string(folder.join(path)).unwrap();
        let line = text.lines().find_map(|l| l.strip_prefix("Runde "));
        line.unwrap().trim_end_matches('.').parse().unwrap()
    };
    paths().map(|(path, ..)| of(&path)).collect()
}

/// New texts that lie beside their places.
fn laid(folder: &Path) -> usize {
    let names = LAYERS.iter().flat_map(|l| fs::read_dir(folder.join(l)));
    let hidden = |e: &fs::DirEntry| e.file_name().to_string_lossy().starts_with('.');
    names.flatten().flatten().filter(hidden).count()
}

/// What is waited for before the kill: so many new texts beside their places, or so many in them.
enum At {
    Begun,
    Laid(usize),
    Settled(usize),
}

#[tokio::test]
async fn a_release_that_is_killed_is_the_old_or_the_new_one_whole() {
    let data = tempfile::tempdir().unwrap();
    let own = knowledge();
    let folder = own.path().join("knowledge");
    for (path, layer, id) in paths() {
        write(&folder, &path, &text(id, layer, 0));
    }
    let mut service = Service::on(data.path(), own);
    service.editor("anna", "all");
    let mut before = 0;
    for (n, at) in [
        At::Begun,
        At::Laid(1),
        At::Laid(20),
        At::Settled(1),
        At::Settled(20),
    ]
    .into_iter()
    .enumerate()
    {
        let round = n + 1;
        let anna = service.again("anna");
        let number = anna.get("/status")["number"].as_u64().unwrap();
        let changes: Vec<Value> = paths()
            .map(|(path, layer, id)| json!({"kind": "file", "file": path, "text": text(id, layer, round)}))
            .collect();
        let draft = anna.draft(&json!(changes));
        assert_eq!(draft["faults"], json!([]), "{draft:#}");
        let id = draft["id"].as_str().unwrap();
        let started = anna.post(&format!("/drafts/{id}/publish"), &json!({"version": 1}));
        let job = format!("/jobs/{}", started["job"].as_str().unwrap());
        for turn in 1_u64.. {
            let settled = || rounds(&folder).iter().filter(|r| **r == round).count();
            let now = match at {
                At::Begun => true,
                At::Laid(n) => laid(&folder) >= n || settled() > 0,
                At::Settled(n) => settled() >= n,
            };
            if now {
                break;
            }
            if turn.is_multiple_of(1_000) {
                let job = anna.get(&job);
                assert_ne!(job["state"], "failed", "{job:#}");
            }
            std::thread::yield_now();
        }
        let Service { server, knowledge } = service;
        server.kill();
        println!(
            "round {round}: {} laid, {:?}",
            laid(&folder),
            rounds(&folder)
        );

        service = Service::on(data.path(), knowledge);
        let now = rounds(&folder);
        let whole = now[0];
        assert!(now.iter().all(|r| *r == whole), "{now:?}");
        assert!(whole == round || whole == before, "{whole} after {before}");
        assert_eq!(laid(&folder), 0, "nothing is left beside");
        let anna = service.again("anna");
        let status = anna.get("/status");
        assert_eq!(status["folder"]["changed"], json!([]));
        let new = whole == round;
        assert_eq!(status["number"].as_u64(), Some(number + u64::from(new)));
        let state = &anna.get(&format!("/drafts/{id}"))["state"];
        assert_eq!(state, if new { "published" } else { "open" });
        // Once anything of it lies in the folder, it is carried through.
        assert!(new || matches!(at, At::Begun), "round {round}");
        before = whole;
    }
    assert!(
        asked(&service, "0751")
            .await
            .contains(&format!("Runde {before}."))
    );
}
