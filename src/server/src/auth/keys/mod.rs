//! Security keys and passkeys as a second factor: WebAuthn, by the crate `webauthn_rp`.
//!
//! Invariants:
//! - A challenge is good once, for five minutes, for the account and the session or sign-in that it was given to.
//! - A key signs the host and the origin of the operator's public address, so that a page which only looks like ours
//!   gets nothing that holds here.
//! - A counter that has not grown is refused, and is in the audit.
//! - A key says that somebody has it. Who it is the password says, so a PIN or a finger is not asked for
//!   (docs/decisions/0020).

mod own;
mod routes;
mod site;
mod waiting;

use std::sync::{Mutex, PoisonError};

use base::{Secret, hex};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use storage::{Proof, SecurityKey};
use webauthn_rp::AuthenticatedCredential;
use webauthn_rp::bin::Decode as _;
use webauthn_rp::request::auth::{
    AllowedCredentials, AuthenticationVerificationOptions, NonDiscoverableCredentialRequestOptions,
};
use webauthn_rp::request::register::UserHandle;
use webauthn_rp::request::{Credentials as _, PublicKeyCredentialDescriptor};
use webauthn_rp::response::auth::NonDiscoverableAuthentication;
use webauthn_rp::response::auth::error::AuthCeremonyErr;
use webauthn_rp::response::register::{CompressedPubKey, DynamicState, StaticState};
use webauthn_rp::response::{AuthTransports, AuthenticatorAttachment, Backup, CredentialId};

pub(crate) use self::routes::{begin_key, challenge, confirm_key, name_key, remove_key};
pub(crate) use self::site::{Here, Site};

use self::waiting::{Ceremony, Waiting, Whose};
use super::http::Trouble;
use super::{Account, Auth, sha256};

/// Bytes of what a key knows an account by.
const HANDLE: usize = 16;
/// Bytes of a key's hash that name it to its owner.
const NAMED_BY: usize = 8;

type Public = StaticState<CompressedPubKey<[u8; 32], [u8; 32], [u8; 48], Vec<u8>>>;

/// Challenges that were given.
#[derive(Default)]
pub(super) struct Keys(Mutex<Waiting>);

