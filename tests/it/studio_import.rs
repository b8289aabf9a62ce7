//! Bringing knowledge in over real sockets: a website of the test's own, Word, PDF, and files that mean no good.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::harness::{Server, borgerlinje, finish, printed, root};
use crate::studio_client::{Editor, Service, knowledge};

/// A website on a thread of its own; its pages can be changed.
struct Website {
    at: SocketAddr,
    pages: Arc<Mutex<BTreeMap<String, String>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Website {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let site = Self {
            at: listener.local_addr().unwrap(),
            pages: Arc::default(),
            asked: Arc::default(),
        };
        let (pages, asked) = (Arc::clone(&site.pages), Arc::clone(&site.asked));
        std::thread::spawn(move || {
            for mut socket in listener.incoming().map_while(Result::ok) {
                let mut bytes = [0; 4_096];
                let n = socket.read(&mut bytes).unwrap_or(0);
                let head = String::from_utf8_lossy(&bytes[..n]).into_owned();
                let path = head.split(' ').nth(1).unwrap_or("").to_owned();
                let page = pages.lock().unwrap().get(&path).cloned();
                asked.lock().unwrap().push(path);
                let answer = match page {
                    None => "HTTP/1.1 404 Not Found\r\n\r\n".to_owned(),
                    Some(p) if p.starts_with("->") => {
                        format!("HTTP/1.1 301 Moved\r\nLocation: {}\r\n\r\n", &p[2..])
                    }
                    Some(p) => format!(
                        "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{p}"
                    ),
                };
                let _ = socket.write_all(answer.as_bytes());
            }
        });
        site
    }

    fn host(&self) -> String {
        format!("http://{}", self.at)
    }

