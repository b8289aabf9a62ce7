//! Who may use the pages of staff: accounts, sessions, and what keeps strangers out.
//!
//! Invariants:
//! - A password is known to nobody: Argon2id over it is stored, and of a session's token SHA-256.
//! - A session ends after 8 hours without use, after 12 in any case, by signing out, and at once when the
//!   password or the roles change or the account goes.
//! - An unknown name, a removed account and a wrong password get the same answer after the same time.
//! - A provider of others lets in whom an operator has opened an account for, and gives no rights: [`oidc`].
//! - Nothing is done for a request that no page of ours made, or without the session's own word for it.

mod account;
mod gate;
mod http;
mod keys;
mod oidc;
mod origin;
mod password;
mod profiles;
pub(crate) mod rights;
mod second;
mod sessions;
mod shown;
mod throttle;

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::HeaderMap;
use axum::http::header::COOKIE;
use base::{Clock, Secret, hex};
use contact::centre::AgentId;
use sha2::{Digest as _, Sha256};
use storage::{Accounts, AuditLine, NewSession, Proof};
use tokio::sync::watch;

pub(crate) use self::account::{Account, Details, Role, allowed, list, user_name};
pub(crate) use self::gate::{Address, Routes};
pub(crate) use self::http::{Trouble, begin, current, end};
pub(crate) use self::keys::{begin_key, challenge, confirm_key, name_key, remove_key};
pub(crate) use self::oidc::{
    Provider, SignOut, Vouching, begin as begin_oidc, code as oidc_code, providers, returned,
};
pub(crate) use self::origin::{Origins, public_origin};
pub(crate) use self::password::{check as check_password, hash as hash_password};
pub(crate) use self::profiles::keep_told;
pub(crate) use self::second::Staff;
pub(crate) use self::sessions::{
    begin_second, confirm_second, end_one, list as sessions, new_recovery, remove_second, second,
};
pub(crate) use self::throttle::{Network, network};

use self::account::Known;
use self::keys::{Keys, Site};
use self::oidc::Oidc;
use self::password::Checker;
use self::shown::Shown;
use self::throttle::Throttle;

/// The file in the data folder.
pub(crate) const FILE: &str = "accounts.sqlite";
/// `__Host-`: a browser takes it only with `Secure`, for this very host, and so from nobody else.
const COOKIE_NAME: &str = "__Host-borgerlinje";
const IDLE: Duration = Duration::from_secs(8 * 3600);
const ABSOLUTE: Duration = Duration::from_secs(12 * 3600);
/// Uses of a session that are closer together are not noted again.
const TOUCH_AFTER: Duration = Duration::from_secs(60);
/// How soon a change by another process is seen.
const LOOK_AFTER: Duration = Duration::from_secs(1);
const TIDY_AFTER: Duration = Duration::from_secs(600);

/// The accounts as the running service uses them.
pub(crate) struct Auth {
    pub(crate) accounts: Accounts,
    clock: Arc<dyn Clock>,
    origins: Origins,
    staff: Staff,
    oidc: Oidc,
    keys: Keys,
    known: watch::Sender<Arc<Known>>,
    /// Counts what may have ended a session.
    changes: watch::Sender<u64>,
    /// The version of the accounts that `known` was read at.
    seen: tokio::sync::Mutex<Option<i64>>,
    throttle: Mutex<Throttle>,
    checker: Checker,
}

/// A session that is going on.
#[derive(Clone, Debug)]
pub(crate) struct Signed {
    pub account: Arc<Account>,
    /// What every request but a reading one carries as well.
    pub csrf: String,
    /// Whether a second factor was shown.
    second: bool,
    key: [u8; 32],
    /// For how long it may go on, as of when it was looked up.
    left: Duration,
}

/// Why nobody is signed in.
#[derive(Debug)]
pub(crate) enum Denied {
    /// Not, or not any more.
    SignedOut,
    Store(storage::Error),
}

impl From<storage::Error> for Denied {
    fn from(e: storage::Error) -> Self {
        Self::Store(e)
    }
}

