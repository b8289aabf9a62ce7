//! A desk's commands, carried out: checked, sent to the centre, answered.

use std::net::IpAddr;
use std::sync::Arc;

use base::{MunicipalityCode, Redaction, Rules, clean, redact, redact_by};
use contact::centre::{
    AgentId, AgentState, Centre, Command, Effect, Item, ItemId, Level, MessageId, Moment, Sender,
    Text,
};
use sha2::{Digest as _, Sha256};
use storage::Draft;

use super::refusal::{Refusal, refusal, refused};
use super::show::{area, municipality};
use super::suggest::{FOUND, SUGGESTED, Wanted, articles};
use super::wire::{Article, Ask, Colleague, CommandId, Named, Said, Targets, To};
use crate::app::App;
use crate::auth::Account;
use crate::centre::Error;
use crate::transcript::{By, Line, lines};

/// Characters of what is looked for.
const MAX_SEARCH: usize = 500;

/// Who commands.
pub(super) struct Commander {
    pub(super) app: App,
    pub(super) account: Arc<Account>,
    pub(super) from: IpAddr,
}

/// What a command came to.
pub(super) struct Done {
    pub(super) said: Said,
    /// Articles for a line, which follow the answer.
    pub(super) suggested: Option<(ItemId, String, Vec<Article>)>,
}

impl From<Said> for Done {
    fn from(said: Said) -> Self {
        Self {
            said,
            suggested: None,
        }
    }
}

type Outcome = Result<Done, Refusal>;

impl Commander {
    fn me(&self) -> &AgentId {
        &self.account.user
    }

    /// Carries out a command. An answer means that what it says is on disk.
    ///
    /// # Errors
    /// Why it was not carried out.
    pub(super) async fn carry_out(&self, id: &CommandId, ask: Ask) -> Outcome {
        let agent = self.me().clone();
        match ask {
            Ask::Pause { why } => {
                let why = why.into();
                self.plain(Command::Pause { agent, why }).await
            }
            Ask::Resume => self.plain(Command::Resume { agent }).await,
            Ask::Mode { mode } => self.plain(Command::SetMode { agent, mode }).await,
            Ask::SignOut => self.plain(Command::SignOut { agent }).await,
            Ask::Accept { item, offer } => self.plain(Command::Accept { item, agent, offer }).await,
            Ask::Decline { item, offer } => {
                self.plain(Command::Decline { item, agent, offer }).await
            }
            Ask::Pick { item } => self.plain(Command::Pick { item, agent }).await,
            Ask::Open { item } => self.open(&item).await,
            Ask::Message { item, epoch, text } => {
                let from = Sender::Agent { agent, epoch };
                self.message(id, item, from, &text).await
            }
            Ask::SupervisorMessage { item, text } => {
                let from = Sender::Supervisor { agent };
                self.message(id, item, from, &text).await
            }
            Ask::Note { item, epoch, text } => self.note(id, item, epoch, &text).await,
            Ask::Transfer {
                item,
                epoch,
                to,
                note,
            } => self.transfer(item, epoch, to, note.as_deref()).await,
            Ask::Targets { item } => self.targets(&item).await,
            Ask::Close { item, epoch, code } => self.close(item, epoch, &code).await,
            Ask::WrapUpDone { item } => self.plain(Command::WrapUpDone { item, agent }).await,
            Ask::Dial { item } => self.plain(Command::Dial { item, agent }).await,
            Ask::RenewDial { item, epoch } => {
                self.plain(Command::RenewDial { item, agent, epoch }).await
            }
            Ask::EndDial {
                item,
                epoch,
                result,
            } => {
                let command = Command::EndDial {
                    item,
                    agent,
                    epoch,
                    result,
                };
                self.plain(command).await
            }
            Ask::Search { municipality, text } => self.search(municipality, &text).await,
            Ask::Draft { item, line, text } => self.draft(id, &item, &line, &text).await,
            Ask::Supervise { item, level } => {
                let command = Command::Supervise {
                    item: item.clone(),
                    supervisor: agent,
                    level,
                };
                let level = match level {
                    Level::Monitor => "monitor",
                    Level::Coach => "coach",
                    Level::BargeIn => "barge_in",
                };
                self.audited(command, "supervise", &format!("{item} {level}"))
                    .await
            }
            Ask::StopSupervising { item } => {
                let detail = item.to_string();
                let supervisor = agent;
                let command = Command::StopSupervising { item, supervisor };
                self.audited(command, "stop_supervising", &detail).await
            }
            Ask::Release { item } => {
                let detail = item.to_string();
                let supervisor = agent;
                let command = Command::Release { item, supervisor };
                self.audited(command, "release", &detail).await
            }
        }
    }

    async fn plain(&self, command: Command) -> Outcome {
        self.app.centre.send(command).await?;
        Ok(Said::default().into())
    }

