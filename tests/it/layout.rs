//! The layout that ARCHITECTURE.md draws, held against the tree.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

/// Who may import whom: down only. A new crate must be given its place here.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("borgerlinje", &["server"]),
    (
        "server",
        &[
            "composition",
            "dialogue",
            "grounding",
            "index",
            "knowledge",
            "inference",
            "contact",
            "storage",
            "base",
        ],
    ),
    (
        "composition",
        &["grounding", "knowledge", "inference", "base"],
    ),
    ("dialogue", &["index", "knowledge", "inference", "base"]),
    ("index", &["knowledge", "inference", "base"]),
    ("knowledge", &["base"]),
    ("inference", &["base"]),
    ("contact", &["base"]),
    ("storage", &["base"]),
    ("grounding", &["base"]),
    ("base", &[]),
];
/// What speaks to the outside: `server` alone may use it.
const EDGE: &[&str] = &[
    "axum",
    "clap",
    "hyper",
    "tower-http",
    "tokio-tungstenite",
    "tungstenite",
];
/// Folders of `server` that know nothing of one another.
const APART: &[&str] = &["chat", "desk", "editor", "admin"];
const MAX_LINES: usize = 500;
const MAX_MAIN_LINES: usize = 40;

use crate::harness::{files_below, root};

/// Every Rust file below a folder, by its path from the root, in order.
pub(crate) fn rust_files(folder: &str) -> BTreeMap<String, String> {
    let dir = root().join(folder);
    if !dir.is_dir() {
        return BTreeMap::new();
    }
    let files = files_below(&dir).into_iter();
    files
        .filter(|path| path.extension().is_some_and(|e| e == "rs"))
        .map(|path| {
            let name = path.strip_prefix(root()).unwrap().display().to_string();
            (name, fs::read_to_string(&path).unwrap())
        })
        .collect()
}

/// The code of a file, without what follows `//` on a line.
pub(crate) fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .zip(1..)
        .map(|(line, n)| (n, line))
}

fn word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether `text` holds `name` as a whole word.
pub(crate) fn holds(text: &str, name: &str) -> bool {
    text.match_indices(name)
        .any(|(at, _)| !text[..at].ends_with(word) && !text[at + name.len()..].starts_with(word))
}

/// The manifests of the root package and of every folder in `src/`, by package name.
fn manifests() -> BTreeMap<String, toml::Table> {
    let mut paths = vec![root().join("Cargo.toml")];
    for entry in fs::read_dir(root().join("src")).unwrap() {
        let manifest = entry.unwrap().path().join("Cargo.toml");
        if manifest.is_file() {
            paths.push(manifest);
        }
    }
    paths
        .into_iter()
        .map(|path| {
            let table: toml::Table = fs::read_to_string(path).unwrap().parse().unwrap();
            let name = table["package"]["name"].as_str().unwrap().to_owned();
            (name, table)
        })
        .collect()
}

/// Names in a section of a manifest, of every target too.
fn dependencies(manifest: &toml::Table, section: &str) -> BTreeSet<String> {
    let keys = |t: &toml::Table| -> Vec<String> {
        let names = t.get(section).and_then(toml::Value::as_table);
        names.map_or_else(Vec::new, |n| n.keys().cloned().collect())
    };
    let targets = manifest.get("target").and_then(toml::Value::as_table);
    let of_targets = targets
        .into_iter()
        .flat_map(toml::Table::values)
        .filter_map(toml::Value::as_table)
        .flat_map(keys);
    keys(manifest).into_iter().chain(of_targets).collect()
}

