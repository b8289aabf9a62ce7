//! What somebody does about their own keys: adds one, names it, takes it away.

use storage::{KeyAdded, SecurityKey};
use webauthn_rp::bin::Encode as _;
use webauthn_rp::request::register::{
    Nickname, PublicKeyCredentialUserEntity, RegistrationVerificationOptions, UserHandle, Username,
};
use webauthn_rp::{PublicKeyCredentialCreationOptions, Registration};

use super::waiting::{Ceremony, Whose};
use super::{Challenge, HANDLE, Said, Site, backup, described, handle, named_by, unreadable};
use crate::auth::http::Trouble;
use crate::auth::second::{Demand, recovery_codes};
use crate::auth::shown::Shown;
use crate::auth::{Account, Auth, Signed};

/// Characters of a name.
pub(super) const NAME: usize = 60;

pub(super) fn name(typed: &str) -> Result<String, Trouble> {
    let words: Vec<&str> = typed.split_whitespace().collect();
    let name = base::redact(&words.join(" ")).text;
    if (1..=NAME).contains(&name.chars().count()) {
        Ok(name)
    } else {
        let long = "Giv nøglen et navn på højst 60 tegn.";
        Err(Trouble::BadRequest(long))
    }
}

impl Auth {
    /// Asks for a key to be added. Whoever has a second factor shows it first.
    ///
    /// # Errors
    /// As [`Auth::afresh`]; SecondFactor.
    pub(super) async fn begin_key(
        &self,
        signed: &Signed,
        shown: &Shown,
        (site, origin): (Option<&Site>, &str),
    ) -> Result<Challenge, Trouble> {
        if self.staff.second_factor == Demand::Off {
            return Err(Trouble::SecondFactor("off"));
        }
        let at = site.ok_or(Trouble::SecondFactor("elsewhere"))?;
        let account = &signed.account;
        let factor = self.factor(account).await?;
        self.afresh(signed, &factor, shown, (site, origin)).await?;
        let others = factor.keys.iter().map(described);
        let others = others.collect::<Result<Vec<_>, _>>()?;
        let owner = match factor.keys.first() {
            Some(key) => handle(key.handle),
            None => UserHandle::<HANDLE>::new(),
        };
        let called = account.user.as_str();
        let called = Username::try_from(called).or_else(|_| Username::try_from("bruger"));
        let user = PublicKeyCredentialUserEntity {
            name: called.map_err(unreadable)?,
            id: &owner,
            display_name: Nickname::try_from(account.details.name.as_str()).ok(),
        };
        let options = PublicKeyCredentialCreationOptions::second_factor(&at.rp, user, others);
        let (server, client) = options.start_ceremony().map_err(unreadable)?;
        let whose = Whose {
            user: account.user.clone(),
            session: Some(signed.key),
        };
        let ceremony = Ceremony::Add {
            state: Box::new(server),
            first: !factor.is_on(),
        };
        self.give(whose, ceremony, &client)
    }

    /// Adds the key that was asked for; recovery codes, where it is the account's first second factor.
    ///
    /// # Errors
    /// BadKey, KeyOver, SecondFactor, BadRequest, Store.
    pub(super) async fn add_key(
        &self,
        signed: &Signed,
        said: &Said,
        called: &str,
        (site, origin): (Option<&Site>, &str),
    ) -> Result<Vec<String>, Trouble> {
        let name = name(called)?;
        let site = site.ok_or(Trouble::SecondFactor("elsewhere"))?;
        let account = &signed.account;
        let whose = Whose {
            user: account.user.clone(),
            session: Some(signed.key),
        };
        let Ceremony::Add { state, first } = self.taken(said, &whose)? else {
            return Err(Trouble::KeyOver);
        };
        if first && self.factor(account).await?.is_on() {
            // Begun before there was one to show.
            return Err(Trouble::KeyOver);
        }
        let json = serde_json::to_vec(&said.credential).map_err(unreadable)?;
        let answer = Registration::from_json_relaxed(&json).map_err(|_| Trouble::BadKey)?;
        let options = RegistrationVerificationOptions::<String, String> {
            allowed_origins: std::slice::from_ref(&site.origin),
            error_on_unsolicited_extensions: false,
            ..Default::default()
        };
        let added = state.verify(&site.rp, &answer, &options).map_err(|e| {
            tracing::info!("a security key was not added: {e}");
            Trouble::BadKey
        })?;
        let (id, transports, owner, public, state, _) = added.into_parts();
        let Ok(public_key) = public.encode();
        let Ok(transports) = transports.encode();
        let Ok(handle) = owner.encode();
        let key = SecurityKey {
            id: id.inner().to_vec(),
            name: name.clone(),
            handle,
            public_key,
            transports,
            backup: backup(state),
            verified: state.user_verified,
            sign_count: state.sign_count,
            added: self.clock.now(),
            used: None,
        };
        let (codes, stored) = recovery_codes();
        let user = account.user.as_str();
        let kept = self.accounts.add_key(user, key, stored, signed.key).await;
        let codes = match kept.map_err(Trouble::Store)? {
            KeyAdded::First => codes,
            KeyAdded::Another => Vec::new(),
            KeyAdded::Taken => return Err(Trouble::SecondFactor("taken")),
            KeyAdded::Full => return Err(Trouble::SecondFactor("full")),
        };
        self.changes.send_modify(|n| *n += 1);
        self.note(&account.user, "add_key", origin, &name).await;
        Ok(codes)
    }

    async fn own_key(&self, account: &Account, id: &str) -> Result<SecurityKey, Trouble> {
        let keys = self.factor(account).await?.keys;
        let found = keys.into_iter().find(|k| named_by(k) == id);
        found.ok_or(Trouble::SecondFactor("gone"))
    }

    /// # Errors
    /// BadRequest, SecondFactor, Store.
    pub(super) async fn name_key(
        &self,
        signed: &Signed,
        id: &str,
        called: &str,
        origin: &str,
    ) -> Result<(), Trouble> {
        let name = name(called)?;
        let account = &signed.account;
        let key = self.own_key(account, id).await?;
        let told = format!("{}: {name}", key.name);
        let user = account.user.as_str();
        let named = self.accounts.name_key(user, key.id, name).await;
        if !named.map_err(Trouble::Store)? {
            return Err(Trouble::SecondFactor("gone"));
        }
        self.note(&account.user, "rename_key", origin, &told).await;
        Ok(())
    }

    /// Takes a key away for whoever shows a second factor; the account's other sessions end. The last factor stays where
    /// one is demanded.
    ///
    /// # Errors
    /// As [`Auth::proof_of`].
    pub(super) async fn remove_key(
        &self,
        signed: &Signed,
        id: &str,
        shown: &Shown,
        at: (Option<&Site>, &str),
    ) -> Result<(), Trouble> {
        let account = &signed.account;
        let key = self.own_key(account, id).await?;
        let factor = self.factor(account).await?;
        let last = factor.keys.len() == 1 && factor.confirmed_app().is_none();
        if last && self.staff.demands(account) {
            return Err(Trouble::SecondFactor("required"));
        }
        let proof = self.proof_of(signed, &factor, shown, at).await?;
        let used = proof.clone();
        let user = account.user.as_str();
        let gone = self.accounts.remove_key(user, key.id, proof, signed.key);
        if !gone.await.map_err(Trouble::Store)? {
            return Err(Trouble::spent(&used));
        }
        self.code_was_right(account);
        self.changes.send_modify(|n| *n += 1);
        self.note(&account.user, "remove_key", at.1, &key.name)
            .await;
        Ok(())
    }
}
