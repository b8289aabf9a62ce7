//! One provider: where it is, its keys, and what it says of somebody.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use base::Clock;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreIdToken, CoreJwsSigningAlgorithm,
    CoreTokenResponse,
};
use openidconnect::{
    AccessTokenHash, AsyncHttpClient, AuthType, AuthorizationCode, ClaimsVerificationError,
    CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse,
    LogoutRequest, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge, ProviderMetadataWithLogout,
    RedirectUrl, Scope, SignatureVerificationError, TokenResponse as _,
};
use serde_json::{Map, Value};
use tokio::sync::Mutex;
use url::Url;

use super::waiting::{Begun, Target};
use super::{Fault, Provider, Vouching};
use crate::web::{CallError, Caller, confidential};

/// For how long what a provider says of itself is believed; it is asked again for a key that is not among its keys.
const BELIEVED: Duration = Duration::from_secs(3600);
/// A provider is not asked again sooner, neither after a failure nor for a key.
const PAUSE: Duration = Duration::from_secs(5);
/// How far a provider's clock may be ahead of ours.
const AHEAD: jiff::SignedDuration = jiff::SignedDuration::from_mins(5);
/// Characters of a subject, by OpenID Connect Core 1.0, section 2.
const SUBJECT: std::ops::RangeInclusive<usize> = 1..=255;
/// Signatures by keys that the provider alone has: none by a secret that we know too, and never `none`.
const SIGNED_BY: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

impl<'c> AsyncHttpClient<'c> for Caller {
    type Error = CallError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, CallError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(Self::call(self, request))
    }
}

/// What a provider has said of somebody, checked.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Who {
    pub subject: String,
    /// What the claim says that the operator has named.
    pub user: Option<String>,
    /// Whether the provider's second factor counts for ours.
    pub vouched: bool,
}

/// A provider, and what it said of itself last.
pub(super) struct Connected {
    pub provider: Provider,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    metadata: Option<Arc<ProviderMetadataWithLogout>>,
    /// When it was asked last, and when it last answered, by a monotonic clock.
    asked: Option<Duration>,
    answered: Duration,
}

impl Connected {
    pub(super) fn new(provider: Provider) -> Self {
        Self {
            provider,
            known: Mutex::default(),
        }
    }

    /// Where to send somebody, and what they must bring back.
    ///
    /// # Errors
    /// Away.
    pub(super) async fn begin(
        &self,
        caller: &Caller,
        clock: &dyn Clock,
        back: &str,
        target: Target,
    ) -> Result<(Url, Begun), Fault> {
        let client = self.client(caller, clock, back, false).await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let (url, state, nonce) = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                CsrfToken::new_random,
                Nonce::new_random,
            )
            .add_scopes(self.provider.scopes.iter().cloned().map(Scope::new))
            .set_pkce_challenge(challenge)
            .url();
        let begun = Begun {
            provider: self.provider.id.clone(),
            target,
            state,
            nonce,
            verifier,
        };
        Ok((url, begun))
    }

    /// Exchanges a code for what the provider says of whoever brought it.
    ///
    /// # Errors
    /// Away, Failed.
    pub(super) async fn finish(
        &self,
        caller: &Caller,
        clock: &dyn Clock,
        back: &str,
        code: String,
        begun: Begun,
    ) -> Result<Who, Fault> {
        let client = self.client(caller, clock, back, false).await?;
        let asked = client.exchange_code(AuthorizationCode::new(code));
        let asked = asked.map_err(|e| self.failed(&e))?;
        let answer = asked
            .set_pkce_verifier(begun.verifier)
            .request_async(caller);
        let answer = answer.await.map_err(|e| match e {
            openidconnect::RequestTokenError::Request(e) => {
                tracing::warn!("the provider {} does not answer: {e}", self.provider.id);
                Fault::Away
            }
            e => self.failed(&e),
        })?;
        let token = answer
            .id_token()
            .ok_or_else(|| self.failed(&"no id token"))?;
        let checked = check(&client, clock, token, &begun.nonce, &answer);
        if matches!(
            &checked,
            Err(ClaimsVerificationError::SignatureVerification(
                SignatureVerificationError::NoMatchingKey
            ))
        ) {
            // Its keys have changed since it was asked.
            let client = self.client(caller, clock, back, true).await?;
            let again = check(&client, clock, token, &begun.nonce, &answer);
            again.map_err(|e| self.failed(&e))?;
        } else {
            checked.map_err(|e| self.failed(&e))?;
        }
        let claims = claims(token).ok_or_else(|| self.failed(&"claims that cannot be read"))?;
        self.who(&claims).ok_or_else(|| self.failed(&"no subject"))
    }

    /// Where somebody goes to sign out there too: by our name for what we are, so that it may ask them; nothing of theirs
    /// is in the address. None: it has no such place, or does not answer.
    pub(super) async fn sign_out(&self, caller: &Caller, clock: &dyn Clock) -> Option<Url> {
        let metadata = self.metadata(caller, clock, false).await.ok()?;
        let there = metadata
            .additional_metadata()
            .end_session_endpoint
            .clone()?;
        let request = LogoutRequest::from(there).set_client_id(self.provider.client_id.clone());
        Some(request.http_get_url()).filter(confidential)
    }

    /// What counts of claims that were checked.
    pub(super) fn who(&self, claims: &Map<String, Value>) -> Option<Who> {
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let subject = text("sub").filter(|s| SUBJECT.contains(&s.chars().count()))?;
        let verified = claims.get("email_verified") == Some(&Value::Bool(true));
        let user = self.provider.user_claim.as_deref();
        let user = user.filter(|name| *name != "email" || verified);
        let wanted = &self.provider.second_factor_values;
        let methods = claims.get("amr").and_then(Value::as_array);
        let methods = methods.into_iter().flatten().filter_map(Value::as_str);
        let shown = methods.chain(text("acr")).any(|v| wanted.contains(v));
        Some(Who {
            subject: subject.to_owned(),
            user: user.and_then(text).map(str::to_owned),
            vouched: self.provider.second_factor == Vouching::Provider
                && (wanted.is_empty() || shown),
        })
    }

    /// `afresh`: its keys are to be newer than those that are known.
    async fn client(
        &self,
        caller: &Caller,
        clock: &dyn Clock,
        back: &str,
        afresh: bool,
    ) -> Result<Client, Fault> {
        let metadata = self.metadata(caller, clock, afresh).await?;
        let methods = metadata.token_endpoint_auth_methods_supported();
        let takes = |m| methods.is_some_and(|all| all.contains(&m));
        let posted = takes(CoreClientAuthMethod::ClientSecretPost)
            && !takes(CoreClientAuthMethod::ClientSecretBasic);
        let (id, secret) = (&self.provider.client_id, &self.provider.secret);
        let metadata = ProviderMetadataWithLogout::clone(&metadata);
        let client = CoreClient::from_provider_metadata(metadata, id.clone(), Some(secret.clone()));
        let back = RedirectUrl::new(back.to_owned()).map_err(|e| self.failed(&e))?;
        Ok(client.set_redirect_uri(back).set_auth_type(if posted {
            AuthType::RequestBody
        } else {
            AuthType::BasicAuth
        }))
    }

    async fn metadata(
        &self,
        caller: &Caller,
        clock: &dyn Clock,
        afresh: bool,
    ) -> Result<Arc<ProviderMetadataWithLogout>, Fault> {
        // Whoever comes meanwhile waits for the same answer.
        let mut known = self.known.lock().await;
        let now = clock.monotonic();
        let since = |then: Duration| now.saturating_sub(then);
        let fresh = known.metadata.is_some() && since(known.answered) < BELIEVED;
        let asked = known.asked.is_some_and(|t| since(t) < PAUSE);
        if !asked && (afresh || !fresh) {
            let issuer = self.provider.issuer.clone();
            let found = ProviderMetadataWithLogout::discover_async(issuer, caller).await;
            // From the answer on: whoever waited for it does not ask again.
            known.asked = Some(clock.monotonic());
            match found.map_err(|e| told(&e)).and_then(safe) {
                Ok(found) => {
                    known.metadata = Some(Arc::new(found));
                    known.answered = now;
                }
                Err(e) => {
                    tracing::warn!("the provider {} cannot be used: {e}", self.provider.id);
                }
            }
        }
        // What is old is better than nothing: its keys are still its keys.
        known.metadata.clone().ok_or(Fault::Away)
    }

    fn failed(&self, e: &dyn std::fmt::Display) -> Fault {
        tracing::warn!(
            "a sign-in by the provider {} does not hold: {e}",
            self.provider.id
        );
        Fault::Failed
    }
}

