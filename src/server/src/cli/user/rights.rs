//! What an account may do, as an operator states it: by options, or in a table.

use base::{Lang, MunicipalityCode};
use clap::Args;
use contact::centre::{Allowed, AreaId, Audience, Skills, TeamId};
use knowledge::Release;

use super::New;
use crate::auth::{Details, Role, allowed, check_password, list, user_name};
use crate::cli::Failure;

#[derive(Args, Default)]
pub(in crate::cli) struct Rights {
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

/// The accounts of a tab-separated text.
///
/// # Errors
/// The first line that cannot be, and why.
pub(super) fn parse(text: &str, release: Option<&Release>) -> Result<Vec<New>, Failure> {
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
        let (mut user, mut password, mut oidc) = ("", "", None);
        for (column, cell) in columns.iter().zip(&cells) {
            let set = || Some((*cell).to_owned()).filter(|c| !c.is_empty());
            match *column {
                "user" => user = cell,
                "password" => password = cell,
                "oidc" => oidc = set(),
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
        // Who is let in by a provider needs none.
        if !password.is_empty() || oidc.is_none() {
            check_password(password, user.as_str(), &details.name).map_err(|e| at(&e))?;
        }
        out.push(New {
            user,
            details,
            password: password.to_owned(),
            oidc,
        });
    }
    Ok(out)
}

/// Whether there are such municipalities and areas.
///
/// # Errors
/// The first that is not.
pub(super) fn known(release: &Release, details: &Details) -> Result<(), String> {
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

impl Rights {
    /// What is named here, else what was, else the default.
    pub(super) fn details(self, before: Option<&Details>) -> Result<Details, String> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_read_with_its_defaults_and_faults_name_the_line() {
        let text = "user\tname\tmunicipalities\tpassword\tcapacity\toidc\n\
                    anna\tAnna\t0751,0461\tlyng tromme kajak fyr\t\n\
                    \n\
                    bo\tBo\tall\t\t5\taarhus\n";
        let all = parse(text, None).ok().unwrap();
        assert_eq!(all.len(), 2);
        assert_eq!(
            all[0].details.skills.municipalities,
            allowed("0461,0751").unwrap()
        );
        assert_eq!((all[0].details.capacity, all[1].details.capacity), (3, 5));
        assert_eq!(
            (all[0].oidc.as_deref(), all[1].oidc.as_deref()),
            (None, Some("aarhus"))
        );
        assert!(all[1].password.is_empty());
        assert!(all[0].details.roles.contains(&Role::Agent));
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
            let e = parse(bad, None).err().unwrap().to_string();
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
