//! What the operator has switched off, and since when, by whom, why. What is not here is on.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::{Accounts, AuditLine, audit, ops};
use crate::Error;

pub(super) const TABLE: &str = "
CREATE TABLE switches (
    name   TEXT PRIMARY KEY,
    at_ms  INTEGER NOT NULL,
    by     TEXT NOT NULL,
    reason TEXT NOT NULL
) STRICT, WITHOUT ROWID;
";

/// Something that is switched off. The name is opaque here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SwitchedOff {
    pub name: String,
    pub at: Timestamp,
    /// A user of the operating system.
    pub by: String,
    pub reason: String,
}

impl Accounts {
    /// Everything that is switched off, by name.
    ///
    /// # Errors
    /// Corrupt, Io.
    pub async fn switched_off(&self) -> Result<Vec<SwitchedOff>, Error> {
        self.file.read(list).await
    }

    /// Switches something off, or gives it another reason when it is off; the line of the audit is written with it or
    /// neither is.
    ///
    /// # Errors
    /// Full, Io.
    pub async fn switch_off(&self, off: SwitchedOff, line: AuditLine) -> Result<(), Error> {
        let write = move |c: &Connection| {
            put(c, &off)?;
            audit::append(c, &line)
        };
        self.file.write(write).await
    }

    /// Switches something on again, and whether it was off; the line of the audit is written only then.
    ///
    /// # Errors
    /// Full, Io.
    pub async fn switch_on(&self, name: &str, line: AuditLine) -> Result<bool, Error> {
        let name = name.to_owned();
        let write = move |c: &Connection| {
            let was_off = c.execute("DELETE FROM switches WHERE name = ?1", [name])? > 0;
            if was_off {
                audit::append(c, &line)?;
            }
            Ok(was_off)
        };
        self.file.write(write).await
    }
}

fn list(c: &Connection) -> Result<Vec<SwitchedOff>, Error> {
    let mut s = c.prepare_cached("SELECT * FROM switches ORDER BY name")?;
    let rows = s.query_map([], |r| {
        Ok(SwitchedOff {
            name: r.get("name")?,
            at: ops::time(r, "at_ms")?,
            by: r.get("by")?,
            reason: r.get("reason")?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn put(c: &Connection, off: &SwitchedOff) -> Result<(), Error> {
    c.execute(
        "INSERT INTO switches VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (name) DO UPDATE SET at_ms = ?2, by = ?3, reason = ?4",
        params![off.name, off.at.as_millisecond(), off.by, off.reason],
    )?;
    Ok(())
}
