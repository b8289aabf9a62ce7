//! `borgerlinje user`: the accounts of staff. Works while the service runs, which lets a new account in at once.

mod identity;
mod rights;

use std::io::{self, BufRead as _, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use base::Clock as _;
use clap::Subcommand;
use contact::centre::{AgentId, Allowed, Audience};
use storage::{Accounts, AuditLine, NewAccount};

use self::rights::{Rights, known, parse};
use super::{Failure, Setting, audit};
use crate::auth::{self, Details, check_password, hash_password, user_name};
use crate::boot;
use crate::runtime::say;

#[derive(Subcommand)]
pub(super) enum UserCommand {
    /// Add an account; the password is asked for, or read from standard input.
    Add {
        user: String,
        /// PROVIDER or PROVIDER:SUBJECT: who signs in by that provider (`[[oidc]]`) is this account; without a
        /// subject the first whom it calls by the user name.
        #[arg(long)]
        oidc: Option<String>,
        /// The account has no password: it signs in by its provider alone.
        #[arg(long, requires = "oidc")]
        no_password: bool,
        #[command(flatten)]
        rights: Rights,
    },
    /// Add many: a tab-separated file, or - for standard input, whose first line names the columns (user name
    /// role municipalities areas languages audiences team capacity oidc password; what is absent has its default,
    /// and who has an oidc needs no password).
    Import { file: PathBuf },
    /// List the accounts.
    List,
    /// Change what is named and leave the rest. Other roles end the account's sessions.
    Set {
        user: String,
        /// As with add; none takes it away. Ends the account's sessions.
        #[arg(long)]
        oidc: Option<String>,
        #[command(flatten)]
        rights: Rights,
    },
    /// Set a new password and end the account's sessions.
    Password {
        user: String,
        /// None from now on: the account signs in by its provider alone.
        #[arg(long)]
        none: bool,
    },
    /// Take an account's second factor away, code app and keys, for whoever has lost them and the recovery codes; ends its
    /// sessions.
    ResetSecondFactor { user: String },
    /// List an account's sessions: when it signed in, when it was last used, from where, whether with a second factor.
    Sessions {
        user: String,
        /// End them all.
        #[arg(long)]
        end: bool,
    },
    /// Remove an account and end its sessions. What the agent holds goes back to the queue.
    Remove { user: String },
    /// What was done, newest first: as `borgerlinje audit list`.
    Audit {
        #[arg(long, default_value_t = 50)]
        last: u32,
    },
}

/// Bytes of a file that is imported, at most.
const MAX_IMPORT: u64 = 4 << 20;

pub(super) fn run(setting: &Setting, command: UserCommand) -> Result<ExitCode, Failure> {
    let data = &setting.config.data;
    std::fs::create_dir_all(data)
        .map_err(|e| format!("the data folder {}: {e}", data.display()))?;
    let path = data.join(auth::FILE);
    let accounts = Accounts::open(&path, &storage::Options::default())
        .map_err(|e| format!("{}: {e}", path.display()))?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let desk = Desk {
        setting,
        accounts,
        runtime,
    };
    desk.run(command)?;
    desk.runtime.block_on(desk.accounts.close())?;
    Ok(ExitCode::SUCCESS)
}

/// An account to be.
struct New {
    user: AgentId,
    details: Details,
    /// As it was typed; empty: none.
    password: String,
    /// As it was typed: PROVIDER or PROVIDER:SUBJECT.
    oidc: Option<String>,
}

struct Desk<'a> {
    setting: &'a Setting,
    accounts: Accounts,
    runtime: tokio::runtime::Runtime,
}