/// An error with what it came of.
fn told(e: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(e), |e| e.source());
    causes
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

/// Whether nobody on the way reads what goes to the addresses that a provider names.
fn safe(metadata: ProviderMetadataWithLogout) -> Result<ProviderMetadataWithLogout, String> {
    let token = metadata
        .token_endpoint()
        .ok_or("it names no token endpoint")?;
    for url in [
        metadata.authorization_endpoint().url(),
        token.url(),
        metadata.jwks_uri().url(),
    ] {
        if !confidential(url) {
            return Err(format!("{url} is not an address of https://"));
        }
    }
    Ok(metadata)
}

/// Signature, issuer, audience, times and nonce.
fn check(
    client: &Client,
    clock: &dyn Clock,
    token: &CoreIdToken,
    nonce: &Nonce,
    answer: &CoreTokenResponse,
) -> Result<(), ClaimsVerificationError> {
    let now = clock.now();
    let verifier = client
        .id_token_verifier()
        .set_allowed_algs(SIGNED_BY)
        .set_time_fn(move || {
            chrono::DateTime::from_timestamp_millis(now.as_millisecond()).unwrap_or_default()
        })
        .set_issue_time_verifier_fn(move |at| {
            let ahead = at.timestamp_millis() > (now + AHEAD).as_millisecond();
            if ahead {
                Err(format!("issued at {at}, which is still to come"))
            } else {
                Ok(())
            }
        });
    let claims = token.claims(&verifier, nonce)?;
    let Some(wanted) = claims.access_token_hash() else {
        return Ok(());
    };
    let signature = ClaimsVerificationError::SignatureVerification;
    let algorithm = token.signing_alg().map_err(signature)?;
    let key = token.signing_key(&verifier).map_err(signature)?;
    let found = AccessTokenHash::from_token(answer.access_token(), algorithm, key);
    let found = found.map_err(|e| ClaimsVerificationError::Other(e.to_string()))?;
    if found == *wanted {
        Ok(())
    } else {
        let why = "the access token is another than the id token's";
        Err(ClaimsVerificationError::Other(why.to_owned()))
    }
}

/// The claims of a token that was checked, whatever they are called.
fn claims(token: &CoreIdToken) -> Option<Map<String, Value>> {
    let whole = token.to_string();
    let payload = URL_SAFE_NO_PAD.decode(whole.split('.').nth(1)?).ok()?;
    serde_json::from_slice(&payload).ok()
}
