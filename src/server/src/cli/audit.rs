//! `borgerlinje audit`: what was done, and whether the chain that says so is whole.

use std::process::ExitCode;

use clap::Subcommand;
use storage::{Accounts, AuditHead, AuditLine};

use super::{Failure, Setting};
use crate::auth;
use crate::runtime::say;

#[derive(Subcommand)]
pub(super) enum AuditCommand {
    /// Print the newest lines, newest first: time, user, what, from where, detail
    List {
        #[arg(long, default_value_t = 50)]
        last: u32,
    },
    /// Walk the chain, name the first line that does not hold, and end with status 1 if there is one
    Verify {
        /// A head that was noted elsewhere, as this command and the daily log print it: then lines that were cut off
        /// the end are found too
        #[arg(long)]
        head: Option<AuditHead>,
    },
}

pub(super) fn run(setting: &Setting, command: &AuditCommand) -> Result<ExitCode, Failure> {
    let path = setting.config.data.join(auth::FILE);
    if !path.is_file() {
        let data = setting.config.data.display();
        return Err(format!("there are no accounts in {data}: set BORGERLINJE_DATA").into());
    }
    let accounts = Accounts::open(&path, &storage::Options::default())?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime.block_on(async {
        let code = match command {
            AuditCommand::List { last } => list(&accounts, *last).await?,
            AuditCommand::Verify { head } => verify(&accounts, *head).await?,
        };
        accounts.close().await?;
        Ok(code)
    })
}

/// Tab-separated.
pub(super) async fn list(accounts: &Accounts, last: u32) -> Result<ExitCode, Failure> {
    for line in accounts.audited(last).await? {
        let AuditLine {
            at,
            user,
            what,
            origin,
            detail,
        } = line;
        say(&format!("{at}\t{user}\t{what}\t{origin}\t{detail}"))?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn verify(accounts: &Accounts, noted: Option<AuditHead>) -> Result<ExitCode, Failure> {
    let walk = accounts.walk_audit(noted).await?;
    if let Some((line, why)) = walk.broken {
        say(&format!("line {line} does not hold: {why}"))?;
        say(&format!("{} lines before it hold", walk.lines))?;
        return Ok(ExitCode::FAILURE);
    }
    say(&format!(
        "{} lines hold; of {} of them an erasure took the detail; {} went with age",
        walk.lines, walk.blanked, walk.deleted
    ))?;
    if walk.noted_gone {
        say("the line of the noted head went with age: it says nothing of those that are left")?;
    }
    say(&format!("head {}", walk.head))?;
    Ok(ExitCode::SUCCESS)
}
