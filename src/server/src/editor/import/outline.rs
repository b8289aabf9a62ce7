//! Markdown of others in ours: headings with their texts, and articles made of them.

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

/// Words that a text before the first heading has at least, to be an article of its own.
const OWN: usize = 25;

/// A heading and what stands under it; of the text before the first heading the level is 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Piece {
    pub level: usize,
    pub heading: String,
    /// In the Markdown that our articles may have.
    pub text: String,
}

/// An article to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Made {
    pub title: String,
    pub body: String,
    /// Headings that are questions.
    pub questions: Vec<String>,
}

/// One article of a whole page.
pub(super) fn whole(title: &str, lead: &str, markdown: &str) -> Made {
    let mut pieces = pieces(markdown);
    let first = pieces.iter().position(|p| p.level > 0);
    let title = match (title, first) {
        ("", Some(first)) => pieces[first].heading.clone(),
        (title, _) => title.to_owned(),
    };
    // The page's title once more: what follows is the short answer.
    if let Some(first) = first.filter(|f| same(&pieces[*f].heading, &title)) {
        let text = pieces.remove(first).text;
        let before = pieces.first_mut().filter(|p| p.level == 0);
        match before {
            Some(before) => before.text = joined(&before.text, &text),
            None => pieces.insert(
                0,
                Piece {
                    text,
                    ..Piece::default()
                },
            ),
        }
    }
    let made = article(title, &pieces);
    let bare = pieces
        .first()
        .is_none_or(|p| p.level > 0 || p.text.is_empty());
    if bare && !lead.is_empty() {
        return Made {
            body: joined(lead, &made.body),
            ..made
        };
    }
    made
}

/// The articles of a document: one where it is short or has no headings that part it, else one a heading of the
/// outermost level that there are several of.
pub(super) fn parts(name: &str, title: &str, markdown: &str, most_words: usize) -> Vec<Made> {
    let pieces = pieces(markdown);
    let words: usize = pieces.iter().map(|p| knowledge::body_words(&p.text)).sum();
    let count = |level| pieces.iter().filter(|p| p.level == level).count();
    let level = (1..=6).find(|l| count(*l) > 1);
    // What programs note as a title is often that of the template: a heading that stands alone says it better.
    let alone = pieces.iter().find(|p| p.level > 0);
    let alone = alone
        .filter(|p| count(p.level) == 1)
        .map_or("", |p| p.heading.as_str());
    let called = [alone, title, name].into_iter().find(|t| !t.is_empty());
    let called = called.unwrap_or("").to_owned();
    let Some(level) = level.filter(|_| words > most_words) else {
        return vec![whole_of(&called, pieces)];
    };
    let mut all: Vec<(String, Vec<Piece>)> = Vec::new();
    let mut before = Vec::new();
    for p in pieces {
        if p.level == level {
            all.push((
                p.heading.clone(),
                vec![Piece {
                    level: 0,
                    heading: String::new(),
                    text: p.text,
                }],
            ));
        } else if p.level > level
            && let Some((_, last)) = all.last_mut()
        {
            last.push(p);
        } else if p.level > 0 && p.level < level && !all.is_empty() {
            // A part of the document: its text belongs to nobody before it.
            all.push((
                p.heading.clone(),
                vec![Piece {
                    level: 0,
                    heading: String::new(),
                    text: p.text,
                }],
            ));
        } else {
            before.push(p);
        }
    }
    let opening: usize = before.iter().map(|p| knowledge::body_words(&p.text)).sum();
    let mut made = Vec::new();
    if opening >= OWN {
        made.push(whole_of(&called, before));
    }
    made.extend(
        all.into_iter()
            .map(|(title, pieces)| article(title, &pieces)),
    );
    made.retain(|m| !m.body.is_empty());
    made
}

fn whole_of(title: &str, mut pieces: Vec<Piece>) -> Made {
    if let Some(first) = pieces.iter().position(|p| p.level > 0)
        && same(&pieces[first].heading, title)
    {
        let text = std::mem::take(&mut pieces[first].text);
        pieces[first] = Piece {
            text,
            ..Piece::default()
        };
    }
    article(title.to_owned(), &pieces)
}

fn same(a: &str, b: &str) -> bool {
    let key = |t: &str| base::words(&base::fold(t)).collect::<Vec<_>>().join(" ");
    key(a) == key(b)
}

fn joined(a: &str, b: &str) -> String {
    [a.trim(), b.trim()]
        .into_iter()
        .filter(|t| !t.is_empty())
        .collect::<Vec<_>>()
        .join("\n\n")
}

