//! What somebody shows besides the password, at a sign-in or again within a session, and how it is judged.

use serde::{Deserialize, Serialize};
use storage::{CodeApp, Proof, SecondFactor};

use super::http::Trouble;
use super::keys::{Challenge, Said, Site};
use super::second::{Demand, recovery, totp};
use super::{Account, Auth, Signed};

/// What somebody shows besides the password, as their page sends it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Shown {
    /// Of the code app, or a recovery code.
    code: Option<String>,
    key: Option<Said>,
}

/// What may be shown, for the page that has shown nothing.
#[derive(Debug, Serialize)]
pub(crate) struct Asked {
    app: bool,
    keys: bool,
    /// What to ask a key for; none where there are no keys, or none for the address that the page was opened at.
    key: Option<Challenge>,
}

impl Auth {
    /// What was shown besides the password, to be used up when the session begins.
    ///
    /// # Errors
    /// As [`Auth::judged`]; Store.
    pub(super) async fn proof(
        &self,
        account: &Account,
        shown: &Shown,
        at: (Option<&Site>, &str),
    ) -> Result<Proof, Trouble> {
        if self.staff.second_factor == Demand::Off {
            return Ok(Proof::None);
        }
        let factor = self.factor(account).await?;
        if !factor.is_on() {
            return Ok(Proof::None);
        }
        self.judged(account, &factor, shown, None, at).await
    }

    pub(super) async fn factor(&self, account: &Account) -> Result<SecondFactor, Trouble> {
        let found = self.accounts.second_factor(account.user.as_str()).await;
        found.map_err(Trouble::Store)
    }

    /// Counts the guess, and judges it.
    ///
    /// # Errors
    /// CodeNeeded where nothing is shown; BadCode, BadKey, KeyOver, SecondFactor, Throttled.
    async fn judged(
        &self,
        account: &Account,
        factor: &SecondFactor,
        shown: &Shown,
        session: Option<[u8; 32]>,
        at: (Option<&Site>, &str),
    ) -> Result<Proof, Trouble> {
        let code = shown.code.as_deref().map(str::trim);
        match (&shown.key, code.filter(|c| !c.is_empty())) {
            (Some(said), _) => {
                self.guess(account)?;
                self.said(account, &factor.keys, said, session, at).await
            }
            (None, Some(code)) => self.coded(account, factor.confirmed_app(), code),
            (None, None) => {
                let site = at.0.filter(|_| !factor.keys.is_empty());
                let key = site.map(|s| self.ask_for_key(account, &factor.keys, session, s));
                Err(Trouble::CodeNeeded(Box::new(Asked {
                    app: factor.confirmed_app().is_some(),
                    keys: !factor.keys.is_empty(),
                    key: key.transpose()?,
                })))
            }
        }
    }

    fn guess(&self, account: &Account) -> Result<(), Trouble> {
        let begun = self.throttle(|t, now| t.begin_code(account.user.as_str(), now));
        begun.map_err(Trouble::Throttled)
    }

    /// Counts the guess, and judges it.
    pub(super) fn coded(
        &self,
        account: &Account,
        app: Option<&CodeApp>,
        code: &str,
    ) -> Result<Proof, Trouble> {
        self.guess(account)?;
        let digits: String = code.chars().filter(|c| !c.is_whitespace()).collect();
        if digits.len() != 6 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            // Whether it is one is seen when it is used up.
            return Ok(Proof::Recovery(recovery(code)));
        }
        let app = app.ok_or(Trouble::BadCode)?;
        let now = self.clock.now().as_second();
        let now = u64::try_from(now).map_err(|_| Trouble::BadCode)?;
        let step = totp(&app.secret)?.check(&digits, now);
        step.map(Proof::Step).ok_or(Trouble::BadCode)
    }

    /// # Errors
    /// As [`Auth::judged`]; SecondFactor where there is none.
    pub(super) async fn proof_of(
        &self,
        signed: &Signed,
        factor: &SecondFactor,
        shown: &Shown,
        at: (Option<&Site>, &str),
    ) -> Result<Proof, Trouble> {
        if !factor.is_on() {
            return Err(Trouble::SecondFactor("none"));
        }
        let session = Some(signed.key);
        self.judged(&signed.account, factor, shown, session, at)
            .await
    }

    /// Has a second factor shown by whoever has one: a session alone adds no other.
    ///
    /// # Errors
    /// As [`Auth::proof_of`]; Store.
    pub(super) async fn afresh(
        &self,
        signed: &Signed,
        factor: &SecondFactor,
        shown: &Shown,
        at: (Option<&Site>, &str),
    ) -> Result<(), Trouble> {
        if !factor.is_on() {
            return Ok(());
        }
        let proof = self.proof_of(signed, factor, shown, at).await?;
        let used = proof.clone();
        let user = signed.account.user.as_str();
        let good = self.accounts.use_proof(user, proof).await;
        if !good.map_err(Trouble::Store)? {
            return Err(Trouble::spent(&used));
        }
        self.code_was_right(&signed.account);
        Ok(())
    }
}
