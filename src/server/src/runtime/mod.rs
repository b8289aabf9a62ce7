//! What a running process needs beside its work: progress bars, logging, output.

mod log;
pub(crate) mod progress;
mod whole;

use std::io::{self, Write};

pub(crate) use self::log::log;
pub(crate) use self::whole::{half, put, sync};

/// Writes a line to standard output. A reader that has gone away ends the program quietly.
///
/// # Errors
/// What the operating system says of any other failure.
pub(crate) fn say(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

/// Resident memory of a process by its number, or of this one by "self", in bytes; `None` where the system does not say.
pub(crate) fn resident(process: &str) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024.0)
}

/// Memory that is free or can be freed, in bytes; `None` where the system does not say.
pub(crate) fn free_memory() -> Option<f64> {
    let all = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = all.lines().find_map(|l| l.strip_prefix("MemAvailable:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024.0)
}

/// Threads for long work, one a core, that give way to everything else.
///
/// # Errors
/// When the system gives no threads.
pub(crate) fn yielding_pool() -> Result<rayon::ThreadPool, rayon::ThreadPoolBuildError> {
    rayon::ThreadPoolBuilder::new()
        .start_handler(|_| inference::nice(inference::BACKGROUND))
        .build()
}

/// Does work on a thread of its own that is this nice (`inference::WRITING`, `inference::BACKGROUND`): long work beside
/// citizens' turns, which tokio's blocking threads would do as eagerly as those.
///
/// # Errors
/// The system gives no thread, or the work panicked.
pub(crate) async fn politely<T: Send + 'static>(
    level: i32,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    let (to, from) = tokio::sync::oneshot::channel();
    std::thread::Builder::new()
        .name("polite".into())
        .spawn(move || {
            inference::nice(level);
            let _ = to.send(work());
        })?;
    from.await
        .map_err(|_| io::Error::other("the work panicked"))
}

/// Files and sockets that a service may have open, once it has raised its limit; none: as many as it likes.
pub(crate) fn open_files() -> Option<u64> {
    use rustix::process::{Resource, getrlimit};
    getrlimit(Resource::Nofile).maximum
}

/// Has the system write no dump of this process's memory when it falls: what citizens have just written is in there.
pub(crate) fn leave_no_dump() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    if let Err(e) = setrlimit(Resource::Core, none) {
        tracing::warn!("a dump of memory may be written when this process falls: {e}");
    }
}

/// Lets this process open as many files and sockets as the system allows it: the usual limit of 1,024 is fewer
/// than the citizens of a busy hour. Says so when that is little all the same.
pub(crate) fn raise_open_files() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    const FEW: u64 = 4_096;
    let mut limit = getrlimit(Resource::Nofile);
    if limit
        .current
        .is_some_and(|now| limit.maximum.is_none_or(|most| now < most))
    {
        limit.current = limit.maximum;
        if let Err(e) = setrlimit(Resource::Nofile, limit) {
            tracing::debug!("the limit of open files stays: {e}");
        }
    }
    if let Some(most) = getrlimit(Resource::Nofile).current.filter(|n| *n < FEW) {
        tracing::warn!("only {most} files and sockets may be open at once (ulimit -Hn)");
    }
}
