//! `borgerlinje citizen` and `borgerlinje retention`: what a data protection officer asks for.

use std::process::ExitCode;

use base::Clock as _;
use clap::Subcommand;
use serde_json::{Value, json};
use storage::{Accounts, AuditLine, Citizen, Journal};

use super::{Failure, Setting};
use crate::runtime::say;
use crate::{auth, retention};

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
}

pub(super) fn run(setting: &Setting, command: &CitizenCommand) -> Result<ExitCode, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime.block_on(async {
        let (journal, accounts) = open(setting)?;
        let (code, what) = match command {
            CitizenCommand::Export { code } => (code, "citizen_export"),
            CitizenCommand::Erase { code } => (code, "citizen_erase"),
        };
        let found = journal.citizen(code.trim()).await?;
        let Some(citizen) = found else {
            return Err(format!(
                "nothing is kept under «{code}»: it was deleted, or is another node's"
            )
            .into());
        };
        let said = match command {
            CitizenCommand::Export { code } => shown(code, &citizen),
            CitizenCommand::Erase { code } => {
                let erased = journal.erase(code.trim()).await?;
                let scrubbed = journal.scrub().await?;
                json!({"erased": erased, "scrubbed": scrubbed})
            }
        };
        let line = AuditLine {
            at: setting.clock.now(),
            user: "command".to_owned(),
            what: what.to_owned(),
            origin: "command".to_owned(),
            // Not the code: after an erasure nothing here leads to the citizen.
            detail: citizen.meta.municipality.to_string(),
        };
        accounts.audit(line).await?;
        say(&serde_json::to_string_pretty(&said)?)?;
        accounts.close().await?;
        journal.close().await?;
        Ok(ExitCode::SUCCESS)
    })
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