impl Keys {
    fn waiting<T>(&self, used: impl FnOnce(&mut Waiting) -> T) -> T {
        used(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What a page asks a key for.
#[derive(Debug, Serialize)]
pub(crate) struct Challenge {
    /// Names it to us.
    challenge: String,
    /// For the browser: `PublicKeyCredentialRequestOptionsJSON`, or `…Creation…`.
    options: Value,
}

/// What a key says.
#[derive(Debug, Deserialize)]
pub(crate) struct Said {
    challenge: String,
    /// `AuthenticationResponseJSON`, or `Registration…`.
    credential: Value,
}

/// A key as its owner is shown it.
#[derive(Debug, Serialize)]
pub(super) struct Listed {
    id: String,
    name: String,
    added_ms: i64,
    used_ms: Option<i64>,
}

pub(super) fn listed(keys: &[SecurityKey]) -> Vec<Listed> {
    let listed = keys.iter().map(|k| Listed {
        id: named_by(k),
        name: k.name.clone(),
        added_ms: k.added.as_millisecond(),
        used_ms: k.used.map(|t| t.as_millisecond()),
    });
    listed.collect()
}

fn named_by(key: &SecurityKey) -> String {
    hex(&sha256(&[b"key ", &key.id])[..NAMED_BY])
}

fn unreadable(what: impl std::fmt::Display) -> Trouble {
    tracing::error!("a security key: {what}");
    Trouble::SecondFactor("unavailable")
}

fn described(key: &SecurityKey) -> Result<PublicKeyCredentialDescriptor<Vec<u8>>, Trouble> {
    Ok(PublicKeyCredentialDescriptor {
        id: CredentialId::<Vec<u8>>::decode(key.id.clone()).map_err(unreadable)?,
        transports: AuthTransports::decode(key.transports).map_err(unreadable)?,
    })
}

fn handle(bytes: [u8; HANDLE]) -> UserHandle<HANDLE> {
    let Ok(handle) = UserHandle::decode(bytes);
    handle
}

fn state(key: &SecurityKey) -> DynamicState {
    DynamicState {
        user_verified: key.verified,
        backup: match key.backup {
            0 => Backup::NotEligible,
            1 => Backup::Eligible,
            _ => Backup::Exists,
        },
        sign_count: key.sign_count,
        authenticator_attachment: AuthenticatorAttachment::None,
    }
}

fn backup(state: DynamicState) -> u8 {
    match state.backup {
        Backup::NotEligible => 0,
        Backup::Eligible => 1,
        Backup::Exists => 2,
    }
}

impl Auth {
    fn give(
        &self,
        whose: Whose,
        ceremony: Ceremony,
        options: &impl Serialize,
    ) -> Result<Challenge, Trouble> {
        let challenge = Secret::random().as_str().to_owned();
        let options = serde_json::to_value(options).map_err(unreadable)?;
        let (key, now) = (sha256(&[challenge.as_bytes()]), self.clock.monotonic());
        self.keys.waiting(|w| w.put(key, whose, ceremony, now));
        Ok(Challenge { challenge, options })
    }

    fn taken(&self, said: &Said, whose: &Whose) -> Result<Ceremony, Trouble> {
        let (key, now) = (sha256(&[said.challenge.as_bytes()]), self.clock.monotonic());
        let found = self.keys.waiting(|w| w.take(&key, whose, now));
        found.ok_or(Trouble::KeyOver)
    }

    /// Asks for one of an account's keys, in a session of its own or before there is one.
    ///
    /// # Errors
    /// SecondFactor.
    pub(super) fn ask_for_key(
        &self,
        account: &Account,
        keys: &[SecurityKey],
        session: Option<[u8; 32]>,
        site: &Site,
    ) -> Result<Challenge, Trouble> {
        let mut allowed = AllowedCredentials::with_capacity(keys.len());
        for key in keys {
            allowed.push(described(key)?.into());
        }
        let options = NonDiscoverableCredentialRequestOptions::second_factor(&site.rp, allowed);
        let options = options.map_err(|_| Trouble::SecondFactor("none"))?;
        let (server, client) = options.start_ceremony().map_err(unreadable)?;
        let whose = Whose {
            user: account.user.clone(),
            session,
        };
        self.give(whose, Ceremony::Show(server), &client)
    }

    /// Judges what a key says, after the guess was counted.
    ///
    /// # Errors
    /// BadKey, KeyOver, SecondFactor.
    pub(super) async fn said(
        &self,
        account: &Account,
        keys: &[SecurityKey],
        said: &Said,
        session: Option<[u8; 32]>,
        (site, origin): (Option<&Site>, &str),
    ) -> Result<Proof, Trouble> {
        let site = site.ok_or(Trouble::SecondFactor("elsewhere"))?;
        let whose = Whose {
            user: account.user.clone(),
            session,
        };
        let Ceremony::Show(asked) = self.taken(said, &whose)? else {
            return Err(Trouble::KeyOver);
        };
        let json = serde_json::to_vec(&said.credential).map_err(unreadable)?;
        let read = NonDiscoverableAuthentication::<HANDLE>::from_json_relaxed(&json);
        let answer = read.map_err(|_| Trouble::BadKey)?;
        let id = answer.raw_id();
        let key = keys.iter().find(|k| k.id == *id.inner());
        let key = key.ok_or(Trouble::BadKey)?;
        let owner = handle(key.handle);
        let public = Public::decode(&key.public_key).map_err(unreadable)?;
        let known = AuthenticatedCredential::new(id, &owner, public, state(key));
        let mut known = known.map_err(unreadable)?;
        let options = AuthenticationVerificationOptions::<String, String> {
            allowed_origins: std::slice::from_ref(&site.origin),
            error_on_unsolicited_extensions: false,
            ..Default::default()
        };
        match asked.verify(&site.rp, &answer, &mut known, &options) {
            Ok(_) => {}
            Err(AuthCeremonyErr::SignatureCounter) => {
                tracing::warn!(
                    "the counter of a security key has not grown: {}",
                    account.user
                );
                self.note(&account.user, "key_counter", origin, &key.name)
                    .await;
                return Err(Trouble::BadKey);
            }
            Err(e) => {
                tracing::info!("a security key was refused: {e}");
                return Err(Trouble::BadKey);
            }
        }
        let now = known.dynamic_state();
        Ok(Proof::Key {
            id: key.id.clone(),
            sign_count: now.sign_count,
            backup: backup(now),
            at: self.clock.now(),
        })
    }
}

#[cfg(test)]
mod tests;
