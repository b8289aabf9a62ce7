//! What is looked at when it is asked for, and the address where it is asked.

use std::sync::PoisonError;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use contact::centre::{AgentState, MunicipalityRow};
use inference::Priority;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use tokio::net::TcpListener;

use super::label::{Build, Lane, Served, State as Word, Town, What};
use super::process;
use crate::app::App;
use crate::runtime;

/// OpenMetrics 1.0 as text, which Prometheus and its like ask for.
const FORMAT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

type Towns = Family<Town, Gauge>;
type Words = Family<Word, Gauge>;

/// The gauges that are set for each scrape.
#[derive(Default)]
pub(super) struct Looked {
    waiting: Towns,
    longest_wait: Towns,
    chats: Towns,
    callbacks_due: Towns,
    staffed: Towns,
    agents: Words,
    centre: Words,
    centre_behind: Gauge,
    centre_restarts: Gauge,
    generation: Words,
    release: Gauge,
    served: Family<Served, Gauge>,
    articles: Gauge,
    switched_off: Family<What, Gauge>,
    towns_off: Towns,
    live: Gauge,
    lanes: Family<Lane, Gauge>,
    line_waiting: Gauge,
    journal_waiting: Gauge,
    resident: Gauge,
    files: Gauge,
    most_files: Gauge,
    certificate: Gauge,
}

impl Looked {
    pub(super) fn new(all: &mut Registry) -> Self {
        let new = Self::default();
        new.centre_gauges(all);
        new.service_gauges(all);
        new
    }

    fn centre_gauges(&self, all: &mut Registry) {
        let help = "Citizens who wait for a person now, offered ones included";
        all.register("waiting", help, self.waiting.clone());
        let help = "For how long the one who has waited longest has";
        let longest = self.longest_wait.clone();
        all.register_with_unit("longest_wait", help, Unit::Seconds, longest);
        all.register("chats", "Chats that a person has now", self.chats.clone());
        let help = "Callbacks that are to be rung now and are not";
        all.register("callbacks_due", help, self.callbacks_due.clone());
        let help = "1: some agent is there with the right to it";
        all.register("staffed", help, self.staffed.clone());
        all.register("agents", "Agents by how they are", self.agents.clone());
        let help = "1: the contact centre's log is so now";
        all.register("centre_state", help, self.centre.clone());
        let help = "Records of the centre's log that this node has heard of and not folded";
        all.register("centre_behind", help, self.centre_behind.clone());
        let help = "Times that the watchdog had to start the centre's task again";
        all.register("centre_restarts", help, self.centre_restarts.clone());
    }

    fn service_gauges(&self, all: &mut Registry) {
        let help = "1: the language model is so now";
        all.register("generation_state", help, self.generation.clone());
        let help = "The number of the release that is served";
        all.register("release_number", help, self.release.clone());
        let help = "1: this is the hash of the release that is served";
        all.register("release_served", help, self.served.clone());
        let help = "Articles of the release that is served";
        all.register("articles", help, self.articles.clone());
        let help = "1: the operator has switched it off";
        all.register("switched_off", help, self.switched_off.clone());
        let help = "1: the operator has switched its chat off; others are not named";
        all.register("municipality_switched_off", help, self.towns_off.clone());
        let help = "Dialogues with an open page at this node";
        all.register("dialogues_live", help, self.live.clone());
        let help = "Texts that wait to be encoded";
        all.register("encoder_waiting", help, self.lanes.clone());
        let help = "Questions that wait for their turn";
        all.register("line_waiting", help, self.line_waiting.clone());
        let help = "Requests that wait for the journal";
        all.register("journal_waiting", help, self.journal_waiting.clone());
        let help = "Resident memory of this process";
        let resident = self.resident.clone();
        all.register_with_unit("resident_memory", help, Unit::Bytes, resident);
        let help = "Files and sockets that are open";
        all.register("open_files", help, self.files.clone());
        let help = "Files and sockets that may be open; 0: any number";
        all.register("open_files_most", help, self.most_files.clone());
        let help =
            "Until when the certificate of the service holds, since 1970; 0: a proxy speaks TLS";
        let certificate = self.certificate.clone();
        all.register_with_unit("certificate_expires", help, Unit::Seconds, certificate);
        let build: Family<Build, Gauge> = Family::default();
        let version = env!("CARGO_PKG_VERSION");
        build.get_or_create(&Build { version }).set(1);
        all.register("build", "1: this version runs", build);
    }

