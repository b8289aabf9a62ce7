//! The second factor: codes of a code app, by RFC 6238 as every app reads it (SHA-1, six digits, 30 seconds), security
//! keys ([`super::keys`]), and recovery codes for whoever loses them.
//!
//! A code is good for its step of 30 seconds and the one on either side, once, and none before it after it. Guesses at
//! an account's codes and keys are counted wherever they come from: whoever guesses knows the password already.

use std::collections::BTreeSet;

use base::Secret;
use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};
use serde::{Deserialize, Serialize};
use storage::{Proof, SecondFactor};
use totp_rs::{Builder, Totp};

use super::account::{Account, Role};
use super::http::Trouble;
use super::keys::Site;
use super::shown::Shown;
use super::{Auth, Signed, sha256};

/// Recovery codes that an account gets.
const RECOVERY_CODES: usize = 10;
/// Bytes of a secret, as RFC 4226 recommends.
const SECRET_BYTES: usize = 20;
/// What code apps show beside the account.
const ISSUER: &str = "Borgerlinje";

/// Who must show a second factor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Demand {
    /// Nobody, and nobody can set one up.
    Off,
    /// Whoever has set one up.
    #[default]
    Optional,
    /// Everybody; who has none sets one up before anything else.
    Required,
}

/// `[staff]` in the configuration, docs/operations.md.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Staff {
    pub second_factor: Demand,
    /// Of whom `required` holds; of nobody else then more than `optional`. Empty: of everybody.
    pub second_factor_roles: BTreeSet<Role>,
}

impl Staff {
    /// Whether an account must show one.
    pub(super) fn demands(&self, account: &Account) -> bool {
        let roles = &self.second_factor_roles;
        self.second_factor == Demand::Required
            && (roles.is_empty() || roles.iter().any(|r| account.is(*r)))
    }
}

/// How it stands with an account's second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Standing {
    /// There is none at this service.
    Off,
    /// It may be set up.
    None,
    On,
    /// It must be set up before anything else.
    Needed,
}

/// A secret that is to be confirmed, for the code app.
#[derive(Serialize)]
pub(super) struct Offered {
    /// Base32 in groups of four, to be typed.
    key: String,
    /// The same as a picture, SVG without its XML declaration.
    qr: String,
}

pub(super) fn totp(secret: &[u8]) -> Result<Totp, Trouble> {
    let built = Builder::new().with_secret(secret.to_vec()).build();
    built.map_err(|e| {
        tracing::error!("a second factor cannot be read: {e}");
        Trouble::SecondFactor("unavailable")
    })
}

/// A recovery code as it is stored: without what people put between its letters.
pub(super) fn recovery(typed: &str) -> [u8; 32] {
    let plain = typed.chars().filter(char::is_ascii_alphanumeric);
    let plain: String = plain.map(|c| c.to_ascii_lowercase()).collect();
    sha256(&[b"recovery ", plain.as_bytes()])
}

/// New recovery codes: to be shown, and to be stored.
pub(super) fn recovery_codes() -> (Vec<String>, Vec<[u8; 32]>) {
    let codes: Vec<String> = (0..RECOVERY_CODES).map(|_| recovery_code()).collect();
    let stored = codes.iter().map(|c| recovery(c)).collect();
    (codes, stored)
}

/// 130 random bits in groups that can be read aloud.
fn recovery_code() -> String {
    let secret = Secret::random();
    let letters: Vec<char> = secret.as_str().chars().collect();
    let groups = letters.chunks(5).map(|g| g.iter().collect::<String>());
    groups.collect::<Vec<_>>().join("-")
}

impl Auth {
    /// The code was right: no guess is held against the account.
    pub(super) fn code_was_right(&self, account: &Account) {
        self.throttle(|t, _| t.code_succeeded(account.user.as_str()));
    }

    /// Whether a session may do nothing but set up the second factor that is demanded of it.
    pub(super) fn lacks_second(&self, signed: &Signed) -> bool {
        !signed.second && self.staff.demands(&signed.account)
    }

    pub(super) async fn standing(
        &self,
        signed: &Signed,
    ) -> Result<(Standing, SecondFactor), Trouble> {
        if self.staff.second_factor == Demand::Off {
            return Ok((Standing::Off, SecondFactor::default()));
        }
        let factor = self.factor(&signed.account).await?;
        let standing = if factor.is_on() {
            Standing::On
        } else if self.lacks_second(signed) {
            Standing::Needed
        } else {
            Standing::None
        };
        Ok((standing, factor))
    }

