//! The `+++` block at the head of an article, and errors that point into it.

use serde::de::DeserializeOwned;

use crate::Fault;

/// A file split at its fences. `body_line` is the line, from 1, on which the body begins.
pub(crate) struct Split<'a> {
    pub head: &'a str,
    pub body: &'a str,
    pub body_line: usize,
}

pub(crate) fn split<'a>(file: &str, text: &'a str) -> Result<Split<'a>, Fault> {
    let rest = text
        .strip_prefix("+++\n")
        .ok_or_else(|| Fault::error(file, 1, "front matter", "the first line must be +++"))?;
    let end = rest
        .find("\n+++\n")
        .ok_or_else(|| Fault::error(file, 1, "front matter", "no closing +++ line was found"))?;
    let head = &rest[..end];
    let body = &rest[end + 5..];
    let body_line = 3 + head.matches('\n').count() + 1;
    Ok(Split {
        head,
        body,
        body_line,
    })
}

/// Parses TOML that begins on line `first_line` of `file`.
pub(crate) fn parse<T: DeserializeOwned>(
    file: &str,
    toml_text: &str,
    first_line: usize,
) -> Result<T, Fault> {
    toml::from_str(toml_text).map_err(|e| {
        let line = e.span().map_or(0, |s| {
            first_line + toml_text[..s.start].matches('\n').count()
        });
        let message = e.message().trim().replace('\n', " ");
        let field = message
            .split('`')
            .nth(1)
            .map_or_else(|| "front matter".to_owned(), str::to_owned);
        Fault::error(file, line, field, message)
    })
}

/// The line on which `needle` first stands at or after `from`, for faults found after parsing.
pub(crate) fn line_of(text: &str, needle: &str) -> usize {
    text.lines()
        .position(|l| l.contains(needle))
        .map_or(0, |i| i + 1)
}
