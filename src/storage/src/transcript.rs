//! What the contact centre's log brings into dialogues: copies of dialogues that began at another node, events
//! under a key, and lines that only staff see. Everything here may be written again and is there once.

use std::collections::HashSet;

use base::{DialogueId, Lang, MunicipalityCode};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use crate::types::sha256;
use crate::{Error, Event, NewEvent, read, write};

/// Events of one transcript at most; the oldest are left out.
const MOST: u32 = 5_000;

/// Something to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// A dialogue of another node. One that is here already gets what follows the last event that both have.
    Dialogue(Copied),
    /// Events that belong together. Nothing is written when the client id of one of them is known, or when
    /// there is no such dialogue here.
    Events {
        dialogue: DialogueId,
        events: Vec<NewEvent>,
        at: Timestamp,
    },
    /// A line that only staff see; by item and id it is written once.
    Staff(StaffLine),
}

/// A dialogue as another node knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    pub id: DialogueId,
    pub token_sha256: [u8; 32],
    pub municipality: MunicipalityCode,
    pub lang: Lang,
    pub created: Timestamp,
    /// Oldest first, each with its time.
    pub events: Vec<(Timestamp, NewEvent)>,
}

/// What one of the staff wrote for the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaffLine {
    pub item: String,
    /// Unique within the item.
    pub id: String,
    /// None when the item is no longer known.
    pub dialogue: Option<DialogueId>,
    pub at: Timestamp,
    /// The writer's part, such as `note` or `coach`, and name.
    pub from: String,
    pub name: Option<String>,
    /// Redacted.
    pub text: String,
}

/// Everything that was said in a dialogue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transcript {
    /// In their order, each with the client id that it was written under.
    pub events: Vec<(Event, Option<String>)>,
    /// By time.
    pub staff: Vec<StaffLine>,
}

/// Keeps everything, in its order; how many dialogues of events were not here.
pub(crate) fn keep(conn: &Connection, kept: &[Kept]) -> Result<usize, Error> {
    let mut unknown = 0;
    for one in kept {
        match one {
            Kept::Dialogue(copy) => keep_dialogue(conn, copy)?,
            Kept::Events {
                dialogue,
                events,
                at,
            } => match write::append(conn, dialogue, events, *at) {
                Ok(_) => {}
                Err(Error::UnknownDialogue) => unknown += 1,
                Err(e) => return Err(e),
            },
            Kept::Staff(line) => keep_staff(conn, line)?,
        }
    }
    Ok(unknown)
}

/// Whether the dialogue was erased: copies of it may still be in the contact centre's log.
fn erased(conn: &Connection, dialogue: &str) -> Result<bool, Error> {
    let found = conn
        .prepare_cached("SELECT 1 FROM erased WHERE dialogue_sha256 = ?")?
        .query_one([sha256(dialogue)], |r| r.get::<_, i64>(0))
        .optional()?;
    Ok(found.is_some())
}

fn keep_dialogue(conn: &Connection, copy: &Copied) -> Result<(), Error> {
    let known = conn
        .prepare_cached("SELECT 1 FROM dialogues WHERE id = ?")?
        .query_one([copy.id.as_str()], |r| r.get::<_, i64>(0))
        .optional()?;
    if erased(conn, copy.id.as_str())? {
        return Ok(());
    }
    if known.is_some() {
        return follow(conn, copy);
    }
    write::create(
        conn,
        &copy.id,
        copy.token_sha256,
        copy.municipality,
        copy.lang,
        copy.created,
    )?;
    for (at, event) in &copy.events {
        write::append(conn, &copy.id, std::slice::from_ref(event), *at)?;
    }
    Ok(())
}

/// Appends what the dialogue got elsewhere. Without an event that both have it stays as it is: where such a copy begins
/// is not known.
fn follow(conn: &Connection, copy: &Copied) -> Result<(), Error> {
    let here = read::load(conn, &copy.id, 0, u32::MAX)?;
    let here = here.map_or_else(Vec::new, |l| l.events);
    let ours: HashSet<(i64, &str)> = here
        .iter()
        .map(|e| (e.at.as_millisecond(), e.json.as_str()))
        .collect();
    let both = |(at, e): &(Timestamp, NewEvent)| ours.contains(&(at.as_millisecond(), &*e.json));
    let Some(last) = copy.events.iter().rposition(both) else {
        return Ok(());
    };
    for (at, event) in &copy.events[last + 1..] {
        write::append(conn, &copy.id, std::slice::from_ref(event), *at)?;
    }
    Ok(())
}

fn keep_staff(conn: &Connection, line: &StaffLine) -> Result<(), Error> {
    // An item's id begins with its dialogue's, and is all that is left when nobody knows the item any more.
    let of_item = line.item.split('-').next().unwrap_or_default();
    let dialogue = line.dialogue.as_ref().map_or(of_item, DialogueId::as_str);
    if erased(conn, dialogue)? {
        return Ok(());
    }
    conn.prepare_cached(
        "INSERT INTO staff_lines (item, id, dialogue, at_ms, sender, name, text) VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT DO NOTHING",
    )?
    .execute(params![
        line.item,
        line.id,
        line.dialogue.as_ref().map(DialogueId::as_str),
        line.at.as_millisecond(),
        line.from,
        line.name,
        line.text
    ])?;
    Ok(())
}

/// The newest events of a dialogue and what staff wrote beside it; None when there is no such dialogue.
pub(crate) fn load(conn: &Connection, dialogue: &DialogueId) -> Result<Option<Transcript>, Error> {
    let newest = read::newest(conn, dialogue)?;
    let after = newest.saturating_sub(u64::from(MOST));
    let Some(loaded) = read::load(conn, dialogue, after, MOST)? else {
        return Ok(None);
    };
    let mut keys = conn
        .prepare_cached("SELECT seq, client_id FROM client_ids WHERE dialogue = ? AND seq > ?")?
        .query_map(params![dialogue.as_str(), read::to_sql(after)], |r| {
            Ok((read::number(r, 0)?, r.get::<_, String>(1)?))
        })?
        .collect::<rusqlite::Result<std::collections::BTreeMap<_, _>>>()?;
    let events = loaded.events.into_iter().map(|e| {
        let key = keys.remove(&e.seq);
        (e, key)
    });
    Ok(Some(Transcript {
        events: events.collect(),
        staff: staff(conn, "dialogue = ?1", dialogue)?,
    }))
}

/// What staff wrote, by time, where the condition holds of the dialogue's id (`?1`).
pub(crate) fn staff(
    conn: &Connection,
    which: &str,
    dialogue: &DialogueId,
) -> Result<Vec<StaffLine>, Error> {
    let lines = conn
        .prepare_cached(&format!(
            "SELECT item, id, at_ms, sender, name, text FROM staff_lines WHERE {which} ORDER BY at_ms, id"
        ))?
        .query_map([dialogue.as_str()], |r| {
            Ok(StaffLine {
                item: r.get(0)?,
                id: r.get(1)?,
                dialogue: Some(dialogue.clone()),
                at: read::time(r, 2)?,
                from: r.get(3)?,
                name: r.get(4)?,
                text: r.get(5)?,
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok(lines)
}

/// The journal's own name, drawn when its file was made.
pub(crate) fn identity(conn: &Connection) -> Result<String, Error> {
    let id = conn.query_one("SELECT id FROM journal WHERE one = 1", [], |r| r.get(0))?;
    Ok(id)
}
