//! What the settings of a Redis can lose, in words for whoever runs it.

use std::collections::BTreeMap;
use std::fmt;

use super::Redis;
use crate::log::Error;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Records can be lost from Redis, and while no journal of a node is lost too the nodes put them back.
    Warning,
    /// Redis itself throws records away, or forgets much more than the nodes should have to put back.
    Severe,
}

/// A setting of Redis that can lose something, or that could not be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// `maxmemory-policy` is not `noeviction`.
    Evicts { policy: String },
    /// `appendonly` is off and there are no snapshots.
    NothingSaved,
    /// `appendonly` is off; `save` as it is set.
    SnapshotsOnly { save: String },
    /// `appendfsync no`.
    NeverSynced,
    /// `appendfsync everysec`.
    SyncedEachSecond,
    /// There are replicas and `min-replicas-to-write` is 0.
    ReplicasMayLag { replicas: u64 },
    /// `maxmemory` is 0.
    NoMemoryLimit,
    /// Before 6.2.
    TooOld { version: String },
    /// Redis does not say.
    Hidden { setting: &'static str },
}

impl Finding {
    pub fn severity(&self) -> Severity {
        match self {
            Self::Evicts { .. }
            | Self::NothingSaved
            | Self::SnapshotsOnly { .. }
            | Self::NeverSynced
            | Self::TooOld { .. } => Severity::Severe,
            Self::SyncedEachSecond
            | Self::ReplicasMayLag { .. }
            | Self::NoMemoryLimit
            | Self::Hidden { .. } => Severity::Warning,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Evicts { policy } => write!(
                f,
                "maxmemory-policy is {policy}: when its memory is full, Redis deletes parts of the log by itself. \
                 Set maxmemory-policy noeviction."
            ),
            Self::NothingSaved => f.write_str(
                "appendonly is off and Redis saves no snapshots: every restart of Redis forgets the whole log, and \
                 the nodes must put it back. Set appendonly yes.",
            ),
            Self::SnapshotsOnly { save } => write!(
                f,
                "appendonly is off: a restart or a crash of Redis forgets everything since its last snapshot (save \
                 {save}), often many minutes, and the nodes must put it back. Set appendonly yes."
            ),
            Self::NeverSynced => f.write_str(
                "appendfsync is no: a power cut or a crash of its machine forgets what the operating system had not \
                 written yet, up to about 30 seconds. Set appendfsync always.",
            ),
            Self::SyncedEachSecond => f.write_str(
                "appendfsync is everysec: a power cut or a crash of its machine forgets the last second or two; the \
                 nodes put that back from their journals. Nothing is forgotten with appendfsync always, at the price \
                 of one disk write for every append.",
            ),
            Self::ReplicasMayLag { replicas } => write!(
                f,
                "Redis has {replicas} replicas and waits for none of them (min-replicas-to-write 0): a failover \
                 forgets what the new primary had not received, and the nodes put it back from their journals."
            ),
            Self::NoMemoryLimit => f.write_str(
                "maxmemory is not set: when the machine's memory is full, the system may end Redis. Set maxmemory \
                 below the machine's memory.",
            ),
            Self::TooOld { version } => {
                write!(f, "this is Redis {version}: 6.2 or newer is needed.")
            }
            Self::Hidden { setting } => write!(
                f,
                "Redis does not let this user see {setting}, so nobody knows what it can lose. Let the user do CONFIG \
                 GET and INFO, or look at it yourself: appendonly yes, appendfsync always, maxmemory-policy \
                 noeviction."
            ),
        }
    }
}

impl Redis {
    pub(crate) async fn check(&self) -> Result<Vec<Finding>, Error> {
        let mut found = Vec::new();
        let mut hidden = None;
        let mut settings = BTreeMap::new();
        let names = [
            "maxmemory-policy",
            "maxmemory",
            "appendonly",
            "appendfsync",
            "save",
            "min-replicas-to-write",
        ];
        for name in names {
            match self.setting(name).await? {
                Some(value) => {
                    settings.insert(name, value);
                }
                None => hidden = hidden.or(Some(name)),
            }
        }
        let is = |name: &str, value: &str| settings.get(name).is_some_and(|v| v == value);
        if let Some(policy) = settings.get("maxmemory-policy")
            && policy != "noeviction"
        {
            found.push(Finding::Evicts {
                policy: policy.clone(),
            });
        }
        if is("maxmemory", "0") {
            found.push(Finding::NoMemoryLimit);
        }
        if is("appendonly", "no") {
            match settings.get("save").map_or("", String::as_str) {
                "" => found.push(Finding::NothingSaved),
                save => found.push(Finding::SnapshotsOnly {
                    save: save.to_owned(),
                }),
            }
        } else if is("appendfsync", "no") {
            found.push(Finding::NeverSynced);
        } else if is("appendfsync", "everysec") {
            found.push(Finding::SyncedEachSecond);
        }
        match self.info_lines().await? {
            Some(info) => {
                if let Some(version) = info.get("redis_version")
                    && older(version)
                {
                    found.push(Finding::TooOld {
                        version: version.clone(),
                    });
                }
                let replicas = info
                    .get("connected_slaves")
                    .and_then(|n| n.parse().ok())
                    .unwrap_or(0);
                if replicas > 0 && is("min-replicas-to-write", "0") {
                    found.push(Finding::ReplicasMayLag { replicas });
                }
            }
            None => hidden = hidden.or(Some("INFO")),
        }
        found.extend(hidden.map(|setting| Finding::Hidden { setting }));
        found.sort_by_key(|f| std::cmp::Reverse(f.severity()));
        Ok(found)
    }

    /// None when Redis does not say.
    async fn setting(&self, name: &str) -> Result<Option<String>, Error> {
        let mut cmd = redis::cmd("CONFIG");
        cmd.arg("GET").arg(name);
        match self.ask::<BTreeMap<String, String>>(&cmd).await {
            Ok(mut values) => Ok(values.remove(name)),
            Err(Error::Denied(_) | Error::Redis(_)) => Ok(None),
            Err(e) => Err(e),
        }
    }

    async fn info_lines(&self) -> Result<Option<BTreeMap<String, String>>, Error> {
        match self.ask::<String>(&redis::cmd("INFO")).await {
            Ok(text) => Ok(Some(
                text.lines()
                    .filter_map(|l| l.split_once(':'))
                    .map(|(k, v)| (k.to_owned(), v.trim().to_owned()))
                    .collect(),
            )),
            Err(Error::Denied(_) | Error::Redis(_)) => Ok(None),
            Err(e) => Err(e),
        }
    }
}

fn older(version: &str) -> bool {
    let mut parts = version.split('.').map_while(|p| p.parse::<u32>().ok());
    let found = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    found < (6, 2)
}
