//! `borgerlinje serve`.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use axum::serve::ListenerExt as _;
use dialogue::Turn;
use knowledge::{File, Release};
use storage::{Accounts, Journal};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use super::{Failure, Setting};
use crate::app::{App, Inner, Parts, hours};
use crate::auth::{self, Auth};
use crate::centre::{self, Node, Wanted, keep_set_up};
use crate::composer::Composer;
use crate::config::{Config, Drain};
use crate::desk::{self, Desk};
use crate::drain::Drained;
use crate::editor::{Nodes, Studio};
use crate::embed::{self, Embed};
use crate::runtime::progress::Bars;
use crate::runtime::{leave_no_dump, raise_open_files, say};
use crate::telemetry::Telemetry;
use crate::tls::{self, Handshakes, Tls};
use crate::{backup, boot, chat, editor, metrics, retention, router, switches, transcript};

/// Requests that are under way when everybody has been sent away.
const REQUESTS_WITHIN: Duration = Duration::from_secs(5);

pub(super) fn run(setting: &Setting) -> Result<ExitCode, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let config = &setting.config;
    raise_open_files();
    leave_no_dump();
    // What is wrong with an address or a certificate is said before there is a port.
    if let Some(redis) = &config.redis {
        redis.check()?;
    }
    let tls = match config.tls.clone() {
        None => None,
        Some(files) => Some(Arc::new(Tls::new(files)?)),
    };
    // The port is taken first: a second instance should say so at once, not after minutes of indexing.
    let listener = runtime
        .block_on(TcpListener::bind(config.listen))
        .map_err(|e| format!("{} cannot be listened on: {e}", config.listen))?;
    // Until the process ends, however it does.
    let _held = backup::claim(&config.data)?;
    let metrics_at = match config.metrics_listen {
        None => None,
        Some(address) => {
            let bound = runtime.block_on(TcpListener::bind(address));
            Some(bound.map_err(|e| format!("{address} cannot be listened on for metrics: {e}"))?)
        }
    };
    let journal = Journal::open(
        &config.data.join("journal.sqlite"),
        &storage::Options::default(),
    )?;
    let accounts = config.data.join(auth::FILE);
    let accounts = Accounts::open(&accounts, &storage::Options::default())
        .map_err(|e| format!("{}: {e}", accounts.display()))?;
    let editor = config.data.join(editor::FILE);
    let editor = storage::Editor::open(&editor, &storage::Options::default())
        .map_err(|e| format!("{}: {e}", editor.display()))?;
    let name = centre::name(config.node.as_ref(), &config.data)?;
    let released = runtime.block_on(released(config, &editor, name.as_str()))?;
    let (service, bars) = (config.for_service(), Bars::shown());
    let booted = boot::boot_with(&service, released, &setting.clock, &bars)?;
    let address = listener.local_addr()?;
    let encoder = booted.encoder.clone();
    let clock = Arc::new(setting.clock);
    let always_open = config.always_open;
    let (settings, teams) = (config.centre.clone(), config.teams());
    let wanted = move |release: &Release| Wanted {
        settings: settings.clone(),
        municipalities: release
            .municipalities
            .iter()
            .map(|(c, m)| (*c, hours(m, always_open)))
            .collect(),
        teams: teams.clone(),
    };
    runtime.block_on(async move {
        let redis = config.redis.as_ref();
        let log = centre::open(journal.clone(), clock.clone(), &name, redis)?;
        let (trimmed, periods) = (log.clone(), config.retention);
        let live_release = Arc::clone(&booted.snapshot.release);
        let live = (Arc::clone(&live_release), booted.notes);
        let root = config.knowledge.clone();
        let studio = Studio::start(
            editor.clone(),
            booted.maker,
            root,
            booted.files,
            live,
            &*clock,
        );
        let studio = studio.await?;
        if let Some(redis) = redis {
            studio.among(Nodes::open(&editor, name.as_str(), redis)?);
        }
        studio.keep_links(editor::LinkSettings {
            file: config.data.join(editor::LINKS),
            private: config.private_links.clone(),
            nightly: config.nightly_links,
        });
        studio.import_from(config.import_from.clone());
        let turn = Arc::new(ArcSwap::from_pointee(Turn::new(booted.snapshot)));
        let mut options = centre::Options::new(name);
        options.sink = Some(Arc::new(transcript::Writer {
            journal: journal.clone(),
            turn: turn.clone(),
        }));
        let node = Node::start(log, clock.clone(), options);
        tokio::spawn(keep_set_up(node.handle(), wanted(&live_release)));
        let handle = node.handle();
        // Hours that an editor changes hold for the queue too.
        studio.tell(Box::new(move |release| {
            tokio::spawn(keep_set_up(handle.clone(), wanted(release)));
        }));
        let auth = Auth::new(
            accounts.clone(),
            clock.clone(),
            config.origins.clone(),
            config.staff.clone(),
            config.oidc.clone(),
        )
        .await?;
        tokio::spawn(Arc::clone(&auth).keep_up());
        tokio::spawn(auth::keep_told(Arc::clone(&auth), node.handle()));
        let (desk, orders) = Desk::new(&config.centre, config.desk.clone());
        let app = Inner::new(Parts {
            clock,
            turn,
            encoder: booted.encoder,
            journal: journal.clone(),
            centre: node.handle(),
            stream: journal.identity().await?,
            auth,
            desk,
            widget: config.widget.clone(),
            shared: redis.is_some(),
            always_open,
            per_network: config.per_network,
            websites: config.websites.clone(),
            embed: Embed::new(config.embed, &config.widget, &config.data),
        });
        if let Some(settings) = &config.telemetry {
            let (clock, metrics) = (Arc::clone(&app.clock), Arc::clone(&app.metrics));
            let begin = || Telemetry::start(settings, clock, metrics);
            app.telemetry.get_or_init(begin);
        }
        // Before anybody is let in: what is off stays off over a restart.
        app.switches.read(&accounts).await?;
        app.embed.look();
        app.embed.tidy(app.clock.now());
        tokio::spawn(embed::keep_up(Arc::clone(&app)));
        chat::begin(&app);
        tokio::spawn(switches::keep_up(Arc::clone(&app)));
        tokio::spawn(metrics::follow(Arc::clone(&app)));
        let counts = Arc::clone(&app.metrics);
        journal.watch(Arc::clone(&app.clock), move |writes, took| {
            counts.journal(writes, took);
        });
        tokio::spawn(retention::keep(Arc::clone(&app), trimmed, periods));
        tokio::spawn(editor::keep_time(Arc::clone(&app), Arc::clone(&studio)));
        tokio::spawn(editor::follow(Arc::clone(&app), Arc::clone(&studio)));
        tokio::spawn(editor::keep_told(Arc::clone(&app), Arc::clone(&studio)));
        tokio::spawn(editor::look_nightly(Arc::clone(&app), Arc::clone(&studio)));
        studio.keep_thresholds(&app, &app.snapshot());
        app.studio.get_or_init(|| studio);
        let composer = Composer::start(&service, app.clock.clone(), app.encoder.clone());
        for fault in composer.faults(&live_release) {
            tracing::warn!("[generation]: {fault}");
        }
        app.composer.get_or_init(|| composer);
        if let Some(listener) = metrics_at {
            let address = listener.local_addr()?;
            tokio::spawn(metrics::serve(Arc::clone(&app), listener));
            say(&format!("Metrics are at http://{address}/metrics"))?;
        }
        if let Some(tls) = &tls {
            begin_tls(&app, tls);
        }
        if !app.websites.listed() {
            tracing::info!("no website is listed: any may open a chat");
        }
        let there = |code| live_release.municipalities.contains_key(&code);
        for (website, municipality) in app.websites.strange(there) {
            tracing::warn!(website, %municipality, "is listed for a municipality that is not there");
        }
        let scheme = if tls.is_some() { "https" } else { "http" };
        say(&format!("Borgerlinje is listening on {scheme}://{address}"))?;
        tokio::spawn(desk::serve(Arc::clone(&app), orders));
        let stopping = Arc::clone(&app);
        let service = router::build(app).into_make_service_with_connect_info::<SocketAddr>();
        let times = config.drain;
        let ended = Arc::clone(&stopping);
        let drained = drained(stopping, times);
        let serving = match tls {
            // Small frames leave at once, also the last one before a close; the other listener sees to that itself.
            None => axum::serve(listener.tap_io(at_once), service)
                .with_graceful_shutdown(drained)
                .into_future(),
            // Tapped for its addresses: axum knows those of its own listeners.
            Some(tls) => axum::serve(
                Handshakes::new(listener, tls.acceptor()).tap_io(|_| {}),
                service,
            )
            .with_graceful_shutdown(drained)
            .into_future(),
        };
        tokio::select! {
            served = serving => served?,
            () = overdue(&ended) => tracing::warn!("requests are still under way: they are not waited for"),
        }
        if let Some(telemetry) = ended.telemetry.get() {
            telemetry.stop().await;
        }
        node.shutdown().await;
        accounts.close().await?;
        editor.close().await?;
        journal.close().await?;
        encoder.shutdown();
        Ok::<_, Failure>(())
    })?;
    Ok(ExitCode::SUCCESS)
}

