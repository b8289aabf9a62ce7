//! The commands, as an operator and a script see them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{borgerlinje, finish, printed, root, run};

const KEYS: [&str; 11] = [
    "answer",
    "article_id",
    "candidates",
    "choices",
    "confidence",
    "intent",
    "language",
    "message",
    "outcome",
    "sources",
    "took_ms",
];

/// `ask --json` in Aarhus: one reply a line.
fn ask(more: &[&str], input: &[u8]) -> Vec<Value> {
    let arguments = [&["ask", "--municipality", "0751", "--json"], more].concat();
    printed(&run(&arguments, input))
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect()
}

#[test]
fn ask_answers_each_line_with_one_object() {
    let big = "hvordan fornyer jeg mit pas ".repeat(40_000);
    assert!(big.len() > 1 << 20);
    let input = [
        "Hvordan fornyer jeg mit pas?\n".as_bytes(),
        b"k\xf8rekort \xff\xfe fornyelse\n",
        b"hej\n",
        big.as_bytes(),
        b"\n",
        "mit cpr er 150785-4321, hvad koster et pas?\r\n".as_bytes(),
        "Hvor afleverer jeg batterier?".as_bytes(),
    ]
    .concat();
    let replies = ask(&[], &input);
    assert_eq!(replies.len(), 6, "{replies:#?}");
    for r in &replies {
        let keys: BTreeSet<&str> = r.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys, BTreeSet::from(KEYS));
        let scores: Vec<f64> = r["candidates"]
            .as_array()
            .unwrap()
            .iter()
            .map(|c| c["score"].as_f64().unwrap())
            .collect();
        assert!(scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
        assert!((0.0..=1.0).contains(&r["confidence"].as_f64().unwrap()));
        assert!(r["took_ms"].as_f64().unwrap() > 0.0);
    }
    let first = &replies[0];
    assert_eq!(first["message"], "Hvordan fornyer jeg mit pas?");
    assert_eq!(first["outcome"], "answered");
    assert_eq!(first["intent"], Value::Null);
    assert_eq!(first["article_id"], "pas-forny");
    assert_eq!(first["language"], "da");
    assert_eq!(first["candidates"].as_array().unwrap().len(), 10);
    assert_eq!(first["candidates"][0]["article_id"], "pas-forny");
    assert!(first["answer"].as_str().unwrap().contains("pas"));
    assert!(!first["sources"].as_array().unwrap().is_empty());
    assert_eq!(replies[2]["intent"], "greeting");
    assert_eq!(replies[2]["outcome"], "smalltalk");
    let masked = replies[4]["message"].as_str().unwrap();
    assert!(!masked.contains("150785") && !masked.contains("4321"));
    assert_eq!(replies[5]["message"], "Hvor afleverer jeg batterier?");
}

#[test]
fn ask_keeps_the_context_of_a_dialogue() {
    let input = "Hvordan fornyer jeg mit pas?\nhvad koster det?\n";
    let replies = ask(&["--dialogue"], input.as_bytes());
    let id = replies[1]["candidates"][0]["article_id"].as_str().unwrap();
    let article = root().join(format!("knowledge/shared/pas/{id}.md"));
    assert!(article.is_file(), "{id} is not of the area pas");
    // Without it there is nothing to refer to.
    let alone = ask(&[], input.as_bytes());
    assert_ne!(alone[1]["outcome"], "answered", "{}", alone[1]);
}

