//! `borgerlinje doctor`: whether everything is there that a service needs, before it is started. Changes nothing.

mod embed;
mod telemetry;

use std::fs;
use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream, ToSocketAddrs as _};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use base::Clock as _;
use inference::ModelFiles;
use serde::Serialize;

use super::{Failure, Setting};
use crate::boot::{self, BootError};
use crate::composer;
use crate::config::Config;
use crate::runtime::{free_memory, open_files, say};
use crate::tls::Pair;

/// Memory of a service without a language model, with room for its citizens, in MB.
const NEEDED_MB: f64 = 600.0;
const FEW_FILES: u64 = 4_096;
const PATIENCE: Duration = Duration::from_secs(3);

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Ok,
    /// It serves all the same.
    Warning,
    /// It does not start, or does not do what it is set to.
    Fault,
}

/// What was found of one thing.
#[derive(Serialize)]
struct Finding {
    what: &'static str,
    state: State,
    said: String,
}

pub(super) fn run(setting: &Setting, json: bool) -> Result<ExitCode, Failure> {
    let config = &setting.config;
    let all = [
        knowledge(setting),
        model(config),
        words(config),
        learned(config),
        generator(config),
        pages(config),
        embed::script(config),
        embed::signed(setting),
        data(config),
        accounts(config),
        port(config),
        tls(setting),
        embed::websites(setting),
        redis(config),
        telemetry::collector(config),
        files(),
        memory(config),
    ];
    for f in &all {
        if json {
            say(&serde_json::to_string(f)?)?;
        } else {
            let mark = match f.state {
                State::Ok => "ok     ",
                State::Warning => "WARNING",
                State::Fault => "FAULT  ",
            };
            say(&format!("{mark} {:<15} {}", f.what, f.said))?;
        }
    }
    let broken = all.iter().any(|f| f.state == State::Fault);
    Ok(ExitCode::from(u8::from(broken)))
}

fn found(what: &'static str, state: State, said: impl Into<String>) -> Finding {
    Finding {
        what,
        state,
        said: said.into(),
    }
}

fn knowledge(setting: &Setting) -> Finding {
    let what = "knowledge";
    match boot::release(&setting.config, &setting.clock) {
        Ok((release, notes)) => {
            let (articles, towns) = (release.articles.len(), release.municipalities.len());
            let said = format!("{articles} articles, {towns} municipalities");
            if notes.is_empty() {
                return found(what, State::Ok, said);
            }
            let said = format!("{said}; {} notes: run `borgerlinje check`", notes.len());
            found(what, State::Warning, said)
        }
        Err(BootError::Knowledge(faults)) => {
            let first = faults.first().map(ToString::to_string).unwrap_or_default();
            found(
                what,
                State::Fault,
                format!("{} faults; the first: {first}", faults.len()),
            )
        }
        Err(e) => found(what, State::Fault, e.to_string()),
    }
}

fn model(config: &Config) -> Finding {
    let what = "encoder";
    let manifest = match boot::manifest(config) {
        Ok(manifest) => manifest,
        Err(e) => return found(what, State::Fault, e.to_string()),
    };
    if let Err(e) = boot::adapter(config) {
        return found(what, State::Fault, format!("the adapter: {e}"));
    }
    let mut here = config.caches().map(|c| ModelFiles::open(c, &manifest));
    match here.find_map(Result::ok) {
        Some(_) => found(what, State::Ok, format!("{} is fetched", manifest.title)),
        None => {
            let said = format!(
                "{} is not here: run `borgerlinje model fetch`",
                manifest.name
            );
            found(what, State::Fault, said)
        }
    }
}

fn words(config: &Config) -> Finding {
    if holds(config, "words", "dic") {
        found("word list", State::Ok, "is fetched")
    } else {
        let said = "is not here: compounds are split by the municipal list alone; run `borgerlinje model fetch`";
        found("word list", State::Warning, said)
    }
}

fn learned(config: &Config) -> Finding {
    if holds(config, "index", "") {
        found(
            "index",
            State::Ok,
            "there is one; a start makes what has changed since",
        )
    } else {
        let said = "nothing is prepared: the first start takes minutes; run `borgerlinje index`";
        found("index", State::Warning, said)
    }
}

/// Whether a folder of the cache has a file with this ending.
fn holds(config: &Config, folder: &str, ending: &str) -> bool {
    let files = config
        .caches()
        .filter_map(|c| fs::read_dir(c.join(folder)).ok());
    files.flatten().flatten().any(|f| {
        let path = f.path();
        path.is_file() && (ending.is_empty() || path.extension().is_some_and(|e| e == ending))
    })
}

fn generator(config: &Config) -> Finding {
    let what = "language model";
    let set = &config.generation;
    let Some(name) = set.model.as_ref().filter(|_| set.modes().generates()) else {
        return found(what, State::Ok, "off: no area is `generated`");
    };
    match composer::file(config, name) {
        Err(why) => found(
            what,
            State::Fault,
            format!("{why}; answers would be verbatim"),
        ),
        Ok(path) => match fs::metadata(&path) {
            Ok(file) => {
                let said = format!("{name}, {:.0} MB", file.len() as f64 / 1e6);
                found(what, State::Ok, said)
            }
            Err(e) => found(what, State::Fault, format!("{}: {e}", path.display())),
        },
    }
}