    fn put(&self, path: &str, page: &str) {
        let page = page.replace("HOST", &self.host());
        self.pages.lock().unwrap().insert(path.to_owned(), page);
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

/// A page as a municipality's is: a menu, a text, a footer.
fn page(title: &str, text: &str) -> String {
    format!(
        "<!doctype html><html lang=\"da\"><head><meta charset=\"utf-8\"><title>{title} | Testby Kommune</title></head><body>\
         <nav><ul><li><a href=\"/\">Forside</a></li><li><a href=\"/politik\">Politik</a></li></ul></nav>\
         <main><article><h1>{title}</h1>{text}</article></main><footer><p>Testby Kommune, Torvet 1</p></footer></body></html>"
    )
}

const KANO: &str = "<p>Du kan låne en kano ved søens bådhus fra maj til september, og det koster ikke noget at låne den \
    en enkelt dag. Du bestiller den på nettet og viser legitimation, når du henter den.</p>\
    <h2>Hvor henter jeg kanoen?</h2><p>Du henter kanoen ved bådhuset, hvor vores medarbejdere giver jer veste, årer og \
    en kort vejledning, før I sejler ud på søen.</p><h2>Når du er færdig</h2><p>Kanoen lægges på stativet, og \
    vestene hænges op, så de kan tørre til dem, der kommer efter jer. <a href=\"/regler\">Læs reglerne</a>.</p>";
const SHELTER: &str = "<p>Kommunens sheltere kan bestilles af alle, og du kan sove i dem to nætter i træk. Du bestiller \
    dem på nettet, og der er plads til seks personer i hver af dem.</p><h2>Bål</h2><p>Du må tænde bål på bålpladsen, \
    når der ikke er forbud mod det. Brænde ligger i skuret bag ved shelteret, og du må tage af det.</p>";

fn service(hosts: &str) -> Service {
    let knowledge = knowledge();
    let folder = knowledge.path().join("knowledge");
    let folder = folder.to_str().unwrap().to_owned();
    let server = Server::with(&[
        ("BORGERLINJE_KNOWLEDGE", &folder),
        ("BORGERLINJE_IMPORT_HOSTS", hosts),
    ]);
    Service { server, knowledge }
}

fn web(more: &Value) -> Value {
    let mut body = json!({"format": "web", "layer": "shared", "area": "affald", "owner": "natur"});
    let all = body.as_object_mut().unwrap();
    all.extend(more.as_object().unwrap().clone());
    body
}

/// The only article of a draft.
fn article(editor: &Editor<'_>, imported: &Value, title: &str) -> Value {
    for d in imported["drafts"].as_array().unwrap() {
        let id = d["id"].as_str().unwrap();
        let draft = editor.get(&format!("/drafts/{id}"));
        for f in draft["files"].as_array().unwrap() {
            if f["title"] == title {
                let name = f["article"].as_str().unwrap();
                let found = editor.get(&format!("/articles/{name}?draft={id}"));
                return found["versions"][0]["article"].clone();
            }
        }
    }
    panic!("no draft has «{title}»: {imported:#}");
}

#[test]
fn a_website_becomes_drafts_and_what_it_says_anew_changes_them() {
    let site = Website::start();
    let inner = Website::start();
    inner.put("/", &page("Hemmeligt", SHELTER));
    site.put("/robots.txt", "User-agent: *\nDisallow: /lukket\n");
    site.put("/kano", &page("Lån en kano", KANO));
    site.put("/shelter", &page("Sheltere", SHELTER));
    site.put("/gammel", "->/shelter");
    site.put("/lukket", &page("Lukket", KANO));
    site.put("/ud", &format!("->{}/", inner.host()));
    let urls = ["/kano", "/shelter", "/gammel", "/lukket", "/ud", "/intet"];
    let locs: String = urls
        .iter()
        .map(|u| format!("<url><loc>HOST{u}</loc></url>"))
        .collect();
    site.put("/sitemap.xml", &format!("<urlset>{locs}</urlset>"));
    let service = service(&site.host());
    let anna = service.editor("anna", "all");
    let ask = web(&json!({"sitemap": format!("{}/sitemap.xml", site.host())}));

    let imported = anna.done("/import", &ask);
    let why: BTreeMap<String, String> = imported["skipped"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| {
            let path = s["address"].as_str().unwrap().replace(&site.host(), "");
            (path, s["why"].as_str().unwrap().to_owned())
        })
        .collect();
    assert_eq!(why.len(), 3, "{why:#?}");
    assert!(why["/lukket"].contains("robots.txt"), "{why:#?}");
    assert!(why["/ud"].contains("ikke på listen"), "{why:#?}");
    assert!(why["/intet"].contains("findes ikke"), "{why:#?}");
    assert!(
        inner.asked().is_empty(),
        "nothing is asked of a host that is not listed"
    );
    assert!(!site.asked().contains(&"/lukket".to_owned()));
    let kano = article(&anna, &imported, "Lån en kano");
    assert_eq!(kano["source"], format!("{}/kano", site.host()));
    let body = kano["body"].as_str().unwrap();
    assert!(body.starts_with("Du kan låne en kano"), "{body}");
    assert!(
        body.contains("\n## Hvor henter jeg kanoen?\nDu henter"),
        "{body}"
    );
    assert!(
        !body.contains("Politik") && !body.contains("Torvet"),
        "{body}"
    );
    assert_eq!(kano["examples"]["da"], json!(["Hvor henter jeg kanoen?"]));
    let id = imported["drafts"][0]["id"].as_str().unwrap().to_owned();
    let live = anna.get("/knowledge");
    assert!(
        !live["articles"].to_string().contains("kano"),
        "a draft is not live"
    );

    // The same again makes nothing.
    let again = anna.done("/import", &ask);
    assert_eq!(
        (&again["unchanged"], &again["drafts"]),
        (&json!(2), &json!([])),
        "{again:#}"
    );

    // An editor shortens the first line; the page changes elsewhere: both are in the draft's next version.
    let draft = anna.get(&format!("/drafts/{id}"));
    let mut edited = kano.clone();
    edited["body"] = body
        .replace(
            "og det koster ikke noget at låne den en enkelt dag",
            "og det er gratis",
        )
        .into();
    let changes = json!([{"kind": "article", "layer": "shared", "article": edited}]);
    anna.post(
        &format!("/drafts/{id}/changes"),
        &json!({"version": draft["version"], "changes": changes}),
    );
    site.put(
        "/kano",
        &page("Lån en kano", &KANO.replace("på stativet", "i skuret")),
    );
    let newer = anna.done("/import", &ask);
    let changed = &newer["changed"][0];
    assert_eq!(
        (&changed["draft"], &changed["clash"], &newer["unchanged"]),
        (&json!(id), &json!(false), &json!(1)),
        "{newer:#}"
    );
    let now = article(&anna, &newer, "Lån en kano");
    let body = now["body"].as_str().unwrap();
    assert!(
        body.contains("og det er gratis") && body.contains("i skuret"),
        "{body}"
    );

    // Both change the same line: the draft stays as its editors left it.
    site.put(
        "/kano",
        &page(
            "Lån en kano",
            &KANO.replace("maj til september", "april til oktober"),
        ),
    );
    let clash = anna.done("/import", &ask);
    assert_eq!(clash["changed"][0]["clash"], true, "{clash:#}");
    assert_eq!(article(&anna, &newer, "Lån en kano")["body"], now["body"]);
    // Lists read no text, and say the same.
    let listed = anna.get("/drafts");
    let whole = anna.get(&format!("/drafts/{id}"));
    assert_eq!(listed["drafts"][0]["files"], whole["files"]);
    assert_eq!(listed["drafts"][0]["approval"], whole["approval"]);
}

#[test]
fn nothing_is_fetched_where_the_operator_has_not_said_so() {
    let site = Website::start();
    site.put("/kano", &page("Lån en kano", KANO));
    let address = format!("{}/kano", site.host());
    let service = service("");
    let anna = service.editor("anna", "all");
    let job = anna.end(&anna.post("/import", &web(&json!({"addresses": [address]}))));
    assert_eq!(
        (&job["state"], &job["error"]["code"]),
        (&json!("failed"), &json!("bad_request"))
    );
    let text = job["error"]["text"].as_str().unwrap();
    assert!(text.contains("BORGERLINJE_IMPORT_HOSTS"), "{text}");
    anna.refused("/import", &web(&json!({})), "bad_request");
    let cara = service.editor("cara", "0851");
    cara.refused(
        "/import",
        &web(&json!({"addresses": [address]})),
        "no_right",
    );
    assert!(site.asked().is_empty());
}

fn fixture(name: &str) -> PathBuf {
    root().join("tests/it/fixtures").join(name)
}

/// A document read by the hidden command, as the service reads it.
fn read(kind: &str, bytes: &[u8]) -> Option<Value> {
    let out = finish(&mut borgerlinje(&["read-document", "--kind", kind]), bytes);
    let answer = serde_json::from_slice(&out.stdout);
    answer.ok().filter(|_| out.status.success())
}

#[test]
fn word_and_pdf_become_articles_by_their_headings() {
    let dir = tempfile::tempdir().unwrap();
    let import = |name: &str| {
        let file = fixture(name);
        let mut command = borgerlinje(&["import", file.to_str().unwrap(), "--area", "affald"]);
        command.env("BORGERLINJE_DATA", dir.path());
        finish(&mut command, b"")
    };
    let said = printed(&import("haandbog.docx"));
    assert!(said.contains("3 artikler i 1 kladder"), "{said}");
    let said = printed(&import("haandbog.docx"));
    assert!(said.contains("0 artikler i 0 kladder"), "{said}");
    assert!(
        said.contains("findes allerede (maa-jeg-laane-en-kano-af-kommunen i kladden"),
        "{said}"
    );
    let said = printed(&import("vejledning.pdf"));
    assert!(said.contains("artikler i 1 kladder"), "{said}");
    let out = import("skannet.pdf");
    let why = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(!out.status.success() && why.contains("skannet"), "{why}");
}

#[test]
fn a_file_that_means_no_good_ends_its_reader_and_nothing_else() {
    let docx = fs::read(fixture("haandbog.docx")).unwrap();
    let pdf = fs::read(fixture("vejledning.pdf")).unwrap();
    assert!(
        read("docx", &docx).unwrap()["read"]["markdown"]
            .to_string()
            .contains("kano")
    );
    assert!(
        read("pdf", &pdf).unwrap()["read"]["markdown"]
            .to_string()
            .contains("skovlegeplads")
    );
    let deep = format!(
        "<html><body>{}hej{}</body></html>",
        "<div>".repeat(3_000),
        "</div>".repeat(3_000)
    );
    let nested = format!(
        "%PDF-1.4\n1 0 obj\n{}{}\nendobj\n",
        "[".repeat(300_000),
        "]".repeat(300_000)
    );
    for (kind, bytes) in [
        ("docx", &docx[..docx.len() / 2]),
        ("docx", b"PK\x03\x04 nej"),
        ("docx", &pdf),
        ("pdf", &docx),
        ("pdf", nested.as_bytes()),
        ("html", b""),
    ] {
        // Refused in words, or the process ended.
        let answer = read(kind, bytes);
        assert!(answer.is_none_or(|a| a["refused"].is_string()), "{kind}");
    }
    // What nests deep is read, refused or the end of its reader, and never waited for.
    let _ = read("html", deep.as_bytes());
    // Cut anywhere, or with a byte turned, it says something or nothing.
    for at in (0..docx.len()).step_by(docx.len() / 12) {
        let mut broken = docx.clone();
        broken[at] ^= 0x55;
        let _ = read("docx", &broken);
    }
}
