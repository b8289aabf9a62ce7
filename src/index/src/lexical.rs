//! BM25 over sections and over example sentences, in tantivy, one index for all municipalities.
//!
//! Each layer has segments of its own, and a search reads those of the layers it may see; a document carries the
//! municipalities that do not see it. No filter runs after the fact, so the best ten are ten. A word counts as rare by
//! all municipalities' documents.

mod statistics;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use base::MunicipalityCode;
use knowledge::{ArticleIx, Audience, Layer, Release, without_slots};
use tantivy::collector::{Collector as _, TopDocs};
use tantivy::directory::{Directory as _, RamDirectory};
use tantivy::indexer::{IndexWriterOptions, NoMergePolicy};
use tantivy::query::{
    BooleanQuery, BoostQuery, EnableScoring, FuzzyTermQuery, Occur, Query, TermQuery,
};
use tantivy::schema::{
    Field, IndexRecordOption, NumericOptions, Schema, TextFieldIndexing, TextOptions,
};
use tantivy::tokenizer::{PreTokenizedString, Token};
use tantivy::{
    Index, IndexReader, IndexSettings, IndexWriter, ReloadPolicy, Searcher, SegmentReader,
    TantivyDocument, TantivyError, Term,
};

use crate::analysis::Analyzer;

use statistics::Statistics;

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
    /// The fields that hold the words of a side, and how much each counts.
    sections: [(Field, f32); 2],
    examples: [(Field, f32); 1],
}

impl Fields {
    fn of(&self, side: Side) -> &[(Field, f32)] {
        match side {
            Side::Sections => &self.sections,
            Side::Examples => &self.examples,
        }
    }
}

/// What is known of a segment.
struct Segment {
    /// Of all its documents, as [`layer_term`] has it.
    layer: String,
    /// Slot and section of each document: what a hit means.
    places: Vec<(u32, Option<u32>)>,
}

/// The inverted index of one release, in memory.
pub struct Lexical {
    directory: RamDirectory,
    /// Of the files in it.
    names: BTreeSet<PathBuf>,
    searcher: Searcher,
    segments: Vec<Segment>,
    statistics: Statistics,
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
        let mut writer = writer(&index)?;
        let all = (0..release.articles.len() as ArticleIx).map(|ix| (ix, ix));
        add(&mut writer, release, analyzer, &fields, all)?;
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
        let mut writer = writer(&index)?;
        for (slot, (old, new)) in (0_u64..).zip(self.slots.iter().zip(&slots)) {
            if old.is_some() && new.is_none() {
                writer.delete_term(Term::from_field_u64(fields.article, slot));
            }
        }
        let first = slots.len();
        let anew = (0..).zip(kept).filter(|(_, old)| old.is_none());
        slots.extend(anew.map(|(ix, _)| Some(ix)));
        let placed = (first as u32..).zip(&slots[first..]);
        let placed = placed.filter_map(|(slot, ix)| Some(((*ix)?, slot)));
        add(&mut writer, release, analyzer, &fields, placed)?;
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
        let segments = searcher.segment_readers().iter();
        let segments = segments.map(|reader| segment(reader, &fields));
        let segments = segments.collect::<tantivy::Result<_>>()?;
        let sides = fields.sections.iter().chain(&fields.examples);
        let searched: Vec<Field> = sides.map(|(field, _)| *field).collect();
        let statistics = Statistics::of(&searcher, &searched)?;
        // Files that were put there as they are, are not counted as the index's own.
        names.extend(index.directory().list_managed_files());
        Ok(Self {
            names,
            directory,
            searcher,
            segments,
            statistics,
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
        let weak = hits.first().is_none_or(|h| h.score < WEAK);
        if weak && terms.iter().any(|t| self.mistyped(t, side)) {
            return self.run(terms, side, code, region, limit, true);
        }
        Ok(hits)
    }

    /// Whether a long word stands nowhere.
    fn mistyped(&self, word: &str, side: Side) -> bool {
        let absent = |(field, _): &(Field, f32)| {
            let term = Term::from_field_text(*field, word);
            self.statistics.documents_with(&term) == 0
        };
        word.chars().count() >= TYPO_LETTERS && self.fields.of(side).iter().all(absent)
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
        let mut any: Vec<(Occur, Box<dyn Query>)> = Vec::new();
        for t in terms {
            let typo = typos && self.mistyped(t, side);
            for &(field, boost) in self.fields.of(side) {
                let query = BoostQuery::new(term_query(field, t, typo), boost);
                any.push((Occur::Should, Box::new(query)));
            }
        }
        let hidden = exact_query(self.fields.not_in, code.as_str());
        any.push((Occur::MustNot, hidden));
        let statistics =
            EnableScoring::enabled_from_statistics_provider(&self.statistics, &self.searcher);
        let weight = BooleanQuery::new(any).weight(statistics)?;
        let seen = [
            Layer::Shared,
            Layer::Region(region),
            Layer::Municipality(code),
        ]
        .map(layer_term);
        let collector = TopDocs::with_limit(limit).order_by_score();
        let mut hits = Vec::new();
        for ((ord, segment), reader) in (0..)
            .zip(&self.segments)
            .zip(self.searcher.segment_readers())
        {
            if !seen.contains(&segment.layer) {
                continue;
            }
            let best = collector.collect_segment(&*weight, ord, reader)?;
            for (score, at) in collector.merge_fruits(vec![best])? {
                let (slot, section) = segment.places[at.doc_id as usize];
                hits.extend(self.slots[slot as usize].map(|article| Hit {
                    article,
                    section,
                    score,
                }));
            }
        }
        // Of equals the same ones are among the best whatever order the segments have, which is chance.
        hits.sort_by(|a, b| {
            let place = |h: &Hit| (h.article, h.section);
            b.score.total_cmp(&a.score).then(place(a).cmp(&place(b)))
        });
        hits.truncate(limit);
        Ok(hits)
    }
}

/// A writer that leaves segments as they are: each is of one layer.
fn writer(index: &Index) -> tantivy::Result<IndexWriter> {
    let options = IndexWriterOptions::builder()
        .num_worker_threads(1)
        .memory_budget_per_thread(WRITER_BYTES)
        .num_merge_threads(1)
        .build();
    let writer: IndexWriter = index.writer_with_options(options)?;
    writer.set_merge_policy(Box::<NoMergePolicy>::default());
    Ok(writer)
}

/// Writes the documents of articles, each with its slot, one layer after another.
fn add(
    writer: &mut IndexWriter,
    release: &Release,
    analyzer: &Analyzer,
    fields: &Fields,
    articles: impl Iterator<Item = (ArticleIx, u32)>,
) -> tantivy::Result<()> {
    let mut by_layer: BTreeMap<Layer, Vec<(ArticleIx, u32)>> = BTreeMap::new();
    for (ix, slot) in articles {
        let of = by_layer.entry(release.article(ix).layer).or_default();
        of.push((ix, slot));
    }
    for of in by_layer.values() {
        for &(ix, slot) in of {
            for doc in documents(release, analyzer, fields, ix, slot) {
                writer.add_document(doc)?;
            }
        }
        writer.commit()?;
    }
    // Something may have been taken away.
    if by_layer.is_empty() {
        writer.commit()?;
    }
    Ok(())
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
        sections: [
            (schema.add_text_field("title", terms.clone()), TITLE_BOOST),
            (schema.add_text_field("text", terms.clone()), 1.0),
        ],
        examples: [(schema.add_text_field("examples", terms), 1.0)],
    };
    (schema.build(), fields)
}

