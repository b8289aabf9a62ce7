//! The documents that officers and other programs rely on, held against what they speak of.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use regex::Regex;
use serde_json::Value;

use crate::harness::{Server, root};
use crate::layout::{code, holds, rust_files};

pub(crate) type Names = BTreeSet<String>;

pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// What stands between backticks.
pub(crate) fn spans(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// From a heading to the next of the same or a higher level.
pub(crate) fn section<'a>(text: &'a str, heading: &str) -> &'a str {
    let level = heading.split(' ').next().unwrap();
    let from = text
        .find(&format!("\n{heading}\n"))
        .unwrap_or_else(|| panic!("there is no «{heading}»"));
    let rest = &text[from + 1..];
    let mut end = rest.len();
    for depth in 1..=level.len() {
        let next = format!("\n{} ", "#".repeat(depth));
        end = end.min(rest.find(&next).unwrap_or(rest.len()));
    }
    &rest[..end]
}

/// The rows of all tables in a text: the heads of the columns, and the row's own cells.
pub(crate) fn rows(text: &str) -> Vec<(Vec<&str>, Vec<&str>)> {
    fn cells(line: &str) -> Vec<&str> {
        let inner = line.trim().trim_matches('|');
        inner.split('|').map(str::trim).collect()
    }
    let mut out = Vec::new();
    let mut head: Option<Vec<&str>> = None;
    for line in text.lines() {
        if !line.starts_with('|') {
            head = None;
        } else if let Some(head) = &head {
            if !line.starts_with("|---") {
                out.push((head.clone(), cells(line)));
            }
        } else {
            head = Some(cells(line));
        }
    }
    out
}

/// The variants of an enum of the wire, as serde names them.
pub(crate) fn variants(file: &str, name: &str) -> Names {
    let text = read(file);
    let whole = Regex::new(&format!(r"(?s)enum {name}[ <][^{{]*\{{\n(.*?)\n\}}")).unwrap();
    let body = whole
        .captures(&text)
        .unwrap_or_else(|| panic!("{file}: no enum {name}"));
    let variant = Regex::new(r"(?m)^    ([A-Z][A-Za-z]*)").unwrap();
    variant
        .captures_iter(&body[1])
        .map(|c| snake(&c[1]))
        .collect()
}

