//! BM25 over sections and over example sentences, in tantivy, one index for all municipalities.
//!
//! The layers are part of the query: a document carries its layer and the municipalities that do not see
//! it, and a search names the layers it may see. No filter runs after the fact, so the best ten are ten.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use base::MunicipalityCode;
use knowledge::{ArticleIx, Audience, Layer, Release, without_slots};
use tantivy::collector::TopDocs;
use tantivy::directory::{Directory as _, RamDirectory};
use tantivy::indexer::{IndexWriterOptions, NoMergePolicy};
use tantivy::query::{BooleanQuery, BoostQuery, FuzzyTermQuery, Occur, Query, TermQuery};
use tantivy::schema::{
    Field, IndexRecordOption, NumericOptions, Schema, TextFieldIndexing, TextOptions,
};
use tantivy::tokenizer::{PreTokenizedString, Token};
use tantivy::{
    Index, IndexReader, IndexSettings, IndexWriter, ReloadPolicy, Searcher, SegmentReader,
    TantivyDocument, Term,
};

use crate::analysis::Analyzer;

/// One hit: an article's section, or its example sentences (`section` is `None`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    pub article: ArticleIx,
    pub section: Option<u32>,
    /// BM25, unbounded; comparable within one search only.
    pub score: f32,
}

/// What is searched for: the written matter, or the sentences citizens wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Sections,
    Examples,
}

const ARTICLE: &str = "article";
const SECTION: &str = "section";

struct Fields {
    layer: Field,
    not_in: Field,
    /// The slot of the article.
    article: Field,
    section: Field,
    title: Field,
    text: Field,
    examples: Field,
}

/// Slot and section of each document of a segment.
type Places = Vec<(u32, Option<u32>)>;

/// The inverted index of one release, in memory.
pub struct Lexical {
    directory: RamDirectory,
    /// Of the files in it.
    names: BTreeSet<PathBuf>,
    searcher: Searcher,
    /// One a segment: what a hit means.
    places: Vec<Places>,
    /// The article in each slot, which is what its documents know it by: an article's number is another in the next
    /// release, its slot stays.
    slots: Vec<Option<ArticleIx>>,
    fields: Fields,
}

/// A section's title counts twice its text.
const TITLE_BOOST: f32 = 2.0;
/// Below this best score an exact search is weak and typos are allowed.
const WEAK: f32 = 4.0;
/// The shortest word, in letters, that may carry a typo.
const TYPO_LETTERS: usize = 6;
/// Memory of the writer; one release is a few megabytes.
const WRITER_BYTES: usize = 50_000_000;
/// The section number that stands for "the examples".
const NO_SECTION: u64 = u64::MAX;

impl Lexical {
    /// Indexes every article of a release.
    ///
    /// # Errors
    /// What tantivy says; in memory only exhaustion is possible.
    pub fn build(release: &Release, analyzer: &Analyzer) -> tantivy::Result<Self> {
        let (schema, fields) = schema();
        let directory = RamDirectory::create();
        let index = Index::create(directory.clone(), schema, IndexSettings::default())?;
        let mut writer = index.writer_with_num_threads(1, WRITER_BYTES)?;
        for ix in 0..release.articles.len() as ArticleIx {
            for doc in documents(release, analyzer, &fields, ix, ix) {
                writer.add_document(doc)?;
            }
        }
        writer.commit()?;
        let slots = (0..release.articles.len() as ArticleIx).map(Some);
        Self::open(&index, directory, fields, slots.collect(), BTreeSet::new())
    }

    /// The index of another release. `kept` tells of each of its articles which one of this release has the same
    /// documents; the others are indexed.
    ///
    /// # Errors
    /// As [`Lexical::build`].
    pub(crate) fn revised(
        &self,
        release: &Release,
        analyzer: &Analyzer,
        kept: &[Option<ArticleIx>],
    ) -> tantivy::Result<Self> {
        let directory = directory_of(&self.files()?)?;
        let index = Index::open(directory.clone())?;
        let (_, fields) = schema();
        let mut to: HashMap<ArticleIx, ArticleIx> = HashMap::new();
        for (new, old) in (0..).zip(kept) {
            if let Some(old) = old {
                to.insert(*old, new);
            }
        }
        let moved = |ix: &Option<ArticleIx>| to.get(&(*ix)?).copied();
        let mut slots: Vec<Option<ArticleIx>> = self.slots.iter().map(moved).collect();
        let options = IndexWriterOptions::builder().num_merge_threads(1).build();
        let mut writer: IndexWriter = index.writer_with_options(options)?;
        writer.set_merge_policy(Box::<NoMergePolicy>::default());
        for (slot, (old, new)) in (0_u64..).zip(self.slots.iter().zip(&slots)) {
            if old.is_some() && new.is_none() {
                writer.delete_term(Term::from_field_u64(fields.article, slot));
            }
        }
        for (ix, _) in (0..).zip(kept).filter(|(_, old)| old.is_none()) {
            for doc in documents(release, analyzer, &fields, ix, slots.len() as u32) {
                writer.add_document(doc)?;
            }
            slots.push(Some(ix));
        }
        writer.commit()?;
        Self::open(&index, directory, fields, slots, self.names.clone())
    }

