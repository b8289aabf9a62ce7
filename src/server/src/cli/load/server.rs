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

pub(super) struct Account {
    pub(super) user: String,
    pub(super) password: String,
}

/// Ends with this value, and the folder too.
pub(super) struct Spawned {
    child: Child,
    pub(super) address: SocketAddr,
    data: PathBuf,
    /// The most memory it was seen with, in MB (millions of bytes).
    pub(super) most_mb: f64,
    looked: Instant,
}

impl Drop for Spawned {
    fn drop(&mut self) {
        let _ = self.child.start_kill();
        let _ = std::fs::remove_dir_all(&self.data);
    }
}

impl Spawned {
    /// Makes accounts, whose agents serve a third of the municipalities each, and starts the service.
    pub(super) async fn start(
        setting: &Setting,
        redis: Option<&str>,
        agents: usize,
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
                .env("BORGERLINJE_REDIS_URL", redis.unwrap_or_default())
                .env("BORGERLINJE_REDIS_PREFIX", &name)
                .env("BORGERLINJE_NODE", "load")
                .stderr(Stdio::inherit())
                .kill_on_drop(true);
            c
        };
        let accounts: Vec<Account> = (0..agents).map(account).collect();
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
    pub(super) fn look(&mut self) {
        if self.looked.elapsed() < LOOK_AFTER {
            return;
        }
        self.looked = Instant::now();
        let now = self.child.id().and_then(|pid| resident(&pid.to_string()));
        self.most_mb = self.most_mb.max(now.unwrap_or(0.0) / 1e6);
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
        let Account { user, password } = account;
        let row = [
            user,
            user,
            "agent",
            &rights.join(","),
            "da",
            CAPACITY,
            password,
        ];
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

fn account(n: usize) -> Account {
    Account {
        user: format!("last{n}"),
        // For a service that lives as long as the measurement and listens on the loopback alone.
        password: format!("belastning-{n}-{}", base::Secret::random().as_str()),
    }
}

/// Name and password of each agent of a file.
pub(super) fn read_accounts(text: &str, agents: usize) -> Result<Vec<Account>, Failure> {
    let accounts: Vec<Account> = text
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .map(|(user, password)| Account {
            user: user.to_owned(),
            password: password.to_owned(),
        })
        .take(agents)
        .collect();
    if accounts.len() < agents {
        return Err(format!("{} accounts for {agents} agents", accounts.len()).into());
    }
    Ok(accounts)
}
