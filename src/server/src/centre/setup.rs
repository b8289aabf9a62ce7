//! What the program tells the centre of itself: its settings, and the hours of the release's municipalities.

use std::collections::BTreeMap;
use std::time::Duration;

use base::MunicipalityCode;
use contact::Hours;
use contact::centre::{Centre, Command, Settings, Team, TeamId};
use serde::Deserialize;
use tokio::time::sleep;

use super::worker::blocking;
use super::{Error, Handle};

/// How the centre should be set up.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub settings: Settings,
    pub municipalities: BTreeMap<MunicipalityCode, Hours>,
    pub teams: Vec<Team>,
}

/// What the centre says of itself in a snapshot, as far as it is compared here.
#[derive(Deserialize)]
struct Known {
    settings: Settings,
    municipalities: BTreeMap<MunicipalityCode, KnownMunicipality>,
    teams: BTreeMap<TeamId, KnownTeam>,
}

#[derive(Deserialize)]
struct KnownTeam {
    team: Team,
}

#[derive(Deserialize)]
struct KnownMunicipality {
    hours: Hours,
    fair_share_permille: Option<u16>,
}

/// Tells the centre what is not so yet, and tries until it is; with several nodes the last that starts is right.
pub(crate) async fn keep_set_up(handle: Handle, wanted: Wanted) {
    loop {
        match set_up(&handle, &wanted).await {
            Ok(0) => return,
            Ok(told) => {
                return tracing::info!("{told} settings of the contact centre have changed");
            }
            Err(e) if e.passes() => sleep(Duration::from_secs(1)).await,
            Err(Error::Closed) => return,
            Err(e) => return tracing::error!("the contact centre is not set up: {e}"),
        }
    }
}

/// Sends what is not so yet; how much that was.
///
/// # Errors
/// What came of the first command that failed; asking again sends only what is left.
pub(super) async fn set_up(handle: &Handle, wanted: &Wanted) -> Result<usize, Error> {
    let centre = handle.read(Centre::clone).await?;
    let wanted = wanted.clone();
    let told = blocking(move || differences(&centre, wanted)).await;
    let count = told.len();
    for command in told {
        handle.send(command).await?;
    }
    Ok(count)
}

/// The commands that make a centre what it should be. Municipalities that are no longer in the release stay as
/// they are, and so do teams: their citizens may still wait.
fn differences(centre: &Centre, wanted: Wanted) -> Vec<Command> {
    let text = serde_json::to_vec(centre).unwrap_or_default();
    let known: Option<Known> = serde_json::from_slice(&text).ok();
    let mut commands = Vec::new();
    let settled = known
        .as_ref()
        .is_some_and(|k| k.settings == wanted.settings);
    if !settled {
        commands.push(Command::Configure {
            settings: Box::new(wanted.settings),
        });
    }
    // Teams first: as soon as a municipality is known its citizens may ask, and they are routed to teams.
    for team in wanted.teams {
        let t = known.as_ref().and_then(|k| k.teams.get(&team.id));
        if t.is_none_or(|t| t.team != team) {
            let team = Box::new(team);
            commands.push(Command::SetTeam { team });
        }
    }
    for (code, hours) in wanted.municipalities {
        let m = known.as_ref().and_then(|k| k.municipalities.get(&code));
        if m.is_none_or(|m| m.hours != hours) {
            commands.push(Command::SetMunicipality {
                code,
                hours: Box::new(hours),
                fair_share_permille: m.and_then(|m| m.fair_share_permille),
            });
        }
    }
    commands
}