    fn open(
        index: &Index,
        directory: RamDirectory,
        fields: Fields,
        slots: Vec<Option<ArticleIx>>,
        mut names: BTreeSet<PathBuf>,
    ) -> tantivy::Result<Self> {
        let reader: IndexReader = index
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .try_into()?;
        let searcher = reader.searcher();
        let places = places(&searcher)?;
        // Files that were put there as they are, are not counted as the index's own.
        names.extend(index.directory().list_managed_files());
        Ok(Self {
            names,
            directory,
            searcher,
            places,
            slots,
            fields,
        })
    }

    /// The files of the index, by name: what [`Lexical::from_files`] takes.
    ///
    /// # Errors
    /// What tantivy says of a file that it cannot read.
    pub(crate) fn files(&self) -> tantivy::Result<Vec<(String, Vec<u8>)>> {
        let read = |path: &PathBuf| {
            let bytes = self.directory.open_read(path)?.read_bytes()?;
            Ok((path.display().to_string(), bytes.as_slice().to_vec()))
        };
        self.names.iter().map(read).collect()
    }

    /// The index of these files, which [`Lexical::build`] made of a release with so many articles.
    ///
    /// # Errors
    /// What tantivy says of files that are not whole.
    pub(crate) fn from_files(
        files: &[(String, Vec<u8>)],
        articles: usize,
    ) -> tantivy::Result<Self> {
        let directory = directory_of(files)?;
        let index = Index::open(directory.clone())?;
        let slots = (0..articles as ArticleIx).map(Some).collect();
        let names = files.iter().map(|(path, _)| PathBuf::from(path)).collect();
        Self::open(&index, directory, schema().1, slots, names)
    }

    /// The best `limit` documents that `code` in `region` may see, best first.
    ///
    /// # Errors
    /// What tantivy says.
    pub fn search(
        &self,
        terms: &[String],
        side: Side,
        code: MunicipalityCode,
        region: MunicipalityCode,
        limit: usize,
    ) -> tantivy::Result<Vec<Hit>> {
        if terms.is_empty() || limit == 0 {
            return Ok(Vec::new());
        }
        let hits = self.run(terms, side, code, region, limit, false)?;
        if hits.first().is_none_or(|h| h.score < WEAK)
            && terms.iter().any(|t| t.chars().count() >= TYPO_LETTERS)
        {
            return self.run(terms, side, code, region, limit, true);
        }
        Ok(hits)
    }

    fn run(
        &self,
        terms: &[String],
        side: Side,
        code: MunicipalityCode,
        region: MunicipalityCode,
        limit: usize,
        typos: bool,
    ) -> tantivy::Result<Vec<Hit>> {
        let f = &self.fields;
        let (text, title) = match side {
            Side::Sections => (f.text, Some(f.title)),
            Side::Examples => (f.examples, None),
        };
        let mut any: Vec<(Occur, Box<dyn Query>)> = Vec::new();
        for t in terms {
            any.push((Occur::Should, term_query(text, t, typos)));
            if let Some(title) = title {
                let q = BoostQuery::new(term_query(title, t, typos), TITLE_BOOST);
                any.push((Occur::Should, Box::new(q)));
            }
        }
        let layers = [
            Layer::Shared,
            Layer::Region(region),
            Layer::Municipality(code),
        ]
        .map(|l| (Occur::Should, exact_query(f.layer, &layer_term(l))));
        let query = BooleanQuery::new(vec![
            (
                Occur::Must,
                Box::new(BooleanQuery::new(any)) as Box<dyn Query>,
            ),
            (
                Occur::Must,
                Box::new(BoostQuery::new(
                    Box::new(BooleanQuery::new(layers.into())),
                    0.0,
                )),
            ),
            (Occur::MustNot, exact_query(f.not_in, code.as_str())),
        ]);
        let top = self
            .searcher
            .search(&query, &TopDocs::with_limit(limit).order_by_score())?;
        let hits = top.into_iter().filter_map(|(score, at)| {
            let (slot, section) = self.places[at.segment_ord as usize][at.doc_id as usize];
            Some(Hit {
                article: self.slots[slot as usize]?,
                section,
                score,
            })
        });
        Ok(hits.collect())
    }
}

