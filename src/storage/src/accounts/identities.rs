//! Who an account is at a provider of others (OpenID Connect): one issuer, and there one subject, which never changes
//! and is given to nobody else. An account that has no line here is let in by no provider.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{Accounts, ops};
use crate::Error;

pub(super) const TABLE: &str = "
CREATE TABLE identities (
    user     TEXT PRIMARY KEY REFERENCES accounts (user),
    issuer   TEXT NOT NULL,
    subject  TEXT,
    bound_ms INTEGER,
    UNIQUE (issuer, subject)
) STRICT, WITHOUT ROWID;
";

/// An account that a provider may let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub user: String,
    /// As the provider itself writes it.
    pub issuer: String,
    /// None: the first whom the provider calls by the account's user name becomes it.
    pub subject: Option<String>,
}

impl Accounts {
    /// Every identity, by the account's user name.
    ///
    /// # Errors
    /// Corrupt, Io.
    pub async fn identities(&self) -> Result<Vec<Identity>, Error> {
        self.file.read(list).await
    }

    /// Gives an account an identity in place of what it had; its sessions end.
    ///
    /// # Errors
    /// UnknownAccount; Taken where another account is that subject.
    pub async fn set_identity(&self, identity: Identity, at: Timestamp) -> Result<(), Error> {
        self.file.write(move |c| set(c, &identity, at)).await
    }

    /// Takes an account's identity away, and ends its sessions; whether it had one.
    ///
    /// # Errors
    /// Full, Io.
    pub async fn remove_identity(&self, user: &str) -> Result<bool, Error> {
        let user = user.to_owned();
        let write = move |c: &Connection| {
            let had = remove(c, &user)?;
            if had {
                ops::end_sessions(c, &user)?;
            }
            Ok(had)
        };
        self.file.write(write).await
    }

    /// The account that is this subject of this issuer.
    ///
    /// # Errors
    /// Corrupt, Io.
    pub async fn identified(&self, issuer: &str, subject: &str) -> Result<Option<String>, Error> {
        let (issuer, subject) = (issuer.to_owned(), subject.to_owned());
        self.file.read(move |c| find(c, &issuer, &subject)).await
    }

    /// Makes an account that waits for somebody of this issuer that subject, for good. False where it does not wait,
    /// or another account is that subject already.
    ///
    /// # Errors
    /// Full, Io.
    pub async fn bind(&self, identity: Identity, at: Timestamp) -> Result<bool, Error> {
        self.file.write(move |c| bind(c, &identity, at)).await
    }
}

fn list(c: &Connection) -> Result<Vec<Identity>, Error> {
    let mut s = c.prepare_cached("SELECT user, issuer, subject FROM identities ORDER BY user")?;
    let rows = s.query_map([], |r| {
        Ok(Identity {
            user: r.get(0)?,
            issuer: r.get(1)?,
            subject: r.get(2)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn find(c: &Connection, issuer: &str, subject: &str) -> Result<Option<String>, Error> {
    let sql = "SELECT user FROM identities WHERE issuer = ?1 AND subject = ?2";
    let mut s = c.prepare_cached(sql)?;
    Ok(s.query_row([issuer, subject], |r| r.get(0)).optional()?)
}

fn set(c: &Connection, new: &Identity, at: Timestamp) -> Result<(), Error> {
    if let Some(subject) = &new.subject
        && find(c, &new.issuer, subject)?.is_some_and(|user| user != new.user)
    {
        return Err(Error::Taken("identity"));
    }
    let bound_ms = new.subject.is_some().then(|| at.as_millisecond());
    let set = c.execute(
        "INSERT INTO identities SELECT user, ?2, ?3, ?4 FROM accounts WHERE user = ?1 AND removed_ms IS NULL
         ON CONFLICT (user) DO UPDATE SET issuer = ?2, subject = ?3, bound_ms = ?4",
        params![new.user, new.issuer, new.subject, bound_ms],
    )?;
    if set == 0 {
        return Err(Error::UnknownAccount);
    }
    ops::end_sessions(c, &new.user)?;
    Ok(())
}

fn bind(c: &Connection, new: &Identity, at: Timestamp) -> Result<bool, Error> {
    let bound = c.execute(
        "UPDATE identities SET subject = ?3, bound_ms = ?4
         WHERE user = ?1 AND issuer = ?2 AND subject IS NULL
         AND NOT EXISTS (SELECT 1 FROM identities WHERE issuer = ?2 AND subject = ?3)",
        params![new.user, new.issuer, new.subject, at.as_millisecond()],
    )?;
    Ok(bound == 1)
}

pub(super) fn remove(c: &Connection, user: &str) -> Result<bool, Error> {
    Ok(c.execute("DELETE FROM identities WHERE user = ?1", [user])? == 1)
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::super::NewAccount;
    use super::*;
    use crate::Options;

    const ISSUER: &str = "https://id.example.dk";

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(ms).unwrap()
    }

    fn who(user: &str, subject: Option<&str>) -> Identity {
        Identity {
            user: user.into(),
            issuer: ISSUER.into(),
            subject: subject.map(str::to_owned),
        }
    }

    #[tokio::test]
    async fn an_account_is_one_subject_for_good_and_a_subject_one_account() {
        let dir = TempDir::new().unwrap();
        let accounts = Accounts::open(&dir.path().join("a.sqlite"), &Options::default()).unwrap();
        let new = |user: &str| NewAccount {
            user: user.into(),
            details: "{}".into(),
            password: String::new(),
        };
        accounts
            .add(vec![new("anna"), new("bo")], at(1))
            .await
            .unwrap();
        let is = async |subject: &str| accounts.identified(ISSUER, subject).await.unwrap();
        let bind = async |user: &str, subject: &str| {
            accounts
                .bind(who(user, Some(subject)), at(3))
                .await
                .unwrap()
        };
        assert!(!bind("anna", "s1").await, "nobody opened it");
        accounts
            .set_identity(who("anna", None), at(2))
            .await
            .unwrap();
        assert_eq!(is("s1").await, None);
        assert!(bind("anna", "s1").await);
        assert_eq!(is("s1").await.as_deref(), Some("anna"));
        assert!(!bind("anna", "s2").await, "bound for good");
        accounts.set_identity(who("bo", None), at(4)).await.unwrap();
        assert!(!bind("bo", "s1").await, "another's");
        let taken = accounts.set_identity(who("bo", Some("s1")), at(4)).await;
        assert_eq!(taken, Err(Error::Taken("identity")));
        accounts
            .set_identity(who("bo", Some("s2")), at(5))
            .await
            .unwrap();
        assert_eq!(
            accounts.identities().await.unwrap(),
            [who("anna", Some("s1")), who("bo", Some("s2"))]
        );
        let other = accounts.identified("https://other.example", "s2").await;
        assert_eq!(other.unwrap(), None, "of another issuer");

        // With the account it goes, and nobody who comes under the same name has it.
        accounts.remove("anna", at(6)).await.unwrap();
        assert_eq!(is("s1").await, None);
        let gone = accounts.set_identity(who("anna", None), at(7)).await;
        assert_eq!(gone, Err(Error::UnknownAccount));
        assert!(accounts.remove_identity("bo").await.unwrap());
        assert!(!accounts.remove_identity("bo").await.unwrap());
        assert_eq!(accounts.identities().await.unwrap(), []);
    }
}
