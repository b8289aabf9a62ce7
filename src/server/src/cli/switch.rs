//! `borgerlinje switch`: what is off. Works while the service runs, which notices within about a second.

use std::path::Path;
use std::process::ExitCode;

use base::{Clock as _, MunicipalityCode};
use clap::{Args, Subcommand, ValueEnum};
use storage::{Accounts, AuditLine, SwitchedOff};

use super::{Failure, Setting};
use crate::runtime::say;
use crate::switches::Switch;
use crate::{auth, boot};

/// Characters of a reason, at most.
const MAX_REASON: usize = 200;

#[derive(Subcommand)]
pub(super) enum SwitchCommand {
    /// The chatbot. Off: citizens are told so and are offered a person.
    Bot(Change),
    /// Answers in other words than the approved ones. Off: every answer is verbatim.
    Generation(Change),
    /// One municipality's chat. Off: it is closed; chats that a person has or is waited for in go on.
    Municipality {
        /// The municipality's four-digit code.
        code: MunicipalityCode,
        #[command(flatten)]
        change: Change,
    },
}

#[derive(Args)]
pub(super) struct Change {
    to: To,
    /// Why; kept in the audit.
    #[arg(long)]
    reason: String,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum To {
    On,
    Off,
}

pub(super) fn run(setting: &Setting, command: Option<SwitchCommand>) -> Result<ExitCode, Failure> {
    let data = &setting.config.data;
    std::fs::create_dir_all(data)
        .map_err(|e| format!("the data folder {}: {e}", data.display()))?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let accounts = open(&data.join(auth::FILE))?;
    runtime.block_on(async {
        match command {
            None => list(&accounts).await?,
            Some(SwitchCommand::Bot(change)) => {
                turn(setting, &accounts, Switch::Bot, &change).await?;
            }
            Some(SwitchCommand::Generation(change)) => {
                turn(setting, &accounts, Switch::Generation, &change).await?;
            }
            Some(SwitchCommand::Municipality { code, change }) => {
                known(setting, code)?;
                turn(setting, &accounts, Switch::Municipality(code), &change).await?;
            }
        }
        accounts.close().await?;
        Ok(ExitCode::SUCCESS)
    })
}

fn open(path: &Path) -> Result<Accounts, Failure> {
    let opened = Accounts::open(path, &storage::Options::default());
    Ok(opened.map_err(|e| format!("{}: {e}", path.display()))?)
}

async fn list(accounts: &Accounts) -> Result<(), Failure> {
    let off = accounts.switched_off().await?;
    for name in [Switch::Bot, Switch::Generation].map(|s| s.to_string()) {
        if off.iter().all(|row| row.name != name) {
            say(&format!("{name}\ton"))?;
        }
    }
    for SwitchedOff {
        name,
        at,
        by,
        reason,
    } in off
    {
        say(&format!("{name}\toff\t{at}\t{by}\t{reason}"))?;
    }
    Ok(())
}

/// Switches, with a line in the audit.
async fn turn(
    setting: &Setting,
    accounts: &Accounts,
    switch: Switch,
    change: &Change,
) -> Result<(), Failure> {
    let (name, at, by) = (switch.to_string(), setting.clock.now(), operator());
    let reason = reason(&change.reason)?;
    let line = |what: &str| AuditLine {
        at,
        user: by.clone(),
        what: what.to_owned(),
        origin: "command".to_owned(),
        detail: format!("{name}: {reason}"),
    };
    match change.to {
        To::Off => {
            let off = SwitchedOff {
                name: name.clone(),
                at,
                by: by.clone(),
                reason: reason.clone(),
            };
            accounts.switch_off(off, line("switch_off")).await?;
            say(&format!("{name} is off"))?;
        }
        To::On if accounts.switch_on(&name, line("switch_on")).await? => {
            say(&format!("{name} is on"))?;
        }
        To::On => say(&format!("{name} is on already"))?,
    }
    Ok(())
}

/// One line, without personal numbers.
fn reason(typed: &str) -> Result<String, Failure> {
    let cleaned = base::clean(typed);
    let reason = cleaned.split_whitespace().collect::<Vec<_>>().join(" ");
    if reason.is_empty() {
        return Err("--reason: say why, so that others can read it in the audit".into());
    }
    if reason.chars().count() > MAX_REASON {
        return Err(format!("--reason: at most {MAX_REASON} characters").into());
    }
    Ok(base::redact(&reason).text)
}

/// Who runs the command: the account of the operating system, and the one that `sudo` was asked by.
fn operator() -> String {
    let name = whoami::username().unwrap_or_else(|_| {
        let id = rustix::process::getuid();
        format!("user {}", id.as_raw())
    });
    let asked_by = std::env::var("SUDO_USER").ok();
    match asked_by.filter(|asked| !asked.is_empty() && *asked != name) {
        Some(asked) => format!("{asked} ({name})"),
        None => name,
    }
}

/// Whether there is such a municipality: a slip of the pen closes nothing.
fn known(setting: &Setting, code: MunicipalityCode) -> Result<(), Failure> {
    match boot::release(&setting.config, &setting.clock) {
        Ok((release, _)) if release.municipalities.contains_key(&code) => Ok(()),
        Ok(_) => Err(format!("there is no municipality with code {code}").into()),
        Err(e) => {
            tracing::warn!("whether there is such a municipality is not checked: {e}");
            Ok(())
        }
    }
}
