//! An editor's side: a small knowledge of the test's own, drafts and releases over HTTP.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::desk_client::{Session, account, origin, request_at, sign_in};
use crate::harness::{Server, root};

/// Where a step of a job is waited for, and how often is asked.
const ASKED: usize = 3_000;
const ASK_AFTER: Duration = Duration::from_millis(50);

const ARTICLES: [&str; 6] = [
    "pas/pas-forny",
    "pas/pas-barn",
    "affald/affald-storskrald",
    "affald/affald-haveaffald",
    "affald/genbrugsplads",
    "udsatte/vold",
];

/// A folder with a handful of articles and three municipalities: 0751 and 0615 in one region, 0851 in another.
pub(crate) fn knowledge() -> TempDir {
    let dir = TempDir::with_prefix("borgerlinje-knowledge-").unwrap();
    let (from, to) = (root().join("knowledge"), dir.path().join("knowledge"));
    fs::create_dir_all(&to).unwrap();
    let to = to.as_path();
    for name in [
        "omraader.toml",
        "satser.toml",
        "krise.toml",
        "intents.toml",
        "texts.toml",
        "desk.toml",
    ] {
        fs::copy(from.join(name), to.join(name)).unwrap();
    }
    fs::create_dir_all(to.join("out_of_scope")).unwrap();
    for entry in fs::read_dir(from.join("out_of_scope")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let few: Vec<&str> = text.lines().take(12).collect();
        let name = path.file_name().unwrap();
        fs::write(to.join("out_of_scope").join(name), few.join("\n")).unwrap();
    }
    for code in ["0751", "0615", "0851"] {
        let path = format!("kommune/{code}/kommune.toml");
        let text = fs::read_to_string(from.join(&path)).unwrap();
        // What they hide is not here.
        let lines = text.lines().map(|l| {
            if l.starts_with("hidden") {
                "hidden = []"
            } else {
                l
            }
        });
        write(to, &path, &lines.collect::<Vec<_>>().join("\n"));
    }
    for article in ARTICLES {
        let path = format!("shared/{article}.md");
        let text = fs::read_to_string(from.join(&path));
        // An article that was renamed since is done without.
        if let Ok(text) = text {
            write(to, &path, &text);
        }
    }
    dir
}

pub(crate) fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// A service over a knowledge of its own.
pub(crate) struct Service {
    pub(crate) server: Server,
    pub(crate) knowledge: TempDir,
}

impl Service {
    pub(crate) fn start() -> Self {
        Self::over(knowledge(), &[])
    }

    /// Over this knowledge, with the environment changed.
    pub(crate) fn over(knowledge: TempDir, environment: &[(&str, &str)]) -> Self {
        let folder = knowledge.path().join("knowledge");
        let folder = folder.to_str().unwrap().to_owned();
        let own = [("BORGERLINJE_KNOWLEDGE", folder.as_str())];
        let server = Server::with(&[&own, environment].concat());
        Self { server, knowledge }
    }

    /// On a data folder that outlives it.
    pub(crate) fn on(data: &Path, knowledge: TempDir) -> Self {
        let folder = knowledge.path().join("knowledge");
        let folder = folder.to_str().unwrap().to_owned();
        let server = Server::on(data, &[("BORGERLINJE_KNOWLEDGE", &folder)]);
        Self { server, knowledge }
    }

    /// A new editor who has signed in.
    pub(crate) fn editor(&self, name: &str, municipalities: &str) -> Editor<'_> {
        let rights = ["--role", "editor", "--municipalities", municipalities];
        account(&self.server, name, name, &rights);
        self.again(name)
    }

    pub(crate) fn again(&self, name: &str) -> Editor<'_> {
        Editor {
            server: &self.server,
            session: sign_in(&self.server, name),
        }
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.knowledge.path().join("knowledge")
    }

    pub(crate) fn file(&self, path: &str) -> String {
        fs::read_to_string(self.folder().join(path)).unwrap()
    }
}

/// Between two looks at a job.
#[allow(
    clippy::disallowed_methods,
    reason = "a plain thread of a test asks again and again"
)]
fn pause() {
    std::thread::sleep(ASK_AFTER);
}

/// Somebody who has signed in.
pub(crate) struct Editor<'a> {
    pub(crate) server: &'a Server,
    pub(crate) session: Session,
}

impl Editor<'_> {
    pub(crate) fn try_(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let origin = origin(self.server);
        let headers = [
            ("Cookie", self.session.cookie.as_str()),
            ("x-borgerlinje-csrf", self.session.csrf.as_str()),
            ("Origin", origin.as_str()),
        ];
        let path = format!("/api/studio{path}");
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let (status, _, body) = request_at(self.server, method, &path, &headers, &body);
        (status, serde_json::from_str(&body).unwrap_or(Value::Null))
    }

    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Value {
        let (status, body) = self.try_("GET", path, &Value::Null);
        assert_eq!(status, 200, "{path}: {body:#}");
        body
    }

    #[track_caller]
    pub(crate) fn post(&self, path: &str, body: &Value) -> Value {
        let (status, answer) = self.try_("POST", path, body);
        assert!((200..300).contains(&status), "{path}: {status} {answer:#}");
        answer
    }

    #[track_caller]
    pub(crate) fn refused(&self, path: &str, body: &Value, code: &str) -> Value {
        let (status, answer) = self.try_("POST", path, body);
        assert_eq!(answer["code"], code, "{path}: {status} {answer:#}");
        assert!(status >= 400);
        assert!(answer["text"].as_str().unwrap().len() > 5);
        answer
    }

    /// A draft with these changes.
    #[track_caller]
    pub(crate) fn draft(&self, changes: &Value) -> Value {
        self.post(
            "/drafts",
            &json!({"title": "En kladde", "why": "", "changes": changes}),
        )
    }

    /// The article of a layer, to be changed and sent back.
    #[track_caller]
    pub(crate) fn article(&self, id: &str, layer: &str) -> Value {
        let found = self.get(&format!("/articles/{id}"));
        let versions = found["versions"].as_array().unwrap();
        let version = versions.iter().find(|v| v["layer"] == layer).unwrap();
        version["article"].clone()
    }

    /// Asks until it is as wanted.
    #[track_caller]
    pub(crate) fn until(&self, path: &str, is: impl Fn(&Value) -> bool) -> Value {
        let mut now = Value::Null;
        for _ in 0..ASKED {
            now = self.get(path);
            if is(&now) {
                return now;
            }
            pause();
        }
        panic!("{path} does not come to what was waited for: {now:#}");
    }

    /// Waits for the end of a job.
    #[track_caller]
    pub(crate) fn end(&self, started: &Value) -> Value {
        let path = format!("/jobs/{}", started["job"].as_str().unwrap());
        self.until(&path, |job| job["state"] != "running")
    }

    /// Starts a job and waits until it has succeeded; its result.
    #[track_caller]
    pub(crate) fn done(&self, path: &str, body: &Value) -> Value {
        let job = self.end(&self.post(path, body));
        assert_eq!(job["state"], "done", "{job:#}");
        job["result"].clone()
    }

    #[track_caller]
    pub(crate) fn publish(&self, draft: &Value) -> Value {
        let id = draft["id"].as_str().unwrap();
        let published = self.done(
            &format!("/drafts/{id}/publish"),
            &json!({"version": draft["version"]}),
        );
        published["release"].clone()
    }
}
