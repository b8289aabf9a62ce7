//! The contact centre is told of accounts: at the start, and when one has changed.

use std::sync::Arc;
use std::time::Duration;

use contact::centre::{Centre, Command};
use tokio::time::sleep;

use super::Auth;
use super::account::Known;
use crate::centre::{Error, Handle};

const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Tells the centre what it does not know of the accounts, now and after every change. Does not end before the
/// centre does.
pub(crate) async fn keep_told(auth: Arc<Auth>, centre: Handle) {
    let mut known = auth.known.subscribe();
    loop {
        let wanted = known.borrow_and_update().clone();
        match tell(&centre, &wanted).await {
            Ok(()) => {
                if known.changed().await.is_err() {
                    return;
                }
            }
            Err(e) if e.passes() => sleep(AGAIN_AFTER).await,
            Err(Error::Closed) => return,
            Err(e) => {
                tracing::error!("the contact centre was not told of the accounts: {e}");
                if known.changed().await.is_err() {
                    return;
                }
            }
        }
    }
}

async fn tell(centre: &Handle, wanted: &Known) -> Result<(), Error> {
    let commands = centre.read(|c| differences(c, wanted)).await?;
    for command in commands {
        centre.send(command).await?;
    }
    Ok(())
}

/// What makes a centre know the accounts. Agents of whom this file has never heard are those of another node.
fn differences(centre: &Centre, wanted: &Known) -> Vec<Command> {
    let mut commands = Vec::new();
    for (id, account) in &wanted.accounts {
        let there = centre.agent_state(id);
        match account.profile() {
            Some(profile) if there.is_some_and(|a| a.profile == profile) => {}
            Some(profile) => commands.push(Command::SetAgent {
                profile: Box::new(profile),
            }),
            None if there.is_some() => commands.push(Command::RemoveAgent { agent: id.clone() }),
            None => {}
        }
    }
    let gone = wanted.removed.iter();
    let gone = gone.filter(|id| centre.agent_state(id).is_some());
    commands.extend(gone.map(|id| Command::RemoveAgent { agent: id.clone() }));
    commands
}

#[cfg(test)]
mod tests {
    use contact::centre::{Allowed, Input, Skills};

    use super::super::account::{Account, Details, Role};
    use super::*;

    fn account(user: &str, roles: &[Role]) -> Arc<Account> {
        Arc::new(Account {
            user: user.parse().unwrap(),
            details: Details {
                name: user.to_owned(),
                roles: roles.iter().copied().collect(),
                team: None,
                skills: Skills {
                    municipalities: Allowed::All,
                    areas: Allowed::All,
                    languages: [base::Lang::Da].into(),
                    audiences: [contact::centre::Audience::Citizen].into(),
                },
                capacity: 3,
            },
            password: String::new(),
        })
    }

    fn fold(centre: &mut Centre, wanted: &Known) -> usize {
        let commands = differences(centre, wanted);
        let count = commands.len();
        for (n, command) in commands.into_iter().enumerate() {
            let input = Input {
                id: n.to_string().parse().unwrap(),
                recovered: false,
                command,
                carried: None,
            };
            centre.step(&input, jiff::Timestamp::UNIX_EPOCH);
        }
        count
    }

    #[test]
    fn the_centre_knows_agents_and_supervisors_and_no_one_else() {
        let mut centre = Centre::new();
        let mut known = Known::default();
        for (user, roles) in [
            ("anna", &[Role::Agent][..]),
            ("sofie", &[Role::Supervisor]),
            ("egon", &[Role::Editor]),
        ] {
            known
                .accounts
                .insert(user.parse().unwrap(), account(user, roles));
        }
        assert_eq!(fold(&mut centre, &known), 2);
        assert_eq!(fold(&mut centre, &known), 0, "told once");
        let of = |c: &Centre, user: &str| {
            let agent = c.agent_state(&user.parse().unwrap());
            agent.map(|a| (a.profile.capacity, a.profile.supervisor))
        };
        assert_eq!(of(&centre, "anna"), Some((3, false)));
        assert_eq!(of(&centre, "sofie"), Some((0, true)), "is offered nothing");
        assert_eq!(of(&centre, "egon"), None);

        // Another role, a removal, and somebody of another node's file.
        let sofie = "sofie".parse().unwrap();
        known
            .accounts
            .insert(sofie, account("sofie", &[Role::Editor]));
        let anna = "anna".parse().unwrap();
        known.accounts.remove(&anna);
        assert_eq!(fold(&mut centre, &known), 1);
        assert!(
            of(&centre, "anna").is_some(),
            "not of this file: not touched"
        );
        known.removed.insert(anna);
        assert_eq!(fold(&mut centre, &known), 1);
        assert!(of(&centre, "anna").is_none() && of(&centre, "sofie").is_none());
    }
}