    async fn audited(&self, command: Command, what: &str, detail: &str) -> Outcome {
        self.app.centre.send(command).await?;
        let origin = self.from.to_string();
        self.app.auth.note(self.me(), what, &origin, detail).await;
        Ok(Said::default().into())
    }

    /// What an agent wrote, as it is stored. To a citizen an office's phone number and address may be written; what
    /// staff write about a citizen needs neither, for a callback has a field of its own.
    fn written(&self, text: &str, rules: Rules<'_>) -> Result<Redaction, Refusal> {
        let cleaned = clean(text);
        if cleaned.is_empty() {
            return Err(refused("bad_frame", "Skriv noget først."));
        }
        let most = self.app.desk.limits.text_chars;
        if cleaned.chars().count() > usize::try_from(most).unwrap_or(usize::MAX) {
            let text = format!("Teksten er for lang. Der er plads til {most} tegn.");
            return Err(refused("too_long", text));
        }
        Ok(redact_by(&cleaned, rules))
    }

    /// An id that this agent's command has and no other's.
    fn derived(&self, id: &CommandId) -> String {
        let mut h = Sha256::new();
        h.update(self.me().as_str());
        h.update([0]);
        h.update(id.as_str());
        format!("s-{}", base::hex(&h.finalize()[..16]))
    }

    async fn message(&self, id: &CommandId, item: ItemId, from: Sender, text: &str) -> Outcome {
        let Redaction { text, masked } = self.written(text, Rules::REPLY)?;
        let line = self.derived(id);
        let message = line.parse::<MessageId>().map_err(|_| refusal("failed"))?;
        let command = Command::Message {
            item,
            message,
            from,
            text: Text::from(text),
        };
        match self.app.centre.send(command).await {
            // Sent again after a reconnect: it was done the first time.
            Ok(_) | Err(Error::Refused(contact::centre::Refusal::Duplicate)) => Ok(Said {
                line: Some(line),
                masked,
                ..Said::default()
            }
            .into()),
            Err(e) => Err(e.into()),
        }
    }

    async fn note(&self, id: &CommandId, item: ItemId, epoch: u64, text: &str) -> Outcome {
        let Redaction { text, masked } = self.written(text, Rules::ALL)?;
        let command = Command::Note {
            item,
            agent: self.me().clone(),
            epoch,
            text: Text::from(text),
        };
        // The log has each id once, and so a note that is sent again is there once.
        let input = self.derived(id);
        let line = match self.app.centre.send_as(&input, command).await {
            Ok(effects) => {
                let noted = |e: &Effect| matches!(e, Effect::Noted { .. });
                effects
                    .iter()
                    .position(noted)
                    .map(|n| format!("@{input}.{n}"))
            }
            Err(Error::Unknown) => None,
            Err(e) => return Err(e.into()),
        };
        Ok(Said {
            line,
            masked,
            ..Said::default()
        }
        .into())
    }

    async fn transfer(&self, item: ItemId, epoch: u64, to: To, note: Option<&str>) -> Outcome {
        let to = to.target().ok_or_else(|| refusal("bad_frame"))?;
        let note = note.map(str::trim).filter(|n| !n.is_empty());
        let note = note.map(|n| self.written(n, Rules::ALL)).transpose()?;
        let masked = note.as_ref().map_or_else(Vec::new, |n| n.masked.clone());
        let command = Command::Transfer {
            item,
            agent: self.me().clone(),
            epoch,
            to,
            note: note.map(|n| Text::from(n.text)),
        };
        self.app.centre.send(command).await?;
        Ok(Said {
            masked,
            ..Said::default()
        }
        .into())
    }

    async fn close(&self, item: ItemId, epoch: u64, code: &str) -> Outcome {
        let codes = &self.app.snapshot().release.desk.wrap_ups;
        if !codes.iter().any(|w| w.code == code) {
            return Err(refused(
                "unknown",
                "Der er ingen afslutningskode med det navn.",
            ));
        }
        let agent = self.me().clone();
        let code = Text::from(code);
        self.plain(Command::Close {
            item,
            agent,
            epoch,
            code,
        })
        .await
    }

