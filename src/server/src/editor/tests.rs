//! Random drafts over random layers, released, broken off at random steps, and undone: what each municipality sees
//! is what a plain model says, and the folder is the old release or the new one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use base::MunicipalityCode;
use jiff::civil::{Date, date};
use knowledge::{File, LINKS, Layer, Release};
use proptest::prelude::*;
use storage::{DraftText, Editor, NewRelease, ReleaseFile};

use super::changes::Workbench;
use super::folder::{self, Broke};
use super::publish::{put, release_files};
use super::recover;
use super::texts::{lay_over, text_of, with};
use super::wire::{Change, LayerName};

const TODAY: Date = date(2026, 11, 21);
const CODES: [(&str, &str); 3] = [("0751", "1082"), ("0615", "1082"), ("0851", "1081")];
const LAYERS: [&str; 6] = ["shared", "1081", "1082", "0751", "0615", "0851"];
const IDS: [&str; 4] = ["aaa", "bbb", "ccc", "ddd"];

fn kommune(code: &str, region: &str) -> File {
    let links: String = LINKS
        .iter()
        .map(|l| format!("{l} = \"https://www.{code}.example/{l}\"\n"))
        .collect();
    File {
        path: format!("kommune/{code}/kommune.toml"),
        text: format!(
            "code = \"{code}\"\nname = \"By{code}\"\nregion = \"{region}\"\nhidden = []\n[contact]\ntelefon = \"1\"\n\
             email = \"e\"\nadresse = \"a\"\naabningstid = \"t\"\nhjemmeside = \"https://www.{code}.example\"\n\
             [hours]\nmandag = \"08:00-20:00\"\n[theme]\naccent = \"#0f5c4c\"\n[links]\n{links}"
        ),
    }
}

/// An article whose first line is `word`.
fn article(id: &str, word: &str) -> String {
    let examples: Vec<String> = (0..20).map(|i| format!("\"{id} {i}\"")).collect();
    let filler = "ord ".repeat(90);
    format!(
        "+++\nid = \"{id}\"\narea = \"pas\"\ntitle = \"Titel {id}\"\naudience = \"citizen\"\nsource = \"Pasloven § 1\"\n\
         owner = \"x\"\nreview_by = 2027-01-01\n[examples]\nda = [{}]\n+++\n{word}\n\n## Mere\n{filler}\n",
        examples.join(", ")
    )
}

fn beginning() -> Vec<File> {
    let mut files = vec![File {
        path: "omraader.toml".into(),
        text: "pas = \"Pas\"\n".into(),
    }];
    files.extend(CODES.map(|(code, region)| kommune(code, region)));
    files.push(File {
        path: "shared/pas/aaa.md".into(),
        text: article("aaa", "first"),
    });
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

/// What the model knows: the first line of each article, and what is hidden.
#[derive(Clone, Debug, Default, PartialEq)]
struct Model {
    words: BTreeMap<(usize, usize), String>,
    hidden: BTreeSet<(usize, usize)>,
}

impl Model {
    fn sees(&self, m: usize) -> BTreeMap<&str, &str> {
        let (code, region) = CODES[m];
        let mut seen = BTreeMap::new();
        for (i, id) in IDS.iter().enumerate() {
            if self.hidden.contains(&(m, i)) {
                continue;
            }
            for layer in ["shared", region, code] {
                let at = LAYERS.iter().position(|l| *l == layer).unwrap();
                if let Some(word) = self.words.get(&(at, i)) {
                    seen.insert(*id, word.as_str());
                }
            }
        }
        seen
    }
}

#[derive(Clone, Debug)]
enum Op {
    Write(usize, usize, u16),
    Remove(usize, usize),
    Hide(usize, usize, bool),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (0..LAYERS.len(), 0..IDS.len(), 0..9_u16).prop_map(|(l, i, w)| Op::Write(l, i, w)),
        1 => (0..LAYERS.len(), 0..IDS.len()).prop_map(|(l, i)| Op::Remove(l, i)),
        1 => (0..CODES.len(), 0..IDS.len(), any::<bool>()).prop_map(|(m, i, h)| Op::Hide(m, i, h)),
    ]
}

/// A draft, the step at which its release is broken off (if it comes to that), and whether it is undone.
fn release() -> impl Strategy<Value = (Vec<Op>, usize, bool)> {
    (
        proptest::collection::vec(op(), 1..5),
        0..16_usize,
        any::<bool>(),
    )
}

struct World {
    dir: tempfile::TempDir,
    store: Editor,
    live: Vec<File>,
}

