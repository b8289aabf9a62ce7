//! By which provider an account signs in, as an operator states it.

use std::collections::BTreeMap;

use base::Clock as _;
use contact::centre::AgentId;
use storage::Identity;

use super::{Desk, New};
use crate::auth::Provider;
use crate::cli::Failure;
use crate::runtime::say;

/// What somebody typed of one of these providers: `PROVIDER` or `PROVIDER:SUBJECT`.
///
/// # Errors
/// Which there are; that a subject is needed.
fn read(providers: &[Provider], user: &AgentId, typed: &str) -> Result<Identity, String> {
    let (id, subject) = match typed.split_once(':') {
        Some((id, subject)) => (id.trim(), Some(subject.trim().to_owned())),
        None => (typed.trim(), None),
    };
    let Some(provider) = providers.iter().find(|p| p.id == id) else {
        let ids: Vec<&str> = providers.iter().map(|p| p.id.as_str()).collect();
        return Err(format!(
            "--oidc: there is no provider «{id}» in the configuration; there are: {}",
            ids.join(", ")
        ));
    };
    if subject.as_deref() == Some("") {
        return Err(format!(
            "--oidc: {id}:SUBJECT, with the subject as the provider has it"
        ));
    }
    if subject.is_none() && provider.user_claim.is_none() {
        return Err(format!(
            "--oidc: «{id}» names no user_claim, so the subject is needed: {id}:SUBJECT"
        ));
    }
    Ok(Identity {
        user: user.as_str().to_owned(),
        issuer: provider.issuer.as_str().to_owned(),
        subject,
    })
}

impl Desk<'_> {
    /// The identities of accounts to be, each looked at before anybody is added.
    pub(super) fn identities(&self, new: &[New]) -> Result<Vec<Identity>, Failure> {
        let mut found = Vec::new();
        for one in new {
            let Some(typed) = &one.oidc else { continue };
            let identity = read(&self.setting.config.oidc, &one.user, typed)?;
            if let Some(subject) = &identity.subject {
                let other = self.accounts.identified(&identity.issuer, subject);
                if let Some(other) = self.runtime.block_on(other)? {
                    return Err(format!("{}: --oidc: that subject is {other}", one.user).into());
                }
            }
            found.push(identity);
        }
        Ok(found)
    }

    pub(super) fn put_identity(&self, identity: Identity) -> Result<(), Failure> {
        let user = identity.user.clone();
        let put = self
            .accounts
            .set_identity(identity, self.setting.clock.now());
        self.runtime.block_on(put).map_err(|e| match e {
            storage::Error::Taken(_) => format!("{user}: --oidc: another account is that subject"),
            e => format!("{user}: {e}"),
        })?;
        self.note("set_identity", &user)
    }

    /// As it was typed; `none` takes it away.
    pub(super) fn set_identity(&self, user: &AgentId, typed: &str) -> Result<(), Failure> {
        if typed != "none" {
            let identity = read(&self.setting.config.oidc, user, typed)?;
            return self.put_identity(identity);
        }
        let removed = self.accounts.remove_identity(user.as_str());
        if self.runtime.block_on(removed)? {
            self.note("remove_identity", user.as_str())?;
        }
        Ok(())
    }

    /// Takes an account's password away.
    pub(super) fn take_password(&self, user: &AgentId) -> Result<(), Failure> {
        let all = self.runtime.block_on(self.accounts.identities())?;
        if !all.iter().any(|i| i.user == user.as_str()) {
            let first = format!("borgerlinje user set {user} --oidc PROVIDER");
            return Err(format!("{user} could not sign in at all: first `{first}`").into());
        }
        let now = self.setting.clock.now();
        let taken = self
            .accounts
            .set_password(user.as_str(), String::new(), now);
        self.runtime.block_on(taken)?;
        self.note("remove_password", user.as_str())?;
        say(&format!("{user} signs in by the provider alone"))?;
        Ok(())
    }

    /// Of each account that has one its identity, as [`read`] reads it; of a provider that is not set up any more its
    /// issuer.
    pub(super) fn by_provider(&self) -> Result<BTreeMap<String, String>, Failure> {
        let all = self.runtime.block_on(self.accounts.identities())?;
        let providers = &self.setting.config.oidc;
        let named = |i: Identity| {
            let found = providers.iter().find(|p| p.issuer.as_str() == i.issuer);
            let by = found.map_or(i.issuer.as_str(), |p| p.id.as_str());
            let by = match &i.subject {
                Some(subject) => format!("{by}:{subject}"),
                None => by.to_owned(),
            };
            (i.user, by)
        };
        Ok(all.into_iter().map(named).collect())
    }
}
