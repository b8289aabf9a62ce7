//! The log in a Redis that several nodes share.

mod address;
mod check;
mod line;
mod recover;
mod scripts;

use std::time::Duration;

use base::DialogueId;
use jiff::Timestamp;
use redis::aio::MultiplexedConnection;
use redis::{Cmd, FromRedisValue, Script, Value};
use tokio::sync::watch;

pub use self::check::{Finding, Severity};
use self::line::Line;
use self::scripts::Scripts;
use super::embedded::millis;
use super::types::{
    Append, Appended, Entry, LostNode, MAX_BATCH, Position, Put, Read, Record, RedisOptions, Said,
    Snapshot,
};
use super::{Error, table};
use crate::Journal;

/// Records are put back, and dropped, in pieces, so that no script holds Redis up for long.
const PIECE: usize = 64;

pub(crate) struct Keys {
    pub(crate) meta: String,
    all: [String; 6],
    pub(crate) wake: String,
}

impl Keys {
    fn new(prefix: &str) -> Result<Self, Error> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if prefix.is_empty() || prefix.len() > 80 || !prefix.chars().all(plain) {
            return Err(Error::Settings(
                "the prefix of the keys: 1 to 80 letters, digits, -, _ and .".to_owned(),
            ));
        }
        let key = |name: &str| format!("{{{prefix}}}:{name}");
        Ok(Self {
            meta: key("meta"),
            all: ["meta", "log", "ids", "snap", "beats", "said"].map(key),
            wake: key("wake"),
        })
    }
}

pub(crate) struct Redis {
    line: Line,
    scripts: Scripts,
    keys: Keys,
    /// Holds the mirror.
    journal: Journal,
    node: String,
    options: RedisOptions,
}

impl Redis {
    pub(crate) fn open(
        journal: Journal,
        node: String,
        options: &RedisOptions,
    ) -> Result<Self, Error> {
        let keys = Keys::new(&options.prefix)?;
        let address = address::Address::parse(options)?;
        Ok(Self {
            line: Line::new(address, options, &keys),
            scripts: Scripts::new(),
            keys,
            journal,
            node,
            options: options.clone(),
        })
    }

    pub(crate) fn node(&self) -> &str {
        &self.node
    }

    /// Runs a script with these arguments.
    async fn run<T: FromRedisValue>(&self, script: &Script, args: &[&[u8]]) -> Result<T, Error> {
        let mut call = script.prepare_invoke();
        for key in &self.keys.all {
            call.key(key);
        }
        for arg in args {
            call.arg(*arg);
        }
        let call = &call;
        let ask = move |mut conn: MultiplexedConnection| async move {
            call.invoke_async::<Value>(&mut conn).await
        };
        get(self.line.call(ask).await?)
    }

    async fn ask<T: FromRedisValue>(&self, cmd: &Cmd) -> Result<T, Error> {
        let ask = move |mut conn: MultiplexedConnection| async move {
            cmd.query_async::<Value>(&mut conn).await
        };
        get(self.line.call(ask).await?)
    }

    pub(crate) async fn append(
        &self,
        after: Position,
        entries: Vec<Entry>,
    ) -> Result<Append, Error> {
        let (life, seq, link) = (new_life(), after.seq.to_string(), hex(after.link));
        let mut args = vec![
            life.as_bytes(),
            self.keys.wake.as_bytes(),
            seq.as_bytes(),
            link.as_bytes(),
            self.node.as_bytes(),
        ];
        for e in &entries {
            args.extend([e.id.as_bytes(), &e.body]);
        }
        let answer: Vec<Value> = self.run(&self.scripts.append, &args).await?;
        match said(&answer)? {
            Word::Conflict(head) => return Ok(Append::Conflict { head }),
            Word::Diverged(head) => return Ok(Append::Diverged { head }),
            Word::Compacted(_) => return Err(odd("append")),
            Word::Ok => {}
        }
        let [_, at, seqs, links] = <[Value; 4]>::try_from(answer).map_err(|_| odd("append"))?;
        let at: i64 = get(at)?;
        let (seqs, links): (Vec<u64>, Vec<String>) = (get(seqs)?, get(links)?);
        // What is new has the numbers after this position, in order; the first of the same id counts.
        let mut new = Vec::with_capacity(links.len());
        let mut next = after.seq + 1;
        for (entry, seq) in entries.into_iter().zip(&seqs) {
            if *seq == next
                && let Some(link) = links.get(new.len())
            {
                new.push(Record {
                    seq: *seq,
                    at: time(at)?,
                    node: self.node.clone(),
                    id: entry.id,
                    body: entry.body,
                    link: unhex(link)?,
                });
                next += 1;
            }
        }
        if new.len() != links.len() {
            return Err(odd("append"));
        }
        Ok(Append::Appended(Appended { seqs, new }))
    }