fn pages(config: &Config) -> Finding {
    let built = config.widget.join("dist/borgerlinje.js");
    if built.is_file() {
        found("pages", State::Ok, "are built")
    } else {
        let said = format!("{} is not there: run `make widget`", built.display());
        found("pages", State::Fault, said)
    }
}

/// Whether it can be written, by a file that goes again.
fn data(config: &Config) -> Finding {
    let (what, folder) = ("data folder", &config.data);
    if !folder.is_dir() {
        let above = folder.parent().filter(|p| !p.as_os_str().is_empty());
        let above = above.unwrap_or(Path::new("."));
        let said = format!("{} is made at the first start", folder.display());
        let state = if above.is_dir() {
            State::Ok
        } else {
            State::Warning
        };
        return found(what, state, said);
    }
    let probe = folder.join(format!(".doctor-{}", std::process::id()));
    let wrote = fs::write(&probe, b"x").and_then(|()| fs::remove_file(&probe));
    match wrote {
        Ok(()) => found(
            what,
            State::Ok,
            format!("{} can be written", folder.display()),
        ),
        Err(e) => found(what, State::Fault, format!("{}: {e}", folder.display())),
    }
}

fn accounts(config: &Config) -> Finding {
    if config.data.join(crate::auth::FILE).is_file() {
        found("accounts", State::Ok, "there is a file of them")
    } else {
        let said = "nobody can sign in yet: `borgerlinje user add`";
        found("accounts", State::Warning, said)
    }
}

fn port(config: &Config) -> Finding {
    let what = "port";
    match TcpListener::bind(config.listen) {
        Ok(_) => found(what, State::Ok, format!("{} is free", config.listen)),
        Err(e) if e.kind() == ErrorKind::AddrInUse => {
            let said = format!(
                "{} is taken; by the service itself, if it runs",
                config.listen
            );
            found(what, State::Warning, said)
        }
        Err(e) => found(what, State::Fault, format!("{}: {e}", config.listen)),
    }
}

fn tls(setting: &Setting) -> Finding {
    let what = "TLS";
    let Some(files) = &setting.config.tls else {
        return found(what, State::Ok, "none is set: a proxy in front speaks it");
    };
    let pair = match Pair::read(files) {
        Ok(pair) => pair,
        Err(e) => return found(what, State::Fault, e),
    };
    let now = setting.clock.now();
    if let Some(why) = pair.unfit(now) {
        return found(what, State::Fault, why);
    }
    let said = format!("the certificate holds until {}", pair.expires);
    if pair.ends_soon(now) {
        return found(what, State::Warning, format!("{said}: renew it"));
    }
    found(what, State::Ok, said)
}

/// Whether somebody answers at its address; who, and whether it lets us in, a start says. The address is not said back:
/// of one that is written wrongly nobody can tell which part is the password.
fn redis(config: &Config) -> Finding {
    let what = "Redis";
    let Some(options) = &config.redis else {
        return found(what, State::Ok, "none is set: this node alone");
    };
    if let Err(e) = options.check() {
        return found(what, State::Fault, e.to_string());
    }
    // Sentinels are a list behind the first; one is enough to be told of the others.
    let url = options.url.trim();
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    if scheme.ends_with("unix") {
        return found(
            what,
            State::Ok,
            "is a socket of this machine; a start says whether it answers",
        );
    }
    let hosts = rest.rsplit_once('@').map_or(rest, |(_, hosts)| hosts);
    let host = hosts.split(['/', ',', '?']).next().unwrap_or_default();
    let usual = if scheme.contains("sentinel") {
        26_379
    } else {
        6_379
    };
    let at = match host.rsplit_once(':').map(|(h, p)| (h, p.parse())) {
        Some((host, Ok(port))) => (host, port),
        _ => (host, usual),
    };
    let mut addresses = at.to_socket_addrs().into_iter().flatten();
    if addresses.any(|a| TcpStream::connect_timeout(&a, PATIENCE).is_ok()) {
        found(what, State::Ok, "answers at the address that is set")
    } else {
        let said = "does not answer at the address that is set: people cannot be asked for";
        found(what, State::Fault, said)
    }
}

fn files() -> Finding {
    let what = "open files";
    match open_files() {
        Some(most) if most < FEW_FILES => {
            let said = format!("{most} at most: each open chat takes one");
            found(what, State::Warning, said)
        }
        Some(most) => found(what, State::Ok, format!("{most} at most")),
        None => found(what, State::Ok, "without limit"),
    }
}

fn memory(config: &Config) -> Finding {
    let what = "memory";
    let file = config.generation.model.as_ref();
    let file = file.filter(|_| config.generation.modes().generates());
    let file = file.and_then(|name| composer::file(config, name).ok());
    let model = file.and_then(|path| fs::metadata(path).ok());
    // Weights of 4 bits are held in 8.
    let more = model.map_or(0.0, |m| {
        2.0 * m.len() as f64 / 1e6 + config.generation.cache_mb as f64
    });
    let needed = NEEDED_MB + more;
    match free_memory() {
        None => found(what, State::Ok, format!("about {needed:.0} MB are needed")),
        Some(free) => {
            let said = format!("{:.0} MB free, about {needed:.0} needed", free / 1e6);
            let state = if free / 1e6 < needed {
                State::Warning
            } else {
                State::Ok
            };
            found(what, state, said)
        }
    }
}
