//! The first frames: who comes, to which municipality, with which dialogue.

use super::super::dialogue::{self, JoinError, Joined};
use super::super::off::closed;
use super::*;
use crate::auth::rights::Who;
use crate::embed::Refused;
use crate::shed::{self, Load};

/// When there may be room again on a machine that has too much to do.
const FULL: Duration = Duration::from_secs(10);

impl Connection {
    /// Waits for a `hello` that can be accepted; an unknown dialogue may be followed by another.
    pub(super) async fn greet(
        &mut self,
        input: &mut SplitStream<WebSocket>,
    ) -> Option<(Joined, Lang)> {
        let deadline = Instant::now() + HELLO_WITHIN;
        loop {
            let Ok(message) = tokio::time::timeout_at(deadline, input.next()).await else {
                self.error(
                    Code::HelloExpected,
                    "no hello came within 10 seconds",
                    None,
                    None,
                )
                .await
                .continue_value()?;
                let _ = self.close(close_code::POLICY, "hello expected").await;
                return None;
            };
            let frame = match self.incoming(message).await {
                Incoming::End => return None,
                Incoming::Nothing => continue,
                Incoming::Frame(frame) => frame,
            };
            if frame.right().who != Who::Anybody {
                self.error(
                    Code::HelloExpected,
                    "the first frame must be hello",
                    None,
                    None,
                )
                .await
                .continue_value()?;
                let _ = self.close(close_code::POLICY, "hello expected").await;
                return None;
            }
            match frame {
                FromCitizen::Ping { n } => {
                    self.send(text(&ToCitizen::Pong { n }))
                        .await
                        .continue_value()?;
                }
                FromCitizen::Hello(hello) => {
                    if moved::away(&self.app, &hello) {
                        let _ = self.close(close_code::RESTART, moved::WHY).await;
                        return None;
                    }
                    let code = self.accept(&hello).await?;
                    match self.join(&hello, code).await {
                        Ok(joined) => {
                            self.app.metrics.dialogue(joined.resumed);
                            self.welcome(&joined).await.continue_value()?;
                            return Some((joined, hello.lang));
                        }
                        Err(JoinError::Unknown) => {
                            let said = self.app.snapshot().release.texts.get(
                                "error_unknown_dialogue",
                                hello.lang,
                                &[],
                            );
                            self.error(Code::UnknownDialogue, &said, None, None)
                                .await
                                .continue_value()?;
                        }
                        Err(JoinError::Journal(e)) => {
                            tracing::error!("a dialogue could not begin: {e}");
                            let said = self.app.snapshot().release.texts.get(
                                "error_overloaded",
                                hello.lang,
                                &[],
                            );
                            self.error(Code::Overloaded, &said, None, Some(Duration::from_secs(2)))
                                .await
                                .continue_value()?;
                            let _ = self.close(close_code::AGAIN, "try again").await;
                            return None;
                        }
                    }
                }
                _ => {}
            }
        }
    }

    /// The municipality of a hello that we can serve.
    async fn accept(&mut self, hello: &Hello) -> Option<MunicipalityCode> {
        if hello.v != VERSION {
            tracing::debug!(v = hello.v, "a version of the protocol that is not served");
            self.turn_away(hello, Code::UnsupportedVersion, "error_old_page")
                .await;
            return None;
        }
        let code = hello.municipality.parse::<MunicipalityCode>().ok();
        let known = code.filter(|c| self.app.snapshot().release.view(*c).is_some());
        if known.is_some_and(|code| !self.visitor.may(code)) {
            self.app.metrics.website_refused();
            self.turn_away(hello, Code::UnknownMunicipality, "error_wrong_website")
                .await;
            return None;
        }
        let Some(code) = known else {
            let shown = base::redact(&hello.municipality).text;
            let shown: String = shown.chars().take(24).collect();
            tracing::debug!("there is no municipality with code «{shown}»");
            self.turn_away(hello, Code::UnknownMunicipality, "error_wrong_website")
                .await;
            return None;
        };
        if let Err(why) = self.by_leave(hello, code).await {
            self.app.metrics.configuration_refused(why);
            let at = self.visitor.origin();
            self.app.embed.tell(at, why.said());
            self.turn_away(hello, Code::UnknownMunicipality, "error_wrong_website")
                .await;
            return None;
        }
        match self.admit(code, hello) {
            // A place in the line of those who begin.
            Ok(delay) if delay > Duration::ZERO => tokio::time::sleep(delay).await,
            Ok(_) => {}
            Err((refusal, close)) => {
                self.error(refusal.code, &refusal.text, None, refusal.retry_after)
                    .await
                    .continue_value()?;
                let _ = self.close(close_code::AGAIN, close).await;
                return None;
            }
        }
        Some(code)
    }