    pub(crate) async fn read(&self, after: Position, limit: usize) -> Result<Read, Error> {
        let (seq, link, limit) = (
            after.seq.to_string(),
            hex(after.link),
            limit.max(1).to_string(),
        );
        let args = [seq.as_bytes(), link.as_bytes(), limit.as_bytes()];
        let answer: Vec<Value> = self.run(&self.scripts.read, &args).await?;
        match said(&answer)? {
            Word::Diverged(head) => return Ok(Read::Diverged { head }),
            Word::Compacted(base) => return Ok(Read::Compacted { base }),
            Word::Conflict(_) => return Err(odd("read")),
            Word::Ok => {}
        }
        let [_, head, rows] = <[Value; 3]>::try_from(answer).map_err(|_| odd("read"))?;
        let head: u64 = get(head)?;
        let records = records(rows)?;
        let whole = records
            .iter()
            .map(|r| r.seq)
            .eq((after.seq + 1..).take(records.len()));
        if !whole || (records.is_empty() && after.seq < head) {
            return Err(Error::Corrupt(format!(
                "records after {} are missing",
                after.seq
            )));
        }
        Ok(Read::Records(records))
    }

    pub(crate) async fn head(&self) -> Result<Position, Error> {
        Ok(self.info().await?.head)
    }

    pub(crate) fn health(&self) -> Result<(), Error> {
        self.line.health()
    }

    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.line.watch()
    }

    pub(crate) async fn restore(
        &self,
        after: Position,
        records: Vec<Record>,
    ) -> Result<Put, Error> {
        self.put_back(after, &records).await
    }

    async fn put_back(&self, after: Position, records: &[Record]) -> Result<Put, Error> {
        let mut args: Vec<Vec<u8>> = vec![
            new_life().into(),
            self.keys.wake.clone().into(),
            after.seq.to_string().into(),
            hex(after.link).into(),
        ];
        for r in records {
            args.extend([
                r.seq.to_string().into(),
                r.at.as_millisecond().to_string().into(),
                r.node.clone().into(),
                r.id.clone().into(),
                hex(r.link).into(),
                r.body.clone(),
            ]);
        }
        let args: Vec<&[u8]> = args.iter().map(Vec::as_slice).collect();
        let answer: Vec<Value> = self.run(&self.scripts.restore, &args).await?;
        put(&answer)
    }

    pub(crate) async fn save_snapshot(&self, snapshot: Snapshot) -> Result<Put, Error> {
        let (seq, link, at) = (
            snapshot.position.seq.to_string(),
            hex(snapshot.position.link),
            snapshot.at.as_millisecond().to_string(),
        );
        let args = [
            seq.as_bytes(),
            link.as_bytes(),
            at.as_bytes(),
            &snapshot.bytes,
        ];
        let answer: Vec<Value> = self.run(&self.scripts.save, &args).await?;
        let done = put(&answer)?;
        if done == Put::Done {
            let tail = self.options.keep.tail;
            let cut = tail.to_string();
            while self
                .run::<u64>(&self.scripts.trim, &[cut.as_bytes()])
                .await?
                > 0
            {}
            self.journal
                .write(move |c| table::save_snapshot(c, &snapshot, tail))
                .await?;
        }
        Ok(done)
    }

    pub(crate) async fn trim(&self, before: Timestamp) -> Result<u64, Error> {
        // Times are known to the mirror; Redis is asked to keep what follows the same number.
        let cut = self.journal.cut(before).await?;
        if let (Some(cut), Some(kept)) = (cut, self.load_snapshot().await?) {
            let tail = kept.position.seq.saturating_sub(cut).to_string();
            while self
                .run::<u64>(&self.scripts.trim, &[tail.as_bytes()])
                .await?
                > 0
            {}
        }
        Ok(self.journal.trim(before).await?)
    }

    pub(crate) async fn kept_snapshot(&self) -> Result<Option<Snapshot>, Error> {
        Ok(self.journal.read(table::load_snapshot).await?)
    }

    pub(crate) async fn load_snapshot(&self) -> Result<Option<Snapshot>, Error> {
        let answer: Vec<Value> = self.run(&self.scripts.load, &[]).await?;
        if answer.is_empty() {
            return Ok(None);
        }
        let [seq, link, at, bytes] = <[Value; 4]>::try_from(answer).map_err(|_| odd("load"))?;
        let snapshot = Snapshot {
            position: Position {
                seq: get(seq)?,
                link: unhex(&get::<String>(link)?)?,
            },
            at: time(get(at)?)?,
            bytes: get(bytes)?,
        };
        let kept = snapshot.clone();
        self.journal.write(move |c| table::adopt(c, &kept)).await?;
        Ok(Some(snapshot))
    }

    pub(crate) async fn generation(&self) -> Result<String, Error> {
        self.run(&self.scripts.life, &[new_life().as_bytes()]).await
    }

    pub(crate) async fn heartbeat(&self, node: &str, ttl: Duration) -> Result<(), Error> {
        let ttl = millis(ttl).to_string();
        self.run::<u64>(&self.scripts.beat, &[node.as_bytes(), ttl.as_bytes()])
            .await?;
        Ok(())
    }

    pub(crate) async fn expect_nodes(&self, nodes: &[String], ttl: Duration) -> Result<(), Error> {
        let ttl = millis(ttl).to_string();
        let args: Vec<&[u8]> = std::iter::once(ttl.as_bytes())
            .chain(nodes.iter().map(String::as_bytes))
            .collect();
        self.run::<u64>(&self.scripts.expect, &args).await?;
        Ok(())
    }

    pub(crate) async fn lost_nodes(&self) -> Result<Vec<LostNode>, Error> {
        let rows: Vec<(String, i64)> = self.run(&self.scripts.lost, &[]).await?;
        rows.into_iter()
            .map(|(node, since)| {
                let since = time(since)?;
                Ok(LostNode { node, since })
            })
            .collect()
    }

    pub(crate) async fn say(&self, text: &str) -> Result<(), Error> {
        let args = [self.node.as_bytes(), text.as_bytes()];
        self.run::<u64>(&self.scripts.say, &args).await?;
        Ok(())
    }

    pub(crate) async fn said(&self) -> Result<Vec<Said>, Error> {
        let rows: Vec<(String, u64, String)> = self.run(&self.scripts.said, &[]).await?;
        let mut all: Vec<Said> = rows
            .into_iter()
            .map(|(node, age_ms, text)| Said {
                node,
                age: Duration::from_millis(age_ms),
                text,
            })
            .collect();
        all.sort_by(|a, b| a.node.cmp(&b.node));
        Ok(all)
    }

    pub(crate) async fn forget_node(&self, lost: &LostNode) -> Result<(), Error> {
        let since = lost.since.as_millisecond().to_string();
        let args = [lost.node.as_bytes(), since.as_bytes()];
        self.run::<u64>(&self.scripts.forget, &args).await?;
        Ok(())
    }
}

