//! Pieces of HTML. Whatever was written by people goes through [`esc`].

use std::fmt::Write as _;

use base::Lang;

use super::charts::INKS;

/// Text as it may stand in HTML, attributes included.
pub(super) fn esc(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// A question in its own language and direction.
pub(super) fn said(text: &str, lang: Lang) -> String {
    format!("<q lang=\"{}\" dir=\"auto\">{}</q>", lang.code(), esc(text))
}

/// A column: its heading, and whether numbers stand in it.
pub(super) struct Column {
    pub name: String,
    pub number: bool,
}

pub(super) fn words(name: &str) -> Column {
    Column {
        name: name.to_owned(),
        number: false,
    }
}

pub(super) fn numbers(name: &str) -> Column {
    Column {
        name: name.to_owned(),
        number: true,
    }
}

/// How a table meets a narrow screen.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Narrow {
    /// It is scrolled sideways; its first column stays.
    Scrolls,
    /// Each row becomes a block, each cell with its heading.
    Stacks,
}

/// A row: its cells in HTML, the first of which names it, and a class.
pub(super) struct Row {
    pub cells: Vec<String>,
    pub class: &'static str,
}

impl From<Vec<String>> for Row {
    fn from(cells: Vec<String>) -> Self {
        Row { cells, class: "" }
    }
}

/// A table with a caption. The roles are said aloud, for a table that is laid out as blocks is else none.
pub(super) fn table(caption: &str, columns: &[Column], rows: &[Row], narrow: Narrow) -> String {
    let stacks = narrow == Narrow::Stacks;
    let mut out = String::new();
    if !stacks {
        let _ = write!(
            out,
            "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"{}\">",
            esc(caption)
        );
    }
    let class = if stacks { "stacks" } else { "scrolls" };
    let _ = write!(
        out,
        "<table class=\"{class}\" role=\"table\"><caption>{}</caption>\n<thead role=\"rowgroup\"><tr role=\"row\">",
        esc(caption)
    );
    let number = |c: &Column| if c.number { " class=\"number\"" } else { "" };
    for c in columns {
        let _ = write!(
            out,
            "<th scope=\"col\" role=\"columnheader\"{}>{}</th>",
            number(c),
            esc(&c.name)
        );
    }
    out.push_str("</tr></thead>\n<tbody role=\"rowgroup\">\n");
    for row in rows {
        let _ = write!(out, "<tr role=\"row\" class=\"{}\">", row.class);
        for (i, (cell, c)) in row.cells.iter().zip(columns).enumerate() {
            if i == 0 {
                let _ = write!(
                    out,
                    "<th scope=\"row\" role=\"rowheader\"{}>{cell}</th>",
                    number(c)
                );
            } else {
                // As one block: a stacked cell is a grid of heading and content.
                let cell = if stacks {
                    format!("<div>{cell}</div>")
                } else {
                    cell.clone()
                };
                let _ = write!(
                    out,
                    "<td role=\"cell\" data-label=\"{}\"{}>{cell}</td>",
                    esc(&c.name),
                    number(c)
                );
            }
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table>");
    if !stacks {
        out.push_str("</div>");
    }
    out.push('\n');
    out
}

/// A picture with its text. `told` says in words what the picture shows, or would if there were one.
pub(super) fn figure(name: &str, svg: Option<&str>, told: &str) -> String {
    let (name, told) = (esc(name), esc(told));
    // The size it was drawn in becomes the style's affair.
    let svg = svg
        .and_then(|svg| svg.split_once("viewBox"))
        .map_or(String::new(), |(_, rest)| {
            format!("<svg role=\"img\" aria-label=\"{name}. {told}\" viewBox{rest}")
        });
    format!("<figure><figcaption><strong>{name}</strong> {told}</figcaption>\n{svg}</figure>\n")
}

pub(super) fn section(id: &str, heading: &str, body: &str) -> String {
    format!(
        "<section id=\"{id}\" aria-labelledby=\"h-{id}\">\n<h2 id=\"h-{id}\">{}</h2>\n{body}</section>\n",
        esc(heading)
    )
}

pub(super) fn paragraph(text: &str) -> String {
    format!("<p>{}</p>\n", esc(text))
}

/// The whole page: nothing in it is fetched, and nothing runs.
pub(super) fn document(title: &str, body: &str) -> String {
    let mut style = include_str!("style.css").to_owned();
    for (c, variable) in INKS {
        let hex = format!("#{:02X}{:02X}{:02X}", c.0, c.1, c.2);
        let _ = writeln!(
            style,
            "svg [fill=\"{hex}\"] {{ fill: var({variable}); }} svg [stroke=\"{hex}\"] {{ stroke: var({variable}); }}"
        );
    }
    format!(
        "<!DOCTYPE html>\n<html lang=\"da\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{}</title>\n<style>\n{style}</style>\n</head>\n\
         <body>\n<a class=\"skip\" href=\"#indhold\">Til indholdet</a>\n{body}</body>\n</html>\n",
        esc(title)
    )
}
