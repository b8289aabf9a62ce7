//! `borgerlinje user`: the accounts of staff. Works while the service runs, which sees it within a second.

use std::io::{self, BufRead as _, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use base::{Clock as _, Lang, MunicipalityCode};
use clap::{Args, Subcommand};
use contact::centre::{AgentId, Allowed, AreaId, Audience, Skills, TeamId};
use knowledge::Release;
use storage::{Accounts, AuditLine, NewAccount};

use super::{Failure, Setting};
use crate::auth::{self, Details, Role, allowed, check_password, hash_password, list, user_name};
use crate::boot;
use crate::runtime::say;

#[derive(Subcommand)]
pub(super) enum UserCommand {
    /// Add an account; the password is asked for, or read from standard input.
    Add {
        user: String,
        #[command(flatten)]
        rights: Rights,
    },
    /// Add many: a tab-separated file, or - for standard input, whose first line names the columns (user name
    /// role municipalities areas languages audiences team capacity password; what is absent has its default).
    Import { file: PathBuf },
    /// List the accounts.
    List,
    /// Change what is named and leave the rest. Other roles end the account's sessions.
    Set {
        user: String,
        #[command(flatten)]
        rights: Rights,
    },
    /// Set a new password and end the account's sessions.
    Password { user: String },
    /// Remove an account and end its sessions. What the agent holds goes back to the queue.
    Remove { user: String },
    /// What was done, newest first.
    Audit {
        #[arg(long, default_value_t = 50)]
        last: u32,
    },
}

#[derive(Args, Default)]
pub(super) struct Rights {
    /// What citizens and colleagues see.
    #[arg(long)]
    name: Option<String>,
    /// agent, supervisor, editor, admin, with commas between. Default agent.
    #[arg(long)]
    role: Option<String>,
    /// Four-digit codes with commas between, or all: whose citizens the account may see. Must be named.
    #[arg(long)]
    municipalities: Option<String>,
    /// Areas of omraader.toml with commas between, or all. Default all.
    #[arg(long)]
    areas: Option<String>,
    /// Default da.
    #[arg(long)]
    languages: Option<String>,
    /// citizen, employee. Default citizen.
    #[arg(long)]
    audiences: Option<String>,
    /// The team's id; none takes it away.
    #[arg(long)]
    team: Option<String>,
    /// Chats, calls and wrap-ups at once, 0 to 20. Default 3.
    #[arg(long)]
    capacity: Option<u8>,
}

const MAX_CAPACITY: u8 = 20;
const MAX_NAME: usize = 80;
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

struct Desk<'a> {
    setting: &'a Setting,
    accounts: Accounts,
    runtime: tokio::runtime::Runtime,
}

impl Desk<'_> {
    fn run(&self, command: UserCommand) -> Result<(), Failure> {
        let now = self.setting.clock.now();
        match command {
            UserCommand::Add { user, rights } => {
                let user = user_name(&user)?;
                let details = rights.details(None)?;
                self.check(&details)?;
                let password = ask_password()?;
                check_password(&password, user.as_str(), &details.name)?;
                self.add(&[(user, details, password)])
            }
            UserCommand::Import { file } => self.add(&self.import(&file)?),
            UserCommand::List => self.list(),
            UserCommand::Set { user, rights } => {
                let user = user_name(&user)?;
                let before = self.details(&user)?;
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
            UserCommand::Password { user } => {
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
            UserCommand::Audit { last } => {
                for line in self.runtime.block_on(self.accounts.audited(last))? {
                    let AuditLine {
                        at,
                        user,
                        what,
                        origin,
                        detail,
                    } = line;
                    say(&format!("{at}\t{user}\t{what}\t{origin}\t{detail}"))?;
                }
                Ok(())
            }
        }
    }

    fn add(&self, new: &[(AgentId, Details, String)]) -> Result<(), Failure> {
        let count = new.len();
        let users: Vec<String> = new.iter().map(|n| n.0.to_string()).collect();
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
        say(&match users.as_slice() {
            [one] => format!("{one} may sign in at /desk"),
            _ => format!("{count} accounts were added"),
        })?;
        Ok(())
    }

    fn list(&self) -> Result<(), Failure> {
        say("user\tname\troles\tmunicipalities\tareas\tlanguages\taudiences\tteam\tcapacity")?;
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

    fn import(&self, file: &Path) -> Result<Vec<(AgentId, Details, String)>, Failure> {
        let release = boot::release(&self.setting.config, &self.setting.clock).ok();
        let text = if file == Path::new("-") {
            io::read_to_string(io::Read::take(io::stdin(), MAX_IMPORT))?
        } else {
            std::fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))?
        };
        parse(&text, release.as_ref().map(|r| &r.0))
    }
}

