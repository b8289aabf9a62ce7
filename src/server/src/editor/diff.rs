//! Differences that people can read: lines, and within them the words that are others.

use similar::{ChangeTag, TextDiff};
use storage::DraftText;

use super::places::listed;
use super::wire::{DiffLine, DiffPart, FileDiff, Hunk};

/// Lines around a change.
const AROUND: usize = 3;

/// From what to what each file changed.
pub(super) fn files(changed: &[DraftText]) -> Vec<FileDiff> {
    changed.iter().map(file).collect()
}

fn file(f: &DraftText) -> FileDiff {
    let (old, new) = (
        f.base.as_deref().unwrap_or_default(),
        f.text.as_deref().unwrap_or_default(),
    );
    let diff = TextDiff::from_lines(old, new);
    let (mut added, mut removed) = (0, 0);
    let mut hunks = Vec::new();
    for group in diff.grouped_ops(AROUND) {
        let Some(first) = group.first() else { continue };
        let mut hunk = Hunk {
            old_line: first.old_range().start + 1,
            new_line: first.new_range().start + 1,
            lines: Vec::new(),
        };
        for change in group
            .iter()
            .flat_map(|op| diff.iter_inline_changes_deadline(op, None))
        {
            let op = match change.tag() {
                ChangeTag::Equal => " ",
                ChangeTag::Insert => {
                    added += 1;
                    "+"
                }
                ChangeTag::Delete => {
                    removed += 1;
                    "-"
                }
            };
            let parts = change.iter_strings_lossy().map(|(changed, text)| DiffPart {
                text: text.trim_end_matches('\n').to_owned(),
                changed,
            });
            let parts = parts.filter(|p| !p.text.is_empty()).collect();
            hunk.lines.push(DiffLine { op, parts });
        }
        hunks.push(hunk);
    }
    FileDiff {
        file: listed(f),
        added,
        removed,
        hunks,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_word_is_marked_in_its_line() {
        let d = file(&DraftText {
            path: "satser.toml".into(),
            base: Some("a\nDet koster meget at bo\nc\n".into()),
            text: Some("a\nDet koster lidt at bo\nc\n".into()),
        });
        assert_eq!((d.added, d.removed, d.hunks.len()), (1, 1, 1));
        let lines = &d.hunks[0].lines;
        let ops: String = lines.iter().map(|l| l.op).collect();
        assert_eq!(ops, " -+ ");
        let changed: Vec<&str> = lines
            .iter()
            .flat_map(|l| &l.parts)
            .filter(|p| p.changed)
            .map(|p| p.text.trim())
            .collect();
        assert_eq!(changed, ["meget", "lidt"]);
    }
}