fn at_once(socket: &mut TcpStream) {
    if let Err(e) = socket.set_nodelay(true) {
        tracing::debug!("a socket keeps its delay: {e}");
    }
}

/// Says what is wrong with the certificate, and has its files looked at from now on.
fn begin_tls(app: &App, tls: &Arc<Tls>) {
    app.tls.get_or_init(|| Arc::clone(tls));
    let (pair, now) = (tls.pair(), app.clock.now());
    if let Some(why) = pair.unfit(now) {
        tracing::error!("{why}: no browser takes it");
    } else if pair.ends_soon(now) {
        tracing::warn!(expires = %pair.expires, "the certificate ends soon");
    }
    let (tls, clock) = (Arc::clone(tls), Arc::clone(&app.clock));
    tokio::spawn(tls::keep(tls, clock, app.stopping()));
}

/// Finishes what was broken off. What is served then: among several nodes the release that this one had, whatever is
/// in its folder; alone, the folder.
async fn released(
    config: &Config,
    editor: &storage::Editor,
    name: &str,
) -> Result<Option<Vec<File>>, Failure> {
    if config.redis.is_none() {
        editor::recover(editor, &config.knowledge, "").await?;
        return Ok(None);
    }
    if let Err(e) = editor::recover(editor, &config.knowledge, name).await {
        // It is finished once it can be, and until then the release before it is served.
        tracing::error!("{e}");
    }
    editor::released(editor).await
}