#[test]
fn ask_refuses_a_municipality_that_is_not_there() {
    for code in ["9999", "751", "Aarhus"] {
        let output = run(&["ask", "--municipality", code, "--json"], b"hej\n");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{code}");
        assert!(said.contains(code), "{said}");
        assert!(said.to_lowercase().contains("municipality"), "{said}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn the_knowledge_is_sound() {
    let output = finish(&mut borgerlinje(&["check"]), b"");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("0 faults"), "{said}");
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// The line, from 1, on which `needle` first stands.
fn line_of(text: &str, needle: &str) -> usize {
    1 + text.lines().position(|l| l.contains(needle)).unwrap()
}

#[test]
fn check_names_file_line_and_field_of_every_fault() {
    let temporary = TempDir::with_prefix("borgerlinje-it-").unwrap();
    let knowledge = temporary.path().join("knowledge");
    copy(&root().join("knowledge"), &knowledge);
    let read = |file: &str| fs::read_to_string(knowledge.join(file)).unwrap();
    let plant = |file: &str, from: &str, to: &str| {
        let text = read(file);
        assert!(text.contains(from), "{file} has no {from:?}");
        fs::write(knowledge.join(file), text.replacen(from, to, 1)).unwrap();
    };
    let source = |file: &str| {
        let text = read(file);
        let line = text.lines().find(|l| l.starts_with("source = ")).unwrap();
        format!("{line}\n")
    };
    let mut wanted = Vec::new();

    let file = "shared/pas/pas-forny.md";
    plant(
        file,
        "\n+++\n",
        "\n+++\nDet koster {{sats.findes-ikke}} at forny.\n",
    );
    wanted.push((file, "findes-ikke", "{{sats.findes-ikke}}", "unknown slot"));

    let file = "shared/pas/pas-tabt.md";
    plant(file, &source(file), "source = \"\"\n");
    wanted.push((file, "source = ", "source", "missing"));

    let file = "shared/koerekort/pas-forny.md";
    fs::copy(
        knowledge.join("shared/pas/pas-forny.md"),
        knowledge.join(file),
    )
    .unwrap();
    // Of the two the later in order is named, and the other stands in the text.
    let file = "shared/pas/pas-forny.md";
    wanted.push((file, "id = ", "id", "is also the id of shared/koerekort"));

    let file = "shared/pas/pas-pris.md";
    let text = read("shared/pas/pas-barn.md");
    let mut taken = text.lines().skip_while(|l| !l.starts_with("da = ["));
    let taken = taken.nth(1).unwrap().trim();
    plant(file, "da = [\n", &format!("da = [\n  {taken}\n"));
    let sentence = taken.trim_matches(|c| c == '"' || c == ',').to_owned();
    wanted.push((file, &sentence, "examples.da", "shared/pas/pas-barn.md"));

    let file = "shared/pas/pas-levering.md";
    let with_end = format!("{}valid_to = 2020-01-31\n", source(file));
    plant(file, &source(file), &with_end);
    wanted.push((file, "valid_to", "valid_to", "2020-01-31"));

    let file = "shared/pas/pas-barn.md";
    plant(file, "url = \"https://", "url = \"http://");
    wanted.push((file, "url = \"http://", "links.url", "https"));

    let mut command = borgerlinje(&["check"]);
    command.env("BORGERLINJE_KNOWLEDGE", &knowledge);
    let output = finish(&mut command, b"");
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    for (file, needle, field, why) in wanted {
        let place = format!("{file}:{}: ", line_of(&read(file), needle));
        let found = said.lines().any(|l| {
            l.starts_with(&place) && l.contains(&format!(": {field}: ")) && l.contains(why)
        });
        assert!(found, "{place}{field}: … {why} … is not in\n{said}");
    }

    // An article without the line at all cannot be read: that has a place too.
    let file = "shared/pas/pas-tabt.md";
    plant(file, "source = \"\"\n", "");
    let output = finish(&mut command, b"");
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let fault = said.lines().find(|l| l.starts_with(file)).unwrap();
    assert!(fault.contains("source"), "{fault}");
    assert!(!fault.starts_with(&format!("{file}:0:")), "{fault}");
}

#[test]
fn eval_prints_three_tables() {
    let said = printed(&run(&["eval", "tests/questions/danish.tsv"], b""));
    let at = |what: &str| {
        said.find(what)
            .unwrap_or_else(|| panic!("no {what} in\n{said}"))
    };
    let tables = ["words alone (BM25)", "vectors alone", "the whole turn"].map(at);
    assert!(tables.is_sorted(), "{said}");
    assert_eq!(said.matches("recall@1").count(), 3);
    let rows = said.lines().filter(|l| l.starts_with("all "));
    assert_eq!(rows.count(), 3, "{said}");
    let last = &said[tables[2]..];
    for column in ["MRR@10", "answered", "wrong", "unanswerable answered"] {
        assert!(last.contains(column), "{said}");
    }
    let output = run(&["eval", "no/such/file.tsv"], b"");
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("no/such/file.tsv"));
}

/// A question set of the test's own, and where its report goes.
fn eval_report(folder: &Path, rows: &str) -> (std::process::Output, String) {
    let (set, page) = (folder.join("set.tsv"), folder.join("report.html"));
    let head = "question\tmunicipality\texpected\tlang\tslice\n";
    fs::write(&set, format!("{head}{rows}")).unwrap();
    let output = run(
        &[
            "eval",
            set.to_str().unwrap(),
            "--report",
            page.to_str().unwrap(),
        ],
        b"",
    );
    (output, fs::read_to_string(page).unwrap_or_default())
}

#[test]
fn eval_reports_on_a_page_that_needs_nothing_else() {
    let temporary = TempDir::with_prefix("borgerlinje-it-").unwrap();
    // Right, wrong on purpose, with a personal number, without its article, from right to left, and no answer.
    let rows = "Hvordan fornyer jeg mit pas?\t0751\tpas-forny\tda\tplain\n\
        Hvor fornyer jeg mit <b>pas</b> & hvordan?\t0751\thund\tda\t<i>egen\n\
        mit cpr er 150785-4321, hvad koster et pas til en voksen?\t0751\tpas-pris\tda\tplain\n\
        Hvordan fornyer jeg mit pas i dag?\t0751\tfindes-ikke\tda\tplain\n\
        كيف أجدد جواز سفري؟\t0630\thund\tar\tlay\n\
        asdf qwer zxcv\t0751\t-\tda\tgibberish\n";
    let (output, page) = eval_report(temporary.path(), rows);
    let said = printed(&output);
    // The tables are what they are without a report.
    let set = temporary.path().join("set.tsv");
    let plain = printed(&run(&["eval", set.to_str().unwrap()], b""));
    let more = said
        .strip_prefix(&plain)
        .expect("the tables of a plain run");
    assert!(more.contains("report.html"), "{more}");

    assert!(page.starts_with("<!DOCTYPE html>\n<html lang=\"da\">"));
    assert!(page.ends_with("</html>\n"));
    for outside in [
        "<script",
        "<link",
        "<img",
        "src=",
        "url(",
        "@import",
        "href=\"http",
    ] {
        assert!(!page.contains(outside), "{outside}");
    }
    let count = |what: &str| page.matches(what).count();
    // Every picture has words, every table a caption and headings, every part a heading.
    assert!(count("<svg ") > 4);
    assert_eq!(count("<svg "), count("<svg role=\"img\" aria-label=\""));
    assert!(count("<figcaption>") >= count("<svg "));
    assert_eq!(count("<table "), count("<caption>"));
    assert!(count("<th scope=\"col\"") > 4 * count("<table ") / 2);
    assert_eq!(
        count("<section "),
        count("<h2 id=\"h-") - 1,
        "and the contents'"
    );
    for tag in [
        "table", "tr", "td", "section", "figure", "svg", "ul", "li", "div",
    ] {
        let open = count(&format!("<{tag} ")) + count(&format!("<{tag}>"));
        assert_eq!(open, count(&format!("</{tag}>")), "{tag}");
    }
    // What people wrote is text, and no personal number gets in.
    assert!(
        page.contains("&lt;b&gt;pas&lt;/b&gt; &amp; hvordan?") && page.contains("&lt;i&gt;egen")
    );
    assert!(!page.contains("<b>pas") && !page.contains("150785"));
    assert!(page.contains("<q lang=\"ar\" dir=\"auto\">"));
    // A dog is taken for a passport, and an article is not there.
    let confusions = page.split("id=\"forvekslinger\"").nth(1).unwrap();
    let confusions = confusions.split("</section>").next().unwrap();
    assert!(
        confusions.contains("<small>hund</small>")
            && confusions.contains("<small>pas-forny</small>")
    );
    assert!(confusions.contains("findes-ikke<small>findes ikke i kommunen</small>"));
    assert!(page.contains("1\u{a0}spørgsmål venter en artikel, som kommunen ikke har"));
    // Two of the five are right: the number, as Danes write it, with Wilson's interval.
    assert!(
        page.contains("40,0\u{a0}%") && page.contains("11,8–76,9\u{a0}%"),
        "{page}"
    );
    // The working point of the curve is what the turns did.
    let big = |name: &str| {
        let row = page.split(&format!("{name}<small>")).nth(1).unwrap();
        let figure = row.split("class=\"big\">").nth(1).unwrap();
        figure.split('<').next().unwrap().to_owned()
    };
    let now = page.split("class=\"now\">").nth(1).unwrap();
    let now = now.split("</tr>").next().unwrap();
    for name in ["Besvaret", "Forkert svar vist"] {
        assert!(
            now.contains(&format!(">{}<small>", big(name))),
            "{name} in {now}"
        );
    }
}

#[test]
fn eval_reports_on_what_no_article_answers() {
    let temporary = TempDir::with_prefix("borgerlinje-it-").unwrap();
    let rows =
        "asdf qwer zxcv\t0751\t-\tda\tgibberish\nhvad mener du om vejret\t0751\t-\tda\tchatter\n";
    let (output, page) = eval_report(temporary.path(), rows);
    printed(&output);
    assert!(page.contains("Ingen af spørgsmålene har en artikel som svar"));
    assert!(page.contains("Fejlagtigt besvaret") && !page.contains("Rigtig artikel først<"));
    assert!(!page.contains("NaN"), "{page}");
}

#[test]
fn eval_says_why_there_is_no_report() {
    let temporary = TempDir::with_prefix("borgerlinje-it-").unwrap();
    let refused = |arguments: &[&str], why: &str| {
        let output = run(&[&["eval"], arguments].concat(), b"");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{arguments:?}");
        assert!(
            output.stdout.is_empty(),
            "{arguments:?}: nothing is measured in vain"
        );
        assert!(said.contains(why), "{why} is not in {said}");
    };
    let at = |name: &str| temporary.path().join(name).display().to_string();
    let set = "tests/questions/unanswerable.tsv";
    refused(&[set, "--report", &at("no/such.html")], "no/such.html");
    refused(&[set, "--report", &at("")], "cannot be written");
    fs::write(at("empty.tsv"), "").unwrap();
    refused(
        &[&at("empty.tsv"), "--report", &at("x.html")],
        "empty.tsv: line 1",
    );
    let head = "question\tmunicipality\texpected\tlang\tslice\n";
    fs::write(at("head.tsv"), head).unwrap();
    refused(&[&at("head.tsv"), "--report", &at("x.html")], "no question");
    refused(
        &[&at("head.tsv"), "--report", &at("head.tsv")],
        "question set",
    );
    assert_eq!(fs::read_to_string(at("head.tsv")).unwrap(), head);
    assert!(!Path::new(&at("x.html")).exists());
}

#[test]
fn models_are_listed_and_verified() {
    let said = printed(&run(&["model", "list"], b""));
    assert!(said.contains("MIT") && said.contains("here"), "{said}");
    let said = printed(&run(&["model", "verify"], b""));
    assert!(said.contains("is whole"), "{said}");
}

#[test]
fn the_encoder_is_measured() {
    let said = printed(&run(&["bench", "encoder", "--json"], b""));
    assert_eq!(said.lines().count(), 1, "{said}");
    let report: Value = serde_json::from_str(&said).unwrap();
    assert!(report["kernel"].is_string());
    for key in ["ms_12_tokens", "ms_38_tokens", "tokens_per_s_32x38"] {
        assert!(report[key].as_f64().unwrap() > 0.0, "{report}");
    }
}

/// What `doctor --json` found, by what it looked at, and whether it was content.
fn doctor(environment: &[(&str, &str)]) -> (std::collections::BTreeMap<String, Value>, bool) {
    let mut command = borgerlinje(&["doctor", "--json"]);
    let output = finish(command.envs(environment.iter().copied()), b"");
    let lines = String::from_utf8(output.stdout).unwrap();
    let all = lines
        .lines()
        .map(|l| serde_json::from_str::<Value>(l).unwrap());
    let all = all.map(|v| (v["what"].as_str().unwrap().to_owned(), v));
    (all.collect(), output.status.success())
}

#[test]
fn the_doctor_names_what_is_missing_and_changes_nothing() {
    crate::harness::Server::shared();
    let dir = TempDir::with_prefix("borgerlinje-it-").unwrap();
    let data = dir.path().join("data");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().to_string();
    let data = data.to_str().unwrap();
    let well = [
        ("BORGERLINJE_DATA", data),
        ("BORGERLINJE_LISTEN", "127.0.0.1:0"),
    ];
    let (found, content) = doctor(&well);
    assert!(content, "{found:#?}");
    for what in [
        "knowledge",
        "encoder",
        "index",
        "data folder",
        "port",
        "Redis",
        "language model",
    ] {
        assert_eq!(found[what]["state"], "ok", "{what}");
    }
    assert_eq!(found["accounts"]["state"], "warning");
    assert!(!Path::new(data).exists(), "it made the data folder");

    let empty = dir.path().join("empty");
    fs::create_dir(&empty).unwrap();
    let closed = {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("redis://:hemmeligt@{}", free.local_addr().unwrap())
    };
    let ill = [
        ("BORGERLINJE_DATA", empty.to_str().unwrap()),
        ("BORGERLINJE_CACHE", empty.to_str().unwrap()),
        ("BORGERLINJE_LISTEN", &port),
        ("BORGERLINJE_REDIS_URL", &closed),
        ("BORGERLINJE_GENERATION", "generated"),
        ("BORGERLINJE_GENERATOR", "gemma3-270m"),
    ];
    let (found, content) = doctor(&ill);
    assert!(!content);
    for (what, state, said) in [
        ("encoder", "fault", "model fetch"),
        ("word list", "warning", "model fetch"),
        ("index", "warning", "borgerlinje index"),
        ("language model", "fault", "model fetch gemma3-270m"),
        ("port", "warning", "is taken"),
        ("Redis", "fault", "does not answer"),
        ("data folder", "ok", "can be written"),
    ] {
        let f = &found[what];
        assert_eq!(f["state"], state, "{f}");
        assert!(f["said"].as_str().unwrap().contains(said), "{f}");
    }
    assert!(!format!("{found:?}").contains("hemmeligt"));
    assert_eq!(
        fs::read_dir(&empty).unwrap().count(),
        0,
        "it left something"
    );
}
