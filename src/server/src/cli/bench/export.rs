//! `bench export`: the full-scale base as the old bot would hand it over, to measure an import with.

use std::path::Path;

use base::Lang;
use knowledge::{Article, Layer};
use serde_json::json;

use super::super::{Failure, Setting};
use super::synthetic;
use crate::boot;
use crate::runtime::say;

/// Writes 5,000 answers with 14,000 example sentences, as CSV or as JSON by the file's ending.
pub(super) fn run(setting: &Setting, out: &Path) -> Result<(), Failure> {
    let real = knowledge::load(&setting.config.knowledge)?;
    let (release, _) = boot::release(&setting.config, &setting.clock)?;
    let files = synthetic::base(&real, &release);
    let articles = files.iter().filter(|f| f.path.ends_with(".md"));
    let articles: Vec<Article> = articles
        .map(|f| Article::read(f).map_err(|_| format!("{} cannot be read", f.path)))
        .collect::<Result<_, _>>()?;
    let rows = articles.iter().map(|a| {
        let layer = match a.layer {
            Layer::Shared => String::new(),
            layer => layer.to_string(),
        };
        // The old bot has no slots: what stands in them is left out.
        let (title, body) = (&a.title, knowledge::without_slots(&a.body));
        (a, layer, title, body, a.examples_in(Lang::Da))
    });
    let wrong = |e: std::io::Error| format!("{}: {e}", out.display());
    if out.extension().is_some_and(|e| e == "json") {
        let all: Vec<_> = rows
            .map(|(a, layer, title, body, examples)| {
                json!({"id": a.id, "question": title, "answer": body, "examples": examples,
                       "area": a.area, "kommune": layer})
            })
            .collect();
        std::fs::write(out, serde_json::to_string(&all)?).map_err(wrong)?;
    } else {
        let mut table = csv::WriterBuilder::new()
            .delimiter(b';')
            .from_writer(std::fs::File::create(out).map_err(wrong)?);
        let names = ["id", "spørgsmål", "svar", "eksempler", "område", "kommune"];
        table.write_record(names)?;
        for (a, layer, title, body, examples) in rows {
            let examples = examples.join("|");
            table.write_record([&a.id, title, &body, &examples, &a.area, &layer])?;
        }
        table.flush().map_err(wrong)?;
    }
    let examples: usize = articles.iter().map(|a| a.examples_in(Lang::Da).len()).sum();
    say(&format!(
        "{} answers, {examples} example sentences",
        articles.len()
    ))?;
    Ok(())
}
