//! How often words stand in all documents, known without asking each segment.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use tantivy::query::Bm25StatisticsProvider;
use tantivy::schema::Field;
use tantivy::{Searcher, Term};

/// Of all documents, as tantivy's own provider counts them, also those taken away since their segment was written.
pub(super) struct Statistics {
    documents: u64,
    tokens: Vec<(Field, u64)>,
    /// Documents of a word, by a hash of field and word: of 100,000 words two share one with a chance below 1e-9, and
    /// would count as more common than they are.
    frequency: HashMap<u64, u32>,
}

fn key(field: Field, word: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    (field.field_id(), word).hash(&mut hasher);
    hasher.finish()
}

impl Statistics {
    /// Reads every word of these fields.
    pub(super) fn of(searcher: &Searcher, fields: &[Field]) -> tantivy::Result<Self> {
        let mut frequency: HashMap<u64, u32> = HashMap::new();
        for reader in searcher.segment_readers() {
            for field in fields {
                let index = reader.inverted_index(*field)?;
                let mut words = index.terms().stream()?;
                while words.advance() {
                    *frequency.entry(key(*field, words.key())).or_default() +=
                        words.value().doc_freq;
                }
            }
        }
        let tokens = fields
            .iter()
            .map(|f| Ok((*f, searcher.total_num_tokens(*f)?)));
        Ok(Self {
            documents: searcher.total_num_docs()?,
            tokens: tokens.collect::<tantivy::Result<_>>()?,
            frequency,
        })
    }

    /// How many documents have a word.
    pub(super) fn documents_with(&self, term: &Term) -> u64 {
        let key = key(term.field(), term.serialized_value_bytes());
        self.frequency.get(&key).copied().map_or(0, u64::from)
    }
}

impl Bm25StatisticsProvider for Statistics {
    fn total_num_tokens(&self, field: Field) -> tantivy::Result<u64> {
        let of = self.tokens.iter().find(|(f, _)| *f == field);
        Ok(of.map_or(0, |(_, n)| *n))
    }

    fn total_num_docs(&self) -> tantivy::Result<u64> {
        Ok(self.documents)
    }

    fn doc_freq(&self, term: &Term) -> tantivy::Result<u64> {
        Ok(self.documents_with(term))
    }
}
