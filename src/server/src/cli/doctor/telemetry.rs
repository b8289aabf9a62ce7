//! Whether the collector of traces can be reached.

use std::net::TcpStream;

use super::{Finding, PATIENCE, State, found};
use crate::config::Config;

/// Whether somebody answers at its address; whether it takes traces, a running service says. Without it everything else
/// is as it was. The path of the address is not said back: some collectors have a token there.
pub(super) fn collector(config: &Config) -> Finding {
    let what = "traces";
    let Some(settings) = &config.telemetry else {
        return found(what, State::Ok, "none are sent: no collector is set");
    };
    let addresses = settings.url.socket_addrs(|| None).unwrap_or_default();
    let reached = |a| TcpStream::connect_timeout(a, PATIENCE).is_ok();
    let host = settings.url.origin().ascii_serialization();
    if addresses.iter().any(reached) {
        let said = format!("{host} answers; {} of 1 is traced", settings.sample);
        found(what, State::Ok, said)
    } else {
        let said = format!("{host} does not answer: traces are dropped, and counted");
        found(what, State::Warning, said)
    }
}
