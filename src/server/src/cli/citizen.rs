//! `borgerlinje citizen` and `borgerlinje retention`: what a data protection officer asks for.

use std::process::ExitCode;
use std::sync::Arc;

use base::Clock as _;
use clap::Subcommand;
use contact::centre::{Item, Moment, Text};
use serde_json::{Value, json};
use storage::{Accounts, AuditLine, Citizen, Draft, Journal};

use super::{Failure, Setting};
use crate::runtime::say;
use crate::{auth, centre, retention};

#[derive(Subcommand)]
pub(super) enum CitizenCommand {
    /// Print all that is kept of a citizen's dialogue, as JSON
    Export {
        /// The reference of a callback (B-…), or the id of a dialogue
        code: String,
    },
    /// Delete all that is kept of a citizen's dialogue; counts of no person stay
    Erase {
        /// The reference of a callback (B-…), or the id of a dialogue
        code: String,
    },
    /// Print what was erased, for `restore --erased`: the SHA-256 of each dialogue's id, and when
    Erased,
}

pub(super) fn run(setting: &Setting, command: &CitizenCommand) -> Result<ExitCode, Failure> {
    let (code, what) = match command {
        CitizenCommand::Export { code } => (code, "citizen_export"),
        CitizenCommand::Erase { code } => (code, "citizen_erase"),
        CitizenCommand::Erased => return erased(setting),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime.block_on(async {
        let (journal, accounts) = open(setting)?;
        let found = journal.citizen(code.trim()).await?;
        let Some(citizen) = found else {
            return Err(format!(
                "nothing is kept under «{code}»: it was deleted, or is another node's"
            )
            .into());
        };
        let now = setting.clock.now();
        let line = AuditLine {
            at: now,
            user: "command".to_owned(),
            what: what.to_owned(),
            origin: "command".to_owned(),
            // Not the code: after an erasure nothing here leads to the citizen.
            detail: citizen.meta.municipality.to_string(),
        };
        // First of all: nothing is shown or erased that is not in the audit.
        accounts.audit(line).await?;
        let id = &citizen.meta.id;
        let centre = centre::items_of(&journal, Arc::new(setting.clock), id).await;
        match what {
            "citizen_export" => {
                let mut all = shown(code, &citizen);
                let proposals = accounts.drafts_of(id).await?;
                all["proposals"] = proposals.iter().map(proposal).collect();
                all["centre"] = match &centre {
                    Ok(items) => json!({"items": items.iter().map(item).collect::<Vec<_>>()}),
                    Err(e) => json!({"items": null, "unread": e.to_string()}),
                };
                say(&serde_json::to_string_pretty(&all)?)?;
            }
            _ => {
                // The journal last: as long as it knows the code, what failed can be done again.
                let (proposals, audit_lines) = accounts.erase(id).await?;
                let erased = journal.erase(id, now).await?;
                let scrubbed = (journal.scrub().await, accounts.scrub().await);
                say(&serde_json::to_string_pretty(&json!({
                    "erased": erased,
                    "proposals": proposals,
                    "audit_lines": audit_lines,
                    "centre_items": centre.as_ref().ok().map(Vec::len),
                    "scrubbed": matches!(scrubbed, (Ok(true), Ok(true))),
                }))?)?;
                scrubbed.0?;
                scrubbed.1?;
            }
        }
        accounts.close().await?;
        journal.close().await?;
        Ok(ExitCode::SUCCESS)
    })
}

/// Prints what was erased and is not to come back with a backup: nothing that leads to anybody.
fn erased(setting: &Setting) -> Result<ExitCode, Failure> {
    for (hash, at) in storage::whole::erased(&setting.config.data.join("journal.sqlite"))? {
        say(&format!("{} {at}", base::hex(hash)))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What the service keeps; a folder without a journal is refused, so that none is made in a wrong one.
fn open(setting: &Setting) -> Result<(Journal, Accounts), Failure> {
    let data = &setting.config.data;
    let path = data.join("journal.sqlite");
    if !path.is_file() {
        return Err(format!(
            "there is no journal in {}: set BORGERLINJE_DATA",
            data.display()
        )
        .into());
    }
    let options = storage::Options::default();
    let journal = Journal::open(&path, &options)?;
    let accounts = Accounts::open(&data.join(auth::FILE), &options)?;
    Ok((journal, accounts))
}

/// Deletes what is older than it may be, now, and prints the report.
pub(super) fn retain(setting: &Setting) -> Result<ExitCode, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime.block_on(async {
        let (journal, accounts) = open(setting)?;
        let periods = setting.config.retention;
        let now = setting.clock.now();
        // The log belongs to the running service, which trims it itself.
        let report = retention::run(&journal, &accounts, None, &periods, now).await?;
        say(&serde_json::to_string_pretty(&report)?)?;
        accounts.close().await?;
        journal.close().await?;
        Ok(ExitCode::SUCCESS)
    })
}

fn proposal(draft: &Draft) -> Value {
    json!({"at": draft.at.to_string(), "by": draft.by, "question": draft.question, "text": draft.text})
}

/// An item of the contact centre: what it holds of the citizen.
fn item(item: &Item) -> Value {
    let at = |m: Moment| m.timestamp().to_string();
    let texts = |all: &[Text]| {
        all.iter()
            .map(Text::as_str)
            .map(Value::from)
            .collect::<Value>()
    };
    let callback = item.callback.as_ref().map(|c| {
        json!({
            "reference": c.reference.as_str(),
            "phone": String::from(c.phone.clone()),
            "topic": c.topic.as_ref().map(Text::as_str),
            "from": at(c.from),
            "to": at(c.to),
        })
    });
    json!({
        "item": item.id.as_str(),
        "asked": at(item.place),
        "open": item.is_open(),
        "question": item.brief.question.as_str(),
        "tried": texts(&item.brief.tried),
        "callback": callback,
    })
}

/// Version 1 of the export; docs/privacy.md says what each field is.
fn shown(code: &str, citizen: &Citizen) -> Value {
    let parsed = |json: &str| serde_json::from_str(json).unwrap_or_else(|_| Value::from(json));
    let at = |t: jiff::Timestamp| Value::from(t.to_string());
    let meta = &citizen.meta;
    json!({
        "format": "borgerlinje-citizen",
        "version": 1,
        "code": code,
        "dialogue": {
            "id": meta.id.as_str(),
            "municipality": meta.municipality.to_string(),
            "lang": meta.lang.code(),
            "created": at(meta.created),
            "ended": meta.ended.map(at),
        },
        "events": citizen.events.iter().map(|e| json!({
            "seq": e.seq, "at": at(e.at), "kind": e.kind, "data": parsed(&e.json),
        })).collect::<Vec<_>>(),
        "turns": citizen.turns.iter().map(|(id, ms, record)| json!({
            "turn": id, "at_ms": ms, "record": parsed(record),
        })).collect::<Vec<_>>(),
        "callbacks": citizen.callbacks.iter().map(|c| json!({
            "reference": c.reference, "phone": c.phone, "topic": c.topic, "created": at(c.created), "state": c.state,
        })).collect::<Vec<_>>(),
        "staff": citizen.staff.iter().map(|s| json!({
            "at": at(s.at), "from": s.from, "name": s.name, "text": s.text,
        })).collect::<Vec<_>>(),
        "centre_log_records": citizen.in_log,
    })
}
