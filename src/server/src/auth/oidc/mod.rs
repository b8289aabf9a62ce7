//! Sign-in by a provider of others: OpenID Connect, the authorization code flow with PKCE, state and nonce.
//!
//! Invariants:
//! - A provider says who somebody is and never what they may: it lets in accounts that an operator opened for it, with
//!   the roles and municipalities that stand here.
//! - Who somebody is is the issuer and the subject. A user name claim counts once, where the operator has named it, for
//!   an account that waits; an e-mail address only where the provider has verified it.
//! - What was begun is good once, for ten minutes, in the browser that began it.
//! - After it a browser is sent to our own desk or studio and nowhere else.

mod provider;
mod routes;
mod waiting;

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use openidconnect::{ClientId, ClientSecret, IssuerUrl};
use serde::Deserialize;
use storage::{Identity, Proof};
use url::Url;

pub(crate) use self::routes::{begin, code, providers, returned};

use self::provider::{Connected, Who};
use self::waiting::Waiting;
use super::http::Trouble;
use super::keys::Site;
use super::shown::Shown;
use super::{ABSOLUTE, Account, Auth, Signed, user_name};
use crate::web::Caller;

/// A provider as the operator has set it up: `[[oidc]]` in docs/operations.md.
#[derive(Clone, Debug)]
pub(crate) struct Provider {
    /// Names it in addresses, in commands and in the audit.
    pub id: String,
    /// What the button says it is.
    pub name: String,
    /// As the provider itself writes it.
    pub issuer: IssuerUrl,
    pub client_id: ClientId,
    /// Never shown: the type's `Debug` hides it.
    pub secret: ClientSecret,
    /// Asked for besides `openid`.
    pub scopes: Vec<String>,
    /// The claim that an account which waits is known by at its first sign-in; None: by its subject alone.
    pub user_claim: Option<String>,
    pub second_factor: Vouching,
    /// Of `amr` or `acr`: one of these must be there for the provider's second factor to count. Empty: it counts always.
    pub second_factor_values: BTreeSet<String>,
    pub sign_out: SignOut,
}

/// Where somebody signs out who signed in by a provider.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SignOut {
    /// Here alone: the provider's session is for other programs too.
    #[default]
    Here,
    /// At the provider as well (OpenID Connect RP-Initiated Logout 1.0), where it has an address for that.
    Provider,
}

/// Whose second factor it is that somebody shows who signs in by a provider.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Vouching {
    /// Ours, as after a password.
    #[default]
    Own,
    /// The provider's.
    Provider,
}

/// The providers, and who is on the way.
pub(super) struct Oidc {
    providers: Vec<Connected>,
    waiting: Mutex<Waiting>,
    /// By which provider sessions began that end there too, and when: sessions of this run of the program alone.
    begun: Mutex<HashMap<[u8; 32], (String, Duration)>>,
    caller: Caller,
}

impl Oidc {
    pub(super) fn new(providers: Vec<Provider>) -> Self {
        Self {
            providers: providers.into_iter().map(Connected::new).collect(),
            waiting: Mutex::default(),
            begun: Mutex::default(),
            caller: Caller::new(),
        }
    }

    fn find(&self, id: &str) -> Option<&Connected> {
        self.providers.iter().find(|p| p.provider.id == id)
    }

    fn waiting<T>(&self, used: impl FnOnce(&mut Waiting) -> T) -> T {
        used(&mut self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Auth {
    fn began(&self, provider: &str, session: [u8; 32]) {
        let there = self.oidc.find(provider);
        if there.is_none_or(|p| p.provider.sign_out == SignOut::Here) {
            return;
        }
        let now = self.clock.monotonic();
        let begun = self.oidc.begun.lock();
        let mut begun = begun.unwrap_or_else(PoisonError::into_inner);
        // No session is older.
        begun.retain(|_, (_, at)| now.saturating_sub(*at) < ABSOLUTE);
        begun.insert(session, (provider.to_owned(), now));
    }

    /// Where the browser of a session that has ended goes to end the provider's too; None: nowhere.
    pub(super) async fn sign_out_at(&self, session: [u8; 32]) -> Option<Url> {
        let begun = self.oidc.begun.lock();
        let begun = begun
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&session);
        let provider = self.oidc.find(&begun?.0)?;
        provider.sign_out(&self.oidc.caller, &*self.clock).await
    }
}

/// Why a sign-in by a provider came to nothing, as the sign-in page has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// The provider does not answer.
    Away,
    /// Begun too long ago, in another browser, or used before.
    Over,
    /// The provider, or who sits before it, said no.
    Denied,
    /// What the provider sent does not hold.
    Failed,
    /// Nobody has opened an account for them.
    Unknown,
    /// A code of ours is asked for too.
    Code,
    /// More are on the way than are kept in mind.
    Busy,
    /// Our own store.
    Unavailable,
}

impl Fault {
    fn code(self) -> &'static str {
        match self {
            Self::Away => "away",
            Self::Over => "over",
            Self::Denied => "denied",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Code => "code",
            Self::Busy => "busy",
            Self::Unavailable => "unavailable",
        }
    }
}

impl From<storage::Error> for Fault {
    fn from(e: storage::Error) -> Self {
        tracing::error!("the accounts: {e}");
        Self::Unavailable
    }
}

impl Auth {
    /// The account that somebody is; one that waits for them is bound.
    async fn identified(
        &self,
        provider: &Provider,
        who: &Who,
        from: IpAddr,
    ) -> Result<Option<Arc<Account>>, storage::Error> {
        self.look().await?;
        let issuer = provider.issuer.as_str();
        if let Some(user) = self.accounts.identified(issuer, &who.subject).await? {
            return Ok(user.parse().ok().and_then(|user| self.account(&user)));
        }
        let named = who.user.as_deref().and_then(|name| user_name(name).ok());
        let Some(account) = named.and_then(|user| self.account(&user)) else {
            return Ok(None);
        };
        let identity = Identity {
            user: account.user.as_str().to_owned(),
            issuer: issuer.to_owned(),
            subject: Some(who.subject.clone()),
        };
        if !self.accounts.bind(identity, self.clock.now()).await? {
            return Ok(None);
        }
        let (user, from) = (&account.user, from.to_string());
        self.note(user, "bind_identity", &from, &provider.id).await;
        Ok(Some(account))
    }

    /// Begins a session for whom a provider has named, with our own second factor where its does not count.
    ///
    /// # Errors
    /// As [`Auth::proof`]; SignInOver where the account is another by now.
    async fn sign_in_by(
        &self,
        provider: &str,
        account: Arc<Account>,
        vouched: bool,
        shown: &Shown,
        (site, from): (Option<&Site>, IpAddr),
    ) -> Result<(String, Signed), Trouble> {
        let proof = if vouched {
            Proof::Provider
        } else {
            let origin = from.to_string();
            self.proof(&account, shown, (site, &origin)).await?
        };
        let used = proof.clone();
        let by = format!("oidc {provider}");
        let begun = self.enter(account, proof, &by, from).await?;
        let begun = begun.ok_or_else(|| match used {
            Proof::None | Proof::Provider => Trouble::SignInOver,
            used => Trouble::spent(&used),
        })?;
        self.began(provider, begun.1.key);
        Ok(begun)
    }
}

#[cfg(test)]
mod tests;
