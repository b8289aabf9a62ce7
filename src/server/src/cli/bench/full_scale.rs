//! `bench turn --full-scale`: the whole of it, at the size of today's bot.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use base::{Clock, Lang};
use dialogue::Context;
use dialogue::eval::Question;
use inference::Kind;
use knowledge::{File, Release};
use serde::Serialize;

use super::super::{Failure, Setting, ask};
use super::{percentile, synthetic};
use crate::boot::{self, Booted};
use crate::config::Config;
use crate::runtime::progress::Bars;
use crate::runtime::{resident, say};

/// How long each number of citizens asks.
const EACH: Duration = Duration::from_secs(6);
const CITIZENS: [usize; 4] = [1, 8, 32, 128];
const STARTS: usize = 5;
const PUBLISHED: usize = 3;

#[derive(Serialize)]
struct Report {
    articles: usize,
    sentences: usize,
    /// From nothing but the model to a release that answers.
    full_build_s: f64,
    /// From starting the program to the first answer, with caches warm: the median of five.
    cold_start_ms: f64,
    /// From a changed article to a release that answers with it: the median of three.
    publish_ms: f64,
    search_ms_p50: f64,
    search_ms_p99: f64,
    turn_ms_p50: f64,
    turn_ms_p99: f64,
    turns_per_s_1: f64,
    turns_per_s_8: f64,
    turns_per_s_32: f64,
    turns_per_s_128: f64,
    /// Of a program that has started with caches warm and answered: the median of five.
    rss_mb: f64,
    /// Processor time of 1,000 turns of one citizen.
    cpu_s_per_1000_answers: f64,
    /// Energy of the same, where the machine counts it.
    joules_per_1000_answers: Option<f64>,
}

/// A folder that goes with this value.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(super) fn run(setting: &Setting, questions: &[Question], json: bool) -> Result<(), Failure> {
    let name = format!("borgerlinje-bench-{}", std::process::id());
    let scratch = Scratch(std::env::temp_dir().join(name));
    let real = knowledge::load(&setting.config.knowledge)?;
    let (release, _) = boot::release(&setting.config, &setting.clock)?;
    let mut files = synthetic::base(&real, &release);
    let config = Config {
        knowledge: scratch.0.join("knowledge"),
        cache: scratch.0.join("cache"),
        // The same questions are asked again and again.
        recent_bytes: 0,
        ..setting.config.clone()
    };
    write(&config.knowledge, &files)?;
    link_model(setting, &config)?;
    let now = || setting.clock.monotonic();
    let begun = now();
    let booted = boot::boot(&config, &setting.clock, &Bars::shown())?;
    let full_build_s = (now() - begun).as_secs_f64();
    let release = booted.snapshot.release.clone();
    let sentences = release.articles.iter();
    let sentences = sentences.flat_map(|a| a.examples.values()).map(Vec::len);

    let (mut search, mut turn, cpu, joules) = one_citizen(setting, &booted, questions)?;
    let rates: Vec<f64> = CITIZENS
        .iter()
        .map(|n| many(setting, &booted, questions, *n))
        .collect();
    let mut publishes = Vec::new();
    for n in 0..PUBLISHED {
        publishes.push(publish(setting, &booted, &mut files, n)?);
    }
    drop(booted);
    write(&config.knowledge, &files)?;
    // The first learns what was published, and fills the system's cache of files.
    start(setting, &config)?;
    let (mut starts, mut rss) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let (took, resident) = start(setting, &config)?;
        starts.push(took);
        rss.push(resident);
    }
    let report = Report {
        articles: release.articles.len(),
        sentences: sentences.sum(),
        full_build_s,
        cold_start_ms: percentile(&mut starts, 0.5),
        publish_ms: percentile(&mut publishes, 0.5),
        search_ms_p50: percentile(&mut search, 0.5),
        search_ms_p99: percentile(&mut search, 0.99),
        turn_ms_p50: percentile(&mut turn, 0.5),
        turn_ms_p99: percentile(&mut turn, 0.99),
        turns_per_s_1: rates[0],
        turns_per_s_8: rates[1],
        turns_per_s_32: rates[2],
        turns_per_s_128: rates[3],
        rss_mb: percentile(&mut rss, 0.5),
        cpu_s_per_1000_answers: cpu * 1e3 / turn.len() as f64,
        joules_per_1000_answers: joules.map(|j| j * 1e3 / turn.len() as f64),
    };
    let text = if json {
        serde_json::to_string(&report)?
    } else {
        serde_json::to_string_pretty(&report)?
    };
    say(&text)?;
    Ok(())
}

/// What was fetched is shared; vectors and ranker of this base are not there yet.
fn link_model(setting: &Setting, config: &Config) -> Result<(), Failure> {
    boot::model(&setting.config, &Bars::shown())?;
    fs::create_dir_all(&config.cache)?;
    for name in ["models", "words"] {
        let from = std::path::absolute(setting.config.cache.join(name))?;
        std::os::unix::fs::symlink(from, config.cache.join(name))?;
    }
    Ok(())
}

fn write(root: &Path, files: &[File]) -> Result<(), Failure> {
    for f in files {
        let path = root.join(&f.path);
        fs::create_dir_all(path.parent().unwrap_or(root))?;
        fs::write(path, &f.text)?;
    }
    Ok(())
}

/// Searches and turns of one citizen after another, in ms; processor seconds and joules of all.
type One = (Vec<f64>, Vec<f64>, f64, Option<f64>);

