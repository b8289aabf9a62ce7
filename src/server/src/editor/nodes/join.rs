//! The first look at the log, and every one after it turned out to be another than was read.

use std::collections::BTreeMap;

use knowledge::File;
use storage::DraftText;
use storage::log::{self, Append, Position, Read, Record};

use super::head::Head;
use super::lay::Next;
use super::record::{Changed, Decided, Line, Odd, Parts, entries, pack};
use super::{Joined, Nodes, Trouble};
use crate::app::App;
use crate::editor::drafts::{New, begun};
use crate::editor::places::listed;
use crate::editor::texts::differences;
use crate::editor::wire::ReleaseMeta;
use crate::editor::{Studio, blocking};

/// Records in one read: some megabytes at most.
const READ: usize = 32;

/// What became of a line.
pub(super) enum Said {
    /// It is in the log and in this node's mirror.
    Done(Vec<Record>),
    /// Others were quicker.
    Conflict,
}

impl Nodes {
    /// What follows in the log, mirrored; nothing at its end.
    ///
    /// # Errors
    /// Other when the log no longer has what follows.
    pub(super) async fn read(&self, after: Position) -> Result<Vec<Record>, Trouble> {
        match self.log.read(after, READ).await? {
            Read::Records(records) => {
                self.log.mirror(&records).await?;
                Ok(records)
            }
            Read::Compacted { .. } | Read::Diverged { .. } => Err(Trouble::Other),
        }
    }

    /// Appends a line where a head ends. After an error it may be there or not.
    ///
    /// # Errors
    /// Away, Other, Stuck.
    pub(super) async fn append(&self, head: &Head, line: Line) -> Result<Said, Trouble> {
        let id = format!("{}-{}", self.name, base::Secret::random().as_str());
        let packed = blocking(move || pack(&line)).await??;
        let all = entries(&id[..id.len().min(100)], &packed)
            .map_err(|_| log::Error::Size("a release"))?;
        let of = all.len();
        match self.log.append(head.at, all).await? {
            Append::Appended(done) => {
                let mut records = done.new;
                self.log.mirror(&records).await?;
                // It was there already: the answer to the first attempt was lost.
                while records.len() < of {
                    let after = records.last().map_or(head.at, Record::position);
                    let more = self.read(after).await?;
                    if more.is_empty() {
                        return Err(Trouble::Other);
                    }
                    records.extend(more);
                }
                records.truncate(of);
                Ok(Said::Done(records))
            }
            Append::Conflict { .. } => Ok(Said::Conflict),
            Append::Diverged { .. } => Err(Trouble::Other),
        }
    }

    /// Reads on to the end; what was decided since.
    ///
    /// # Errors
    /// Away, Other, Stuck.
    pub(super) async fn read_on(
        &self,
        head: &mut Head,
    ) -> Result<Vec<(Decided, Position)>, Trouble> {
        let mut decided = Vec::new();
        loop {
            let mut after = head.at;
            let mut records = Vec::new();
            // A line is taken whole or not at all, however many reads it takes.
            loop {
                let more = self.read(after).await?;
                let Some(last) = more.last() else { break };
                after = last.position();
                let (_, n, of) = super::record::part(last)?;
                records.extend(more);
                if n + 1 == of {
                    break;
                }
            }
            if records.is_empty() {
                return Ok(decided);
            }
            decided.extend(fold(head, records).await?);
        }
    }
}

impl Studio {
    /// Finds out what the log says, and what of it this node does not have.
    ///
    /// # Errors
    /// Away, Other (once more), Stuck.
    pub(super) async fn join(&self, nodes: &Nodes, app: &App) -> Result<Joined, Trouble> {
        let found = nodes.log.recover().await?;
        if found.restored > 0 {
            tracing::warn!(
                "{} records of releases were put back into Redis",
                found.restored
            );
        }
        self.rescue(nodes, app, found.lost).await?;
        let placed = self.store.placed().await?;
        let placed = placed.and_then(|row| row.position);
        let kept = nodes.log.kept_snapshot().await?;
        let from = kept.as_ref().map_or(Position::START, |s| s.position);
        let mut head = match nodes.log.read(from, 1).await? {
            Read::Records(_) => Head::from(kept)?,
            Read::Compacted { .. } | Read::Diverged { .. } => {
                Head::from(nodes.log.load_snapshot().await?)?
            }
        };
        // What this node has is in the log, and all that follows is what it lacks.
        let mut passed = placed == Some(head.at) && head.number > 0;
        let mut pending = Vec::new();
        for (decided, at) in nodes.read_on(&mut head).await? {
            if passed {
                pending.push(next(decided, at));
            }
            passed |= placed == Some(at);
        }
        if !passed && head.number == 0 {
            return self.begin(nodes, head).await;
        }
        if !passed {
            pending = self.over(nodes, &mut head, placed.is_none()).await?;
        }
        Ok(Joined { head, pending })
    }

