//! `borgerlinje load`: citizens and agents over real sockets, and what became of every message.
//!
//! Each handover is a whole conversation: a citizen asks for a person, an agent is offered it and accepts, the
//! citizen writes, the agent answers and closes. What is measured is measured at the pages' end of the sockets.

mod agent;
mod book;
mod citizen;
pub(super) mod http;
pub(super) mod server;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use serde::Serialize;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep, timeout};

use self::book::{Book, Times};
use self::server::{Spawned, Start};
use super::{Failure, Setting};
use crate::runtime::{raise_open_files, say};

/// Sockets opened at once.
const AT_ONCE: usize = 64;
/// Everybody must be connected within this.
const CONNECT_WITHIN: Duration = Duration::from_secs(300);
/// How long unfinished conversations are waited for at the end, before what is missing counts as lost.
const SETTLE_FOR: Duration = Duration::from_secs(30);
/// How often due handovers are begun.
const BEAT: Duration = Duration::from_millis(5);

#[derive(Args)]
pub(super) struct Options {
    /// Start a service of its own beside it, on a data folder that is removed in the end.
    #[arg(long, conflicts_with = "address")]
    spawn: bool,
    /// The Redis of the service that is started; without it the service keeps its own log.
    #[arg(long, requires = "spawn", value_name = "URL")]
    redis: Option<String>,
    /// A running service. Its municipalities should be open and its agents' accounts be made for this.
    #[arg(long, requires = "accounts", value_name = "HOST:PORT")]
    address: Option<SocketAddr>,
    /// Accounts of agents of the running service: name, tab, password, one a line.
    #[arg(long, value_name = "FILE")]
    accounts: Option<PathBuf>,
    /// Citizens who are connected all the time.
    #[arg(long, default_value_t = 1_000)]
    citizens: usize,
    /// Agents who are connected all the time.
    #[arg(long, default_value_t = 50)]
    agents: usize,
    /// Conversations with a person begun each second.
    #[arg(long, default_value_t = 20.0)]
    handovers_per_s: f64,
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Print one JSON line.
    #[arg(long)]
    json: bool,
}

/// What came of it. Times are those of whoever waits, in ms.
#[derive(Serialize)]
struct Report {
    /// Citizens and agents whose first connection still stood in the end.
    connected: usize,
    /// Conversations that came to their end, of those begun in the time measured, each second.
    handovers_per_s: f64,
    /// From accepting an offer to hearing that it is one's own.
    accept_ms_p50: f64,
    accept_ms_p99: f64,
    /// From sending a message to its showing at the other side, both ways.
    delivery_ms_p50: f64,
    delivery_ms_p99: f64,
    /// From a person wanted to a person there.
    answer_ms_p50: f64,
    answer_ms_p99: f64,
    /// Messages that were acknowledged and did not come.
    lost: usize,
    /// Messages that came more than once.
    doubled: usize,
    /// What came to somebody who may not read it, or to the wrong conversation.
    misrouted: usize,
    /// Commands that were refused, and conversations that were begun and did not end.
    refused: usize,
    unfinished: usize,
    /// The most the service had in memory; null for a service that was not started here.
    server_rss_mb: Option<f64>,
}

