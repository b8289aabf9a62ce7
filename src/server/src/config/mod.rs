//! Configuration, read whole and checked before anything starts.
//!
//! A value comes from the environment, else from the file that `BORGERLINJE_CONFIG` names, else from the
//! default. The source of environment values is a function, so that tests can inject one.

mod drain;
mod generation;
mod oidc;
mod per_network;
mod redis;
mod secret;
mod team;
mod telemetry;
mod tls;
mod website;

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use contact::Hours;
use contact::centre::{NodeId, Settings, Team};
use inference::{Compute, SchedulerOptions};
use serde::Deserialize;
use storage::log::RedisOptions;

pub(crate) use self::drain::Drain;
pub(crate) use self::generation::Generation;
pub(crate) use self::per_network::PerNetwork;
pub(crate) use self::secret::bytes as secret_bytes;
pub(crate) use self::telemetry::Telemetry;
pub(crate) use self::tls::TlsFiles;
use crate::auth::{Origins, Provider, Staff, public_origin};
use crate::desk::Patience;
use crate::embed;
use crate::retention::Retention;
use crate::web::Hosts;
use crate::websites::Websites;

/// Everything the operator can set.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub listen: SocketAddr,
    /// What the service speaks TLS with; None: a proxy in front does.
    pub tls: Option<TlsFiles>,
    /// Where metrics are served; None: nowhere.
    pub metrics_listen: Option<SocketAddr>,
    /// Which collector traces go to; None: nothing is traced.
    pub telemetry: Option<Telemetry>,
    /// Everything the running service writes lies here.
    pub data: PathBuf,
    /// Where commands put what can be made again: the fetched model, vectors, the trained ranker.
    pub cache: PathBuf,
    /// Where that is taken from too, and never written.
    pub prepared: Option<PathBuf>,
    pub knowledge: PathBuf,
    pub models: PathBuf,
    pub widget: PathBuf,
    pub kernel: Compute,
    /// What is laid over the encoder's weights.
    pub adapter: Adapted,
    /// Threads for indexing and training.
    pub threads: usize,
    /// For the vectors of the latest questions, which are then not encoded again; measurements keep none.
    pub recent_bytes: usize,
    pub budget: index::ErrorBudget,
    /// Under which address staff reach the pages, and which proxies stand in front.
    pub origins: Origins,
    /// Whose web pages editors may bring in as knowledge.
    pub import_from: Hosts,
    /// The Redis that the nodes of one contact centre share; None: this node alone, with its journal.
    pub redis: Option<RedisOptions>,
    /// This node's name among them; None: made once and kept in the data folder.
    pub node: Option<NodeId>,
    /// How the contact centre works; the first team takes what no team is set up for, unless it says otherwise.
    pub centre: Settings,
    /// When a desk counts as left.
    pub desk: Patience,
    /// How long a stop may take.
    pub drain: Drain,
    /// Links are looked at each night; off where the machine has no way out.
    pub nightly_links: bool,
    /// Hosts on an internal network whose links may be looked at.
    pub private_links: BTreeSet<String>,
    /// Every municipality and team is open at all hours: for demonstrations and tests.
    pub always_open: bool,
    /// Where answers are said in other words than the approved ones.
    pub generation: Generation,
    /// For how long what is kept.
    pub retention: Retention,
    /// How much of the chat one network may have.
    pub per_network: PerNetwork,
    /// How staff sign in.
    pub staff: Staff,
    /// Whose identity providers staff may sign in by.
    pub oidc: Vec<Provider>,
    /// Which websites may open a chat; none: any.
    pub websites: Websites,
    /// What their pages embed, and for how long.
    pub embed: embed::Settings,
    pub(crate) teams: Vec<Team>,
}

/// Which adapter the encoder runs with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Adapted {
    /// The one that the model's manifest names.
    Named,
    /// None: the stock encoder.
    Off,
    /// The one of this manifest, as a municipality has trained it.
    At(PathBuf),
}

/// Letters of a node's name at most: it becomes part of ids.
const MAX_NODE_NAME: usize = 40;

