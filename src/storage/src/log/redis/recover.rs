//! The mirror in the node's journal, and what it is for: Redis forgets, the journal does not.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::sleep;

use super::{PIECE, Redis, hex, new_life, put, records, unhex};
use crate::log::table;
use crate::log::{Error, Position, Put, Read, Record, Recovered};

/// How often the comparison begins anew because others appended meanwhile.
const ROUNDS: u32 = 16;

/// What Redis says of its log.
pub(crate) struct Info {
    pub(crate) head: Position,
    base: Position,
    /// Whether it may be appended to.
    founded: bool,
    /// Whether every record and every id is there.
    whole: bool,
}

impl Redis {
    pub(crate) async fn info(&self) -> Result<Info, Error> {
        let (head, link, base, base_link, founded, whole): (u64, String, u64, String, bool, bool) =
            self.run(&self.scripts.info, &[]).await?;
        let position = |seq, link: &str| {
            Ok::<_, Error>(Position {
                seq,
                link: unhex(link)?,
            })
        };
        Ok(Info {
            head: position(head, &link)?,
            base: position(base, &base_link)?,
            founded: founded || head > 0,
            whole,
        })
    }

    pub(crate) async fn mirror(&self, records: &[Record]) -> Result<(), Error> {
        let records = records.to_vec();
        self.journal
            .write(move |c| table::mirror(c, &records))
            .await?
            .map_err(|head| Error::OutOfStep { head })
    }

    pub(crate) async fn settle(&self, ids: Vec<String>) -> Result<(), Error> {
        Ok(self.journal.write(move |c| table::settle(c, &ids)).await?)
    }

    pub(crate) async fn recover(&self) -> Result<Recovered, Error> {
        let mut restored = 0;
        for _ in 0..ROUNDS {
            if self.compare(&mut restored).await? {
                let lost = self.journal.read(table::lost).await?;
                return Ok(Recovered { restored, lost });
            }
        }
        Err(Error::Unavailable(
            "others change the log faster than it can be compared".to_owned(),
        ))
    }

    /// One comparison and what follows from it. False when the log changed meanwhile.
    async fn compare(&self, restored: &mut u64) -> Result<bool, Error> {
        let theirs = self.info().await?;
        let mine = self.journal.read(table::ends).await?;
        if mine.head.seq == 0 {
            if !theirs.whole {
                return Err(Error::Corrupt(
                    "records are missing, and this node has no journal of them".to_owned(),
                ));
            }
            if !theirs.founded {
                self.found().await?;
            }
            return Ok(true);
        }
        // Damaged, empty, or so old that what lies between is not in this journal: begun anew from ours. What is
        // in it and not here is kept, to be appended again.
        if !theirs.whole || !theirs.founded || theirs.head.seq < mine.base.seq {
            self.rescue().await?;
            if !self.replace(&theirs, mine.base).await? {
                return Ok(false);
            }
            return self.fill(mine.base, mine.head, restored).await;
        }
        // It went on for longer than it remembers while we were away; nothing can be compared.
        if mine.head.seq < theirs.base.seq {
            return Ok(true);
        }
        let from = mine.base.seq.max(theirs.base.seq);
        let upto = mine.head.seq.min(theirs.head.seq);
        let common = self.common(from, upto).await?;
        if common == Some(mine.head) {
            return Ok(true);
        }
        if let Some(at) = common
            && at == theirs.head
        {
            return self.fill(at, mine.head, restored).await;
        }
        let after = common.map_or(0, |c| c.seq);
        let ids = self
            .journal
            .read(move |c| table::ids_after(c, after))
            .await?;
        let known = self.known(&ids).await?;
        self.journal
            .write(move |c| table::cut(c, common, &known))
            .await?;
        Ok(true)
    }

    /// Lets an empty log begin, once those who may know more have had their time.
    async fn found(&self) -> Result<(), Error> {
        let grace = self.options.grace.as_millis().to_string();
        let life = new_life();
        let args = [grace.as_bytes(), life.as_bytes()];
        loop {
            let left: u64 = self.run(&self.scripts.found, &args).await?;
            if left == 0 {
                return Ok(());
            }
            sleep(Duration::from_millis(left)).await;
        }
    }

