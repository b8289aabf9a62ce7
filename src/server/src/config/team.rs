//! The teams of the contact centre, as the configuration file names them.

use base::MunicipalityCode;
use contact::centre::{Allowed, AreaId, Staffing, Team, TeamId};
use contact::{Hours, Span};
use jiff::civil::Time;
use serde::Deserialize;

/// Agents planned in each hour, unless the file says how many. Callbacks are promised against it, so it is small.
const STAFFING: u8 = 2;
const WEEK: [&str; 7] = [
    "08:00-20:00",
    "08:00-20:00",
    "08:00-20:00",
    "08:00-20:00",
    "08:00-20:00",
    "",
    "",
];

/// One `[[team]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TeamFile {
    id: TeamId,
    name: String,
    /// None: all.
    municipalities: Option<Vec<MunicipalityCode>>,
    /// None: all.
    areas: Option<Vec<AreaId>>,
    /// Monday first, such as `08:00-16:00`; empty on a day without hours. Each municipality's own hours hold too.
    hours: Option<[String; 7]>,
    /// Agents planned in each of these hours.
    staffing: Option<u8>,
}

/// Who answers for all municipalities when the file names no team.
fn usual() -> TeamFile {
    TeamFile {
        id: "kontaktcenter".parse().expect("a word is an id"),
        name: "Kontaktcentret".to_owned(),
        municipalities: None,
        areas: None,
        hours: None,
        staffing: None,
    }
}

/// The teams that the file names, or the usual one.
///
/// # Errors
/// The first value that cannot be: which, and what is allowed.
pub(crate) fn teams(files: Vec<TeamFile>) -> Result<Vec<Team>, String> {
    let files = if files.is_empty() {
        vec![usual()]
    } else {
        files
    };
    let teams: Vec<Team> = files.into_iter().map(team).collect::<Result<_, _>>()?;
    for (n, team) in teams.iter().enumerate() {
        if teams[..n].iter().any(|t| t.id == team.id) {
            return Err(format!("two teams have the id «{}»", team.id));
        }
    }
    Ok(teams)
}

fn team(file: TeamFile) -> Result<Team, String> {
    let week = file.hours.unwrap_or_else(|| WEEK.map(str::to_owned));
    let mut spans: [Vec<Span>; 7] = Default::default();
    let mut staffing = [[0_u8; 24]; 7];
    let planned = file.staffing.unwrap_or(STAFFING);
    for (day, text) in week.iter().enumerate() {
        if text.is_empty() {
            continue;
        }
        let wrong = || {
            format!(
                "team «{}»: hours «{text}» must be such as 08:00-16:00, or empty",
                file.id
            )
        };
        let (from, to) = text.split_once('-').ok_or_else(wrong)?;
        let time = |t: &str| t.trim().parse::<Time>().map_err(|_| wrong());
        let (from, to) = (time(from)?, time(to)?);
        spans[day].push(Span::new(from, to).map_err(|_| wrong())?);
        let end = match (to.hour(), to.minute()) {
            (0, 0) => 24,
            (hour, 0) => hour,
            (hour, _) => hour + 1,
        };
        for hour in from.hour()..end {
            staffing[day][usize::try_from(hour).unwrap_or(0)] = planned;
        }
    }
    Ok(Team {
        id: file.id,
        name: file.name,
        municipalities: file.municipalities.map_or(Allowed::All, Allowed::only),
        areas: file.areas.map_or(Allowed::All, Allowed::only),
        hours: Hours::new(spans),
        staffing: Staffing(staffing),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct File {
        #[serde(default)]
        team: Vec<TeamFile>,
    }

    fn read(text: &str) -> Result<Vec<Team>, String> {
        teams(toml::from_str::<File>(text).unwrap().team)
    }

    #[test]
    fn without_a_team_there_is_one_for_all() {
        let [team] = &read("").unwrap()[..] else {
            panic!("one team");
        };
        assert_eq!(team.municipalities, Allowed::All);
        assert_eq!(team.staffing.0[0][8], 2);
        assert_eq!((team.staffing.0[0][7], team.staffing.0[6][12]), (0, 0));
    }

    #[test]
    fn a_team_has_its_hours_and_its_staff() {
        let text = "[[team]]\nid = \"social\"\nname = \"Social\"\nmunicipalities = [\"0751\"]\nstaffing = 5\n\
                    hours = [\"09:30-12:30\", \"\", \"\", \"\", \"\", \"\", \"\"]\n";
        let [team] = &read(text).unwrap()[..] else {
            panic!("one team");
        };
        assert!(!team.municipalities.contains(&"0101".parse().unwrap()));
        let monday = team.staffing.0[0];
        assert_eq!(monday[8..14], [0, 5, 5, 5, 5, 0]);
    }

    #[test]
    fn faults_say_which_team_and_what_is_allowed() {
        let two = "[[team]]\nid = \"a\"\nname = \"A\"\n[[team]]\nid = \"a\"\nname = \"B\"\n";
        assert!(read(two).unwrap_err().contains("two teams"));
        let odd = "[[team]]\nid = \"a\"\nname = \"A\"\nhours = [\"9 til 16\",\"\",\"\",\"\",\"\",\"\",\"\"]\n";
        let why = read(odd).unwrap_err();
        assert!(
            why.contains("team «a»") && why.contains("08:00-16:00"),
            "{why}"
        );
    }
}
