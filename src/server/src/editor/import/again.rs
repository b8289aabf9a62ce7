//! Pages that were brought in before: what the page said then, what the article says now, what the page says today.

use similar::{ChangeTag, TextDiff};
use url::Url;

use super::super::texts::{Merged, merge};

/// One form of an address, for comparing.
pub(super) fn address(text: &str) -> String {
    let Ok(mut url) = Url::parse(text.trim()) else {
        return text.trim().to_owned();
    };
    url.set_fragment(None);
    url.as_str().trim_end_matches('/').to_owned()
}

/// What is to be done about a page that has an article.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Met {
    /// The page says what it said, or what the article says.
    Same,
    /// The article with what is new on the page, and what editors had changed.
    Merged(String),
    /// Both changed the same place, or the article never came from the page.
    Clash,
}

/// `last` is what the page said when it was last brought in, `article` the article's body now, `page` what the page
/// says today.
pub(super) fn met(last: Option<&str>, article: &str, page: &str) -> Met {
    let lines = |t: &str| {
        let lines = t.lines().map(str::trim).filter(|l| !l.is_empty());
        lines.collect::<Vec<_>>().join("\n")
    };
    if lines(article) == lines(page) || last.is_some_and(|l| lines(l) == lines(page)) {
        return Met::Same;
    }
    let Some(before) = last else {
        return Met::Clash;
    };
    let whole = |t: &str| format!("{}\n", t.trim());
    let (before, article, page) = (whole(before), whole(article), whole(page));
    match merge(Some(&before), Some(&article), Some(&page)) {
        Merged::Clean(Some(text)) if text == article => Met::Same,
        Merged::Clean(Some(text)) => Met::Merged(text),
        _ => Met::Clash,
    }
}

/// Lines that came and lines that went.
pub(super) fn lines(before: &str, after: &str) -> (usize, usize) {
    let diff = TextDiff::from_lines(before.trim(), after.trim());
    let count = |tag| diff.iter_all_changes().filter(|c| c.tag() == tag).count();
    (count(ChangeTag::Insert), count(ChangeTag::Delete))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_editors_wrote_stays_when_the_page_changes_elsewhere() {
        let page = "Kort svar.\n\n## Pris\nDet er gratis.\n\n## Tid\nVi har åbent.";
        let edited = page.replace("Kort svar.", "Et bedre svar.");
        let newer = page.replace("Vi har åbent.", "Vi har lukket.");
        assert_eq!(met(None, page, &format!("\n{page}\n\n")), Met::Same);
        // The page is as it was: only the editors changed it.
        assert_eq!(met(Some(page), &edited, page), Met::Same);
        let Met::Merged(text) = met(Some(page), &edited, &newer) else {
            panic!("not merged")
        };
        assert!(text.contains("Et bedre svar.") && text.contains("Vi har lukket."));
        let clash = page.replace("Kort svar.", "Et andet svar.");
        assert_eq!(met(Some(page), &edited, &clash), Met::Clash);
        assert_eq!(met(None, page, &newer), Met::Clash);
        assert_eq!(lines(page, &newer), (1, 1));
    }

    #[test]
    fn an_address_has_one_form() {
        assert_eq!(address("https://A.dk/pas/#x"), address("https://a.dk/pas"));
        assert_ne!(address("https://a.dk/pas?x"), address("https://a.dk/pas"));
        assert_eq!(address(" Pasloven § 1 "), "Pasloven § 1");
    }
}