fn snake(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

fn asyncapi() -> Value {
    serde_yaml_ng::from_str(&read("docs/asyncapi.yaml")).unwrap()
}

fn schema() -> Value {
    serde_json::from_str(&read("docs/protocol.schema.json")).unwrap()
}

/// The keys of an object that begin so, without that beginning.
fn beginning(object: &Value, prefix: &str) -> Names {
    let keys = object.as_object().unwrap().keys();
    keys.filter_map(|k| k.strip_prefix(prefix).map(str::to_owned))
        .collect()
}

/// Of each direction of a socket: how its messages are called, its channel, its operation.
const DIRECTIONS: [(&str, &str, &str, &str); 4] = [
    ("citizen_", "chat", "hearCitizen", "receive"),
    ("service_", "chat", "tellCitizen", "send"),
    ("from_desk_", "desk", "hearDesk", "receive"),
    ("to_desk_", "desk", "tellDesk", "send"),
];

#[test]
fn every_message_of_the_chats_schema_is_in_the_asyncapi_document_and_the_other_way_round() {
    let (schema, document) = (schema(), asyncapi());
    for prefix in ["citizen_", "service_"] {
        let kinds = beginning(&schema["$defs"], prefix);
        assert!(kinds.len() > 10, "{prefix}: {kinds:?}");
        assert_eq!(
            beginning(&document["components"]["messages"], prefix),
            kinds
        );
        for kind in kinds {
            let message = &document["components"]["messages"][format!("{prefix}{kind}")];
            assert_eq!(message["name"], kind.as_str());
            let payload = format!("./protocol.schema.json#/$defs/{prefix}{kind}");
            assert_eq!(message["payload"]["$ref"], payload.as_str());
        }
    }
}

#[test]
fn every_message_of_the_program_is_in_the_asyncapi_document_and_the_other_way_round() {
    let (chat, desk) = ("src/server/src/wire/mod.rs", "src/server/src/desk/wire.rs");
    let out = "src/server/src/desk/wire/out.rs";
    let both = |a: Names, b: Names| a.union(&b).cloned().collect::<Names>();
    let document = asyncapi();
    let messages = &document["components"]["messages"];
    for (prefix, kinds) in [
        ("citizen_", variants(chat, "FromCitizen")),
        (
            "service_",
            both(variants(chat, "ToCitizen"), variants(chat, "Event")),
        ),
        (
            "from_desk_",
            both(variants(desk, "Plain"), variants(desk, "Ask")),
        ),
        ("to_desk_", variants(out, "ToDesk")),
    ] {
        assert_eq!(beginning(messages, prefix), kinds, "{prefix}");
    }
}

#[test]
fn every_message_is_explained_to_people_and_no_other() {
    let (chat, desk) = ("docs/protocol.md", "docs/desk-protocol.md");
    let document = asyncapi();
    let messages = &document["components"]["messages"];
    for (prefix, file, heading) in [
        ("citizen_", chat, "## From the citizen"),
        ("service_", chat, "## From the service"),
        ("from_desk_", desk, "### From the desk"),
        ("to_desk_", desk, "### From the service"),
    ] {
        let text = read(file);
        let explained: Names = rows(section(&text, heading))
            .iter()
            .flat_map(|(_, cells)| spans(cells[0]))
            .map(str::to_owned)
            .collect();
        assert_eq!(beginning(messages, prefix), explained, "{file}: {heading}");
    }
}

#[test]
fn every_message_belongs_to_one_channel_and_one_operation() {
    let document = asyncapi();
    assert_eq!(document["asyncapi"], "3.0.0");
    let mut counted = 0;
    for (prefix, channel, operation, action) in DIRECTIONS {
        let operation = &document["operations"][operation];
        assert_eq!(operation["action"], action);
        assert_eq!(
            operation["channel"]["$ref"],
            format!("#/channels/{channel}").as_str()
        );
        let kinds = beginning(&document["components"]["messages"], prefix);
        let wanted: Names = kinds
            .iter()
            .map(|k| format!("#/channels/{channel}/messages/{prefix}{k}"))
            .collect();
        let listed = operation["messages"].as_array().unwrap();
        let found: Names = listed
            .iter()
            .map(|m| m["$ref"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!((found.len(), &found), (listed.len(), &wanted));
        for kind in &kinds {
            let message = &document["channels"][channel]["messages"][format!("{prefix}{kind}")];
            let target = format!("#/components/messages/{prefix}{kind}");
            assert_eq!(message["$ref"], target.as_str());
        }
        counted += kinds.len();
    }
    let all = |value: &Value| value.as_object().unwrap().len();
    let channels = &document["channels"];
    assert_eq!(all(&document["components"]["messages"]), counted);
    assert_eq!(
        all(&channels["chat"]["messages"]) + all(&channels["desk"]["messages"]),
        counted
    );
}

fn references<'a>(value: &'a Value, out: &mut Vec<&'a str>) {
    match value {
        Value::Object(map) => {
            out.extend(map.get("$ref").and_then(Value::as_str));
            map.values().for_each(|v| references(v, out));
        }
        Value::Array(list) => list.iter().for_each(|v| references(v, out)),
        _ => {}
    }
}

#[test]
fn every_reference_of_the_documents_for_machines_leads_somewhere() {
    let (schema, document) = (schema(), asyncapi());
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 200, "{} references", found.len());
    let web = openapi();
    let mut of_web = Vec::new();
    references(&web, &mut of_web);
    assert!(of_web.len() > 60, "{} references", of_web.len());
    for reference in of_web {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(web.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
    for reference in found {
        let (file, pointer) = reference.split_once('#').unwrap();
        let of = match file {
            "" => &document,
            "./protocol.schema.json" => &schema,
            other => panic!("{other} is no file that the document may refer to"),
        };
        assert!(of.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
}

fn openapi() -> Value {
    serde_yaml_ng::from_str(&read("docs/openapi.yaml")).unwrap()
}

#[test]
fn every_route_that_is_no_page_is_in_an_openapi_document_and_the_other_way_round() {
    // That of the studio is the program's own: src/server/src/editor/api.rs holds it to the same table.
    let table = read("docs/security.md");
    let all = rows(section(&table, "## Who may what, whole"));
    let routes = all.iter().filter(|(head, _)| head[0] == "route");
    let wanted: Names = routes
        .flat_map(|(_, cells)| spans(cells[0]))
        .filter(|r| {
            let path = r.split(' ').nth(1).unwrap();
            (path.starts_with("/api/") || path.starts_with("/health/"))
                && !path.starts_with("/api/studio/")
        })
        .map(str::to_owned)
        .collect();
    let document = openapi();
    let paths = document["paths"].as_object().unwrap();
    let described: Names = paths
        .iter()
        .flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().keys();
            let methods = methods.filter(|m| *m != "parameters");
            methods.map(move |m| format!("{} {path}", m.to_uppercase()))
        })
        .collect();
    assert!(wanted.len() > 20, "{wanted:?}");
    assert_eq!(described, wanted);
}

#[test]
fn what_anybody_may_ask_answers_as_the_openapi_document_says() {
    let (server, document) = (Server::shared(), openapi());
    let list = server.get_json("/api/municipalities").1;
    for (schema, body) in [
        ("Municipality", list[0].clone()),
        ("Theme", server.get_json("/api/municipalities/0751/theme").1),
        ("Ready", server.get_json("/health/ready").1),
        (
            "Problem",
            server.get_json("/api/municipalities/0000/theme").1,
        ),
    ] {
        let schema = &document["components"]["schemas"][schema];
        let there: Names = body.as_object().unwrap().keys().cloned().collect();
        let known: Names = beginning(&schema["properties"], "");
        let needed = schema["required"].as_array().unwrap().iter();
        let needed: Names = needed.map(|n| n.as_str().unwrap().to_owned()).collect();
        assert!(there.is_subset(&known), "{body} has more than {known:?}");
        assert!(needed.is_subset(&there), "{body} lacks some of {needed:?}");
    }
}

/// The fields of a struct that the configuration file is read into.
fn fields(file: &str, name: &str) -> Names {
    let text = read(file);
    let whole = Regex::new(&format!(r"(?s)struct {name} \{{\n(.*?)\n\}}")).unwrap();
    let body = whole
        .captures(&text)
        .unwrap_or_else(|| panic!("{file}: no struct {name}"));
    let field = Regex::new(r"(?m)^    (?:pub(?:\([a-z]+\))? )?([a-z_]+):").unwrap();
    field
        .captures_iter(&body[1])
        .map(|c| c[1].to_owned())
        .collect()
}

#[test]
fn every_setting_is_in_the_operations_document_and_no_other() {
    let environment = Regex::new(r"BORGERLINJE_[A-Z_]*[A-Z]").unwrap();
    let mut known = Names::new();
    for folder in ["src/server/src/config", "src/server/src/runtime"] {
        for text in rust_files(folder).values() {
            known.extend(environment.find_iter(text).map(|m| m.as_str().to_owned()));
        }
    }
    assert!(known.contains("BORGERLINJE_LISTEN") && known.contains("BORGERLINJE_LOG"));
    let centre = "src/contact/src/centre/settings.rs";
    for (file, name) in [
        ("src/server/src/config/mod.rs", "ConfigFile"),
        ("src/server/src/config/drain.rs", "Drain"),
        ("src/server/src/config/generation.rs", "Generation"),
        ("src/server/src/config/oidc.rs", "OidcFile"),
        ("src/server/src/config/per_network.rs", "PerNetwork"),
        ("src/server/src/config/team.rs", "TeamFile"),
        ("src/server/src/config/telemetry.rs", "TelemetryFile"),
        ("src/server/src/config/tls.rs", "Written"),
        ("src/server/src/config/website.rs", "WebsiteFile"),
        ("src/server/src/desk/presence.rs", "Patience"),
        ("src/server/src/embed/mod.rs", "Settings"),
        ("src/server/src/auth/second.rs", "Staff"),
        ("src/server/src/retention.rs", "Retention"),
        (centre, "Settings"),
        (centre, "Relax"),
        (centre, "HeadStart"),
        (centre, "CallbackSettings"),
        (centre, "Limits"),
    ] {
        let found = fields(file, name);
        assert!(!found.is_empty(), "{file}: {name} has no fields");
        known.extend(found);
    }
    let text = read("docs/operations.md");
    let told: Names = rows(section(&text, "## Configuration"))
        .iter()
        .flat_map(|(head, cells)| head.iter().zip(cells))
        .filter(|(head, _)| ["environment", "file", "key"].contains(*head))
        .flat_map(|(_, cell)| spans(cell))
        .map(|name| name.trim_matches(['[', ']']).to_owned())
        .collect();
    let missing: Vec<&String> = known.difference(&told).collect();
    let invented: Vec<&String> = told.difference(&known).collect();
    assert!(
        missing.is_empty() && invented.is_empty(),
        "docs/operations.md lacks {missing:?}, and has {invented:?}, which nothing reads"
    );
}

#[test]
fn unsafe_code_is_in_the_inventory_whole() {
    let mut found = BTreeMap::new();
    for (name, text) in rust_files("src") {
        // Content security policies have words such as 'unsafe-inline'.
        let lines: Vec<String> = code(&text)
            .map(|(_, line)| line.replace("unsafe-", ""))
            .filter(|line| holds(line, "unsafe"))
            .collect();
        if lines.is_empty() {
            continue;
        }
        let functions = lines.iter().filter(|l| l.contains("unsafe fn")).count();
        let proofs = text.matches("// SAFETY: ").count();
        assert!(
            proofs >= lines.len() - functions,
            "{name}: {} unsafe blocks, {proofs} proofs",
            lines.len() - functions
        );
        found.insert(name, lines.len());
    }
    let text = read("docs/security.md");
    let told: BTreeMap<String, usize> = rows(section(&text, "## Unsafe code, whole"))
        .iter()
        .map(|(_, cells)| {
            (
                cells[0].trim_matches('`').to_owned(),
                cells[1].parse().unwrap(),
            )
        })
        .collect();
    assert_eq!(told, found, "docs/security.md, against the tree");
}

#[test]
fn whoever_leaves_is_told_of_every_table() {
    let mut kept = Names::new();
    let table = Regex::new(r"CREATE TABLE ([a-z_]+) \(").unwrap();
    for (name, text) in rust_files("src/storage/src") {
        if !name.contains("/tests") {
            kept.extend(table.captures_iter(&text).map(|c| c[1].to_owned()));
        }
    }
    assert!(kept.len() > 20, "{kept:?}");
    let text = read("docs/leaving.md");
    let told: Names = rows(&text)
        .iter()
        .filter(|(head, _)| head[0] == "table")
        .flat_map(|(_, cells)| spans(cells[0]))
        .map(str::to_owned)
        .collect();
    assert_eq!(told, kept);
}

#[test]
fn the_description_for_catalogues_names_this_version() {
    let described: Value = serde_yaml_ng::from_str(&read("publiccode.yml")).unwrap();
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    let package = &manifest["workspace"]["package"];
    assert_eq!(
        described["softwareVersion"].as_str(),
        package["version"].as_str()
    );
    assert_eq!(
        described["legal"]["license"].as_str(),
        package["license"].as_str()
    );
    for (lang, text) in described["description"].as_object().unwrap() {
        let chars = |key: &str| text[key].as_str().unwrap().chars().count();
        assert!(chars("shortDescription") <= 150, "{lang}: too long");
        assert!((150..=10_000).contains(&chars("longDescription")), "{lang}");
    }
}

#[test]
fn what_the_documents_point_to_is_there() {
    const DOCUMENTS: [&str; 8] = [
        "CONTRIBUTING.md",
        "GOVERNANCE.md",
        "SECURITY.md",
        "docs/accessibility.md",
        "docs/leaving.md",
        "docs/operations.md",
        "docs/security.md",
        "docs/tilgaengelighedserklaering.md",
    ];
    let link = Regex::new(r"\]\(([^)# \n]+)(?:#[^)]*)?\)").unwrap();
    let path = Regex::new(r"^(?:src|tests|widget|models|docs)/[A-Za-z0-9_./-]+$").unwrap();
    let mut faults = Vec::new();
    for document in DOCUMENTS {
        let (text, here) = (read(document), root().join(document));
        let folder = here.parent().unwrap();
        for found in link.captures_iter(&text) {
            let target = &found[1];
            if !target.contains("://") && !folder.join(target).exists() {
                faults.push(format!("{document}: {target} is not there"));
            }
        }
        for span in spans(&text).filter(|s| path.is_match(s)) {
            if !root().join(span).exists() {
                faults.push(format!("{document}: {span} is not there"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
