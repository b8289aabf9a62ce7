//! BM25 over sections and over example sentences, in tantivy, one index for all municipalities.
//!
//! The layers are part of the query: a document carries its layer and the municipalities that do not see
//! it, and a search names the layers it may see. No filter runs after the fact, so the best ten are ten.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use base::MunicipalityCode;
use knowledge::{ArticleIx, Audience, Layer, Release, without_slots};
use tantivy::collector::TopDocs;
use tantivy::directory::{Directory as _, RamDirectory};
use tantivy::query::{BooleanQuery, BoostQuery, FuzzyTermQuery, Occur, Query, TermQuery};
use tantivy::schema::{
    Field, IndexRecordOption, NumericOptions, Schema, TextFieldIndexing, TextOptions, Value,
};
use tantivy::tokenizer::{PreTokenizedString, Token};
use tantivy::{
    DocAddress, Index, IndexReader, IndexSettings, ReloadPolicy, Searcher, SegmentReader,
    TantivyDocument,
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

struct Fields {
    layer: Field,
    not_in: Field,
    article: Field,
    section: Field,
    title: Field,
    text: Field,
    examples: Field,
}

/// Article and section of each document of a segment.
type Places = Vec<(ArticleIx, Option<u32>)>;

/// The inverted index of one release, in memory.
pub struct Lexical {
    directory: RamDirectory,
    /// Of the files in it.
    names: BTreeSet<PathBuf>,
    searcher: Searcher,
    /// One a segment: what a hit means, without a read of its store.
    places: Vec<Places>,
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
        for (ix, a) in (0..).zip(&release.articles) {
            if a.audience != Audience::Citizen {
                continue;
            }
            let mut base = TantivyDocument::default();
            base.add_text(fields.layer, layer_term(a.layer));
            for code in release.excluded_from(ix) {
                base.add_text(fields.not_in, code.as_str());
            }
            base.add_u64(fields.article, u64::from(ix));
            for (n, s) in (0_u64..).zip(&a.sections) {
                let mut doc = base.clone();
                let heading = s.heading.as_deref().unwrap_or("");
                let title = format!("{} {heading} {}", a.title, a.keywords.join(" "));
                doc.add_u64(fields.section, n);
                add_terms(&mut doc, fields.title, analyzer, &title);
                add_terms(&mut doc, fields.text, analyzer, &without_slots(&s.text));
                writer.add_document(doc)?;
            }
            let mut doc = base;
            doc.add_u64(fields.section, NO_SECTION);
            let sentences: Vec<&str> = a.examples.values().flatten().map(String::as_str).collect();
            add_terms(&mut doc, fields.examples, analyzer, &sentences.join(" . "));
            writer.add_document(doc)?;
        }
        writer.commit()?;
        Self::open(&index, directory, fields)
    }

    fn open(index: &Index, directory: RamDirectory, fields: Fields) -> tantivy::Result<Self> {
        let reader: IndexReader = index
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .try_into()?;
        let searcher = reader.searcher();
        let places = places(&searcher, &fields)?;
        Ok(Self {
            names: index.directory().list_managed_files().into_iter().collect(),
            directory,
            searcher,
            places,
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

    /// The index of these files.
    ///
    /// # Errors
    /// What tantivy says of files that are not whole.
    pub(crate) fn from_files(files: &[(String, Vec<u8>)]) -> tantivy::Result<Self> {
        let directory = RamDirectory::create();
        for (path, bytes) in files {
            directory.atomic_write(Path::new(path), bytes)?;
        }
        let index = Index::open(directory.clone())?;
        Self::open(&index, directory, schema().1)
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
        let hits = top.into_iter().map(|(score, at)| {
            let (article, section) = self.places[at.segment_ord as usize][at.doc_id as usize];
            Hit {
                article,
                section,
                score,
            }
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
    let number = NumericOptions::default().set_stored();
    let fields = Fields {
        layer: schema.add_text_field("layer", exact.clone()),
        not_in: schema.add_text_field("not_in", exact),
        article: schema.add_u64_field("article", number.clone()),
        section: schema.add_u64_field("section", number),
        title: schema.add_text_field("title", terms.clone()),
        text: schema.add_text_field("text", terms.clone()),
        examples: schema.add_text_field("examples", terms),
    };
    (schema.build(), fields)
}

/// Reads what every document stands for.
fn places(searcher: &Searcher, fields: &Fields) -> tantivy::Result<Vec<Places>> {
    let segment = |(ord, reader): (u32, &SegmentReader)| {
        (0..reader.max_doc())
            .map(|doc| {
                let doc: TantivyDocument = searcher.doc(DocAddress::new(ord, doc))?;
                let number = |field| doc.get_first(field).and_then(|v| v.as_u64());
                let section = number(fields.section).filter(|&s| s != NO_SECTION);
                // Both were written from 32 bits by `build`.
                let article = number(fields.article).unwrap_or(0) as ArticleIx;
                Ok((article, section.map(|s| s as u32)))
            })
            .collect()
    };
    (0..).zip(searcher.segment_readers()).map(segment).collect()
}

fn layer_term(layer: Layer) -> String {
    match layer {
        Layer::Shared => "shared".to_owned(),
        Layer::Region(c) | Layer::Municipality(c) => c.as_str().to_owned(),
    }
}

fn exact_query(field: Field, text: &str) -> Box<dyn Query> {
    let term = tantivy::Term::from_field_text(field, text);
    Box::new(TermQuery::new(term, IndexRecordOption::Basic))
}

fn term_query(field: Field, text: &str, typos: bool) -> Box<dyn Query> {
    let term = tantivy::Term::from_field_text(field, text);
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
