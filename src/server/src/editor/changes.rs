//! What a change asks for, as files of a draft.

use std::collections::BTreeMap;

use knowledge::{File, Layer};
use storage::DraftText;

use super::fields;
use super::places::{Place, place};
use super::problem::Problem;
use super::texts::text_of;
use super::wire::{ArticleFields, Change};

/// A file's text may be this long, in bytes; larger ones are not read.
const MAX_TEXT: usize = 1 << 20;

/// A draft's files, and what is live beneath them.
pub(super) struct Workbench<'a> {
    live: &'a [File],
    files: BTreeMap<String, DraftText>,
}

impl<'a> Workbench<'a> {
    pub(super) fn new(live: &'a [File], files: Vec<DraftText>) -> Self {
        let files = files.into_iter().map(|f| (f.path.clone(), f)).collect();
        Self { live, files }
    }

    pub(super) fn files(self) -> Vec<DraftText> {
        self.files.into_values().collect()
    }

    /// A file as it is with the draft.
    fn text(&self, path: &str) -> Option<&str> {
        match self.files.get(path) {
            Some(f) => f.text.as_deref(),
            None => text_of(self.live, path),
        }
    }

    fn set(&mut self, path: &str, text: Option<String>) {
        let live = text_of(self.live, path).map(str::to_owned);
        let f = self.files.entry(path.to_owned()).or_insert(DraftText {
            path: path.to_owned(),
            base: live,
            text: None,
        });
        // Nobody's CPR number belongs in the knowledge; what was there already is another's to take out.
        f.text = text.map(|t| match &f.base {
            Some(base) if *base == t => t,
            _ => without_numbers(t),
        });
        // Back where it began: nothing is changed.
        if f.text == f.base {
            self.files.remove(path);
        }
    }

    /// The path of an article in a layer: of the shared ones the area is a folder.
    fn path_of(&self, layer: Layer, id: &str) -> Option<String> {
        if layer != Layer::Shared {
            let path = layer.path("", id);
            return self.text(&path).is_some().then_some(path);
        }
        let name = format!("/{id}.md");
        let drafted = self.files.values();
        let drafted = drafted
            .filter(|f| f.text.is_some())
            .map(|f| f.path.as_str());
        let live = self.live.iter().map(|f| f.path.as_str());
        let mut all = drafted.chain(live.filter(|p| p.ends_with(&name) && self.text(p).is_some()));
        let found = all.find(|p| p.ends_with(&name) && place(p) == Some(Place::Article(layer, id)));
        found.map(str::to_owned)
    }

    /// Carries out one change.
    ///
    /// # Errors
    /// `bad_request`, `not_found`, in Danish.
    pub(super) fn change(&mut self, change: Change) -> Result<(), Problem> {
        match change {
            Change::Article {
                layer,
                article,
                was,
            } => self.article(layer.0, &article, was.as_deref()),
            Change::RemoveArticle { layer, id } => {
                let path = self.path_of(layer.0, &id).ok_or_else(|| no_article(&id))?;
                self.set(&path, None);
                Ok(())
            }
            Change::Hide {
                municipality,
                id,
                hidden,
            } => {
                let path = format!("kommune/{municipality}/kommune.toml");
                self.edit(&path, |text| fields::hide(text, &id, hidden))
            }
            Change::Rate { rate } => self.edit_or_new("satser.toml", |t| fields::rate(t, &rate)),
            Change::RemoveRate { id } => {
                self.edit("satser.toml", |text| fields::without_rate(text, &id))
            }
            Change::Facts {
                municipality,
                facts,
            } => {
                let path = format!("kommune/{municipality}/kommune.toml");
                self.edit(&path, |text| fields::municipality(text, &facts))
            }
            Change::File { file, text } => {
                if place(&file).is_none() {
                    return Err(Problem::bad(format!(
                        "«{file}» er ikke et sted, hvor der ligger viden."
                    )));
                }
                if text.as_ref().is_some_and(|t| t.len() > MAX_TEXT) {
                    return Err(Problem::too_large());
                }
                self.set(&file, text.map(|t| t.replace("\r\n", "\n")));
                Ok(())
            }
            Change::Revert { file } => {
                self.files.remove(&file);
                Ok(())
            }
        }
    }

    fn article(
        &mut self,
        layer: Layer,
        article: &ArticleFields,
        was: Option<&str>,
    ) -> Result<(), Problem> {
        let new = layer.path(&article.area, &article.id);
        if !id_ok(&article.id) || !id_ok(&article.area) || place(&new).is_none() {
            return Err(Problem::bad(format!(
                "«{}» kan ikke være en artikels navn: brug 2 til 60 tegn af a-z, 0-9 og -.",
                article.id
            )));
        }
        let old = self.path_of(layer, was.unwrap_or(&article.id));
        if was.is_some_and(|w| w != article.id) && self.path_of(layer, &article.id).is_some() {
            return Err(Problem::bad(format!(
                "Der er allerede en artikel, der hedder «{}».",
                article.id
            )));
        }
        let before = old.as_deref().and_then(|p| self.text(p));
        let text = fields::article(before, article).map_err(Problem::bad)?;
        if text.len() > MAX_TEXT {
            return Err(Problem::too_large());
        }
        if let Some(old) = old.filter(|o| *o != new) {
            self.set(&old, None);
        }
        self.set(&new, Some(text));
        Ok(())
    }

    fn edit(
        &mut self,
        path: &str,
        edit: impl FnOnce(&str) -> Result<String, String>,
    ) -> Result<(), Problem> {
        let Some(text) = self.text(path) else {
            return Err(Problem::not_found(format!("Filen {path} findes ikke.")));
        };
        let text = edit(text).map_err(Problem::bad)?;
        self.set(path, Some(text));
        Ok(())
    }

    fn edit_or_new(
        &mut self,
        path: &str,
        edit: impl FnOnce(&str) -> Result<String, String>,
    ) -> Result<(), Problem> {
        let text = edit(self.text(path).unwrap_or("")).map_err(Problem::bad)?;
        self.set(path, Some(text));
        Ok(())
    }
}

/// A text of the knowledge without anybody's CPR number; as it is where it has none.
pub(super) fn without_numbers(text: String) -> String {
    let hidden = base::redact_by(&text, base::Rules::KNOWLEDGE);
    if hidden.masked.is_empty() {
        text
    } else {
        hidden.text
    }
}

fn id_ok(id: &str) -> bool {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (2..=60).contains(&id.len()) && id.bytes().all(fits)
}

fn no_article(id: &str) -> Problem {
    Problem::not_found(format!(
        "Der er ingen artikel, der hedder «{id}», i det lag."
    ))
}
