//! How near a written sentence is to the approved ones, by the encoder.

use composition::Material;
use futures_util::future::try_join_all;
use inference::{Error, Handle, Kind, Priority, Vector};

/// The approved sentences, encoded when the first one is asked for that does not stand among them.
pub(crate) struct Meaning {
    encoder: Handle,
    approved: Vec<String>,
    vectors: Vec<Vector>,
}

impl Meaning {
    pub(super) fn new(encoder: Handle, material: &Material) -> Self {
        Self {
            encoder,
            approved: material.sentences(),
            vectors: Vec::new(),
        }
    }

    /// Cosine to the nearest approved sentence, 1 for one of them.
    ///
    /// # Errors
    /// As [`Handle::encode`].
    pub(super) async fn of(&mut self, text: &str) -> Result<f32, Error> {
        let missing = self.missing(text);
        let encode = |t: String| self.encoder.encode(Priority::Interactive, Kind::Query, t);
        let vectors = try_join_all(missing.into_iter().map(encode)).await?;
        Ok(self.nearest(vectors))
    }

    /// As [`Meaning::of`], on a thread that may block.
    pub(super) fn of_blocking(&mut self, text: &str) -> Result<f32, Error> {
        let missing = self.missing(text);
        let vectors = self.encoder.ask_blocking(Kind::Query, &missing)?;
        Ok(self.nearest(vectors))
    }

    /// The texts to encode: the sentence, and the approved ones where that was not done. None for one of them.
    fn missing(&self, text: &str) -> Vec<String> {
        if self.approved.iter().any(|a| a == text) {
            return Vec::new();
        }
        let approved = self.approved.iter().filter(|_| self.vectors.is_empty());
        std::iter::once(text.to_owned())
            .chain(approved.cloned())
            .collect()
    }

    fn nearest(&mut self, vectors: Vec<Vector>) -> f32 {
        let mut vectors = vectors.into_iter();
        let Some(own) = vectors.next() else {
            return 1.0;
        };
        self.vectors.extend(vectors);
        let cosine = |v: &Vector| own.iter().zip(v.iter()).map(|(a, b)| a * b).sum::<f32>();
        self.vectors.iter().map(cosine).fold(-1.0, f32::max)
    }
}