    /// Begins an empty log with what is live here.
    async fn begin(&self, nodes: &Nodes, mut head: Head) -> Result<Joined, Trouble> {
        let live = self.live.load_full();
        let row = self.store.releases(None, 1).await?;
        let row = row
            .first()
            .ok_or_else(|| Odd("nothing is live".to_owned()))?;
        let file = |f: &File| Changed {
            path: f.path.clone(),
            before: None,
            after: Some(f.text.clone()),
        };
        let all = Line::Release(Decided {
            number: row.number,
            hash: live.release.hash.clone(),
            at_ms: row.at.as_millisecond(),
            meta: row.meta.clone(),
            files: live.files.iter().map(file).collect(),
        });
        match nodes.append(&head, all).await? {
            Said::Done(records) => fold(&mut head, records).await?,
            Said::Conflict => return Err(Trouble::Other),
        };
        self.store.place(row.number, head.at).await?;
        Ok(Joined {
            head,
            pending: Vec::new(),
        })
    }

    /// From what this node has to what the log says, in one step.
    async fn over(
        &self,
        nodes: &Nodes,
        head: &mut Head,
        joins: bool,
    ) -> Result<Vec<Next>, Trouble> {
        let live = self.live.load_full();
        let mine = self.store.releases(None, 1).await?;
        let mine = mine.first().map_or(0, |r| r.number);
        let mut decided = head.over(&live.files);
        // Numbers that are taken here may not come again, and what is taken over needs one of its own.
        let wanted = mine + u64::from(!decided.files.is_empty());
        if wanted > head.number {
            let floor = Line::Floor { number: wanted };
            match nodes.append(head, floor).await? {
                Said::Done(records) => fold(head, records).await?,
                Said::Conflict => return Err(Trouble::Other),
            };
        }
        if decided.files.is_empty() && head.number <= mine {
            self.store.place(mine, head.at).await?;
            return Ok(Vec::new());
        }
        decided.number = head.number;
        if let Ok(mut meta) = serde_json::from_str::<ReleaseMeta>(&decided.meta) {
            let after = head.files();
            let changed = differences(&live.files, &after);
            meta.files = changed.iter().map(listed).collect();
            decided.meta = serde_json::to_string(&meta).unwrap_or(decided.meta);
        }
        let mut over = next(decided, head.at);
        over.joins = joins;
        Ok(vec![over])
    }

    /// Releases of this node that Redis forgot, and in whose place the others published something else: as drafts,
    /// so that nobody has to write them again.
    async fn rescue(&self, nodes: &Nodes, app: &App, lost: Vec<Record>) -> Result<(), Trouble> {
        if lost.is_empty() {
            return Ok(());
        }
        let ids = lost.iter().map(|r| r.id.clone()).collect();
        let mut parts = Parts::default();
        for record in lost.iter().filter(|r| r.node == nodes.name) {
            let decided = match parts.push(record) {
                Ok(Some(Line::Release(decided))) => decided,
                Ok(_) => continue,
                Err(e) => {
                    tracing::error!("a release that Redis forgot cannot be read: {e}");
                    continue;
                }
            };
            let Ok(meta) = serde_json::from_str::<ReleaseMeta>(&decided.meta) else {
                continue;
            };
            let (number, live) = (decided.number, self.live.load_full());
            let file = |f: Changed| DraftText {
                path: f.path,
                base: f.before,
                text: f.after,
            };
            let files = decided.files.into_iter().map(file).collect();
            let title: String = format!("Gik tabt: {}", meta.title)
                .chars()
                .take(120)
                .collect();
            let new = New {
                title,
                why: format!(
                    "Udgivelse {number} nåede ikke at blive gemt hos de andre servere, før de udgav noget andet. \
                     Se den igennem, og udgiv den igen."
                ),
                source: None,
                changes: Vec::new(),
            };
            let now = app.clock.now();
            let draft =
                blocking(move || begun(new, meta.by, &live.files, live.release.hash.clone(), now));
            let mut draft = draft.await??;
            // From what it was made of to what it made: where others changed the same, the draft says so.
            if let Some((_, texts)) = &mut draft.version {
                *texts = files;
            }
            tracing::error!(
                "release {number} was lost by Redis: it is draft {}",
                draft.id
            );
            self.store.save_draft(draft).await?;
        }
        nodes.log.settle(ids).await?;
        Ok(())
    }
}

/// Folds beside the async threads: a release may be some megabytes. After an error the head is at its beginning, and
/// the log is read anew.
///
/// # Errors
/// As [`Head::fold`].
pub(super) async fn fold(
    head: &mut Head,
    records: Vec<Record>,
) -> Result<Vec<(Decided, Position)>, Trouble> {
    let mut taken = std::mem::take(head);
    let (back, decided) = blocking(move || {
        let decided = taken.fold(&records);
        (taken, decided)
    })
    .await?;
    *head = back;
    Ok(decided?)
}

pub(super) fn next(decided: Decided, at: Position) -> Next {
    Next {
        decided,
        at,
        taken: BTreeMap::new(),
        joins: false,
    }
}
