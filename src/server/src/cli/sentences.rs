//! `check --sentences`: example sentences that do not do what they were written for.

use std::process::ExitCode;

use super::{Failure, Setting};
use crate::boot;
use crate::editor::InTheWay;
use crate::runtime::progress::Bars;
use crate::runtime::say;

fn look(setting: &Setting) -> Result<InTheWay, Failure> {
    let bars = Bars::shown();
    let booted = boot::boot(&setting.config, &setting.clock, &bars)?;
    let mut bar = bars.build();
    let snapshot = &booted.snapshot;
    let overlap = booted.maker.overlap(snapshot, &mut |stage, done, total| {
        bar.step(stage, done, total);
    })?;
    bar.done();
    let answer = snapshot.answer_threshold();
    Ok(InTheWay::of(&overlap, &snapshot.release, answer))
}

pub(super) fn json(setting: &Setting) -> Result<ExitCode, Failure> {
    say(&serde_json::to_string_pretty(&look(setting)?)?)?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn text(setting: &Setting) -> Result<(), Failure> {
    let found = look(setting)?;
    for c in &found.confusions {
        let n = c.sentences.len();
        let shown = match c.shown {
            0 => String::new(),
            n => format!(", {n} surely enough to be answered wrongly"),
        };
        say(&format!(
            "\n{} -> {}: {n} sentences{shown}",
            c.of.id, c.with.id
        ))?;
        for s in &c.sentences {
            let sure = s
                .confidence
                .map_or("   ?".to_owned(), |p| format!("{p:.2}"));
            let nearest = s.nearest.as_deref().unwrap_or("");
            let mark = if s.shown { '!' } else { ' ' };
            say(&format!(
                "  {sure}{mark} «{}» ({}) near «{nearest}»",
                s.text, s.file
            ))?;
        }
    }
    if !found.twins.is_empty() {
        say("\nnearly the same:")?;
    }
    for t in &found.twins {
        let (one, other) = (&t.one, &t.other);
        let (text, twin) = (&one.text, &other.text);
        let files = if one.file == other.file {
            one.file.clone()
        } else {
            format!("{} and {}", one.file, other.file)
        };
        say(&format!(
            "  {:.2} «{text}» and «{twin}» ({files})",
            t.likeness
        ))?;
    }
    let strayed: usize = found.confusions.iter().map(|c| c.sentences.len()).sum();
    say(&format!(
        "\n{strayed} sentences lead to another article, {} pairs are nearly the same",
        found.twins.len()
    ))?;
    Ok(())
}
