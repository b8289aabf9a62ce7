//! Fewer of the municipality's own words.

use grounding::sentences;

use crate::material::Material;
use crate::writer::SENTENCES;

/// Lines of a list that are kept: steps belong together, but a directory is no answer.
const ITEMS: usize = 8;
/// A shortened text has at most this share of the whole's words; else the whole is said.
const WORTH: f32 = 0.7;

/// The short answer and the steps nearest to the question, word for word, as Markdown; `None` when that is hardly
/// shorter than the whole.
pub fn shorten(material: &Material) -> Option<String> {
    let mut left = SENTENCES;
    let mut out = String::new();
    for section in &material.sections {
        let mut blocks = Vec::new();
        let mut coming = section.text.split("\n\n").map(str::trim).peekable();
        while let Some(block) = coming.next() {
            // What is announced comes with its announcement, or neither does.
            let announced = coming.next_if(|_| block.ends_with(':'));
            let before = left;
            let both = match (kept(block, &mut left), announced) {
                (Some(first), Some(next)) => {
                    kept(next, &mut left).map(|n| format!("{first}\n\n{n}"))
                }
                (first, _) => first,
            };
            match both {
                Some(text) => blocks.push(text),
                None => left = before,
            }
        }
        if blocks.is_empty() {
            continue;
        }
        if !out.is_empty() {
            out.push_str("\n\n");
        }
        if let Some(heading) = &section.heading {
            out.push_str(&format!("## {heading}\n"));
        }
        out.push_str(&blocks.join("\n\n"));
    }
    let words = |text: &str| text.split_whitespace().count() as f32;
    (words(&out) <= WORTH * words(&material.whole) && !out.is_empty()).then_some(out)
}

/// A paragraph, or as many of its sentences as may still be said; a list whole or not at all.
fn kept(block: &str, left: &mut usize) -> Option<String> {
    let listed = |line: &str| {
        let line = line.trim_start();
        let number = line.trim_start_matches(|c: char| c.is_ascii_digit());
        line.starts_with("- ") || (number.len() < line.len() && number.starts_with(". "))
    };
    let items = block.lines().filter(|l| listed(l)).count();
    if items > 0 {
        return (items <= ITEMS).then(|| block.to_owned());
    }
    let all = sentences(block);
    if all.is_empty() || *left == 0 {
        return None;
    }
    let took = all.len().min(*left);
    *left -= took;
    if took == all.len() {
        return Some(block.to_owned());
    }
    let some: Vec<&str> = all[..took].iter().map(|s| s.text.as_str()).collect();
    Some(some.join(" "))
}
