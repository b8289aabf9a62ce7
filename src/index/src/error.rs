//! What can go wrong when a release is indexed or searched.

/// Errors of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("encoding failed: {0}")]
    Inference(#[from] inference::Error),
    #[error("the inverted index failed: {0}")]
    Tantivy(#[from] tantivy::TantivyError),
    #[error("{path}: {source}")]
    Io {
        path: String,
        source: std::io::Error,
    },
    #[error("there is no municipality with code {0}")]
    UnknownMunicipality(base::MunicipalityCode),
}