/// The accounts of a tab-separated text.
fn parse(
    text: &str,
    release: Option<&Release>,
) -> Result<Vec<(AgentId, Details, String)>, Failure> {
    let mut lines = (1..)
        .zip(text.lines())
        .filter(|(_, l)| !l.trim().is_empty());
    let (_, head) = lines.next().ok_or("the file is empty")?;
    let columns: Vec<&str> = head.split('\t').map(str::trim).collect();
    let mut out = Vec::new();
    for (n, line) in lines {
        let cells: Vec<&str> = line.split('\t').map(str::trim).collect();
        let at = |e: &dyn std::fmt::Display| format!("line {n}: {e}");
        if cells.len() > columns.len() {
            return Err(at(&"more columns than the first line names").into());
        }
        let mut rights = Rights::default();
        let (mut user, mut password) = ("", "");
        for (column, cell) in columns.iter().zip(&cells) {
            let set = || Some((*cell).to_owned()).filter(|c| !c.is_empty());
            match *column {
                "user" => user = cell,
                "password" => password = cell,
                "name" => rights.name = set(),
                "role" => rights.role = set(),
                "municipalities" => rights.municipalities = set(),
                "areas" => rights.areas = set(),
                "languages" => rights.languages = set(),
                "audiences" => rights.audiences = set(),
                "team" => rights.team = set(),
                "capacity" => {
                    let number = set().map(|c| c.parse()).transpose();
                    rights.capacity = number.map_err(|e| at(&format!("capacity: {e}")))?;
                }
                other => return Err(format!("line 1: there is no column «{other}»").into()),
            }
        }
        let user = user_name(user).map_err(|e| at(&e))?;
        let details = rights.details(None).map_err(|e| at(&e))?;
        if let Some(release) = release {
            known(release, &details).map_err(|e| at(&e))?;
        }
        check_password(password, user.as_str(), &details.name).map_err(|e| at(&e))?;
        out.push((user, details, password.to_owned()));
    }
    Ok(out)
}