fn one_citizen(setting: &Setting, booted: &Booted, questions: &[Question]) -> Result<One, Failure> {
    let context = Context::new(Lang::Da);
    let now = || setting.clock.monotonic();
    let (mut search, mut turns) = (Vec::new(), Vec::new());
    let warm = questions.iter().take(20);
    let (mut cpu, mut energy) = (0.0, None);
    for (n, q) in warm.chain(questions).enumerate() {
        if n == 20 {
            (cpu, energy) = (cpu_seconds(), joules());
        }
        let begun = now();
        let input = dialogue::Input {
            text: q.text.clone(),
            municipality: q.municipality,
        };
        let half = dialogue::Turn::new(booted.snapshot.clone()).begin(input, &context);
        let vectors = booted.encoder.ask_blocking(Kind::Query, &half.texts())?;
        let encoded = now();
        half.finish(&vectors, &context)?;
        let end = now();
        if n >= 20 {
            search.push(ms(end - encoded));
            turns.push(ms(end - begun));
        }
    }
    let spent = energy.zip(joules()).map(|(a, b)| b - a);
    Ok((search, turns, cpu_seconds() - cpu, spent))
}

/// Turns a second of so many citizens, each of whom asks again as soon as there is an answer.
fn many(setting: &Setting, booted: &Booted, questions: &[Question], citizens: usize) -> f64 {
    let (done, failed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let begun = setting.clock.monotonic();
    let until = begun + EACH;
    std::thread::scope(|scope| {
        for n in 0..citizens {
            let (done, failed) = (&done, &failed);
            scope.spawn(move || {
                let context = Context::new(Lang::Da);
                let own = questions.iter().cycle().skip(n * 37 % questions.len());
                for q in own {
                    if setting.clock.monotonic() >= until {
                        return;
                    }
                    let turn = ask::turn(booted, q.text.clone(), q.municipality, &context);
                    let count = if turn.is_ok() { done } else { failed };
                    count.fetch_add(1, Relaxed);
                }
            });
        }
    });
    let failed = failed.load(Relaxed);
    if failed > 0 {
        tracing::warn!("{failed} turns of {citizens} citizens failed");
    }
    done.load(Relaxed) as f64 / (setting.clock.monotonic() - begun).as_secs_f64()
}

/// One article is changed; how long until a release answers with it, in ms.
fn publish(
    setting: &Setting,
    booted: &Booted,
    files: &mut [File],
    n: usize,
) -> Result<f64, Failure> {
    let local = |f: &&mut File| f.path.contains("/lokal-");
    if let Some(file) = files.iter_mut().filter(local).nth(n * 31) {
        file.text.push_str("\n\nDet gælder også i weekenden.");
    }
    let begun = setting.clock.monotonic();
    let today = setting.clock.now();
    let today = today.to_zoned(contact::copenhagen().clone()).date();
    let (live, before) = (&booted.snapshot.release, &booted.files);
    let (release, _) = Release::build_after(live, before, files, today)
        .map_err(|faults| format!("{} faults", faults.len()))?;
    let release = Arc::new(release);
    booted
        .maker
        .next(&booted.snapshot, release, &mut |_, _, _| {})?;
    Ok(ms(setting.clock.monotonic() - begun))
}

/// Starts the program and asks it one thing: how long until the answer, in ms, and what it has in memory, in MB.
fn start(setting: &Setting, config: &Config) -> Result<(f64, f64), Failure> {
    let begun = setting.clock.monotonic();
    let mut child = Command::new(std::env::current_exe()?)
        .args(["ask", "--municipality", "0751", "--json"])
        .env("BORGERLINJE_KNOWLEDGE", &config.knowledge)
        .env("BORGERLINJE_CACHE", &config.cache)
        .env("BORGERLINJE_LOG", "error")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let asked = question(&mut child);
    let took = ms(setting.clock.monotonic() - begun);
    let resident = resident(&child.id().to_string());
    let _ = child.kill();
    let _ = child.wait();
    asked?;
    Ok((took, resident.unwrap_or(0.0) / 1e6))
}

fn question(child: &mut Child) -> Result<String, Failure> {
    let mut input = child.stdin.take().ok_or("no input")?;
    input.write_all("Hvordan fornyer jeg mit pas?\n".as_bytes())?;
    input.flush()?;
    // Kept open: at its end the program would end too, before its memory is looked at.
    child.stdin = Some(input);
    let out = child.stdout.as_mut().ok_or("no output")?;
    let mut line = String::new();
    BufReader::new(out).read_line(&mut line)?;
    if line.contains("\"outcome\"") {
        Ok(line)
    } else {
        Err(format!("the program answered «{}»", line.trim()).into())
    }
}

fn ms(d: Duration) -> f64 {
    d.as_secs_f64() * 1e3
}

/// Processor time of this process, in s: fields 14 and 15 of its `stat`, in hundredths.
fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = stat.rsplit(')').next().unwrap_or_default();
    let fields: Vec<&str> = after.split_whitespace().collect();
    let field = |n: usize| fields.get(n).and_then(|f| f.parse::<f64>().ok());
    (field(11).unwrap_or(0.0) + field(12).unwrap_or(0.0)) / 100.0
}

/// What the processor has used so far, in J, where the kernel says it (RAPL).
fn joules() -> Option<f64> {
    let path = "/sys/class/powercap/intel-rapl:0/energy_uj";
    let text = fs::read_to_string(path).ok()?;
    text.trim().parse::<f64>().ok().map(|uj| uj / 1e6)
}