impl Auth {
    /// Reads the accounts.
    ///
    /// # Errors
    /// As [`Accounts::list`].
    pub(crate) async fn new(
        accounts: Accounts,
        clock: Arc<dyn Clock>,
        origins: Origins,
        staff: Staff,
        providers: Vec<Provider>,
    ) -> Result<Arc<Self>, storage::Error> {
        let known = Known::new(accounts.list().await?);
        // A refusal must not take longer the first time than the second.
        let _ = tokio::task::spawn_blocking(password::prepare).await;
        Ok(Arc::new(Self {
            accounts,
            clock,
            origins,
            staff,
            oidc: Oidc::new(providers),
            keys: Keys::default(),
            known: watch::Sender::new(Arc::new(known)),
            changes: watch::Sender::new(0),
            seen: tokio::sync::Mutex::default(),
            throttle: Mutex::default(),
            checker: Checker::new(),
        }))
    }

    /// Hears of what commands of the operator change, and lets old sessions go. Does not end.
    pub(crate) async fn keep_up(self: Arc<Self>) {
        let mut tidied = None;
        loop {
            match self.look().await {
                Ok(()) => {}
                Err(storage::Error::Closed) => return,
                Err(e) => tracing::warn!("the accounts cannot be read: {e}"),
            }
            let now = self.clock.monotonic();
            if tidied.is_none_or(|t| now.saturating_sub(t) > TIDY_AFTER) {
                tidied = Some(now);
                let now = self.clock.now();
                let ended = self.accounts.end_old_sessions(now - ABSOLUTE, now - IDLE);
                if let Err(e) = ended.await {
                    tracing::warn!("old sessions are not ended: {e}");
                }
            }
            tokio::time::sleep(LOOK_AFTER).await;
        }
    }

    /// Reads the accounts again if another process changed them.
    async fn look(&self) -> Result<(), storage::Error> {
        let mut seen = self.seen.lock().await;
        let version = self.accounts.version().await?;
        if *seen == Some(version) {
            return Ok(());
        }
        let known = Arc::new(Known::new(self.accounts.list().await?));
        *seen = Some(version);
        self.known.send_if_modified(|now| {
            let other = *now != known;
            *now = known;
            other
        });
        self.changes.send_modify(|n| *n += 1);
        Ok(())
    }

