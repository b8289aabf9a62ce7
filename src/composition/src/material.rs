//! What an answer is made of.

use base::{Lang, MunicipalityCode};
use grounding::sentences;
use knowledge::{ArticleIx, Release};

/// Words of sections beyond the short answer and the nearest one, together: a model reads each before it writes.
const WORDS: usize = 120;

/// A section as that municipality's citizens read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cited {
    /// The article's short answer has none.
    pub heading: Option<String>,
    /// Markdown, slots filled.
    pub text: String,
}

/// The sections an answer may be made of, and what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Material {
    pub title: String,
    /// As the municipality names itself.
    pub municipality: String,
    /// In the order of the article; the short answer first.
    pub sections: Vec<Cited>,
    /// The whole article, Markdown: what stays one tap away.
    pub whole: String,
    /// One line, redacted.
    pub question: String,
    pub lang: Lang,
}

impl Material {
    /// The short answer and the section nearest to the question; `None` when that municipality does not see the article.
    pub fn of(
        release: &Release,
        article: ArticleIx,
        code: MunicipalityCode,
        nearest: Option<u32>,
        question: &str,
        lang: Lang,
    ) -> Option<Self> {
        let whole = release.render(article, code)?;
        let all = &release.article(article).sections;
        let nearest = nearest.map(|n| n as usize).filter(|n| *n < all.len());
        let words = |n: usize| all[n].text.split_whitespace().count();
        let mut chosen = vec![0];
        chosen.extend(nearest.filter(|n| *n > 0));
        // A short answer alone says little to work with.
        if chosen.len() == 1 && all.len() > 1 && words(0) + words(1) <= WORDS {
            chosen.push(1);
        }
        let sections = chosen.into_iter().filter_map(|n| all.get(n));
        let sections = sections.map(|s| Cited {
            heading: s.heading.as_deref().map(|h| release.fill_plain(h, code)),
            text: release.fill(&s.text, code),
        });
        let question: Vec<&str> = question.split_whitespace().collect();
        Some(Self {
            title: whole.title,
            municipality: release.fill_plain("{{kommune.navn}}", code),
            sections: sections.collect(),
            whole: whole.body,
            question: question.join(" "),
            lang,
        })
    }

    /// The sentences of the sections, headings among them, without Markdown.
    pub fn sentences(&self) -> Vec<String> {
        let texts = self.sections.iter().flat_map(|s| {
            let heading = s.heading.iter().map(String::as_str);
            heading.chain([s.text.as_str()])
        });
        texts.flat_map(sentences).map(|s| s.text).collect()
    }

    /// What a section is cited by: its heading, the short answer by the article's title.
    pub fn name(&self, section: usize) -> &str {
        let heading = self
            .sections
            .get(section)
            .and_then(|s| s.heading.as_deref());
        heading.unwrap_or(&self.title)
    }
}