fn schema() -> (Schema, Fields) {
    let mut schema = Schema::builder();
    let exact = TextOptions::default().set_indexing_options(
        TextFieldIndexing::default()
            .set_tokenizer("raw")
            .set_fieldnorms(false)
            .set_index_option(IndexRecordOption::Basic),
    );
    let terms = TextOptions::default().set_indexing_options(
        TextFieldIndexing::default()
            .set_tokenizer("raw")
            .set_index_option(IndexRecordOption::WithFreqs),
    );
    let number = NumericOptions::default().set_fast();
    let fields = Fields {
        layer: schema.add_text_field("layer", exact.clone()),
        not_in: schema.add_text_field("not_in", exact),
        article: schema.add_u64_field(ARTICLE, number.clone().set_indexed()),
        section: schema.add_u64_field(SECTION, number),
        title: schema.add_text_field("title", terms.clone()),
        text: schema.add_text_field("text", terms.clone()),
        examples: schema.add_text_field("examples", terms),
    };
    (schema.build(), fields)
}

/// Reads what every document stands for.
fn places(searcher: &Searcher) -> tantivy::Result<Vec<Places>> {
    let segment = |reader: &SegmentReader| {
        let column = |name| reader.fast_fields().u64(name);
        let (slots, sections) = (column(ARTICLE)?, column(SECTION)?);
        let place = |doc| {
            let section = sections.first(doc).filter(|&s| s != NO_SECTION);
            // Both were written from 32 bits.
            let slot = slots.first(doc).unwrap_or(0) as u32;
            (slot, section.map(|s| s as u32))
        };
        Ok((0..reader.max_doc()).map(place).collect())
    };
    searcher.segment_readers().iter().map(segment).collect()
}

/// The documents of an article: one a section, and one for its examples; none when citizens do not see it.
fn documents(
    release: &Release,
    analyzer: &Analyzer,
    fields: &Fields,
    ix: ArticleIx,
    slot: u32,
) -> Vec<TantivyDocument> {
    let a = release.article(ix);
    if a.audience != Audience::Citizen {
        return Vec::new();
    }
    let mut base = TantivyDocument::default();
    base.add_text(fields.layer, layer_term(a.layer));
    for code in release.excluded_from(ix) {
        base.add_text(fields.not_in, code.as_str());
    }
    base.add_u64(fields.article, u64::from(slot));
    let mut out = Vec::with_capacity(a.sections.len() + 1);
    for (n, s) in (0_u64..).zip(&a.sections) {
        let mut doc = base.clone();
        let heading = s.heading.as_deref().unwrap_or("");
        let title = format!("{} {heading} {}", a.title, a.keywords.join(" "));
        doc.add_u64(fields.section, n);
        add_terms(&mut doc, fields.title, analyzer, &title);
        add_terms(&mut doc, fields.text, analyzer, &without_slots(&s.text));
        out.push(doc);
    }
    let mut doc = base;
    doc.add_u64(fields.section, NO_SECTION);
    let sentences: Vec<&str> = a.examples.values().flatten().map(String::as_str).collect();
    add_terms(&mut doc, fields.examples, analyzer, &sentences.join(" . "));
    out.push(doc);
    out
}

fn directory_of(files: &[(String, Vec<u8>)]) -> tantivy::Result<RamDirectory> {
    let directory = RamDirectory::create();
    for (path, bytes) in files {
        directory.atomic_write(Path::new(path), bytes)?;
    }
    Ok(directory)
}

fn layer_term(layer: Layer) -> String {
    match layer {
        Layer::Shared => "shared".to_owned(),
        Layer::Region(c) | Layer::Municipality(c) => c.as_str().to_owned(),
    }
}

fn exact_query(field: Field, text: &str) -> Box<dyn Query> {
    let term = Term::from_field_text(field, text);
    Box::new(TermQuery::new(term, IndexRecordOption::Basic))
}

fn term_query(field: Field, text: &str, typos: bool) -> Box<dyn Query> {
    let term = Term::from_field_text(field, text);
    let exact = TermQuery::new(term.clone(), IndexRecordOption::WithFreqs);
    if typos && text.chars().count() >= TYPO_LETTERS {
        // A fuzzy match scores a constant 1: it finds, and the exact match still outranks it.
        return Box::new(BooleanQuery::new(vec![
            (Occur::Should, Box::new(exact)),
            (Occur::Should, Box::new(FuzzyTermQuery::new(term, 1, true))),
        ]));
    }
    Box::new(exact)
}

fn add_terms(doc: &mut TantivyDocument, field: Field, analyzer: &Analyzer, text: &str) {
    let tokens = analyzer
        .index_terms(text)
        .into_iter()
        .map(|t| Token {
            offset_from: 0,
            offset_to: 0,
            position: t.position,
            text: t.text,
            position_length: 1,
        })
        .collect();
    doc.add_pre_tokenized_text(
        field,
        PreTokenizedString {
            text: String::new(),
            tokens,
        },
    );
}

#[cfg(test)]
mod tests;
