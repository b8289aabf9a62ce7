//! What a running process needs beside its work: progress bars, logging, output.

pub(crate) mod progress;

use std::io::{self, Write};

use tracing_subscriber::EnvFilter;

/// Logs to standard error; `BORGERLINJE_LOG` chooses what, as in `info,server=debug`.
pub(crate) fn log(env: &dyn Fn(&str) -> Option<String>, default: &str) {
    let filter = env("BORGERLINJE_LOG").unwrap_or_else(|| default.to_owned());
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_target(false)
        .init();
}

/// Writes a line to standard output. A reader that has gone away ends the program quietly.
///
/// # Errors
/// What the operating system says of any other failure.
pub(crate) fn say(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}