/// Hashes on all cores: a password takes some 20 ms.
fn hashed(new: &[(AgentId, Details, String)]) -> Result<Vec<NewAccount>, Failure> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let share = new.len().div_ceil(cores).max(1);
    let hash = |part: &[(AgentId, Details, String)]| -> Result<Vec<NewAccount>, Failure> {
        let row = |(user, details, password): &(AgentId, Details, String)| {
            Ok(NewAccount {
                user: user.as_str().to_owned(),
                details: serde_json::to_string(details)?,
                password: hash_password(password).map_err(|e| e.to_string())?,
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

fn known(release: &Release, details: &Details) -> Result<(), String> {
    if let Allowed::Only(codes) = &details.skills.municipalities
        && let Some(odd) = codes
            .iter()
            .find(|c| !release.municipalities.contains_key(c))
    {
        return Err(format!("municipalities: there is none with code {odd}"));
    }
    if let Allowed::Only(areas) = &details.skills.areas
        && let Some(odd) = areas
            .iter()
            .find(|a| !release.areas.contains_key(a.as_str()))
    {
        return Err(format!("areas: «{odd}» is not in omraader.toml"));
    }
    Ok(())
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

impl Rights {
    /// What is named here, else what was, else the default.
    fn details(self, before: Option<&Details>) -> Result<Details, String> {
        let odd = |field: &'static str| move |e: String| format!("--{field}: {e}");
        let b = before;
        let name = match (self.name, b) {
            (Some(name), _) => base::clean(&name),
            (None, Some(b)) => b.name.clone(),
            (None, None) => return Err("--name must be given: it is what citizens see".to_owned()),
        };
        if !(1..=MAX_NAME).contains(&name.chars().count()) {
            return Err(format!("--name: 1 to {MAX_NAME} characters"));
        }
        let roles = match (self.role, b) {
            (Some(roles), _) => list::<Role>(&roles).map_err(odd("role"))?,
            (None, Some(b)) => b.roles.clone(),
            (None, None) => [Role::Agent].into(),
        };
        if roles.is_empty() {
            return Err("--role: at least one".to_owned());
        }
        let municipalities = match (self.municipalities, b) {
            (Some(m), _) => allowed::<MunicipalityCode>(&m).map_err(odd("municipalities"))?,
            (None, Some(b)) => b.skills.municipalities.clone(),
            (None, None) => {
                return Err("--municipalities must be given: codes, or all".to_owned());
            }
        };
        let areas = match (self.areas, b) {
            (Some(a), _) => allowed::<AreaId>(&a).map_err(odd("areas"))?,
            (None, Some(b)) => b.skills.areas.clone(),
            (None, None) => Allowed::All,
        };
        let languages = match (self.languages, b) {
            (Some(l), _) => list::<Lang>(&l).map_err(odd("languages"))?,
            (None, Some(b)) => b.skills.languages.clone(),
            (None, None) => [Lang::Da].into(),
        };
        let audiences = match (self.audiences, b) {
            (Some(a), _) => {
                let parts = a.split(',').map(str::trim).filter(|p| !p.is_empty());
                let one = |p: &str| match p {
                    "citizen" => Ok(Audience::Citizen),
                    "employee" => Ok(Audience::Employee),
                    _ => Err(format!(
                        "--audiences: «{p}» is neither citizen nor employee"
                    )),
                };
                parts.map(one).collect::<Result<_, _>>()?
            }
            (None, Some(b)) => b.skills.audiences.clone(),
            (None, None) => [Audience::Citizen].into(),
        };
        if languages.is_empty() || audiences.is_empty() {
            return Err("--languages and --audiences: at least one each".to_owned());
        }
        let team = match (self.team.as_deref(), b) {
            (Some("none"), _) => None,
            (Some(team), _) => Some(team.parse::<TeamId>().map_err(|e| format!("--team: {e}"))?),
            (None, b) => b.and_then(|b| b.team.clone()),
        };
        let capacity = self.capacity.or(b.map(|b| b.capacity)).unwrap_or(3);
        if capacity > MAX_CAPACITY {
            return Err(format!("--capacity: 0 to {MAX_CAPACITY}"));
        }
        Ok(Details {
            name,
            roles,
            team,
            skills: Skills {
                municipalities,
                areas,
                languages,
                audiences,
            },
            capacity,
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_read_with_its_defaults_and_faults_name_the_line() {
        let text = "user\tname\tmunicipalities\tpassword\tcapacity\n\
                    anna\tAnna\t0751,0461\tlyng tromme kajak fyr\t\n\
                    \n\
                    bo\tBo\tall\tlyng tromme kajak fyr\t5\n";
        let all = parse(text, None).unwrap();
        assert_eq!(all.len(), 2);
        assert_eq!(shown(&all[0].1.skills.municipalities), "0461,0751");
        assert_eq!((all[0].1.capacity, all[1].1.capacity), (3, 5));
        assert!(all[0].1.roles.contains(&Role::Agent));
        for (bad, want) in [
            (
                "user\tname\tmunicipalities\tpassword\nanna\tAnna\tall\tkort",
                "line 2: a password",
            ),
            (
                "user\tname\tpassword\nanna\tAnna\tlyng tromme kajak fyr",
                "line 2: --municipalities",
            ),
            (
                "user\tnavn\nanna\tAnna",
                "line 1: there is no column «navn»",
            ),
            ("user\n!\n", "line 2: a user name"),
        ] {
            let e = parse(bad, None).unwrap_err().to_string();
            assert!(e.contains(want), "{e}");
        }
    }

    #[test]
    fn what_is_not_named_stays() {
        let first = Rights {
            name: Some("Anna".into()),
            municipalities: Some("0751".into()),
            team: Some("t1".into()),
            ..Rights::default()
        };
        let before = first.details(None).unwrap();
        let change = Rights {
            role: Some("agent, supervisor".into()),
            team: Some("none".into()),
            ..Rights::default()
        };
        let after = change.details(Some(&before)).unwrap();
        assert_eq!(after.skills, before.skills);
        assert_eq!((after.roles.len(), after.team), (2, None));
    }
}
