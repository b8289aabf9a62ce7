//! Files of others, read row by row; a row that cannot be read is named and left out.

use std::collections::BTreeMap;

use base::Lang;
use serde::Deserialize;
use serde_json::Value;

use super::super::wire::Skipped;

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Csv,
    Json,
    Rasa,
}

impl Format {
    pub(crate) fn of(name: &str) -> Option<Self> {
        match name {
            "csv" => Some(Self::Csv),
            "json" => Some(Self::Json),
            "rasa" => Some(Self::Rasa),
            _ => None,
        }
    }
}

/// One question and its answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Row {
    /// From 1; of a table the line of names is the first.
    pub row: usize,
    pub id: Option<String>,
    pub title: String,
    pub answer: String,
    pub examples: Vec<(Lang, String)>,
    pub area: Option<String>,
    pub source: Option<String>,
    /// The layer or the municipality that it is for, where the row says it.
    pub layer: Option<String>,
    /// The page of the web that it is.
    pub address: Option<String>,
}

pub(super) type Rows = (Vec<Row>, Vec<Skipped>);

/// What a column or a field may be called.
const TITLE: &[&str] = &["question", "spørgsmål", "title", "titel", "overskrift"];
const ANSWER: &[&str] = &["answer", "answers", "svar", "text", "tekst"];
const EXAMPLES: &[&str] = &["examples", "eksempler", "utterances", "sætninger"];
const AREA: &[&str] = &["area", "område", "omraade", "category", "kategori", "emne"];
const SOURCE: &[&str] = &["source", "kilde", "url"];
const ID: &[&str] = &["id"];
const LAYER: &[&str] = &["layer", "lag", "municipality", "kommune"];

/// The rows of a file, and those that are none.
///
/// # Errors
/// In Danish, when nothing of it can be read.
pub(super) fn rows(format: Format, text: &str) -> Result<Rows, String> {
    let text = text.trim_start_matches('\u{feff}');
    match format {
        Format::Csv => csv(text),
        Format::Json => json(text),
        Format::Rasa => rasa(text),
    }
}

/// Takes a row if it has what it must have.
fn take(rows: &mut Rows, row: Row) {
    // What cannot be seen is nothing: a file may be full of it.
    let title = base::clean(&row.title);
    let why = if title.is_empty() {
        "Rækken har intet spørgsmål."
    } else if base::clean(&row.answer).is_empty() {
        "Rækken har intet svar."
    } else {
        rows.0.push(Row {
            title,
            answer: row.answer.replace("\r\n", "\n").trim().to_owned(),
            ..row
        });
        return;
    };
    rows.1.push(Skipped::new(row.row, why));
}

/// Sentences with a line or a bar between.
fn sentences(text: &str) -> Vec<(Lang, String)> {
    let parts = text.split(['\n', '|']).map(str::trim);
    let parts = parts.filter(|s| !s.is_empty());
    parts.map(|s| (Lang::Da, s.to_owned())).collect()
}

fn csv(text: &str) -> Result<Rows, String> {
    let head = text.lines().next().unwrap_or("");
    let count = |c: char| head.matches(c).count();
    let delimiter = [';', '\t', ',']
        .into_iter()
        .max_by_key(|c| count(*c))
        .and_then(|c| u8::try_from(c).ok())
        .unwrap_or(b',');
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .from_reader(text.as_bytes());
    let names: Vec<String> = match reader.headers() {
        Ok(h) => h.iter().map(|n| n.trim().to_lowercase()).collect(),
        Err(e) => return Err(format!("Tabellens første linje kan ikke læses: {e}")),
    };
    let column = |known: &[&str]| names.iter().position(|n| known.contains(&n.as_str()));
    let (Some(title), Some(answer)) = (column(TITLE), column(ANSWER)) else {
        return Err(
            "Tabellens første linje skal mindst have kolonnerne «spørgsmål» og «svar».".to_owned(),
        );
    };
    let (examples, area, source, id) = (column(EXAMPLES), column(AREA), column(SOURCE), column(ID));
    let layer = column(LAYER);
    let mut rows = Rows::default();
    for (n, record) in (2..).zip(reader.records()) {
        let record = match record {
            Ok(record) => record,
            Err(e) => {
                rows.1
                    .push(Skipped::new(n, format!("Rækken kan ikke læses: {e}")));
                continue;
            }
        };
        if record.len() != names.len() {
            let (has, named) = (record.len(), names.len());
            let why = format!("Rækken har {has} felter, og første linje nævner {named}.");
            rows.1.push(Skipped::new(n, why));
            continue;
        }
        let cell = |at: Option<usize>| at.and_then(|at| record.get(at)).map(str::trim);
        let some = |at| cell(at).filter(|c| !c.is_empty()).map(str::to_owned);
        let row = Row {
            row: n,
            id: some(id),
            title: some(Some(title)).unwrap_or_default(),
            answer: some(Some(answer)).unwrap_or_default(),
            examples: sentences(cell(examples).unwrap_or("")),
            area: some(area),
            source: some(source),
            layer: some(layer),
            address: None,
        };
        take(&mut rows, row);
    }
    Ok(rows)
}