/// Resolves when the service is to stop and everybody has been sent away, or at a second demand.
async fn drained(app: App, times: Drain) {
    stop().await;
    // Alone, nobody is there to go to: those who come back meet this node again.
    let notice = if app.shared {
        times.notice()
    } else {
        Duration::ZERO
    };
    say_drain(&app);
    tokio::select! {
        drained = app.drain.carry_out(notice, times.wait()) => {
            let Drained { sockets, left } = drained;
            tracing::info!("{sockets} sockets were open, {left} of them did not end in time");
        }
        () = stop() => tracing::warn!("stopped at once"),
    }
    app.stop();
}

fn say_drain(app: &App) {
    let to = if app.shared {
        "another node"
    } else {
        "the next start"
    };
    tracing::info!("stopping: no new dialogue is taken, and everybody is sent on to {to}");
}

/// Resolves some time after everybody has been sent away: a request that does not end keeps nobody from stopping.
async fn overdue(app: &App) {
    let mut stopping = app.stopping();
    if stopping.wait_for(|s| *s).await.is_err() {
        std::future::pending::<()>().await;
    }
    sleep(REQUESTS_WITHIN).await;
}

/// Resolves when the operator or the system asks the service to stop.
pub(super) async fn stop() {
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut s) => {
                s.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}
