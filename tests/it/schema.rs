//! Holds a frame against `docs/protocol.schema.json`.
//!
//! The keywords that stand in that file and no others: a schema that uses another one fails here, so that
//! nothing in it goes unchecked. A general validator would bring some thirty crates for the same.

use std::sync::OnceLock;

use regex::Regex;
use serde_json::{Map, Value};

use crate::harness::root;

/// Panics with the path and the fault unless `frame` is one that `side` (`citizen` or `service`) may send.
#[track_caller]
pub(crate) fn hold(side: &str, frame: &Value) {
    let kind = frame["type"].as_str().unwrap_or("");
    let faults = faults(&format!("{side}_{kind}"), frame);
    assert!(
        faults.is_empty(),
        "not a frame of the {side}: {}\n{frame:#}",
        faults.join("; ")
    );
}

fn schema() -> &'static Value {
    static SCHEMA: OnceLock<Value> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        let text = std::fs::read_to_string(root().join("docs/protocol.schema.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    })
}

fn faults(definition: &str, value: &Value) -> Vec<String> {
    let mut out = Vec::new();
    match schema()["$defs"].get(definition) {
        Some(rule) => check(rule, value, "", &mut out),
        None => out.push(format!("there is no {definition}")),
    }
    out
}

fn check(rule: &Value, value: &Value, at: &str, out: &mut Vec<String>) {
    let rule = rule.as_object().expect("a schema is an object");
    let mut own = Vec::new();
    let mut no = |why: String| own.push(format!("{at}: {why}"));
    let chars = || value.as_str().map(|s| s.chars().count() as u64);
    for (keyword, wanted) in rule {
        match keyword.as_str() {
            "description" | "properties" | "additionalProperties" | "items" | "$ref" | "then" => {}
            "type" if !is(wanted.as_str().unwrap(), value) => no(format!("is no {wanted}")),
            "const" if value != wanted => no(format!("is not {wanted}")),
            "enum" if !wanted.as_array().unwrap().contains(value) => {
                no(format!("{value} is none of {wanted}"));
            }
            "required" => {
                for name in wanted.as_array().unwrap() {
                    if value.get(name.as_str().unwrap()).is_none() {
                        no(format!("{name} is missing"));
                    }
                }
            }
            "pattern" => {
                let pattern = Regex::new(wanted.as_str().unwrap()).unwrap();
                if value.as_str().is_some_and(|s| !pattern.is_match(s)) {
                    no(format!("{value} does not match {wanted}"));
                }
            }
            "minLength" if chars() < wanted.as_u64() => no("is too short".to_owned()),
            "maxLength" if chars() > wanted.as_u64() => no("is too long".to_owned()),
            "minimum" if value.as_f64() < wanted.as_f64() => no("is too small".to_owned()),
            "maximum" if value.as_f64() > wanted.as_f64() => no("is too great".to_owned()),
            "uniqueItems" => {
                let list = value.as_array().map_or(&[][..], Vec::as_slice);
                if (1..list.len()).any(|i| list[..i].contains(&list[i])) {
                    no("holds something twice".to_owned());
                }
            }
            "if" => {
                let mut unmet = Vec::new();
                check(wanted, value, at, &mut unmet);
                if unmet.is_empty() {
                    check(&rule["then"], value, at, out);
                }
            }
            "type" | "const" | "enum" | "minLength" | "maxLength" | "minimum" | "maximum" => {}
            other => panic!("{at}: the keyword {other} is not known to tests/it/schema.rs"),
        }
    }
    out.append(&mut own);
    if let Some(name) = rule.get("$ref").and_then(Value::as_str) {
        let name = name.strip_prefix("#/$defs/").unwrap();
        check(&schema()["$defs"][name], value, at, out);
    }
    if let (Some(items), Some(list)) = (rule.get("items"), value.as_array()) {
        for (i, item) in list.iter().enumerate() {
            check(items, item, &format!("{at}[{i}]"), out);
        }
    }
    let none = Map::new();
    let known = rule.get("properties").and_then(Value::as_object);
    let known = known.unwrap_or(&none);
    for (name, field) in value.as_object().unwrap_or(&none) {
        match known.get(name) {
            Some(rule) => check(rule, field, &format!("{at}.{name}"), out),
            None if rule.get("additionalProperties") == Some(&Value::Bool(false)) => {
                out.push(format!("{at}: {name} is not foreseen"));
            }
            None => {}
        }
    }
}

fn is(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        other => panic!("the type {other} is not known to tests/it/schema.rs"),
    }
}

#[test]
fn faults_are_found() {
    let find = |definition: &str, text: &str| {
        faults(definition, &serde_json::from_str(text).unwrap()).join("; ")
    };
    for (definition, text, want) in [
        ("service_pong", r#"{"type":"pong","n":1}"#, ""),
        (
            "service_pong",
            r#"{"type":"pong","n":-1}"#,
            ".n: is too small",
        ),
        ("service_pong", r#"{"type":"pong"}"#, "\"n\" is missing"),
        (
            "service_pong",
            r#"{"type":"pong","n":1,"m":1}"#,
            "m is not foreseen",
        ),
        ("service_pang", r#"{}"#, "there is no service_pang"),
        (
            "service_error",
            r#"{"type":"error","code":"rate_limited","text":"x"}"#,
            "\"retry_after_ms\" is missing",
        ),
        (
            "service_error",
            r#"{"type":"error","code":"hm","text":""}"#,
            "is too short",
        ),
        (
            "service_citizen",
            r#"{"type":"citizen","seq":1,"client_id":"a b","text":"","masked":["cpr","cpr"]}"#,
            "twice",
        ),
        (
            "citizen_hello",
            r#"{"type":"hello","v":1,"municipality":"751","lang":"da"}"#,
            ".municipality",
        ),
    ] {
        let found = find(definition, text);
        assert!(
            found.contains(want) && found.is_empty() == want.is_empty(),
            "{text}: {found:?}"
        );
    }
}
