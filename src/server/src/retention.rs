//! What is old is deleted each day, and it is looked whether it has gone.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use storage::log::Log;
use storage::{Accounts, Before, Forgotten, Journal};

use crate::app::App;

/// Dialogues of one transaction: nobody waits long behind it.
const PIECE: u32 = 50;
const LOOK_EACH: Duration = Duration::from_secs(3_600);
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// For how many days each kind of data is kept: `[retention]` in the configuration, docs/privacy.md.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Retention {
    /// From the last event of a dialogue.
    pub dialogues_days: u16,
    /// Records of turns.
    pub turns_days: u16,
    /// Callbacks, with their numbers.
    pub callbacks_days: u16,
    /// The contact centre's log, behind a snapshot of its state.
    pub log_days: u16,
    /// What agents proposed to the editors, with the citizen's question.
    pub proposals_days: u16,
    /// What staff did.
    pub audit_days: u16,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            dialogues_days: 90,
            turns_days: 90,
            callbacks_days: 30,
            log_days: 14,
            proposals_days: 180,
            audit_days: 730,
        }
    }
}

impl Retention {
    /// # Errors
    /// What is out of bounds.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        let all = [
            (self.dialogues_days, "dialogues_days: 1 to 3650"),
            (self.turns_days, "turns_days: 1 to 3650"),
            (self.callbacks_days, "callbacks_days: 1 to 3650"),
            (self.log_days, "log_days: 1 to 3650"),
            (self.proposals_days, "proposals_days: 1 to 3650"),
            (self.audit_days, "audit_days: 1 to 3650"),
        ];
        match all.into_iter().find(|(days, _)| !(1..=3650).contains(days)) {
            Some((_, why)) => Err(why),
            None => Ok(()),
        }
    }

    /// The shortest of all periods: a backup that is kept no longer keeps nothing for more than twice its period.
    pub(crate) fn shortest_days(&self) -> u16 {
        let all = [
            self.dialogues_days,
            self.turns_days,
            self.callbacks_days,
            self.log_days,
            self.proposals_days,
            self.audit_days,
        ];
        all.into_iter().fold(u16::MAX, u16::min)
    }

    fn before(&self, now: Timestamp) -> Before {
        Before {
            dialogues: ago(now, self.dialogues_days),
            turns: ago(now, self.turns_days),
            callbacks: ago(now, self.callbacks_days),
            log: ago(now, self.log_days),
        }
    }
}

fn ago(now: Timestamp, days: u16) -> Timestamp {
    let span = SignedDuration::from_hours(24 * i64::from(days));
    now.checked_sub(span).unwrap_or(Timestamp::MIN)
}

/// What a deletion did, and whether all that was to go has gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Report {
    pub at: Timestamp,
    pub gone: Forgotten,
    pub proposals: u64,
    pub audit_lines: u64,
    /// What is older than it may be and still there: nothing, but for records of the log that no snapshot covers yet.
    pub left: Forgotten,
    /// The same of proposals and of lines of the audit.
    pub left_proposals: u64,
    pub left_audit_lines: u64,
    /// Whether the bytes are out of the files too: false while somebody else reads them.
    pub scrubbed: bool,
}

/// Deletes what is older than it may be, looks whether it has gone, and keeps the report.
///
/// # Errors
/// The journal's, the accounts', the log's.
pub(crate) async fn run(
    journal: &Journal,
    accounts: &Accounts,
    log: Option<&Log>,
    periods: &Retention,
    now: Timestamp,
) -> Result<Report, Box<dyn std::error::Error + Send + Sync>> {
    let before = periods.before(now);
    let mut gone = Forgotten::default();
    loop {
        let some = journal.forget(before, PIECE).await?;
        if some.is_nothing() {
            break;
        }
        gone.add(some);
    }
    if let Some(log) = log {
        gone.log_records = log.trim(before.log).await?;
    }
    let old = (
        ago(now, periods.proposals_days),
        ago(now, periods.audit_days),
    );
    let (proposals, audit_lines) = accounts.forget(old.0, old.1, now).await?;
    let (left_proposals, left_audit_lines) = accounts.left(old.0, old.1).await?;
    let scrubbed = journal.scrub().await? & accounts.scrub().await?;
    let report = Report {
        at: now,
        gone,
        proposals,
        audit_lines,
        left: journal.left(before).await?,
        left_proposals,
        left_audit_lines,
        scrubbed,
    };
    let json = serde_json::to_string(&report)?;
    journal.keep_report(now, json).await?;
    Ok(report)
}

/// Deletes at the start and once a day, until the service ends.
pub(crate) async fn keep(app: App, log: Log, periods: Retention) {
    let mut last: Option<Timestamp> = None;
    loop {
        let now = app.clock.now();
        if last.is_none_or(|l| now.duration_since(l) >= DAY) {
            match run(&app.journal, &app.auth.accounts, Some(&log), &periods, now).await {
                Ok(report) => {
                    last = Some(now);
                    tell(&report);
                    tell_head(&app.auth.accounts).await;
                }
                Err(e) => {
                    tracing::error!(
                        "what is old is not deleted: {e}; it is tried again in an hour"
                    );
                }
            }
        }
        tokio::time::sleep(LOOK_EACH).await;
    }
}

/// Says daily how far the audit goes: noted off this machine, it shows what was done to the audit since.
async fn tell_head(accounts: &Accounts) {
    match accounts.walk_audit(None).await {
        Ok(walk) => match walk.broken {
            None => tracing::info!(head = %walk.head, lines = walk.lines, "the audit is whole"),
            Some((line, why)) => tracing::error!(line, why, "the audit is not whole"),
        },
        Err(e) => tracing::error!("the audit cannot be read: {e}"),
    }
}

fn tell(report: &Report) {
    let Report {
        gone,
        left,
        scrubbed,
        ..
    } = report;
    if *gone != Forgotten::default() || report.proposals + report.audit_lines > 0 {
        tracing::info!(
            dialogues = gone.dialogues,
            turns = gone.turns,
            callbacks = gone.callbacks,
            log_records = gone.log_records,
            proposals = report.proposals,
            audit_lines = report.audit_lines,
            scrubbed,
            "what was old is deleted"
        );
    }
    let unexpected = Forgotten {
        log_records: 0,
        ..*left
    };
    let (proposals, audit_lines) = (report.left_proposals, report.left_audit_lines);
    if !unexpected.is_nothing() || proposals + audit_lines > 0 {
        tracing::error!(
            ?left,
            proposals,
            audit_lines,
            "older than it may be, and still there"
        );
    }
}

#[cfg(test)]
mod tests;