fn article(title: String, pieces: &[Piece]) -> Made {
    let mut body = String::new();
    let mut questions = Vec::new();
    let mut asked = |heading: &str| {
        if heading.ends_with('?') && (5..=200).contains(&heading.chars().count()) {
            questions.push(heading.to_owned());
        }
    };
    asked(&title);
    for p in pieces {
        if p.level > 0 {
            asked(&p.heading);
        }
        if p.text.is_empty() {
            continue;
        }
        if !body.is_empty() {
            body.push_str("\n\n");
        }
        if !p.heading.is_empty() {
            body.push_str("## ");
            body.push_str(&p.heading);
            body.push('\n');
        }
        body.push_str(&p.text);
    }
    Made {
        title,
        body,
        questions,
    }
}

/// The pieces of a text; those without heading and text are left out.
pub(super) fn pieces(markdown: &str) -> Vec<Piece> {
    let mut w = Writer::default();
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
    for event in Parser::new_ext(markdown, options) {
        w.event(event);
    }
    w.end_piece();
    w.pieces
}

/// Writes our Markdown as the events of another come.
#[derive(Default)]
struct Writer {
    pieces: Vec<Piece>,
    level: usize,
    heading: String,
    out: String,
    in_heading: bool,
    /// Inside pictures and other things that have no words for us.
    skip: usize,
    /// Number of the next item; `None` in a list without numbers.
    lists: Vec<Option<u64>>,
    /// Where links lead, innermost last.
    links: Vec<Option<String>>,
    /// The cells of a table's row, and of its head.
    row: Vec<String>,
    head: Vec<String>,
    in_table: bool,
}

impl Writer {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(t) | Event::Code(t) if self.skip == 0 => self.text(&t),
            Event::SoftBreak if self.skip == 0 => self.text(" "),
            Event::HardBreak if self.skip == 0 => {
                let line = if self.in_heading || self.in_table {
                    " "
                } else {
                    "\n"
                };
                self.text(line);
                self.indent();
            }
            Event::InlineHtml(tag) if self.skip == 0 && tag.starts_with("<br") => self.text(" "),
            // What a page marks up beyond Markdown says nothing to a citizen.
            _ => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Heading { level, .. } => {
                self.end_piece();
                self.in_heading = true;
                self.level = number(level);
            }
            Tag::Paragraph if self.lists.is_empty() => self.gap(),
            Tag::Paragraph if !self.out.ends_with("- ") && !self.out.ends_with(". ") => {
                self.line();
                self.indent();
            }
            Tag::CodeBlock(_) => self.gap(),
            Tag::List(first) => {
                if self.lists.is_empty() {
                    self.gap();
                }
                self.lists.push(first);
            }
            Tag::Item => {
                self.line();
                for _ in 1..self.lists.len() {
                    self.out.push_str("  ");
                }
                match self.lists.last_mut() {
                    Some(Some(n)) => {
                        self.out.push_str(&format!("{n}. "));
                        *n += 1;
                    }
                    _ => self.out.push_str("- "),
                }
            }
            Tag::Strong if !self.in_heading && self.skip == 0 => self.text("**"),
            Tag::Link { dest_url, .. } => {
                let to = dest_url.starts_with("https://") && !self.in_heading;
                let to = to.then(|| dest_url.into_string());
                if to.is_some() {
                    self.text("[");
                }
                self.links.push(to);
            }
            Tag::Table(_) => {
                self.gap();
                (self.in_table, self.head) = (true, Vec::new());
            }
            Tag::TableCell => self.row.push(String::new()),
            Tag::Image { .. } | Tag::MetadataBlock(_) | Tag::HtmlBlock => self.skip += 1,
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(_) => {
                self.in_heading = false;
                self.heading = base::clean(&self.heading);
            }
            TagEnd::List(_) => {
                self.lists.pop();
            }
            TagEnd::Strong if !self.in_heading && self.skip == 0 => self.text("**"),
            TagEnd::Link => {
                if let Some(Some(to)) = self.links.pop() {
                    self.text(&format!("]({to})"));
                }
            }
            TagEnd::TableHead => self.head = std::mem::take(&mut self.row),
            TagEnd::TableRow => self.end_row(),
            TagEnd::Table => self.in_table = false,
            TagEnd::Image | TagEnd::MetadataBlock(_) | TagEnd::HtmlBlock => {
                self.skip = self.skip.saturating_sub(1);
            }
            _ => {}
        }
    }

    /// A row of a table is an item: our articles have lists and no tables.
    fn end_row(&mut self) {
        let row = std::mem::take(&mut self.row);
        let named = row.iter().enumerate().skip(1).filter_map(|(n, cell)| {
            let cell = cell.trim();
            let head = self.head.get(n).map_or("", |h| h.trim());
            match (head, cell) {
                (_, "") => None,
                ("", cell) => Some(cell.to_owned()),
                (head, cell) => Some(format!("{head}: {cell}")),
            }
        });
        let rest: Vec<String> = named.collect();
        let first = row.first().map_or("", |c| c.trim());
        let text = match (first, rest.is_empty()) {
            ("", true) => return,
            ("", false) => rest.join(", "),
            (first, true) => first.to_owned(),
            (first, false) => format!("{first}: {}", rest.join(", ")),
        };
        self.line();
        self.out.push_str("- ");
        self.out.push_str(&text);
    }

    fn text(&mut self, text: &str) {
        let to = if self.in_heading {
            &mut self.heading
        } else {
            match self.row.last_mut().filter(|_| self.in_table) {
                Some(cell) => cell,
                None => &mut self.out,
            }
        };
        to.push_str(text);
    }

    /// A new paragraph.
    fn gap(&mut self) {
        let end = self.out.trim_end().len();
        self.out.truncate(end);
        if !self.out.is_empty() {
            self.out.push_str("\n\n");
        }
    }

    /// A new line.
    fn line(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with('\n') {
            self.out.push('\n');
        }
    }

    /// Under the words of an item.
    fn indent(&mut self) {
        for _ in 0..self.lists.len() {
            self.out.push_str("  ");
        }
    }

    fn end_piece(&mut self) {
        let text = self.out.trim().to_owned();
        let heading = std::mem::take(&mut self.heading);
        if !(text.is_empty() && heading.is_empty()) {
            self.pieces.push(Piece {
                level: self.level,
                heading,
                text,
            });
        }
        self.out.clear();
        (self.lists, self.links) = (Vec::new(), Vec::new());
    }
}