    /// A new secret, to be confirmed with a code of it. Whoever has a key shows it first.
    ///
    /// # Errors
    /// SecondFactor where there is an app, or none may be; as [`Auth::afresh`].
    pub(super) async fn offer(
        &self,
        signed: &Signed,
        shown: &Shown,
        at: (Option<&Site>, &str),
    ) -> Result<Offered, Trouble> {
        if self.staff.second_factor == Demand::Off {
            return Err(Trouble::SecondFactor("off"));
        }
        let factor = self.factor(&signed.account).await?;
        if factor.confirmed_app().is_some() {
            return Err(Trouble::SecondFactor("on"));
        }
        self.afresh(signed, &factor, shown, at).await?;
        let mut secret = [0_u8; SECRET_BYTES];
        getrandom::fill(&mut secret).map_err(|e| {
            tracing::error!("the system gives no random numbers: {e}");
            Trouble::SecondFactor("unavailable")
        })?;
        let user = signed.account.user.as_str();
        let kept = self.accounts.enrol(user, secret.to_vec()).await;
        if !kept.map_err(Trouble::Store)? {
            return Err(Trouble::SecondFactor("on"));
        }
        let key = totp_rs::Secret::from(secret.to_vec()).to_base32();
        let uri = format!("otpauth://totp/{ISSUER}:{user}?secret={key}&issuer={ISSUER}");
        let qr = QrCode::with_error_correction_level(uri, EcLevel::M).map_err(|e| {
            tracing::error!("a picture of a second factor: {e}");
            Trouble::SecondFactor("unavailable")
        })?;
        let drawn = qr
            .render::<svg::Color<'_>>()
            .min_dimensions(220, 220)
            .build();
        let (_, picture) = drawn.split_once("?>").unwrap_or(("", &drawn));
        let letters: Vec<char> = key.chars().collect();
        let groups = letters.chunks(4).map(|g| g.iter().collect::<String>());
        Ok(Offered {
            key: groups.collect::<Vec<_>>().join(" "),
            qr: picture.to_owned(),
        })
    }

    /// Sets it up with a first code of it. Where it is the account's first second factor its other sessions end, and these
    /// are its recovery codes.
    ///
    /// # Errors
    /// BadCode, Throttled, SecondFactor, Store.
    pub(super) async fn set_up(
        &self,
        signed: &Signed,
        code: &str,
        origin: &str,
    ) -> Result<Vec<String>, Trouble> {
        let account = &signed.account;
        let app = self.factor(account).await?.app;
        let app = app.ok_or(Trouble::SecondFactor("none"))?;
        if app.confirmed {
            return Err(Trouble::SecondFactor("on"));
        }
        let Proof::Step(step) = self.coded(account, Some(&app), code)? else {
            return Err(Trouble::BadCode);
        };
        let (codes, stored) = recovery_codes();
        let (user, now) = (account.user.as_str(), self.clock.now());
        let confirmed = self
            .accounts
            .confirm(user, app.secret, step, stored, signed.key, now);
        let first = confirmed.await.map_err(Trouble::Store)?;
        let first = first.ok_or(Trouble::SecondFactor("none"))?;
        self.code_was_right(account);
        self.changes.send_modify(|n| *n += 1);
        self.note(&account.user, "second_factor_on", origin, "")
            .await;
        Ok(if first { codes } else { Vec::new() })
    }

    /// Gives other recovery codes to whoever shows a second factor.
    ///
    /// # Errors
    /// As [`Auth::proof_of`].
    pub(super) async fn other_codes(
        &self,
        signed: &Signed,
        shown: &Shown,
        at: (Option<&Site>, &str),
    ) -> Result<Vec<String>, Trouble> {
        let account = &signed.account;
        let factor = self.factor(account).await?;
        let proof = self.proof_of(signed, &factor, shown, at).await?;
        let used = proof.clone();
        let (codes, stored) = recovery_codes();
        let user = account.user.as_str();
        let set = self.accounts.set_recovery_codes(user, proof, stored).await;
        if !set.map_err(Trouble::Store)? {
            return Err(Trouble::spent(&used));
        }
        self.code_was_right(account);
        self.note(&account.user, "recovery_codes", at.1, "").await;
        Ok(codes)
    }

    /// Takes the code app away for whoever shows a second factor; the account's other sessions end. The last factor
    /// stays where one is demanded.
    ///
    /// # Errors
    /// As [`Auth::proof_of`].
    pub(super) async fn take_away(
        &self,
        signed: &Signed,
        shown: &Shown,
        at: (Option<&Site>, &str),
    ) -> Result<(), Trouble> {
        let account = &signed.account;
        let factor = self.factor(account).await?;
        if factor.keys.is_empty() && self.staff.demands(account) {
            return Err(Trouble::SecondFactor("required"));
        }
        if factor.confirmed_app().is_none() {
            return Err(Trouble::SecondFactor("none"));
        }
        let proof = self.proof_of(signed, &factor, shown, at).await?;
        let used = proof.clone();
        let user = account.user.as_str();
        let gone = self.accounts.remove_code_app(user, proof, signed.key).await;
        if !gone.map_err(Trouble::Store)? {
            return Err(Trouble::spent(&used));
        }
        self.code_was_right(account);
        self.changes.send_modify(|n| *n += 1);
        self.note(&account.user, "second_factor_off", at.1, "")
            .await;
        Ok(())
    }
}
