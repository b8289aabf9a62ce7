//! What is stored of staff, and what they bring.

use base::MunicipalityCode;
use jiff::Timestamp;

/// An account as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub user: String,
    /// Name, roles and rights, as JSON.
    pub details: String,
    /// In the PHC string format; empty: no password opens it.
    pub password: String,
    pub changed: Timestamp,
    pub removed: bool,
}

/// An account to be.
#[derive(Clone, Debug)]
pub struct NewAccount {
    pub user: String,
    pub details: String,
    pub password: String,
}

/// Somebody who signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub user: String,
    pub created: Timestamp,
    /// When it was last used, as far as was noted.
    pub seen: Timestamp,
    /// Whether a second factor was shown.
    pub second: bool,
    /// The address that signed in; empty where it was not kept.
    pub origin: String,
    /// SHA-256 of its token.
    pub sha256: [u8; 32],
}

/// A session to be.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// Of its token.
    pub sha256: [u8; 32],
    pub user: String,
    /// As it was checked: another by now, and there is no session.
    pub password: String,
    pub proof: Proof,
    pub origin: String,
}

/// What was shown besides the password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    None,
    /// A code of this step of time (RFC 6238): good once, and none before it after it.
    Step(u64),
    /// The SHA-256 of a recovery code: good once.
    Recovery([u8; 32]),
    /// An assertion of a security key, with the counter that it signed: none before it after it, where the key counts.
    Key {
        id: Vec<u8>,
        sign_count: u32,
        /// As [`SecurityKey::backup`](super::SecurityKey::backup), by now.
        backup: u8,
        at: Timestamp,
    },
    /// The provider that let somebody in vouches for one of its own: nothing of ours is used up.
    Provider,
}

/// What somebody did. No word of a citizen's stands in it. An empty detail may have been taken out by an erasure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditLine {
    pub at: Timestamp,
    pub user: String,
    /// In one word, such as `sign_in`.
    pub what: String,
    /// An address, or `command`.
    pub origin: String,
    pub detail: String,
}

/// A reply that an agent sends to the editors as the beginning of an article. Redacted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Chosen by whoever sends it; a repetition changes nothing.
    pub id: String,
    pub item: String,
    pub municipality: MunicipalityCode,
    pub question: String,
    pub text: String,
    pub by: String,
    pub at: Timestamp,
}
