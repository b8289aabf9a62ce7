//! What the index finds for the message alone, and for its readings beside what came before.

use index::{Ask, Found, Snapshot};
use inference::Vector;

use super::understand::Understood;
use crate::turn::{Error, Input};

/// Findings of one turn.
pub(crate) struct Retrieved {
    pub alone: Option<Found>,
    pub beside: Vec<Found>,
    pub elliptical: bool,
}

pub(crate) fn run(
    snapshot: &Snapshot,
    input: &Input,
    understood: &Understood,
    vectors: &[Vector],
) -> Result<Retrieved, Error> {
    let mut found = Vec::new();
    for (text, vector) in understood.texts().iter().zip(vectors) {
        found.push(snapshot.search(&Ask {
            text,
            vector,
            lang: understood.lang,
            municipality: input.municipality,
        })?);
    }
    let mut found = found.into_iter();
    Ok(Retrieved {
        alone: found.next(),
        beside: found.collect(),
        elliptical: understood.elliptical,
    })
}