    /// Whoever comes back had leave when the dialogue began, and may have a person there: a key that is changed, or a
    /// rule that is new, ends nobody's dialogue.
    async fn by_leave(&self, hello: &Hello, code: MunicipalityCode) -> Result<(), Refused> {
        if hello.resume.is_some() {
            return Ok(());
        }
        let (brought, now) = (hello.signed.as_deref(), self.app.clock.now());
        let judged = || self.app.embed.admits(brought, code, &self.visitor, now);
        if judged() == Err(Refused::Signature) {
            // By a key that was made just now, it may be: an operator who tries the new line is let in by it.
            let app = Arc::clone(&self.app);
            let _ = tokio::task::spawn_blocking(move || app.embed.look()).await;
        }
        judged()
    }

    /// Says in the citizen's language that this page opens no chat here.
    async fn turn_away(&mut self, hello: &Hello, code: Code, text: &str) {
        let texts = &self.app.snapshot().release.texts;
        let said = texts.get(text, hello.lang, &[]);
        if self.error(code, &said, None, None).await.is_continue() {
            let _ = self.close(close_code::POLICY, code.name()).await;
        }
    }

    /// After how long this citizen comes in.
    ///
    /// # Errors
    /// Why that is not now, although the municipality is one of ours; and the same in two words.
    fn admit(
        &self,
        code: MunicipalityCode,
        hello: &Hello,
    ) -> Result<Duration, (Refusal, &'static str)> {
        // Whoever comes back reads what was said, and may have a person there.
        let new = hello.resume.is_none();
        if new && self.app.switches.is_closed(code) {
            return Err((closed(&self.app, code, hello.lang), "closed"));
        }
        let texts = &self.app.snapshot().release.texts;
        let refused = |text: &str, wait| {
            let refusal = Refusal {
                code: Code::Overloaded,
                text: texts.get(text, hello.lang, &[]),
                retry_after: Some(wait),
            };
            (refusal, "too many")
        };
        let crowded = |wait| refused("error_crowded", wait);
        self.place.fits().map_err(crowded)?;
        if !new {
            return Ok(Duration::ZERO);
        }
        if shed::load(&self.app) == Load::Full {
            return Err(refused("error_overloaded", FULL));
        }
        let now = self.app.clock.monotonic();
        self.place.begins(now).map_err(crowded)
    }

    async fn join(&self, hello: &Hello, code: MunicipalityCode) -> Result<Joined, JoinError> {
        match &hello.resume {
            None => dialogue::begin(&self.app, code, hello.lang).await,
            Some(r) => {
                if r.stream.as_ref() != Some(&self.app.stream) {
                    moved::caught_up(&self.app).await;
                }
                dialogue::resume(&self.app, code, hello.lang, r).await
            }
        }
    }

    async fn welcome(&mut self, joined: &Joined) -> Flow {
        let snapshot = self.app.snapshot();
        let release = &snapshot.release;
        let code = joined.dialogue.municipality;
        let fill = |slot: &str| release.fill(slot, code);
        let (name, hours, phone) = (
            fill("{{kommune.navn}}"),
            fill("{{kommune.aabningstid}}"),
            fill("{{kommune.telefon}}"),
        );
        let say = |key: &str| {
            release
                .texts
                .get(key, joined.lang, &[("municipality", &name)])
        };
        let greeting = if self.app.switches.bot_is_off() {
            "bot_off"
        } else {
            "greeting"
        };
        let frame = text(&ToCitizen::Welcome {
            v: VERSION,
            dialogue: joined.dialogue.id.as_str(),
            token: &joined.token,
            seq: joined.newest,
            stream: &self.app.stream,
            resumed: joined.resumed,
            replay: joined.replay,
            lang: joined.lang,
            municipality: Municipality { code, name: &name },
            disclosure: &say("disclosure"),
            greeting: &say(greeting),
            contact: Contact {
                open: self.app.open(code),
                hours: &hours,
                phone: &phone,
            },
            limits: Limits::OURS,
        });
        self.send(frame).await
    }
}
