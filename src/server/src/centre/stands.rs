//! What the centre's state holds of one dialogue, read from the disk: for a command, which has no node.

use std::sync::Arc;

use base::{Clock, DialogueId};
use contact::centre::{Centre, Item};
use storage::Journal;
use storage::log::{Keep, Log, MAX_READ, Position, Read};

use super::fold::{Folded, Watch, fold};

type Unread = Box<dyn std::error::Error + Send + Sync>;

/// The items of a dialogue that are in the state, open or settled lately, by number: in the state that this node
/// saved, and in its log since. Writes nothing; a service may run beside it.
///
/// # Errors
/// The journal's; and why the state or a record cannot be read.
pub(crate) async fn items_of(
    journal: &Journal,
    clock: Arc<dyn Clock>,
    dialogue: &DialogueId,
) -> Result<Vec<Item>, Unread> {
    let log = Log::embedded(journal.clone(), clock, "command", Keep::default())?;
    let saved = log.kept_snapshot().await?;
    let mut at = saved.as_ref().map_or(Position::START, |s| s.position);
    let centre = match saved {
        None => Centre::new(),
        Some(s) => serde_json::from_slice(&s.bytes)?,
    };
    let mut folded = Folded {
        centre,
        whole: true,
    };
    loop {
        let records = match log.read(at, MAX_READ).await? {
            Read::Records(records) if records.is_empty() => break,
            Read::Records(records) => records,
            Read::Compacted { .. } | Read::Diverged { .. } => {
                return Err("the contact centre's log changed meanwhile: try again".into());
            }
        };
        let work = move || {
            let done = fold(&mut folded, at, &records, &Watch::default());
            (folded, done)
        };
        let (back, done) = tokio::task::spawn_blocking(work).await?;
        if let Some((seq, why)) = done.unreadable {
            return Err(format!("record {seq} of the contact centre's log: {why}").into());
        }
        (folded, at) = (back, done.at);
    }
    Ok(folded.centre.items_of(dialogue).cloned().collect())
}