    /// An item that this agent may read: at the desk, or a callback that is to be rung.
    fn readable<'a>(&self, centre: &'a Centre, id: &ItemId) -> Result<&'a Item, Refusal> {
        let item = centre.item(id).ok_or_else(|| refusal("unknown"))?;
        let may = centre.may_serve(self.me(), item.municipality)
            && (centre.is_at_desk(item, self.me()) || item.callback.is_some() && item.is_open());
        if may {
            Ok(item)
        } else {
            Err(refusal("not_yours"))
        }
    }

    async fn look<R>(
        &self,
        look: impl FnOnce(&Centre) -> Result<R, Refusal>,
    ) -> Result<R, Refusal> {
        self.app.centre.read(look).await?
    }

    async fn open(&self, id: &ItemId) -> Outcome {
        let me = self.me();
        let (dialogue, since, code, lang) = self
            .look(|c| {
                let item = self.readable(c, id)?;
                // Without the right to all places where it was: what was written since it came to this one.
                let since = (!c.may_read_all(item, me)).then_some(item.route.since);
                Ok((
                    item.dialogue.clone(),
                    since,
                    item.municipality,
                    item.language,
                ))
            })
            .await?;
        let mut lines = lines(&self.app, &dialogue).await?;
        lines.retain(|l| since.is_none_or(|s| Moment::from_ms(l.at_ms) >= s));
        let suggested = match last_of_citizen(&lines) {
            None => None,
            Some(line) => {
                let wanted = Wanted {
                    municipality: code,
                    lang,
                    text: line.text.clone(),
                    question: None,
                    most: SUGGESTED,
                    likely: true,
                };
                let line = line.id.clone();
                let found = articles(&self.app, wanted).await;
                found.map(|a| (id.clone(), line, a))
            }
        };
        Ok(Done {
            said: Said {
                lines: Some(lines),
                ..Said::default()
            },
            suggested,
        })
    }

    async fn targets(&self, id: &ItemId) -> Outcome {
        let snapshot = self.app.snapshot();
        let release = &snapshot.release;
        let me = self.me();
        let targets = self.look(|centre| {
            let code = self.readable(centre, id)?.municipality;
            let agents = centre.agents().into_iter().filter(|a| {
                a.agent != *me
                    && a.capacity > 0
                    && a.state != AgentState::Absent
                    && centre.may_serve(&a.agent, code)
            });
            let agents = agents.map(|a| Colleague {
                free: a
                    .capacity
                    .saturating_sub(a.offers + a.chats + a.calls + a.wrap_ups),
                id: a.agent,
                name: a.name,
                state: a.state,
            });
            let teams = centre.teams().filter(|t| t.municipalities.contains(&code));
            let others = centre.municipalities().into_iter();
            let others = others.filter(|m| m.municipality != code && m.open);
            Ok(Targets {
                agents: agents.collect(),
                teams: teams
                    .map(|t| Named {
                        id: t.id.clone(),
                        name: t.name.clone(),
                    })
                    .collect(),
                municipalities: others
                    .map(|m| municipality(release, m.municipality))
                    .collect(),
                areas: release.areas.keys().map(|a| area(release, a)).collect(),
            })
        });
        Ok(Said {
            targets: Some(targets.await?),
            ..Said::default()
        }
        .into())
    }

    async fn search(&self, code: MunicipalityCode, text: &str) -> Outcome {
        if !self.account.may(code) {
            return Err(refusal("not_allowed"));
        }
        let text = redact(&clean(text)).text;
        if text.chars().count() > MAX_SEARCH {
            return Err(refusal("too_long"));
        }
        let wanted = Wanted {
            municipality: code,
            lang: base::Lang::Da,
            text,
            question: None,
            most: FOUND,
            likely: false,
        };
        let found = articles(&self.app, wanted).await;
        Ok(Said {
            articles: Some(found.ok_or_else(|| refusal("overloaded"))?),
            ..Said::default()
        }
        .into())
    }

    async fn draft(&self, id: &CommandId, item: &ItemId, line: &str, text: &str) -> Outcome {
        let Redaction { text, masked } = self.written(text, Rules::REPLY)?;
        let me = self.me();
        let (dialogue, code, question, all) = self
            .look(|c| {
                let i = self.readable(c, item)?;
                let question = i.brief.question.as_str().to_owned();
                let all = c.may_read_all(i, me);
                Ok((i.dialogue.clone(), i.municipality, question, all))
            })
            .await?;
        let lines = if all {
            lines(&self.app, &dialogue).await?
        } else {
            Vec::new()
        };
        // The words before the reply, or else what the chat began with.
        let at = lines.iter().position(|l| l.id == line);
        let before = at.and_then(|at| last_of_citizen(&lines[..at]));
        let question = before.map_or(question, |l| l.text.clone());
        let draft = Draft {
            id: self.derived(id),
            item: item.to_string(),
            municipality: code,
            question,
            text,
            by: me.to_string(),
            at: self.app.clock.now(),
        };
        self.app.auth.accounts.add_draft(draft).await?;
        let origin = self.from.to_string();
        self.app
            .auth
            .note(me, "draft", &origin, item.as_str())
            .await;
        Ok(Said {
            masked,
            ..Said::default()
        }
        .into())
    }
}

fn last_of_citizen(lines: &[Line]) -> Option<&Line> {
    lines.iter().rfind(|l| l.from == By::Citizen)
}