impl Desk<'_> {
    fn run(&self, command: UserCommand) -> Result<(), Failure> {
        let now = self.setting.clock.now();
        match command {
            UserCommand::Add {
                user,
                oidc,
                no_password,
                rights,
            } => {
                let user = user_name(&user)?;
                let details = rights.details(None)?;
                self.check(&details)?;
                let password = if no_password {
                    String::new()
                } else {
                    let password = ask_password()?;
                    check_password(&password, user.as_str(), &details.name)?;
                    password
                };
                self.add(&[New {
                    user,
                    details,
                    password,
                    oidc,
                }])
            }
            UserCommand::Import { file } => self.add(&self.import(&file)?),
            UserCommand::List => self.list(),
            UserCommand::Set { user, oidc, rights } => {
                let user = user_name(&user)?;
                let before = self.details(&user)?;
                if let Some(oidc) = &oidc {
                    self.set_identity(&user, oidc)?;
                }
                let details = rights.details(Some(&before))?;
                self.check(&details)?;
                let text = serde_json::to_string(&details)?;
                let end = details.roles != before.roles;
                self.runtime
                    .block_on(self.accounts.change(user.as_str(), text, end, now))?;
                self.note("change_account", user.as_str())?;
                say(&format!("{user} is changed"))?;
                Ok(())
            }
            UserCommand::Password { user, none: true } => {
                let user = user_name(&user)?;
                self.details(&user)?;
                self.take_password(&user)
            }
            UserCommand::Password { user, none: false } => {
                let user = user_name(&user)?;
                let details = self.details(&user)?;
                let password = ask_password()?;
                check_password(&password, user.as_str(), &details.name)?;
                let hash = hash_password(&password).map_err(|e| e.to_string())?;
                self.runtime
                    .block_on(self.accounts.set_password(user.as_str(), hash, now))?;
                self.note("change_password", user.as_str())?;
                say(&format!("{user} has a new password"))?;
                Ok(())
            }
            UserCommand::Remove { user } => {
                let user = user_name(&user)?;
                self.runtime
                    .block_on(self.accounts.remove(user.as_str(), now))
                    .map_err(|e| format!("{user}: {e}"))?;
                self.note("remove_account", user.as_str())?;
                say(&format!("{user} is removed"))?;
                Ok(())
            }
            UserCommand::ResetSecondFactor { user } => {
                let user = user_name(&user)?;
                self.details(&user)?;
                let reset = self.accounts.reset_second_factor(user.as_str());
                if !self.runtime.block_on(reset)? {
                    return Err(format!("{user} has no second factor").into());
                }
                self.end_sessions(&user)?;
                self.note("reset_second_factor", user.as_str())?;
                say(&format!(
                    "{user} signs in by password, and can set it up anew"
                ))?;
                Ok(())
            }
            UserCommand::Sessions { user, end } => {
                let user = user_name(&user)?;
                self.details(&user)?;
                if end {
                    let ended = self.end_sessions(&user)?;
                    self.note("end_sessions", user.as_str())?;
                    say(&format!("{ended} sessions of {user} have ended"))?;
                    return Ok(());
                }
                say("begun\tused\tfrom\tsecond factor")?;
                for s in self
                    .runtime
                    .block_on(self.accounts.sessions_of(user.as_str()))?
                {
                    let second = if s.second { "yes" } else { "no" };
                    say(&format!(
                        "{}\t{}\t{}\t{second}",
                        s.created, s.seen, s.origin
                    ))?;
                }
                Ok(())
            }
            UserCommand::Audit { last } => {
                self.runtime.block_on(audit::list(&self.accounts, last))?;
                Ok(())
            }
        }
    }

    fn end_sessions(&self, user: &AgentId) -> Result<u64, Failure> {
        let ended = self.accounts.end_sessions_of(user.as_str());
        Ok(self.runtime.block_on(ended)?)
    }

    fn add(&self, new: &[New]) -> Result<(), Failure> {
        let count = new.len();
        let users: Vec<String> = new.iter().map(|n| n.user.to_string()).collect();
        let identities = self.identities(new)?;
        let rows = hashed(new)?;
        let added = self.accounts.add(rows, self.setting.clock.now());
        self.runtime.block_on(added).map_err(|e| match e {
            storage::Error::Taken(_) if count > 1 => {
                "one of these accounts is there already: nobody was added".to_owned()
            }
            storage::Error::Taken(_) => {
                "there is such an account: `borgerlinje user set` changes it".to_owned()
            }
            e => e.to_string(),
        })?;
        for user in &users {
            self.note("add_account", user)?;
        }
        for identity in identities {
            self.put_identity(identity)?;
        }
        say(&match users.as_slice() {
            [one] => format!("{one} may sign in at /desk"),
            _ => format!("{count} accounts were added"),
        })?;
        Ok(())
    }

    fn list(&self) -> Result<(), Failure> {
        say(
            "user\tname\troles\tmunicipalities\tareas\tlanguages\taudiences\tteam\tcapacity\toidc",
        )?;
        let by = self.by_provider()?;
        for row in self.runtime.block_on(self.accounts.list())? {
            if row.removed {
                continue;
            }
            let d: Details = serde_json::from_str(&row.details)?;
            let roles: Vec<&str> = d.roles.iter().map(|r| r.name()).collect();
            let languages: Vec<&str> = d.skills.languages.iter().map(|l| l.code()).collect();
            let audiences: Vec<&str> = d.skills.audiences.iter().map(|a| audience(*a)).collect();
            say(&[
                row.user.as_str(),
                &d.name,
                &roles.join(","),
                &shown(&d.skills.municipalities),
                &shown(&d.skills.areas),
                &languages.join(","),
                &audiences.join(","),
                d.team.as_ref().map_or("", |t| t.as_str()),
                &d.capacity.to_string(),
                by.get(&row.user).map_or("", String::as_str),
            ]
            .join("\t"))?;
        }
        Ok(())
    }

    fn details(&self, user: &AgentId) -> Result<Details, Failure> {
        let all = self.runtime.block_on(self.accounts.list())?;
        let row = all
            .into_iter()
            .find(|a| a.user == user.as_str() && !a.removed)
            .ok_or_else(|| format!("{user}: {}", storage::Error::UnknownAccount))?;
        Ok(serde_json::from_str(&row.details)?)
    }

    fn note(&self, what: &str, user: &str) -> Result<(), Failure> {
        let line = AuditLine {
            at: self.setting.clock.now(),
            user: "operator".to_owned(),
            what: what.to_owned(),
            origin: "command".to_owned(),
            detail: user.to_owned(),
        };
        Ok(self.runtime.block_on(self.accounts.audit(line))?)
    }

    /// Whether there are such municipalities and areas: a slip of the pen is a right that nobody has.
    fn check(&self, details: &Details) -> Result<(), Failure> {
        match boot::release(&self.setting.config, &self.setting.clock) {
            Ok((release, _)) => known(&release, details).map_err(Into::into),
            Err(e) => {
                tracing::warn!("municipalities and areas are not checked: {e}");
                Ok(())
            }
        }
    }

    fn import(&self, file: &Path) -> Result<Vec<New>, Failure> {
        let release = boot::release(&self.setting.config, &self.setting.clock).ok();
        let text = if file == Path::new("-") {
            io::read_to_string(io::Read::take(io::stdin(), MAX_IMPORT))?
        } else {
            std::fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))?
        };
        parse(&text, release.as_ref().map(|r| &r.0))
    }
}