    fn towns(&self, rows: &[MunicipalityRow], now: contact::centre::Moment) {
        for family in [
            &self.waiting,
            &self.longest_wait,
            &self.chats,
            &self.callbacks_due,
            &self.staffed,
        ] {
            family.clear();
        }
        for row in rows {
            let town = Town {
                municipality: row.municipality.into(),
            };
            let set = |family: &Towns, n: i64| {
                family.get_or_create(&town).set(n);
            };
            set(&self.waiting, i64::from(row.waiting + row.offered));
            let waited = row.oldest.map_or(0, |oldest| now.since(oldest) / 1_000);
            set(
                &self.longest_wait,
                i64::try_from(waited).unwrap_or(i64::MAX),
            );
            set(&self.chats, i64::from(row.owned));
            set(&self.callbacks_due, i64::from(row.due));
            set(&self.staffed, i64::from(row.staffed));
        }
    }

    fn agents(&self, states: &[AgentState]) {
        for (word, state) in [
            ("available", AgentState::Available),
            ("paused", AgentState::Paused),
            ("wrap_up", AgentState::WrapUp),
            ("absent", AgentState::Absent),
        ] {
            let these = states.iter().filter(|s| **s == state).count();
            let these = i64::try_from(these).unwrap_or(i64::MAX);
            self.agents.get_or_create(&Word { state: word }).set(these);
        }
    }
}

/// One of these words is so, the others are not.
fn one_of(family: &Words, words: &[&'static str], now: &str) {
    for state in words {
        family
            .get_or_create(&Word { state })
            .set(i64::from(*state == now));
    }
}

fn number(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// Looks at everything, and writes it out.
async fn page(State(app): State<App>) -> Response {
    let centre = app.centre.read(|c| {
        let agents: Vec<AgentState> = c.agents().into_iter().map(|a| a.state).collect();
        (c.municipalities(), agents)
    });
    let centre = centre.await.unwrap_or_default();
    let live = app.live.lock().await.len();
    let health = app.centre.health();
    let off = app.switches.now();
    let snapshot = app.snapshot();
    let mut text = String::new();
    let written = {
        let all = app.metrics.registry.lock();
        let all = all.unwrap_or_else(PoisonError::into_inner);
        let (registry, to) = &*all;
        let (rows, agents) = centre;
        // The centre's own time stands still while nothing happens.
        to.towns(&rows, app.clock.now().into());
        to.agents(&agents);
        let words = ["starting", "serving", "away", "closed"];
        one_of(&to.centre, &words, health.state.name());
        to.centre_behind
            .set(i64::try_from(app.centre.behind()).unwrap_or(i64::MAX));
        to.centre_restarts.set(i64::from(health.restarts));
        let words = ["off", "loading", "ready", "unavailable"];
        let model = app.composer.get().map_or("off", |c| c.state());
        one_of(&to.generation, &words, model);
        let release = app.studio.get().map_or(0, |s| s.live_number());
        to.release.set(i64::try_from(release).unwrap_or(i64::MAX));
        to.served.clear();
        let hash = super::label::Hash::of(&snapshot.release.hash);
        to.served.get_or_create(&Served { hash }).set(1);
        to.articles.set(number(snapshot.release.articles.len()));
        for (what, is_off) in [("bot", off.bot), ("generation", off.generation)] {
            let gauge = to.switched_off.get_or_create_owned(&What { what });
            gauge.set(i64::from(is_off));
        }
        to.towns_off.clear();
        for code in &off.municipalities {
            let municipality = (*code).into();
            to.towns_off.get_or_create(&Town { municipality }).set(1);
        }
        to.live.set(number(live));
        for (lane, priority) in [
            ("interactive", Priority::Interactive),
            ("background", Priority::Background),
        ] {
            let waiting = number(app.encoder.waiting_in(priority));
            to.lanes.get_or_create(&Lane { lane }).set(waiting);
        }
        to.line_waiting.set(number(app.line.questions()));
        to.journal_waiting.set(number(app.journal.waiting()));
        if let Some(bytes) = runtime::resident("self") {
            to.resident.set(bytes as i64);
        }
        to.files.set(process::open_files().unwrap_or_default());
        to.most_files.set(process::most_files().unwrap_or_default());
        let expires = app.tls.get().map(|tls| tls.pair().expires.as_second());
        to.certificate.set(expires.unwrap_or_default());
        encode(&mut text, registry)
    };
    match written {
        Ok(()) => (
            [
                (CONTENT_TYPE, FORMAT),
                (CACHE_CONTROL, "no-store"),
                (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            ],
            text,
        )
            .into_response(),
        Err(e) => {
            tracing::error!("the metrics cannot be written: {e}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Answers `GET /metrics`, and nothing else, until the service stops.
pub(crate) async fn serve(app: App, listener: TcpListener) {
    let mut stopping = app.stopping();
    let service = Router::new().route("/metrics", get(page)).with_state(app);
    let served = axum::serve(listener, service.into_make_service())
        .with_graceful_shutdown(async move {
            let _ = stopping.wait_for(|stop| *stop).await;
        })
        .await;
    if let Err(e) = served {
        tracing::error!("the metrics are not served any more: {e}");
    }
}