pub(super) fn run(setting: &Setting, options: &Options) -> Result<ExitCode, Failure> {
    if !(options.handovers_per_s > 0.0 && options.handovers_per_s <= 10_000.0) {
        return Err("--handovers-per-s must be above 0 and at most 10000".into());
    }
    if options.citizens == 0 || options.agents == 0 || options.seconds == 0 {
        return Err("--citizens, --agents and --seconds must be at least 1".into());
    }
    raise_open_files();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let report = runtime.block_on(measure(setting, options))?;
    runtime.shutdown_background();
    if options.json {
        say(&serde_json::to_string(&report)?)?;
    } else {
        say(&serde_json::to_string_pretty(&report)?)?;
    }
    let clean = report.lost + report.doubled + report.misrouted == 0;
    Ok(if clean {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// What the tasks of a run share.
struct Stage {
    address: SocketAddr,
    book: Book,
    /// Citizens who have nothing to do.
    free: mpsc::UnboundedSender<usize>,
    over: watch::Receiver<bool>,
}

async fn measure(setting: &Setting, options: &Options) -> Result<Report, Failure> {
    let mut spawned = None;
    let (address, accounts) = if let (Some(address), Some(file)) =
        (options.address, &options.accounts)
    {
        let text = std::fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))?;
        (address, server::read_accounts(&text, options.agents)?)
    } else if options.spawn {
        tracing::info!("a service is started and {} accounts made", options.agents);
        let start = Start {
            redis: options.redis.as_deref(),
            agents: options.agents,
            editors: 0,
            proxies: "",
        };
        let (child, accounts) = Spawned::start(setting, &start).await?;
        let address = child.address;
        spawned = Some(child);
        (address, accounts)
    } else {
        return Err("either --spawn, or --address with --accounts".into());
    };
    let codes = http::municipalities(address).await?;
    let most = options.handovers_per_s * options.seconds as f64 * 1.1 + 1_000.0;
    let (free, mut idle) = mpsc::unbounded_channel();
    let (end, over) = watch::channel(false);
    let stage = Arc::new(Stage {
        address,
        book: Book::new(most as usize),
        free,
        over,
    });

    let mut agents = JoinSet::new();
    let gate = Arc::new(Semaphore::new(4));
    let (signed_in, mut ready) = mpsc::channel(options.agents);
    for account in accounts {
        let (stage, gate, signed_in) = (stage.clone(), gate.clone(), signed_in.clone());
        agents.spawn(async move { agent::run(&stage, account, &gate, &signed_in).await });
    }
    drop(signed_in);
    let mut citizens = JoinSet::new();
    let gate = Arc::new(Semaphore::new(AT_ONCE));
    let mut starts = Vec::with_capacity(options.citizens);
    for n in 0..options.citizens {
        let (start, begin) = mpsc::channel(1);
        starts.push(start);
        let code = codes
            .get(n % codes.len())
            .cloned()
            .ok_or("the service has no municipalities")?;
        let (stage, gate) = (stage.clone(), gate.clone());
        citizens.spawn(async move { citizen::run(&stage, n, code, &gate, begin).await });
    }
    let mut there = 0;
    let mut waiting = Vec::with_capacity(options.citizens);
    let all = async {
        while there < options.agents && ready.recv().await.is_some() {
            there += 1;
        }
        while waiting.len() < options.citizens {
            waiting.extend(idle.recv().await);
        }
    };
    if timeout(CONNECT_WITHIN, all).await.is_err() {
        return Err(format!(
            "{} of {} citizens and {there} of {} agents are connected after {} s",
            waiting.len(),
            options.citizens,
            options.agents,
            CONNECT_WITHIN.as_secs()
        )
        .into());
    }
    tracing::info!("everybody is connected");
    // An agent's line must have proved steady before there are offers.
    sleep(Duration::from_secs(4)).await;

    let begun = Instant::now();
    let window = Duration::from_secs(options.seconds);
    let mut started = 0;
    let mut beat = interval(BEAT);
    let mut queue = std::collections::VecDeque::from(waiting);
    while begun.elapsed() < window {
        beat.tick().await;
        queue.extend(std::iter::from_fn(|| idle.try_recv().ok()));
        let due = (begun.elapsed().as_secs_f64() * options.handovers_per_s) as usize;
        while started < due {
            let Some(n) = queue.pop_front() else { break };
            if let Some(start) = starts.get(n)
                && start.try_send(started).is_ok()
            {
                started += 1;
            }
        }
        if let Some(s) = &mut spawned {
            s.look();
        }
    }
    let finished = stage.book.finished();
    let took = begun.elapsed().as_secs_f64();
    let settled = async {
        while stage.book.finished() < started {
            sleep(Duration::from_millis(50)).await;
        }
    };
    let _ = timeout(SETTLE_FOR, settled).await;
    // A message that came twice would come about now.
    sleep(Duration::from_secs(1)).await;
    let unfinished = started - stage.book.finished();
    end.send_replace(true);
    drop(starts);
    let mut connected = 0;
    for there in agents
        .join_all()
        .await
        .into_iter()
        .chain(citizens.join_all().await)
    {
        connected += usize::from(there);
    }
    if let Some(s) = &mut spawned {
        s.look();
    }
    let book = &stage.book;
    let (accept, delivery, answer) = (
        Times::of(&book.accepts),
        Times::of(&book.deliveries),
        Times::of(&book.answers),
    );
    let (lost, doubled) = book.judge();
    Ok(Report {
        connected,
        handovers_per_s: finished as f64 / took,
        accept_ms_p50: accept.ms(0.5),
        accept_ms_p99: accept.ms(0.99),
        delivery_ms_p50: delivery.ms(0.5),
        delivery_ms_p99: delivery.ms(0.99),
        answer_ms_p50: answer.ms(0.5),
        answer_ms_p99: answer.ms(0.99),
        lost,
        doubled,
        misrouted: book.misrouted(),
        refused: book.refused(),
        unfinished,
        server_rss_mb: spawned.as_ref().map(|s| s.most_mb),
    })
}
