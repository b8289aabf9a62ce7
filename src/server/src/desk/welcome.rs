//! What a desk is told first: who it is, and what it has at hand.

use std::collections::BTreeMap;

use super::show::{area, municipality};
use super::wire::{Canned, Code, Me, Served, ToDesk, VERSION, Welcome};
use crate::app::App;
use crate::auth::Account;

pub(super) fn welcome(app: &App, account: &Account) -> ToDesk {
    let snapshot = app.snapshot();
    let release = &snapshot.release;
    let details = &account.details;
    let used = release.desk.slots();
    let served = release.municipalities.keys().filter(|c| account.may(**c));
    let served = served.map(|code| {
        let filled = used.iter().map(|slot| {
            let text = release.fill(&format!("{{{{{slot}}}}}"), *code);
            ((*slot).to_owned(), text)
        });
        Served {
            municipality: municipality(release, *code),
            slots: filled.collect::<BTreeMap<_, _>>(),
        }
    });
    ToDesk::Welcome(Box::new(Welcome {
        v: VERSION,
        me: Me {
            id: account.user.clone(),
            name: details.name.clone(),
            roles: details.roles.iter().map(|r| r.name()).collect(),
            capacity: details.capacity,
        },
        now_ms: app.clock.now().as_millisecond(),
        limits: app.desk.limits.clone(),
        municipalities: served.collect(),
        areas: release.areas.keys().map(|id| area(release, id)).collect(),
        codes: release
            .desk
            .wrap_ups
            .iter()
            .map(|w| Code {
                code: w.code.clone(),
                title: w.title.clone(),
            })
            .collect(),
        canned: release
            .desk
            .canned
            .iter()
            .map(|c| Canned {
                id: c.id.clone(),
                title: c.title.clone(),
                text: c.text.clone(),
            })
            .collect(),
    }))
}