/// How a script begins its answer.
enum Word {
    Ok,
    Conflict(u64),
    Diverged(u64),
    Compacted(u64),
}

fn said(answer: &[Value]) -> Result<Word, Error> {
    let number = || answer.get(1).cloned().map_or(Ok(0), get);
    match answer.first() {
        Some(Value::BulkString(word)) => match word.as_slice() {
            b"ok" => Ok(Word::Ok),
            b"conflict" => Ok(Word::Conflict(number()?)),
            b"diverged" => Ok(Word::Diverged(number()?)),
            b"compacted" => Ok(Word::Compacted(number()?)),
            _ => Err(odd("a script")),
        },
        _ => Err(odd("a script")),
    }
}

fn records(rows: Value) -> Result<Vec<Record>, Error> {
    let rows: Vec<(u64, i64, String, String, String, Vec<u8>)> = get(rows)?;
    rows.into_iter()
        .map(|(seq, at, node, id, link, body)| {
            Ok(Record {
                seq,
                at: time(at)?,
                node,
                id,
                body,
                link: unhex(&link)?,
            })
        })
        .collect()
}

fn put(answer: &[Value]) -> Result<Put, Error> {
    match said(answer)? {
        Word::Ok => Ok(Put::Done),
        Word::Conflict(head) => Ok(Put::Conflict { head }),
        Word::Diverged(head) => Ok(Put::Diverged { head }),
        Word::Compacted(_) => Err(odd("a script")),
    }
}

fn odd(what: &str) -> Error {
    Error::Corrupt(format!("{what} was answered in a form that is not ours"))
}

fn get<T: FromRedisValue>(value: Value) -> Result<T, Error> {
    T::from_redis_value(value).map_err(|e| Error::Corrupt(e.to_string()))
}

fn time(ms: i64) -> Result<Timestamp, Error> {
    Timestamp::from_millisecond(ms).map_err(|e| Error::Corrupt(e.to_string()))
}

fn hex(link: u64) -> String {
    format!("{link:016x}")
}

fn unhex(link: &str) -> Result<u64, Error> {
    u64::from_str_radix(link, 16).map_err(|e| Error::Corrupt(format!("a link: {e}")))
}

/// The id a log would get if it has none yet: 80 random bits.
fn new_life() -> String {
    DialogueId::random().as_str().to_owned()
}

const _: () = assert!(PIECE <= MAX_BATCH);
