//! The service under load: started here, on a data folder that goes with it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{Instant, timeout};

use super::{Failure, Setting};
use crate::boot;
use crate::runtime::resident;

const LISTENING: &str = "Borgerlinje is listening on http://";
/// A cache that was never filled takes the encoding and the training.
const START_WITHIN: Duration = Duration::from_secs(900);
/// How often its memory is looked at.
const LOOK_AFTER: Duration = Duration::from_millis(500);
/// Chats that each agent may have at once.
const CAPACITY: &str = "8";

pub(in crate::cli) struct Account {
    pub(in crate::cli) user: String,
    pub(in crate::cli) password: String,
    role: &'static str,
}

/// What is started.
pub(in crate::cli) struct Start<'a> {
    pub(in crate::cli) redis: Option<&'a str>,
    pub(in crate::cli) agents: usize,
    pub(in crate::cli) editors: usize,
    /// Addresses whose `X-Forwarded-For` is believed.
    pub(in crate::cli) proxies: &'a str,
}

/// Ends with this value, and the folder too.
pub(in crate::cli) struct Spawned {
    child: Child,
    pub(in crate::cli) address: SocketAddr,
    data: PathBuf,
    /// The most memory it was seen with, in MB (millions of bytes).
    pub(in crate::cli) most_mb: f64,
    looked: Instant,
}

impl Drop for Spawned {
    fn drop(&mut self) {
        let _ = self.child.start_kill();
        let _ = std::fs::remove_dir_all(&self.data);
    }
}

impl Spawned {
    /// Makes accounts, agents first, who serve a third of the municipalities each, and starts the service.
    pub(in crate::cli) async fn start(
        setting: &Setting,
        start: &Start<'_>,
    ) -> Result<(Self, Vec<Account>), Failure> {
        let config = &setting.config;
        let program = std::env::current_exe()?;
        let name = format!("borgerlinje-load-{}", std::process::id());
        let data = std::env::temp_dir().join(&name);
        std::fs::create_dir(&data).map_err(|e| format!("{}: {e}", data.display()))?;
        let command = || {
            let mut c = Command::new(&program);
            c.env("BORGERLINJE_DATA", &data)
                .env("BORGERLINJE_CACHE", &config.cache)
                .env("BORGERLINJE_KNOWLEDGE", &config.knowledge)
                .env("BORGERLINJE_LISTEN", "127.0.0.1:0")
                .env("BORGERLINJE_ALWAYS_OPEN", "1")
                .env("BORGERLINJE_REDIS_URL", start.redis.unwrap_or_default())
                .env("BORGERLINJE_PROXIES", start.proxies)
                .env("BORGERLINJE_REDIS_PREFIX", &name)
                .env("BORGERLINJE_NODE", "load")
                .stderr(Stdio::inherit())
                .kill_on_drop(true);
            c
        };
        let accounts: Vec<Account> = (0..start.agents + start.editors)
            .map(|n| account(n, if n < start.agents { "agent" } else { "editor" }))
            .collect();
        let (release, _) = boot::release(&setting.config, &setting.clock)?;
        let codes: Vec<String> = release
            .municipalities
            .keys()
            .map(ToString::to_string)
            .collect();
        add_all(&accounts, &codes, command()).await?;
        let mut child = command().arg("serve").stdout(Stdio::piped()).spawn()?;
        let out = child.stdout.take().ok_or("the service has no output")?;
        let mut lines = BufReader::new(out).lines();
        let listening = async {
            while let Some(line) = lines.next_line().await? {
                if let Some(address) = line.trim().strip_prefix(LISTENING) {
                    return Ok::<_, Failure>(address.parse()?);
                }
            }
            Err("the service ended before it listened".into())
        };
        let address = timeout(START_WITHIN, listening).await??;
        let spawned = Self {
            child,
            address,
            data,
            most_mb: 0.0,
            looked: Instant::now(),
        };
        Ok((spawned, accounts))
    }

    /// Notes how much memory it has, now and then.
    pub(in crate::cli) fn look(&mut self) {
        if self.looked.elapsed() < LOOK_AFTER {
            return;
        }
        self.looked = Instant::now();
        self.most_mb = self.most_mb.max(self.memory_mb());
    }

    /// What it has now, in MB; 0 when it has ended.
    pub(in crate::cli) fn memory_mb(&self) -> f64 {
        let now = self.child.id().and_then(|pid| resident(&pid.to_string()));
        now.unwrap_or(0.0) / 1e6
    }
}

/// Makes the accounts as an operator would; agent n serves the municipalities m with (m + n) divisible by 3.
async fn add_all(
    accounts: &[Account],
    codes: &[String],
    mut command: Command,
) -> Result<(), Failure> {
    let mut table = "user\tname\trole\tmunicipalities\tlanguages\tcapacity\tpassword\n".to_owned();
    for (n, account) in accounts.iter().enumerate() {
        let rights = codes.iter().enumerate().filter(|(m, _)| (m + n) % 3 == 0);
        let rights: Vec<&str> = rights.map(|(_, c)| c.as_str()).collect();
        let Account {
            user,
            password,
            role,
        } = account;
        let rights = match *role {
            "editor" => "all".to_owned(),
            _ => rights.join(","),
        };
        let row = [user.as_str(), user, role, &rights, "da", CAPACITY, password];
        table.push_str(&row.join("\t"));
        table.push('\n');
    }
    command
        .args(["user", "import", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null());
    let mut child = command.spawn()?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(table.as_bytes()).await?;
    }
    if child.wait().await?.success() {
        Ok(())
    } else {
        Err("the accounts could not be made".into())
    }
}

fn account(n: usize, role: &'static str) -> Account {
    Account {
        role,
        user: format!("last{n}"),
        // For a service that lives as long as the measurement and listens on the loopback alone.
        password: format!("belastning-{n}-{}", base::Secret::random().as_str()),
    }
}

/// Name and password of each agent of a file.
pub(in crate::cli) fn read_accounts(text: &str, agents: usize) -> Result<Vec<Account>, Failure> {
    let accounts: Vec<Account> = text
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .map(|(user, password)| Account {
            user: user.to_owned(),
            password: password.to_owned(),
            role: "agent",
        })
        .take(agents)
        .collect();
    if accounts.len() < agents {
        return Err(format!("{} accounts for {agents} agents", accounts.len()).into());
    }
    Ok(accounts)
}
