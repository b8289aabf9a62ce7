//! What a node says of itself, and what it hears of the others.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use super::{NodeShown, Nodes};
use crate::app::App;
use crate::editor::Studio;

/// How often a node is heard of, and after how long it counts as gone.
const SAY_AFTER: Duration = Duration::from_secs(3);
const GONE_AFTER: Duration = Duration::from_secs(12);

/// What a node says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Own {
    pub state: State,
    pub number: u64,
    pub release: String,
    pub why: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    #[default]
    Starting,
    Same,
    Folder,
    Behind,
    Stuck,
    Away,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Same => "same",
            Self::Folder => "folder",
            Self::Behind => "behind",
            Self::Stuck => "stuck",
            Self::Away => "away",
        }
    }
}

/// Says how this node is, and hears of the others, until the service stops.
pub(crate) async fn keep_told(app: App, studio: Arc<Studio>) {
    let Some(nodes) = studio.nodes() else { return };
    let mut own = nodes.own.subscribe();
    let mut stopping = app.stopping();
    loop {
        let said = own.borrow_and_update().clone();
        let words = serde_json::to_string(&said).unwrap_or_default();
        if nodes.log.say(&words).await.is_ok()
            && let Ok(heard) = nodes.log.said().await
        {
            nodes.heard.store(Arc::new(heard));
        }
        tokio::select! {
            _ = own.changed() => {}
            () = sleep(SAY_AFTER) => {}
            _ = stopping.wait_for(|s| *s) => return,
        }
    }
}

impl Nodes {
    /// Says something new of this node.
    pub(super) fn show(&self, state: State, why: Option<String>) {
        self.own.send_if_modified(|own| {
            let news = own.state != state || own.why != why;
            if news && let Some(why) = &why {
                tracing::warn!("releases: {why}");
            }
            (own.state, own.why) = (state, why);
            news
        });
    }

    /// Says which release this node serves.
    pub(super) fn serves(&self, number: u64, release: &str) {
        self.own.send_if_modified(|own| {
            let news = own.number != number || own.release != release;
            own.number = number;
            release.clone_into(&mut own.release);
            news
        });
    }

    /// Every node that was heard of within a week, by name; this one as it is now.
    pub(crate) fn shown(&self) -> Vec<NodeShown> {
        let mine = self.own.borrow().clone();
        let mut all: Vec<NodeShown> = self
            .heard
            .load()
            .iter()
            .filter(|said| said.node != self.name)
            .filter_map(|said| {
                let own = serde_json::from_str(&said.text).ok()?;
                Some(shown(&said.node, &own, said.age, false))
            })
            .collect();
        let mut me = shown(&self.name, &mine, Duration::ZERO, true);
        if !self.reachable() {
            "away".clone_into(&mut me.state);
            me.why = Some(super::away(None).text);
        }
        all.push(me);
        // The newest that anybody serves: whoever says to be well and serves less has not heard of it yet.
        let newest = all.iter().max_by_key(|n| n.number);
        let (newest, release) =
            newest.map_or((0, String::new()), |n| (n.number, n.release.clone()));
        // The same under another number is the same: a node that came with more numbers of its own took it over.
        let behind = |n: &&mut NodeShown| n.number < newest && n.release != release;
        for n in all.iter_mut().filter(behind) {
            if matches!(n.state.as_str(), "same" | "folder") {
                "behind".clone_into(&mut n.state);
            }
        }
        all.sort_by(|a, b| a.node.cmp(&b.node));
        all
    }
}

fn shown(node: &str, own: &Own, age: Duration, me: bool) -> NodeShown {
    let gone = age > GONE_AFTER;
    NodeShown {
        node: node.to_owned(),
        me,
        number: own.number,
        release: own.release.clone(),
        state: if gone { "gone" } else { own.state.name() }.to_owned(),
        why: if gone {
            Some(
                "Der er ikke hørt fra serveren. Den er slukket, eller den kan ikke nå Redis."
                    .to_owned(),
            )
        } else {
            own.why.clone()
        },
        age_ms: u64::try_from(age.as_millis()).unwrap_or(u64::MAX),
    }
}