    /// Changes whenever a session may have ended, or an account is another: then [`Auth::still`] tells.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    pub(crate) fn account(&self, user: &AgentId) -> Option<Arc<Account>> {
        self.known.borrow().accounts.get(user).cloned()
    }

    pub(crate) fn origins(&self) -> &Origins {
        &self.origins
    }

    /// Counts what is tried, with the time.
    fn throttle<T>(&self, counted: impl FnOnce(&mut Throttle, Duration) -> T) -> T {
        let mut throttle = self.throttle.lock().unwrap_or_else(PoisonError::into_inner);
        counted(&mut throttle, self.clock.monotonic())
    }

    /// Begins a session for whoever knows the password, and shows a second factor where the account has one; the token
    /// for the cookie, and the session.
    ///
    /// # Errors
    /// [`Trouble`].
    async fn sign_in(
        &self,
        typed: &str,
        password: String,
        shown: &Shown,
        (site, from): (Option<&Site>, IpAddr),
    ) -> Result<(String, Signed), Trouble> {
        let user = user_name(typed).ok();
        let name = user.as_ref().map_or("", |u| u.as_str());
        let attempt = self.throttle(|t, now| t.begin(name, from, now));
        let attempt = attempt.map_err(Trouble::Throttled)?;
        // An account made a moment ago can be used at once.
        self.look().await.map_err(Trouble::Store)?;
        let account = user.and_then(|u| self.account(&u));
        // One without a password is to a guesser as one that does not exist.
        let stored = account.as_ref().map(|a| a.password.clone());
        let stored = stored.filter(|p| !p.is_empty());
        let right = self.checker.is(password, stored).await;
        let right = right.map_err(|password::Busy| Trouble::Throttled(Duration::from_secs(2)))?;
        let Some(account) = account.filter(|_| right) else {
            tracing::info!(%from, "a sign-in was refused");
            return Err(Trouble::BadCredentials);
        };
        let origin = from.to_string();
        let proof = self.proof(&account, shown, (site, &origin)).await;
        if matches!(proof, Err(Trouble::CodeNeeded(_))) {
            // Half a sign-in is held against nobody; guesses at codes have a count of their own.
            self.throttle(|t, _| t.succeeded(&attempt));
        }
        let proof = proof?;
        let used = proof.clone();
        let begun = self.enter(account, proof, "", from).await?;
        let Some((token, signed)) = begun else {
            return Err(match used {
                Proof::None => Trouble::BadCredentials,
                used => Trouble::spent(&used),
            });
        };
        self.throttle(|t, _| t.succeeded(&attempt));
        Ok((token, signed))
    }

    /// Begins a session for whoever has shown who they are; `by` is what they have shown it by, for the audit, where
    /// it is no password. None where the account has changed since, or the proof was used before.
    ///
    /// # Errors
    /// Store.
    async fn enter(
        &self,
        account: Arc<Account>,
        proof: Proof,
        by: &str,
        from: IpAddr,
    ) -> Result<Option<(String, Signed)>, Trouble> {
        let token = format!("{}{}", Secret::random().as_str(), Secret::random().as_str());
        let signed = signed(&token, account, proof != Proof::None, ABSOLUTE);
        let account = &signed.account;
        let shown = !matches!(proof, Proof::None | Proof::Provider);
        let how = match proof {
            Proof::None => "",
            Proof::Step(_) => "code",
            Proof::Recovery(_) => "recovery_code",
            Proof::Key { .. } => "key",
            Proof::Provider => "its own second factor",
        };
        let how = [by, how].into_iter().filter(|h| !h.is_empty());
        let how = how.collect::<Vec<_>>().join(", ");
        let new = NewSession {
            sha256: signed.key,
            user: account.user.as_str().to_owned(),
            password: account.password.clone(),
            proof,
            origin: from.to_string(),
        };
        let begun = self.accounts.begin_session(new, self.clock.now()).await;
        if !begun.map_err(Trouble::Store)? {
            tracing::info!(%from, "a sign-in was refused");
            return Ok(None);
        }
        if shown {
            self.code_was_right(account);
        }
        let from = from.to_string();
        self.note(&account.user, "sign_in", &from, &how).await;
        Ok(Some((token, signed)))
    }

    /// The session that a request belongs to; it counts as used.
    ///
    /// # Errors
    /// [`Denied`].
    pub(crate) async fn session(&self, headers: &HeaderMap) -> Result<Signed, Denied> {
        let token = cookie(headers).ok_or(Denied::SignedOut)?;
        let key = sha256(&[token.as_bytes()]);
        let (account, second, left) = self.look_up(key, true).await?;
        Ok(signed(token, account, second, left))
    }

    /// The session as it is now: the account may have other rights. `used` says whether this is a use of it.
    ///
    /// # Errors
    /// [`Denied`].
    pub(crate) async fn still(&self, session: &Signed, used: bool) -> Result<Signed, Denied> {
        let (account, second, left) = self.look_up(session.key, used).await?;
        Ok(Signed {
            account,
            second,
            left,
            ..session.clone()
        })
    }

    async fn look_up(
        &self,
        key: [u8; 32],
        used: bool,
    ) -> Result<(Arc<Account>, bool, Duration), Denied> {
        let row = self.accounts.session(key).await?.ok_or(Denied::SignedOut)?;
        let now = self.clock.now();
        let ended = !goes_on(&row, now);
        let account = row.user.parse().ok().and_then(|u| self.account(&u));
        let Some(account) = account.filter(|_| !ended) else {
            self.accounts.end_session(key).await?;
            return Err(Denied::SignedOut);
        };
        if used && now > row.seen + TOUCH_AFTER {
            self.accounts.touch_session(key, now).await?;
        }
        let left = (row.created + ABSOLUTE).duration_since(now);
        Ok((account, row.second, left.try_into().unwrap_or_default()))
    }

    /// Ends a session.
    ///
    /// # Errors
    /// As [`Accounts::end_session`].
    async fn sign_out(&self, session: &Signed, from: IpAddr) -> Result<(), storage::Error> {
        self.accounts.end_session(session.key).await?;
        self.changes.send_modify(|n| *n += 1);
        let user = &session.account.user;
        self.note(user, "sign_out", &from.to_string(), "").await;
        Ok(())
    }

    /// The sessions of an account that go on, newest first.
    async fn sessions_of(
        &self,
        account: &Account,
        now: jiff::Timestamp,
    ) -> Result<Vec<storage::Session>, Trouble> {
        let found = self.accounts.sessions_of(account.user.as_str()).await;
        let mut found = found.map_err(Trouble::Store)?;
        found.retain(|s| goes_on(s, now));
        Ok(found)
    }

    /// Ends a session of the same account.
    async fn end_other(&self, signed: &Signed, key: [u8; 32], from: IpAddr) -> Result<(), Trouble> {
        let ended = self.accounts.end_session(key).await;
        ended.map_err(Trouble::Store)?;
        self.changes.send_modify(|n| *n += 1);
        let (user, from) = (&signed.account.user, from.to_string());
        self.note(user, "end_session", &from, "").await;
        Ok(())
    }

    /// Writes a line of the audit. One that cannot be written is in the program's own log.
    /// Names of files and of drafts stand in it: no number of a person's.
    pub(crate) async fn note(&self, user: &AgentId, what: &str, origin: &str, detail: &str) {
        let detail = base::redact(detail).text;
        let line = AuditLine {
            at: self.clock.now(),
            user: user.as_str().to_owned(),
            what: what.to_owned(),
            origin: origin.to_owned(),
            detail: detail.clone(),
        };
        if let Err(e) = self.accounts.audit(line).await {
            tracing::error!("not in the audit ({e}): {user} {what} {detail}");
        }
    }

    /// The address of whoever made a request; None when a proxy on an internal network may speak for many and is not
    /// named.
    pub(crate) fn client(&self, peer: SocketAddr, headers: &HeaderMap) -> Option<IpAddr> {
        self.origins.client(peer, headers)
    }

    /// The address of whoever made a request.
    pub(crate) fn address(&self, peer: SocketAddr, headers: &HeaderMap) -> IpAddr {
        self.origins.address(peer, headers)
    }
}

