//! `borgerlinje abuse`: honest citizens in calm, then the same beside everything that a public address meets.
//!
//! Everybody is on this machine and in this process, so what the abuse costs its authors counts too. Who comes from which
//! network is said by `X-Forwarded-For`, as a proxy would: addresses of the block that is kept for measurements
//! (RFC 2544, 198.18.0.0/15).

mod foes;
mod honest;
mod wire;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use clap::Args;
use serde::Serialize;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep};

use self::foes::{Foes, Kind, Tallies};
use self::honest::{Citizen, Diary};
use super::bench::percentile;
use super::load::http;
use super::load::server::{Spawned, Start};
use super::{Failure, Setting};
use crate::boot;
use crate::runtime::{raise_open_files, say};

/// Parts that the time of abuse is cut into, for memory.
const PARTS: usize = 6;

#[derive(Args)]
pub(super) struct Options {
    /// Honest citizens, connected all the time.
    #[arg(long, default_value_t = 500)]
    citizens: usize,
    /// Seconds from an honest citizen's answer to the next question, on average.
    #[arg(long, default_value_t = 30)]
    pause: u64,
    /// Seconds of calm before, to compare with.
    #[arg(long, default_value_t = 180)]
    calm: u64,
    /// Seconds of abuse.
    #[arg(long, default_value_t = 1_800)]
    seconds: u64,
    /// Only these kinds; all of them where none is named.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Kind>,
    /// Print one JSON line.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    citizens: usize,
    calm: Turns,
    abused: Turns,
    /// Of the 99th percentiles, abused over calm.
    p99_ratio: f64,
    p50_ratio: f64,
    /// Times an honest citizen had to connect again, and was told to wait.
    reconnects: usize,
    refused: usize,
    /// Messages of honest citizens that were acknowledged and are not in their dialogue in the end, or not answered.
    lost: usize,
    /// Dialogues that could not be read again in the end.
    unread: usize,
    /// Memory of the service, in MB: the median in calm, of each sixth of the abuse, and the most.
    calm_mb: f64,
    abused_mb: Vec<f64>,
    most_mb: f64,
    foes: Tallies,
    /// Passwords that were guessed.
    in_by_guessing: usize,
}

#[derive(Serialize)]
struct Turns {
    turns: usize,
    ms_p50: f64,
    ms_p99: f64,
    ms_most: f64,
}

impl Turns {
    fn of(mut ms: Vec<f64>) -> Self {
        Self {
            turns: ms.len(),
            ms_p50: percentile(&mut ms, 0.5),
            ms_p99: percentile(&mut ms, 0.99),
            ms_most: percentile(&mut ms, 1.0),
        }
    }
}

/// What all tasks know.
pub(super) struct Stage {
    address: SocketAddr,
    municipalities: Vec<String>,
    questions: Vec<String>,
    over: AtomicBool,
}

impl Stage {
    fn over(&self) -> bool {
        self.over.load(Relaxed)
    }

    fn municipality(&self, n: usize) -> &str {
        let at = n % self.municipalities.len().max(1);
        self.municipalities.get(at).map_or("0751", String::as_str)
    }

    /// Each asks on through the example sentences, from a place of its own.
    fn question(&self, n: usize) -> &str {
        let at = n.wrapping_mul(7_919) % self.questions.len().max(1);
        self.questions.get(at).map_or("hej", String::as_str)
    }
}

pub(super) fn run(setting: &Setting, options: &Options) -> Result<ExitCode, Failure> {
    if options.citizens == 0 || options.pause == 0 || options.calm == 0 || options.seconds == 0 {
        return Err("--citizens, --pause, --calm and --seconds must be at least 1".into());
    }
    raise_open_files();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let report = runtime.block_on(measure(setting, options))?;
    runtime.shutdown_background();
    say(&if options.json {
        serde_json::to_string(&report)?
    } else {
        serde_json::to_string_pretty(&report)?
    })?;
    let held = report.lost + report.unread + report.in_by_guessing == 0;
    Ok(if held {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn measure(setting: &Setting, options: &Options) -> Result<Report, Failure> {
    let start = Start {
        redis: None,
        agents: 2,
        editors: 1,
        proxies: "127.0.0.1",
    };
    let (mut service, accounts) = Spawned::start(setting, &start).await?;
    let (release, _) = boot::release(&setting.config, &setting.clock)?;
    let questions = release
        .articles
        .iter()
        .flat_map(|a| a.examples.values().flatten().cloned())
        .collect();
    let stage = Arc::new(Stage {
        address: service.address,
        municipalities: http::municipalities(service.address).await?,
        questions,
        over: AtomicBool::new(false),
    });
    let files = foes::files();
    let diary = Arc::new(Diary::default());
    let mut citizens = JoinSet::new();
    for n in 0..options.citizens {
        let citizen = Citizen::new(n, Arc::clone(&stage), Arc::clone(&diary));
        let pause = Duration::from_secs(options.pause);
        citizens.spawn(citizen.live(pause));
        // They do not all come at once.
        sleep(Duration::from_millis(20)).await;
    }
    tracing::info!("calm for {} s", options.calm);
    // Each has asked once.
    sleep(Duration::from_secs(options.pause * 2)).await;
    diary.take();
    let mut calm_mb = watched(&mut service, options.calm).await;
    let calm = Turns::of(diary.take());

    tracing::info!("abuse for {} s", options.seconds);
    let foes = Foes::begin(&stage, &accounts, files, &options.only).await?;
    let mut abused_mb = watched(&mut service, options.seconds).await;
    let abused = Turns::of(diary.take());
    stage.over.store(true, Relaxed);
    let tallies = foes.end().await;
    let (mut lost, mut unread) = (0, 0);
    for found in citizens.join_all().await {
        match found {
            Some(missing) => lost += missing,
            None => unread += 1,
        }
    }
    service.look();
    let part = abused_mb.len().div_ceil(PARTS).max(1);
    Ok(Report {
        citizens: options.citizens,
        p99_ratio: abused.ms_p99 / calm.ms_p99,
        p50_ratio: abused.ms_p50 / calm.ms_p50,
        calm,
        abused,
        reconnects: diary.reconnects(),
        refused: diary.refused(),
        lost,
        unread,
        calm_mb: percentile(&mut calm_mb, 0.5),
        abused_mb: abused_mb
            .chunks_mut(part)
            .map(|part| percentile(part, 0.5))
            .collect(),
        most_mb: service.most_mb,
        in_by_guessing: tallies.guessed(),
        foes: tallies,
    })
}

/// Waits so many seconds; the service's memory in each, in MB.
async fn watched(service: &mut Spawned, seconds: u64) -> Vec<f64> {
    let until = Instant::now() + Duration::from_secs(seconds);
    let mut beat = interval(Duration::from_secs(1));
    let mut seen = Vec::new();
    while Instant::now() < until {
        beat.tick().await;
        service.look();
        seen.push(service.memory_mb());
    }
    seen
}