fn number(level: HeadingLevel) -> usize {
    level as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_our_articles_may_have_is_kept_and_the_rest_becomes_words() {
        let text = "Kort *svar* med **vægt**,\nog [link](https://a.dk/x) og [telefon](tel:11) ![billede](i.png).\n\n\
                    # Titel\n\nTekst<br>her\n\n1. en\n   - under\n2. to\n\n| Navn | Pris |\n|--|--|\n| Pas | 893 |\n| Kort | |\n\n\
                    <script>alert(1)</script>\n\n### Hvad `nu`?\n\n> citat\n";
        let p = pieces(text);
        assert_eq!(p.len(), 3, "{p:#?}");
        assert_eq!(
            p[0].text,
            "Kort svar med **vægt**, og [link](https://a.dk/x) og telefon ."
        );
        assert_eq!((p[1].level, p[1].heading.as_str()), (1, "Titel"));
        assert_eq!(
            p[1].text,
            "Tekst her\n\n1. en\n  - under\n2. to\n\n- Pas: Pris: 893\n- Kort"
        );
        assert_eq!(
            (p[2].heading.as_str(), p[2].text.as_str()),
            ("Hvad nu?", "citat")
        );
    }

    #[test]
    fn a_page_is_one_article_whose_questions_are_examples() {
        let made = whole(
            "Nyt pas",
            "Alt om pas.",
            "# Nyt pas\n\n## Hvordan får jeg pas?\n\nBestil tid.\n\n## Pris\n\nSe takster.\n",
        );
        assert_eq!(made.title, "Nyt pas");
        assert_eq!(
            made.body,
            "Alt om pas.\n\n## Hvordan får jeg pas?\nBestil tid.\n\n## Pris\nSe takster."
        );
        assert_eq!(made.questions, ["Hvordan får jeg pas?"]);
        let made = whole("", "", "# Skal jeg have pas?\n\nJa.\n");
        assert_eq!(
            (made.title.as_str(), made.body.as_str()),
            ("Skal jeg have pas?", "Ja.")
        );
        assert_eq!(made.questions, ["Skal jeg have pas?"]);
    }

    #[test]
    fn a_long_document_is_parted_where_its_headings_part_it() {
        let long = "ord ".repeat(30);
        let text = format!(
            "# Håndbog\n\n{long}\n\n## Pas\n\n{long}\n\n### Børn\n\n{long}\n\n## Affald\n\n{long}\n\n## Tom\n"
        );
        let titles = |made: &[Made]| made.iter().map(|m| m.title.clone()).collect::<Vec<_>>();
        let made = parts("haandbog", "", &text, 80);
        assert_eq!(titles(&made), ["Håndbog", "Pas", "Affald"]);
        assert!(
            made[1].body.contains("\n\n## Børn\nord"),
            "{}",
            made[1].body
        );
        // Short enough for one.
        let made = parts("haandbog", "", &text, 300);
        assert_eq!(titles(&made), ["Håndbog"]);
        assert!(made[0].body.starts_with("ord"), "{}", made[0].body);
        assert_eq!(titles(&parts("brev", "", "Kun tekst.", 1)), ["brev"]);
        assert_eq!(
            titles(&parts("brev", "Et brev", "Kun tekst.", 1)),
            ["Et brev"]
        );
    }
}