/// A list of objects, an object that holds one, or an object a line.
fn json(text: &str) -> Result<Rows, String> {
    let mut rows = Rows::default();
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Array(list)) => {
            for (n, v) in (1..).zip(&list) {
                object(n, v, &mut rows);
            }
        }
        Ok(Value::Object(o)) if !has(&o, TITLE) => {
            let Some(list) = o.values().find_map(Value::as_array) else {
                return Err("Filen har ingen liste af spørgsmål og svar.".to_owned());
            };
            for (n, v) in (1..).zip(list) {
                object(n, v, &mut rows);
            }
        }
        _ => {
            let lines = (1..)
                .zip(text.lines())
                .filter(|(_, l)| !l.trim().is_empty());
            for (n, line) in lines {
                match serde_json::from_str(line) {
                    Ok(v) => object(n, &v, &mut rows),
                    Err(e) => {
                        let why = format!("Rækken kan ikke læses: {e}");
                        rows.1.push(Skipped::new(n, why));
                    }
                }
            }
            if rows.0.is_empty() {
                return Err("Filen kan ikke læses som JSON.".to_owned());
            }
        }
    }
    Ok(rows)
}

type Object = serde_json::Map<String, Value>;

fn field<'a>(o: &'a Object, known: &[&str]) -> Option<&'a Value> {
    let is = |k: &str| known.contains(&k.to_lowercase().as_str());
    o.iter().find(|(k, _)| is(k)).map(|(_, v)| v)
}

fn has(o: &Object, known: &[&str]) -> bool {
    field(o, known).is_some()
}

fn object(n: usize, v: &Value, rows: &mut Rows) {
    let Some(o) = v.as_object() else {
        rows.1
            .push(Skipped::new(n, "Rækken er ikke et objekt med felter."));
        return;
    };
    let text = |known| field(o, known).and_then(Value::as_str).map(str::to_owned);
    let mut examples = Vec::new();
    match field(o, EXAMPLES) {
        Some(Value::String(s)) => examples = sentences(s),
        Some(Value::Array(list)) => {
            let all = list.iter().filter_map(Value::as_str);
            examples.extend(all.map(|s| (Lang::Da, s.to_owned())));
        }
        Some(Value::Object(by_lang)) => {
            for (lang, list) in by_lang {
                let Ok(lang) = lang.parse::<Lang>() else {
                    continue;
                };
                let all = list.as_array().into_iter().flatten();
                let all = all.filter_map(Value::as_str);
                examples.extend(all.map(|s| (lang, s.to_owned())));
            }
        }
        _ => {}
    }
    let row = Row {
        row: n,
        id: text(ID),
        title: text(TITLE).unwrap_or_default(),
        answer: String::new(),
        examples,
        area: text(AREA),
        source: text(SOURCE),
        layer: text(LAYER),
        address: None,
    };
    match field(o, ANSWER) {
        // What the old bot said in several bubbles.
        Some(Value::Array(all)) => {
            let all: Vec<&str> = all.iter().filter_map(Value::as_str).collect();
            let answer = all.join("\n\n");
            take(rows, Row { answer, ..row });
        }
        // An answer a municipality.
        Some(Value::Object(by_layer)) if !by_layer.is_empty() => {
            for (layer, answer) in by_layer {
                let answer = answer.as_str().unwrap_or_default().to_owned();
                let layer = Some(layer.clone());
                take(
                    rows,
                    Row {
                        answer,
                        layer,
                        ..row.clone()
                    },
                );
            }
        }
        answer => {
            let answer = answer
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned();
            take(rows, Row { answer, ..row });
        }
    }
}

#[derive(Deserialize)]
struct Rasa {
    #[serde(default)]
    nlu: Vec<serde_yaml_ng::Value>,
    #[serde(default)]
    responses: BTreeMap<String, serde_yaml_ng::Value>,
}

#[derive(Deserialize)]
struct Intent {
    intent: String,
    examples: String,
}

#[derive(Deserialize)]
struct Said {
    text: String,
}

/// Intents with their examples, and the answers that are called as they are.
fn rasa(text: &str) -> Result<Rows, String> {
    let file: Rasa = serde_yaml_ng::from_str(text)
        .map_err(|e| format!("Filen kan ikke læses som Rasa-YAML: {e}"))?;
    let answer = |intent: &str| {
        let names = [
            format!("utter_{intent}"),
            format!("utter_{}", intent.replace('/', "_")),
        ];
        let said = names.iter().find_map(|n| file.responses.get(n))?;
        let all: Vec<Said> = serde_yaml_ng::from_value(said.clone()).ok()?;
        all.into_iter().next().map(|s| s.text)
    };
    let mut rows = Rows::default();
    for (n, item) in (1..).zip(&file.nlu) {
        // Synonyms, look-up tables and patterns are no questions.
        if item.get("intent").is_none() {
            continue;
        }
        let intent: Intent = match serde_yaml_ng::from_value(item.clone()) {
            Ok(intent) => intent,
            Err(e) => {
                rows.1
                    .push(Skipped::new(n, format!("Rækken kan ikke læses: {e}")));
                continue;
            }
        };
        let lines = intent.examples.lines();
        let lines = lines.filter_map(|l| l.trim().strip_prefix("- "));
        let title = intent.intent.replace(['_', '-', '/'], " ");
        let row = Row {
            row: n,
            id: Some(intent.intent.clone()),
            title,
            answer: answer(&intent.intent)
                .unwrap_or_else(|| "Svaret fulgte ikke med. Skriv det her.".to_owned()),
            examples: lines.map(|l| (Lang::Da, without_entities(l))).collect(),
            area: None,
            source: None,
            layer: None,
            address: None,
        };
        take(&mut rows, row);
    }
    Ok(rows)
}

/// `[Aarhus](by)` and `[Aarhus]{"entity": "by"}` are "Aarhus".
fn without_entities(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('[') {
        let Some((word, tail)) = after.split_once(']') else {
            break;
        };
        let end = match tail.chars().next() {
            Some('(') => tail.find(')'),
            Some('{') => tail.find('}'),
            _ => None,
        };
        out.push_str(before);
        out.push_str(word);
        rest = end.map_or(tail, |e| &tail[e + 1..]);
    }
    out.push_str(rest);
    out
}