fn goes_on(session: &storage::Session, now: jiff::Timestamp) -> bool {
    now <= session.created + ABSOLUTE && now <= session.seen + IDLE
}

fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut h = Sha256::new();
    parts.iter().for_each(|p| h.update(p));
    h.finalize().into()
}

fn signed(token: &str, account: Arc<Account>, second: bool, left: Duration) -> Signed {
    // Only who has the cookie can make it, and it gives nothing of the cookie away.
    let csrf = sha256(&[b"csrf ", token.as_bytes()]);
    let csrf = hex(&csrf[..16]);
    Signed {
        account,
        csrf,
        second,
        key: sha256(&[token.as_bytes()]),
        left,
    }
}

impl Signed {
    /// Whether a page showed that it could read the session, as no page of others can.
    pub(crate) fn vouches(&self, csrf: &str) -> bool {
        same(&self.csrf, csrf)
    }
}

/// Whether two texts are the same, after a time that does not say how far they are.
fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    a.len() == b.len() && a.iter().zip(b).fold(0, |acc, (x, y)| acc | (x ^ y)) == 0
}

/// The value of the session's cookie.
fn cookie(headers: &HeaderMap) -> Option<&str> {
    cookie_named(headers, COOKIE_NAME)
}

fn cookie_named<'h>(headers: &'h HeaderMap, wanted: &str) -> Option<&'h str> {
    let all = headers.get_all(COOKIE).iter();
    all.filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| (name == wanted).then_some(value))
}

#[cfg(test)]
mod tests;
