//! An article as citizens would read it, while somebody writes it.

use base::MunicipalityCode;
use jiff::civil::Date;
use knowledge::{Article, Fault, File, Layer, Release, words_allowed};

use super::fields;
use super::problem::Problem;
use super::wire::{ArticleFields, LinkFields, Preview, shown};

/// What is needed besides the text.
pub(super) struct Around<'a> {
    /// With the draft over them.
    pub files: &'a [File],
    /// Fills the slots where the draft's own tables cannot be read.
    pub live: &'a Release,
    /// Articles whose examples it may not share.
    pub others: &'a [std::sync::Arc<Article>],
    pub today: Date,
}

/// Renders and checks an article that is not saved.
///
/// # Errors
/// `bad_request` for fields that cannot be written at all.
pub(super) fn render(
    around: &Around<'_>,
    layer: Layer,
    fields: &ArticleFields,
    code: MunicipalityCode,
) -> Result<Preview, Problem> {
    let path = layer.path(&fields.area, &fields.id);
    let before = around.files.iter().find(|f| f.path == path);
    let text = fields::article(before.map(|f| f.text.as_str()), fields).map_err(Problem::bad)?;
    let file = File {
        path,
        text: text.clone(),
    };
    // The tables and this one article: enough for everything but what it shares with others.
    let mut few: Vec<File> = around
        .files
        .iter()
        .filter(|f| !f.path.ends_with(".md"))
        .cloned()
        .collect();
    few.push(file.clone());
    let (release, faults) = match Release::build(&few, around.today) {
        Ok((release, faults)) => (Some(release), faults),
        Err(faults) => (None, faults),
    };
    let mut faults: Vec<Fault> = faults.into_iter().filter(|f| f.file == file.path).collect();
    faults.extend(shared_examples(around, &file));
    let filled = release.as_ref().unwrap_or(around.live);
    let fill = |text: &str| filled.fill(text, code);
    let words = knowledge::body_words(&fields.body);
    let allowed = words_allowed(layer);
    Ok(Preview {
        title: plain(filled, &fields.title, code),
        body: fill(fields.body.trim()),
        links: fields
            .links
            .iter()
            .map(|l| LinkFields {
                title: plain(filled, &l.title, code),
                url: plain(filled, &l.url, code),
            })
            .collect(),
        source: fields.source.clone(),
        words,
        words_min: *allowed.start(),
        words_max: *allowed.end(),
        body_line: Article::read(&file).map_or(0, |a| a.body_line),
        text,
        faults: shown(&faults),
    })
}

/// Slots filled where nothing is Markdown: an address is an address.
fn plain(release: &Release, text: &str, code: MunicipalityCode) -> String {
    release.fill_plain(text, code)
}

/// Examples that stand in an article that one municipality can see beside this one.
fn shared_examples(around: &Around<'_>, file: &File) -> Vec<Fault> {
    let Ok(a) = Article::read(file) else {
        return Vec::new();
    };
    let key = |s: &str| base::words(&base::fold(s)).collect::<Vec<_>>().join(" ");
    let mine: std::collections::BTreeMap<String, (&str, base::Lang)> = a
        .examples
        .iter()
        .flat_map(|(lang, list)| list.iter().map(|s| (key(s), (s.as_str(), *lang))))
        .collect();
    let together = |o: &Article| match (a.layer, o.layer) {
        (Layer::Municipality(x), Layer::Municipality(y)) | (Layer::Region(x), Layer::Region(y)) => {
            x == y
        }
        _ => true,
    };
    let mut faults = Vec::new();
    for o in around.others.iter().filter(|o| o.id != a.id && together(o)) {
        for s in o.examples.values().flatten() {
            let Some((text, lang)) = mine.get(&key(s)) else {
                continue;
            };
            let line = file.text.lines().position(|l| l.contains(text));
            faults.push(Fault {
                severity: knowledge::Severity::Error,
                file: file.path.clone(),
                line: line.map_or(0, |l| l + 1),
                field: format!("examples.{}", lang.code()),
                message: format!("«{text}» is also an example of {}", o.file),
            });
        }
    }
    faults
}