    async fn rescue(&self) -> Result<(), Error> {
        let mut after = 0;
        loop {
            let (from, limit) = (after.to_string(), PIECE.to_string());
            let rows = self
                .run(&self.scripts.scan, &[from.as_bytes(), limit.as_bytes()])
                .await;
            let found = match rows {
                Ok(rows) => records(rows)?,
                // Not even a log: there is nothing to keep.
                Err(Error::Corrupt(_)) => return Ok(()),
                Err(e) => return Err(e),
            };
            let Some(last) = found.last().map(|r| r.seq) else {
                return Ok(());
            };
            after = last;
            self.journal
                .write(move |c| table::rescue(c, &found))
                .await?;
        }
    }

    /// False when the log changed meanwhile.
    async fn replace(&self, theirs: &Info, base: Position) -> Result<bool, Error> {
        let (snapshot, at) = self
            .journal
            .read(|c| Ok((table::load_snapshot(c)?, table::ends(c)?.at)))
            .await?;
        let mut args: Vec<Vec<u8>> = vec![
            new_life().into(),
            theirs.head.seq.to_string().into(),
            hex(theirs.head.link).into(),
            base.seq.to_string().into(),
            hex(base.link).into(),
            // Only what is put back says how late it is; without a record there is still the snapshot.
            snapshot
                .as_ref()
                .map_or(at, |s| s.at.as_millisecond())
                .to_string()
                .into(),
        ];
        if let Some(s) = snapshot {
            args.extend([
                s.position.seq.to_string().into(),
                hex(s.position.link).into(),
                s.at.as_millisecond().to_string().into(),
                s.bytes,
            ]);
        }
        let args: Vec<&[u8]> = args.iter().map(Vec::as_slice).collect();
        let answer: Vec<redis::Value> = self.run(&self.scripts.replace, &args).await?;
        Ok(put(&answer)? == Put::Done)
    }

    /// Puts back what this journal has between two positions. False when the log changed meanwhile.
    async fn fill(
        &self,
        mut after: Position,
        upto: Position,
        restored: &mut u64,
    ) -> Result<bool, Error> {
        while after.seq < upto.seq {
            let read = self
                .journal
                .read(move |c| table::read(c, after, PIECE))
                .await?;
            let Read::Records(records) = read else {
                return Ok(false);
            };
            let Some(last) = records.last().map(Record::position) else {
                return Ok(false);
            };
            if self.put_back(after, &records).await? != Put::Done {
                return Ok(false);
            }
            *restored += records.len() as u64;
            after = last;
        }
        Ok(true)
    }

    /// The last position in this span that both have: links that are equal mean that all before is equal, so half
    /// of what is left is settled by each look.
    async fn common(&self, from: u64, upto: u64) -> Result<Option<Position>, Error> {
        let mut best = self.same(upto).await?;
        if best.is_some() || from == upto {
            return Ok(best);
        }
        let (mut low, mut high) = (from, upto);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.same(middle).await? {
                Some(at) => {
                    best = Some(at);
                    low = middle + 1;
                }
                None => high = middle,
            }
        }
        Ok(best)
    }

    /// The position of this number, when both have the same.
    async fn same(&self, seq: u64) -> Result<Option<Position>, Error> {
        let Some(mine) = self.journal.read(move |c| table::at(c, seq)).await? else {
            return Ok(None);
        };
        let theirs: String = self
            .run(&self.scripts.link, &[seq.to_string().as_bytes()])
            .await?;
        Ok((!theirs.is_empty() && unhex(&theirs)? == mine.link).then_some(mine))
    }

    /// Those of these ids that the log has.
    async fn known(&self, ids: &[String]) -> Result<BTreeSet<String>, Error> {
        let mut known = BTreeSet::new();
        for some in ids.chunks(1024) {
            let args: Vec<&[u8]> = some.iter().map(String::as_bytes).collect();
            let found: Vec<String> = self.run(&self.scripts.known, &args).await?;
            known.extend(found);
        }
        Ok(known)
    }
}