/// Reads of which layer a segment is and what each of its documents stands for.
fn segment(reader: &SegmentReader, fields: &Fields) -> tantivy::Result<Segment> {
    let index = reader.inverted_index(fields.layer)?;
    let mut layers = index.terms().stream()?;
    let layer = layers
        .advance()
        .then(|| String::from_utf8_lossy(layers.key()).into_owned());
    let (Some(layer), false) = (layer, layers.advance()) else {
        let mixed = "a segment is not of one layer".to_owned();
        return Err(TantivyError::InternalError(mixed));
    };
    let column = |name| reader.fast_fields().u64(name);
    let (slots, sections) = (column(ARTICLE)?, column(SECTION)?);
    let place = |doc| {
        let section = sections.first(doc).filter(|&s| s != NO_SECTION);
        // Both were written from 32 bits.
        let slot = slots.first(doc).unwrap_or(0) as u32;
        (slot, section.map(|s| s as u32))
    };
    Ok(Segment {
        layer,
        places: (0..reader.max_doc()).map(place).collect(),
    })
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
        let [(titles, _), (texts, _)] = fields.sections;
        doc.add_u64(fields.section, n);
        add_terms(&mut doc, titles, analyzer, &title);
        add_terms(&mut doc, texts, analyzer, &without_slots(&s.text));
        out.push(doc);
    }
    let mut doc = base;
    doc.add_u64(fields.section, NO_SECTION);
    let sentences: Vec<&str> = a.examples.values().flatten().map(String::as_str).collect();
    let [(examples, _)] = fields.examples;
    add_terms(&mut doc, examples, analyzer, &sentences.join(" . "));
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

/// A word as it is, or, when it stands nowhere, those that one letter makes of it; each scores a constant 1.
fn term_query(field: Field, text: &str, mistyped: bool) -> Box<dyn Query> {
    let term = Term::from_field_text(field, text);
    if mistyped {
        return Box::new(FuzzyTermQuery::new(term, 1, true));
    }
    Box::new(TermQuery::new(term, IndexRecordOption::WithFreqs))
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
