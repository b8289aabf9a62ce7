//! What a dialogue remembers from turn to turn.

use base::Lang;
use serde::{Deserialize, Serialize};

/// The memory of one dialogue. Small, serialisable, free of personal numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Context {
    /// The language the citizen last wrote in, or chose.
    pub lang: Lang,
    /// Id of the article last shown or picked.
    pub article: Option<String>,
    /// The last message that stood on its own, redacted.
    pub question: Option<String>,
}

impl Context {
    pub fn new(lang: Lang) -> Self {
        Self {
            lang,
            ..Self::default()
        }
    }
}
