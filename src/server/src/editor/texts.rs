//! Files laid over others, and two changes of one file made one.

use std::collections::BTreeMap;

use knowledge::File;
use sha2::{Digest as _, Sha256};
use similar::TextMerge;
use storage::DraftText;

use super::wire::Conflict;

/// What two changes of one file come to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Merged {
    /// `None`: the file is gone.
    Clean(Option<String>),
    /// Both changed the same place; the text with both in it, marked.
    Clash(String),
}

/// A file that was `base` and became `yours` and `theirs`.
pub(super) fn merge(base: Option<&str>, yours: Option<&str>, theirs: Option<&str>) -> Merged {
    let clean = |text: Option<&str>| Merged::Clean(text.map(str::to_owned));
    if yours == theirs || theirs == base {
        return clean(yours);
    }
    if yours == base {
        return clean(theirs);
    }
    let whole = |t: Option<&str>| t.unwrap_or_default().to_owned();
    let mut merge = TextMerge::from_lines(whole(base), whole(yours), whole(theirs));
    merge.labels("før", "dit", "deres");
    // Where one removed what the other went on writing, nobody but a person can say what is meant.
    if merge.is_conflicted() || base.is_none() || yours.is_none() || theirs.is_none() {
        return Merged::Clash(merge.to_string());
    }
    Merged::Clean(Some(merge.to_string()))
}

/// What tells a text from every other: SHA-256; of no file at all, a dash.
pub(super) fn text_hash(text: Option<&str>) -> String {
    text.map_or_else(
        || "-".to_owned(),
        |t| base::hex(Sha256::digest(t.as_bytes())),
    )
}

/// A draft's files over what is there now: what each becomes, and what cannot be made one.
pub(super) fn lay_over(
    draft: &[DraftText],
    now: &dyn Fn(&str) -> Option<String>,
) -> (Vec<(String, Option<String>)>, Vec<Conflict>) {
    let (mut laid, mut conflicts) = (Vec::new(), Vec::new());
    for f in draft {
        let theirs = now(&f.path);
        match merge(f.base.as_deref(), f.text.as_deref(), theirs.as_deref()) {
            Merged::Clean(text) => laid.push((f.path.clone(), text)),
            Merged::Clash(merged) => {
                laid.push((f.path.clone(), f.text.clone()));
                conflicts.push(Conflict {
                    file: f.path.clone(),
                    base: f.base.clone(),
                    yours: f.text.clone(),
                    theirs_hash: text_hash(theirs.as_deref()),
                    theirs,
                    merged,
                });
            }
        }
    }
    (laid, conflicts)
}

/// The files with some of them replaced, added or gone, in the order of their paths.
pub(super) fn with(files: &[File], laid: &[(String, Option<String>)]) -> Vec<File> {
    let mut all: BTreeMap<&str, &str> = files
        .iter()
        .map(|f| (f.path.as_str(), f.text.as_str()))
        .collect();
    for (path, text) in laid {
        match text {
            Some(text) => all.insert(path, text),
            None => all.remove(path.as_str()),
        };
    }
    let file = |(path, text): (&str, &str)| File {
        path: path.to_owned(),
        text: text.to_owned(),
    };
    all.into_iter().map(file).collect()
}

/// The text of a file.
pub(super) fn text_of<'a>(files: &'a [File], path: &str) -> Option<&'a str> {
    let at = files.binary_search_by(|f| f.path.as_str().cmp(path)).ok()?;
    Some(files[at].text.as_str())
}

/// The paths at which two sets of files differ, with both texts.
pub(super) fn differences(before: &[File], after: &[File]) -> Vec<DraftText> {
    let mut all: BTreeMap<&str, (Option<&str>, Option<&str>)> = BTreeMap::new();
    for f in before {
        all.entry(&f.path).or_default().0 = Some(&f.text);
    }
    for f in after {
        all.entry(&f.path).or_default().1 = Some(&f.text);
    }
    let other = all.into_iter().filter(|(_, (b, a))| b != a);
    other
        .map(|(path, (base, text))| DraftText {
            path: path.to_owned(),
            base: base.map(str::to_owned),
            text: text.map(str::to_owned),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_of_other_places_are_made_one_and_of_the_same_are_not() {
        let base = "a\nb\nc\nd\ne\n";
        let clean = |y: &str, t: &str| match merge(Some(base), Some(y), Some(t)) {
            Merged::Clean(text) => text.unwrap(),
            Merged::Clash(text) => panic!("{text}"),
        };
        assert_eq!(
            clean("A\nb\nc\nd\ne\n", "a\nb\nc\nd\nE\n"),
            "A\nb\nc\nd\nE\n"
        );
        assert_eq!(clean(base, "x\n"), "x\n");
        assert_eq!(clean("x\n", base), "x\n");
        let Merged::Clash(text) =
            merge(Some(base), Some("a\nb\nX\nd\ne\n"), Some("a\nb\nY\nd\ne\n"))
        else {
            panic!("merged")
        };
        for part in ["<<<<<<< dit", "X", "Y", ">>>>>>> deres"] {
            assert!(text.contains(part), "{text}");
        }
        // Gone here, changed there.
        assert!(matches!(
            merge(Some(base), None, Some("a\n")),
            Merged::Clash(_)
        ));
        assert!(matches!(
            merge(None, Some("x"), Some("y")),
            Merged::Clash(_)
        ));
        assert_eq!(merge(Some(base), None, Some(base)), Merged::Clean(None));
        assert_eq!(
            merge(None, Some("x"), Some("x")),
            Merged::Clean(Some("x".into()))
        );
    }

    #[test]
    fn what_is_laid_over_can_be_told_again() {
        let file = |p: &str, t: &str| File {
            path: p.into(),
            text: t.into(),
        };
        let live = [file("a", "1"), file("b", "2"), file("c", "3")];
        let laid = [
            ("b".to_owned(), None),
            ("c".to_owned(), Some("4".to_owned())),
            ("aa".to_owned(), Some("5".to_owned())),
        ];
        let next = with(&live, &laid);
        assert_eq!(next, [file("a", "1"), file("aa", "5"), file("c", "4")]);
        let d = differences(&live, &next);
        assert_eq!(
            with(
                &next,
                &d.iter()
                    .map(|d| (d.path.clone(), d.base.clone()))
                    .collect::<Vec<_>>()
            ),
            live
        );
        assert_eq!(text_of(&next, "c"), Some("4"));
        assert_eq!(text_of(&next, "b"), None);
    }
}