/// What is wrong with the configuration.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error("{name}: «{value}» {why}")]
    Value {
        name: String,
        value: String,
        why: String,
    },
    #[error("{0} and {1} are both set: keep one of them")]
    Twice(String, String),
    #[error("[telemetry]: {0}")]
    Telemetry(String),
    #[error("[tls]: {0}")]
    Tls(&'static str),
    #[error("[centre] in the configuration file: {0}")]
    Centre(&'static str),
    #[error("[desk] in the configuration file: {0}")]
    Desk(&'static str),
    #[error("[drain] in the configuration file: {0}")]
    Drain(&'static str),
    #[error("[retention] in the configuration file: {0}")]
    Retention(&'static str),
    #[error("[per_network] in the configuration file: {0}")]
    PerNetwork(&'static str),
    #[error("[generation] in the configuration file: {0}")]
    Generation(&'static str),
    #[error("[embed] in the configuration file: {0}")]
    Embed(&'static str),
    #[error("[[oidc]] in the configuration file: {0}")]
    Oidc(String),
    #[error("[[website]] in the configuration file: {0}")]
    Website(String),
    #[error("[[team]] in the configuration file: {0}")]
    Team(String),
    #[error("the configuration file {path}: {why}")]
    File { path: String, why: String },
    #[error(
        "no folder with `knowledge/` was found from {from}: start in the project's folder, or set BORGERLINJE_HOME"
    )]
    Home { from: String },
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfigFile {
    listen: Option<String>,
    metrics_listen: Option<String>,
    data: Option<String>,
    cache: Option<String>,
    knowledge: Option<String>,
    models: Option<String>,
    widget: Option<String>,
    kernel: Option<String>,
    adapter: Option<String>,
    threads: Option<usize>,
    max_wrong_answers: Option<f32>,
    max_unanswerable_answered: Option<f32>,
    public_url: Option<String>,
    proxies: Option<String>,
    import_hosts: Option<String>,
    redis_url: Option<String>,
    redis_url_file: Option<String>,
    redis_prefix: Option<String>,
    redis_ca: Option<String>,
    node: Option<String>,
    #[serde(default)]
    tls: tls::Written,
    #[serde(default)]
    telemetry: telemetry::TelemetryFile,
    #[serde(default)]
    centre: Settings,
    #[serde(default)]
    desk: Patience,
    #[serde(default)]
    drain: Drain,
    #[serde(default)]
    retention: Retention,
    #[serde(default)]
    per_network: PerNetwork,
    #[serde(default)]
    embed: embed::Settings,
    #[serde(default)]
    staff: Staff,
    #[serde(default)]
    oidc: Vec<oidc::OidcFile>,
    #[serde(default)]
    generation: Generation,
    #[serde(default)]
    nightly_links: bool,
    private_links: Option<String>,
    #[serde(default)]
    always_open: bool,
    #[serde(default)]
    team: Vec<team::TeamFile>,
    #[serde(default)]
    website: Vec<website::WebsiteFile>,
}

impl Config {
    /// As the running service uses it: what commands have prepared is read, and whatever has still to be made
    /// is written under the data folder.
    pub(crate) fn for_service(&self) -> Self {
        Self {
            cache: self.data.join("cache"),
            prepared: Some(self.cache.clone()),
            ..self.clone()
        }
    }

    /// The teams, with the hours that they keep.
    pub(crate) fn teams(&self) -> Vec<Team> {
        let mut teams = self.teams.clone();
        if self.always_open {
            teams.iter_mut().for_each(|t| t.hours = Hours::always());
        }
        teams
    }

    /// The folders that may hold what was made before.
    pub(crate) fn caches(&self) -> impl Iterator<Item = &Path> {
        [Some(self.cache.as_path()), self.prepared.as_deref()]
            .into_iter()
            .flatten()
    }

    /// Reads the configuration through `env`.
    ///
    /// # Errors
    /// The first value that cannot be used: its name, what was found, what is allowed.
    pub(crate) fn read(env: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let file = match env("BORGERLINJE_CONFIG") {
            None => ConfigFile::default(),
            Some(path) => {
                let bad = |why: String| ConfigError::File {
                    path: path.clone(),
                    why,
                };
                let text = std::fs::read_to_string(&path).map_err(|e| bad(e.to_string()))?;
                toml::from_str(&text).map_err(|e| bad(fault(&text, &e)))?
            }
        };
        let home = match env("BORGERLINJE_HOME") {
            Some(h) => PathBuf::from(h),
            None => home()?,
        };
        let text = |name: &str, file: &Option<String>, default: &str| {
            env(name)
                .or_else(|| file.clone())
                .unwrap_or_else(|| default.to_owned())
        };
        let listen = text("BORGERLINJE_LISTEN", &file.listen, "127.0.0.1:8080");
        let kernel = text("BORGERLINJE_KERNEL", &file.kernel, "auto");
        let adapter = text("BORGERLINJE_ADAPTER", &file.adapter, "auto");
        let bad = |name: &str, value: &str, why: &str| ConfigError::Value {
            name: name.to_owned(),
            value: value.to_owned(),
            why: why.to_owned(),
        };
        let share = |name: &str, value: Option<f32>, default: f32| match value {
            None => Ok(default),
            Some(v) if (0.0..=0.5).contains(&v) => Ok(v),
            Some(v) => Err(bad(name, &v.to_string(), "must be a share from 0 to 0.5")),
        };
        let threads = match file.threads {
            None => std::thread::available_parallelism().map_or(1, usize::from),
            Some(n) if (1..=256).contains(&n) => n,
            Some(n) => return Err(bad("threads", &n.to_string(), "must be 1 to 256")),
        };
        let default = index::ErrorBudget::default();
        let set = |name: &str, file: &Option<String>| {
            let value = env(name).or_else(|| file.clone());
            value.filter(|v| !v.is_empty())
        };
        let switch = |name: &str, file: bool| match env(name).as_deref() {
            None => Ok(file),
            Some("1") => Ok(true),
            Some("0") => Ok(false),
            Some(other) => Err(bad(name, other, "must be 0 or 1")),
        };
        let node = set("BORGERLINJE_NODE", &file.node).map(|name| {
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            let short = name.len() <= MAX_NODE_NAME && name.chars().all(plain);
            name.parse::<NodeId>()
                .ok()
                .filter(|_| short)
                .ok_or_else(|| {
                    bad(
                        "BORGERLINJE_NODE",
                        &name,
                        "must be 1 to 40 letters, digits, -, _ and .",
                    )
                })
        });
        file.centre.check().map_err(ConfigError::Centre)?;
        file.desk.check().map_err(ConfigError::Desk)?;
        file.drain.check().map_err(ConfigError::Drain)?;
        file.retention.check().map_err(ConfigError::Retention)?;
        file.embed.check().map_err(ConfigError::Embed)?;
        let per_network = file.per_network;
        per_network.check().map_err(ConfigError::PerNetwork)?;
        let mut generation = file.generation;
        match set("BORGERLINJE_GENERATOR", &None).as_deref() {
            None => {}
            Some("off") => generation = Generation::default(),
            Some(model) => generation.model = Some(model.to_owned()),
        }
        if let Some(mode) = set("BORGERLINJE_GENERATION", &None) {
            let why = "must be verbatim, shortened or generated";
            generation.mode = composition::Mode::from_name(&mode)
                .ok_or_else(|| bad("BORGERLINJE_GENERATION", &mode, why))?;
        }
        generation.check().map_err(ConfigError::Generation)?;
        let teams = team::teams(file.team).map_err(ConfigError::Team)?;
        let mut centre = file.centre;
        if centre.fallback_team.is_none() {
            centre.fallback_team = teams.first().map(|t| t.id.clone());
        }
        let tls = tls::read(env, file.tls, &home)?;
        let here = |p: String, base: &Path| {
            if Path::new(&p).is_absolute() {
                PathBuf::from(p)
            } else {
                base.join(p)
            }
        };
        let address = |name: &str, value: &str| {
            let why = "must be an address and a port such as 127.0.0.1:8080";
            value
                .parse::<SocketAddr>()
                .map_err(|_| bad(name, value, why))
        };
        let public = set("BORGERLINJE_PUBLIC_URL", &file.public_url)
            .map(|url| public_origin(&url).map_err(|why| bad("BORGERLINJE_PUBLIC_URL", &url, why)))
            .transpose()?;
        Ok(Self {
            listen: address("BORGERLINJE_LISTEN", &listen)?,
            tls: tls.clone(),
            metrics_listen: set("BORGERLINJE_METRICS_LISTEN", &file.metrics_listen)
                .map(|value| address("BORGERLINJE_METRICS_LISTEN", &value))
                .transpose()?,
            telemetry: telemetry::read(env, file.telemetry, &home)?,
            data: PathBuf::from(text("BORGERLINJE_DATA", &file.data, "./data")),
            cache: here(text("BORGERLINJE_CACHE", &file.cache, "cache"), &home),
            prepared: None,
            knowledge: here(
                text("BORGERLINJE_KNOWLEDGE", &file.knowledge, "knowledge"),
                &home,
            ),
            models: here(text("BORGERLINJE_MODELS", &file.models, "models"), &home),
            widget: here(text("BORGERLINJE_WIDGET", &file.widget, "widget"), &home),
            kernel: Compute::from_name(&kernel).ok_or_else(|| {
                bad(
                    "BORGERLINJE_KERNEL",
                    &kernel,
                    "must be auto, dense, candle, or instructions this machine has",
                )
            })?,
            adapter: match adapter.as_str() {
                "auto" => Adapted::Named,
                "off" => Adapted::Off,
                path if path.ends_with(".toml") => Adapted::At(here(adapter.clone(), &home)),
                other => {
                    let why = "must be auto, off, or the path of an adapter's .toml file";
                    return Err(bad("BORGERLINJE_ADAPTER", other, why));
                }
            },
            threads,
            recent_bytes: SchedulerOptions::default().recent_bytes,
            budget: index::ErrorBudget {
                wrong: share("max_wrong_answers", file.max_wrong_answers, default.wrong)?,
                unanswerable: share(
                    "max_unanswerable_answered",
                    file.max_unanswerable_answered,
                    default.unanswerable,
                )?,
            },
            origins: Origins {
                public: public.clone(),
                proxies: set("BORGERLINJE_PROXIES", &file.proxies)
                    .unwrap_or_default()
                    .split(',')
                    .map(str::trim)
                    .filter(|a| !a.is_empty())
                    .map(|a| {
                        let why = "must be addresses with commas between, such as 10.0.0.2";
                        a.parse::<IpAddr>()
                            .map_err(|_| bad("BORGERLINJE_PROXIES", a, why))
                    })
                    .collect::<Result<_, _>>()?,
                tls: tls.is_some(),
            },
            import_from: {
                let hosts = set("BORGERLINJE_IMPORT_HOSTS", &file.import_hosts);
                let hosts = hosts.unwrap_or_default();
                Hosts::read(&hosts).map_err(|why| ConfigError::Value {
                    name: "BORGERLINJE_IMPORT_HOSTS".to_owned(),
                    value: hosts.clone(),
                    why,
                })?
            },
            redis: redis::read(
                env,
                &redis::Written {
                    url: file.redis_url,
                    url_file: file.redis_url_file,
                    prefix: file.redis_prefix,
                    ca: file.redis_ca,
                },
                &home,
            )?,
            node: node.transpose()?,
            desk: file.desk,
            drain: file.drain,
            generation,
            retention: file.retention,
            per_network,
            staff: file.staff,
            oidc: oidc::read(env, file.oidc, public.is_some(), &home).map_err(ConfigError::Oidc)?,
            nightly_links: switch("BORGERLINJE_NIGHTLY_LINKS", file.nightly_links)?,
            private_links: set("BORGERLINJE_PRIVATE_LINKS", &file.private_links)
                .unwrap_or_default()
                .split(',')
                .map(|host| host.trim().to_lowercase())
                .filter(|host| !host.is_empty())
                .collect(),
            always_open: switch("BORGERLINJE_ALWAYS_OPEN", file.always_open)?,
            centre,
            embed: file.embed,
            websites: website::websites(file.website).map_err(ConfigError::Website)?,
            teams,
        })
    }
}

/// Where the file is wrong and why, without the line itself: a secret may stand in it.
fn fault(text: &str, e: &toml::de::Error) -> String {
    let at = e.span().and_then(|span| text.get(..span.start));
    match at {
        Some(before) => format!("line {}: {}", before.matches('\n').count() + 1, e.message()),
        None => e.message().to_owned(),
    }
}

/// The nearest folder with `knowledge/`, from the working folder upwards, then from the program's own.
fn home() -> Result<PathBuf, ConfigError> {
    let here = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
    let exe = std::env::current_exe().unwrap_or_default();
    here.ancestors()
        .chain(exe.ancestors().skip(1))
        .find(|d| d.join("knowledge").join("omraader.toml").is_file())
        .map(Path::to_path_buf)
        .ok_or(ConfigError::Home {
            from: here.display().to_string(),
        })
}

#[cfg(test)]
mod tests;