impl World {
    fn root(&self) -> std::path::PathBuf {
        self.dir.path().join("knowledge")
    }

    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(super::FILE);
        let store = Editor::open(&path, &storage::Options::default()).unwrap();
        let world = Self {
            live: beginning(),
            dir,
            store,
        };
        for f in &world.live {
            write(&world.root(), &f.path, &f.text);
        }
        world
    }

    /// Releases changes, broken off at a step; a start then makes it whole. Whether anything was released.
    async fn release(&mut self, changes: &[DraftText], broken: usize) -> bool {
        let disk = knowledge::load(&self.root()).unwrap();
        let (laid, conflicts) = lay_over(changes, &|p| text_of(&disk, p).map(str::to_owned));
        assert!(conflicts.is_empty(), "{conflicts:?}");
        let next = with(&disk, &laid);
        if Release::build(&next, TODAY).is_err() || next == self.live {
            return false;
        }
        let new = NewRelease {
            hash: knowledge::hash(next.iter()),
            at: jiff::Timestamp::UNIX_EPOCH,
            meta: "{}".into(),
            files: release_files(&self.live, &disk, &next),
            shared: None,
        };
        let mut steps = 0;
        let step = move || {
            steps += 1;
            if steps > broken {
                Err(Broke::Killed)
            } else {
                Ok(())
            }
        };
        let put = put(&self.store, &self.root(), new, None, step).await;
        if put.is_err() {
            assert!(self.store.unfinished().await.unwrap().is_some());
            recover(&self.store, &self.root(), "").await.unwrap();
        }
        assert_eq!(self.store.unfinished().await.unwrap(), None);
        assert_eq!(knowledge::load(&self.root()).unwrap(), next);
        assert_eq!(leftovers(&self.root()), Vec::<String>::new());
        self.live = next;
        true
    }

    fn agrees(&self, model: &Model) {
        let (r, _) = Release::build(&knowledge::load(&self.root()).unwrap(), TODAY).unwrap();
        for (m, (code, _)) in CODES.iter().enumerate() {
            let code: MunicipalityCode = code.parse().unwrap();
            let bodies: Vec<(String, String)> = r
                .view(code)
                .unwrap()
                .articles()
                .map(|ix| {
                    let body = r.render(ix, code).unwrap().body;
                    let word = body.lines().next().unwrap().to_owned();
                    (r.article(ix).id.clone(), word)
                })
                .collect();
            let got: BTreeMap<&str, &str> = bodies
                .iter()
                .map(|(i, w)| (i.as_str(), w.as_str()))
                .collect();
            assert_eq!(got, model.sees(m), "{code}");
        }
    }
}

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn leftovers(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().unwrap().to_string_lossy().starts_with('.') {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

fn carry_out(op: &Op, bench: &mut Workbench<'_>, model: &mut Model) {
    match *op {
        Op::Write(l, i, w) => {
            let layer: Layer = LAYERS[l].parse().unwrap();
            let word = format!("{}-{}-{w}", LAYERS[l], IDS[i]);
            let file = Change::File {
                file: layer.path("pas", IDS[i]),
                text: Some(article(IDS[i], &word)),
            };
            bench.change(file).unwrap();
            model.words.insert((l, i), word);
        }
        Op::Remove(l, i) => {
            let layer = LayerName(LAYERS[l].parse().unwrap());
            let id = IDS[i].to_owned();
            let removed = bench.change(Change::RemoveArticle { layer, id });
            assert_eq!(removed.is_ok(), model.words.remove(&(l, i)).is_some());
        }
        Op::Hide(m, i, hidden) => {
            bench
                .change(Change::Hide {
                    municipality: CODES[m].0.parse().unwrap(),
                    id: IDS[i].to_owned(),
                    hidden,
                })
                .unwrap();
            if hidden {
                model.hidden.insert((m, i));
            } else {
                model.hidden.remove(&(m, i));
            }
        }
    }
}

async fn run(plan: Vec<(Vec<Op>, usize, bool)>) {
    let mut world = World::new().await;
    let mut model = Model::default();
    model.words.insert((0, 0), "first".into());
    for (ops, broken, undone) in plan {
        let before = model.clone();
        let live = world.live.clone();
        let mut bench = Workbench::new(&live, Vec::new());
        for op in &ops {
            carry_out(op, &mut bench, &mut model);
        }
        let draft = bench.files();
        if !world.release(&draft, broken).await {
            // What is hidden must be there to hide: such a draft is refused whole.
            assert_eq!(knowledge::load(&world.root()).unwrap(), live);
            if model != before {
                model = before;
            }
            continue;
        }
        world.agrees(&model);
        if undone {
            let back: Vec<DraftText> = draft
                .into_iter()
                .map(|d| DraftText {
                    path: d.path,
                    base: d.text,
                    text: d.base,
                })
                .collect();
            assert!(world.release(&back, 99).await);
            assert_eq!(world.live, live);
            model = before;
            world.agrees(&model);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn what_is_released_is_what_the_model_says(
        plan in proptest::collection::vec(release(), 1..5)
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        runtime.block_on(run(plan));
    }
}

/// Before the first step the folder is the old one; after each a start makes it the new one.
#[tokio::test]
async fn a_release_that_is_broken_off_anywhere_is_finished_at_the_start() {
    for broken in 0..12 {
        let mut world = World::new().await;
        let live = world.live.clone();
        let mut bench = Workbench::new(&live, Vec::new());
        let mut model = Model::default();
        model.words.insert((0, 0), "first".into());
        for op in [
            Op::Write(3, 1, 1),
            Op::Write(0, 1, 2),
            Op::Write(0, 0, 3),
            Op::Hide(1, 0, true),
        ] {
            carry_out(&op, &mut bench, &mut model);
        }
        assert!(world.release(&bench.files(), broken).await);
        world.agrees(&model);
    }
}

/// A folder that somebody else writes meanwhile keeps what they wrote.
#[test]
fn what_others_wrote_meanwhile_is_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    let files = ["a.md", "b.md"].map(|path| ReleaseFile {
        path: path.into(),
        before: Some("old\n".into()),
        found: Some("old\n".into()),
        after: Some("new\n".into()),
    });
    write(root, "a.md", "old\n");
    write(root, "b.md", "theirs\n");
    let broke = folder::write(root, "", &files, &mut || Ok(()));
    assert!(matches!(broke, Err(Broke::Changed(p)) if p == "b.md"));
    folder::undo(root, "", &files).unwrap();
    let text = |p: &str| folder::read(root, p).unwrap().unwrap();
    assert_eq!(
        (text("a.md"), text("b.md")),
        ("old\n".into(), "theirs\n".into())
    );
    assert_eq!(leftovers(root), Vec::<String>::new());
    assert_eq!(folder::finish(root, "", &files).unwrap(), ["b.md"]);
    assert_eq!(
        (text("a.md"), text("b.md")),
        ("new\n".into(), "theirs\n".into())
    );
}