/// Hashes on all cores: a password takes some 20 ms.
fn hashed(new: &[New]) -> Result<Vec<NewAccount>, Failure> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let share = new.len().div_ceil(cores).max(1);
    let hash = |part: &[New]| -> Result<Vec<NewAccount>, Failure> {
        let row = |new: &New| {
            Ok(NewAccount {
                user: new.user.as_str().to_owned(),
                details: serde_json::to_string(&new.details)?,
                password: if new.password.is_empty() {
                    String::new()
                } else {
                    hash_password(&new.password).map_err(|e| e.to_string())?
                },
            })
        };
        part.iter().map(row).collect()
    };
    std::thread::scope(|scope| {
        let tasks: Vec<_> = new
            .chunks(share)
            .map(|part| scope.spawn(move || hash(part)))
            .collect();
        let mut rows = Vec::with_capacity(new.len());
        for task in tasks {
            rows.extend(
                task.join()
                    .map_err(|_| "a password could not be hashed")??,
            );
        }
        Ok(rows)
    })
}

fn shown<T: Ord + ToString>(allowed: &Allowed<T>) -> String {
    match allowed {
        Allowed::All => "all".to_owned(),
        Allowed::Only(some) => some.iter().map(T::to_string).collect::<Vec<_>>().join(","),
    }
}

fn audience(a: Audience) -> &'static str {
    match a {
        Audience::Citizen => "citizen",
        Audience::Employee => "employee",
    }
}

/// From the terminal without showing it, twice; else the first line of standard input.
fn ask_password() -> Result<String, Failure> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        let mut line = String::new();
        stdin.lock().read_line(&mut line)?;
        return Ok(line.trim_end_matches(['\r', '\n']).to_owned());
    }
    let first = rpassword::prompt_password("Password (12 characters or more): ")?;
    if rpassword::prompt_password("Once more: ")? != first {
        return Err("the two are not the same".into());
    }
    Ok(first)
}