#[test]
fn crates_import_downwards_only() {
    let manifests = manifests();
    let known: Vec<&str> = MAY_IMPORT.iter().map(|(name, _)| *name).collect();
    let found: Vec<&str> = manifests.keys().map(String::as_str).collect();
    assert_eq!(
        found.iter().collect::<BTreeSet<_>>(),
        known.iter().collect::<BTreeSet<_>>(),
        "the crates in the tree and in MAY_IMPORT"
    );
    let mut faults = Vec::new();
    for (name, allowed) in MAY_IMPORT {
        // The tests of the root package look at the program from outside and may use any crate to do so.
        let sections: &[&str] = if *name == "borgerlinje" {
            &["dependencies", "build-dependencies"]
        } else {
            &["dependencies", "dev-dependencies", "build-dependencies"]
        };
        for section in sections {
            for dependency in dependencies(&manifests[*name], section) {
                if known.contains(&dependency.as_str()) && !allowed.contains(&dependency.as_str()) {
                    faults.push(format!(
                        "{name} imports {dependency} ({section}): allowed are {allowed:?}"
                    ));
                }
                if EDGE.contains(&dependency.as_str()) && *name != "server" {
                    faults.push(format!(
                        "{name} uses {dependency} ({section}): only server may"
                    ));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The first names of every path from the crate's root, or from a parent, in a piece of code:
/// `crate::desk::Queue` and `use crate::{desk, app::App}` give `desk`, and `desk` and `app`.
fn rooted(text: &str) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    for start in ["crate::", "super::"] {
        for (at, _) in text.match_indices(start) {
            let rest = text[at + start.len()..].trim_start();
            let Some(group) = rest.strip_prefix('{') else {
                out.insert(rest.chars().take_while(|c| word(*c)).collect());
                continue;
            };
            let mut depth = 1;
            let mut name = String::new();
            let mut first = true;
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    _ => {}
                }
                if depth == 1 && first && word(c) {
                    name.push(c);
                } else if !name.is_empty() {
                    out.insert(std::mem::take(&mut name));
                    first = false;
                }
                if depth == 1 && c == ',' {
                    first = true;
                }
                if depth == 0 {
                    break;
                }
            }
        }
    }
    out
}

#[test]
fn rooted_paths_are_found() {
    let names = |text: &str| rooted(text).into_iter().collect::<Vec<_>>().join(" ");
    assert_eq!(names("crate::desk::Queue::new()"), "desk");
    assert_eq!(
        names("use crate::{app::App,\n desk::{a, admin}, wire};"),
        "app desk wire"
    );
    assert_eq!(names("use super::super::chat::x;"), "chat super");
    assert_eq!(names("self::desk"), "");
}

#[test]
fn chat_desk_editor_and_admin_know_nothing_of_one_another() {
    let mut faults = Vec::new();
    for folder in APART {
        for (name, text) in rust_files(&format!("src/server/src/{folder}")) {
            let plain: Vec<&str> = code(&text).map(|(_, line)| line).collect();
            let imported = rooted(&plain.join("\n"));
            for other in APART.iter().filter(|o| *o != folder) {
                if imported.contains(*other) {
                    faults.push(format!(
                        "{name} imports crate::{other}: what both need belongs above them"
                    ));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_file_is_read_in_one_sitting() {
    let long: Vec<String> = ["src", "tests"]
        .iter()
        .flat_map(|folder| rust_files(folder))
        .map(|(name, text)| (name, text.lines().count()))
        .filter(|(_, lines)| *lines > MAX_LINES)
        .map(|(name, lines)| format!("{name} has {lines} lines: at most {MAX_LINES}"))
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
    let main = fs::read_to_string(root().join("src/main.rs")).unwrap();
    assert!(
        main.lines().count() <= MAX_MAIN_LINES,
        "src/main.rs is more than {MAX_MAIN_LINES} lines"
    );
}

#[test]
fn every_file_of_browser_tests_is_run() {
    let folder = root().join("tests/browser");
    let package = fs::read_to_string(folder.join("package.json")).unwrap();
    let package: serde_json::Value = serde_json::from_str(&package).unwrap();
    let run = package["scripts"]["test"].as_str().unwrap();
    let run: BTreeSet<&str> = run.split(' ').filter(|w| w.ends_with(".mjs")).collect();
    let names = fs::read_dir(&folder).unwrap();
    let names: Vec<String> = names
        .map(|f| f.unwrap().file_name().into_string().unwrap())
        .filter(|n| n.ends_with(".test.mjs"))
        .collect();
    let there: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(run, there);
}

#[test]
fn unsafe_code_is_in_the_kernels_and_the_mapping_alone() {
    let mut faults = Vec::new();
    for (name, text) in rust_files("src") {
        if name.starts_with("src/inference/src/kernels") || name == "src/inference/src/mapped.rs" {
            continue;
        }
        for (n, line) in code(&text) {
            let waived =
                holds(line, "unsafe_code") && (line.contains("allow") || line.contains("expect"));
            // Content security policies have words such as 'unsafe-inline'.
            if holds(&line.replace("unsafe-", ""), "unsafe") || waived {
                faults.push(format!("{name}:{n}: {}", line.trim()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn only_the_clock_reads_a_wall_clock() {
    const WALL: &[&str] = &[
        "SystemTime::now",
        "Timestamp::now",
        "Zoned::now",
        "std::time::Instant",
    ];
    let mut faults = Vec::new();
    for (name, text) in rust_files("src") {
        // An example is a stopwatch in a person's hand, not part of the program.
        if name == "src/base/src/clock.rs" || name.contains("/examples/") {
            continue;
        }
        // tokio's own Instant stands still when a test pauses the time.
        let tokio = code(&text).any(|(_, line)| line.contains("tokio::time"));
        for (n, line) in code(&text) {
            let grouped = line.contains("std::time::{") && holds(line, "Instant");
            let bare = line.contains("Instant::now") && !tokio;
            if grouped || bare || WALL.iter().any(|w| line.contains(w)) {
                faults.push(format!("{name}:{n}: {}", line.trim()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_route_is_registered_by_its_row_of_the_table_of_rights() {
    const WAYS: &[&str] = &[
        ".route(",
        ".route_service(",
        ".nest(",
        ".nest_service(",
        ".fallback_service(",
        ".merge(",
    ];
    let mut faults = Vec::new();
    for (name, text) in rust_files("src/server/src") {
        // A test's own server is no part of the service, and metrics have one of their own, at another address.
        let own = ["auth/gate.rs", "metrics/gather.rs"];
        if own.iter().any(|o| name.ends_with(o)) || name.contains("/tests") {
            continue;
        }
        let router = text.contains("axum::Router");
        for (n, line) in code(&text) {
            if router && WAYS.iter().any(|w| line.contains(w)) {
                faults.push(format!("{name}:{n}: {}", line.trim()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
