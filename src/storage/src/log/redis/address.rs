//! Where the Redis is, and how a connection to it begins.

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ConnectionInfo, IntoConnectionInfo, ProtocolVersion, PushInfo,
    Role, TlsCertificates,
};

use crate::log::{Error, RedisOptions};

pub(crate) enum Address {
    One(Client),
    /// Asked anew for every connection, so that a failover is followed.
    Sentinel {
        sentinels: Vec<Client>,
        name: String,
        tls: bool,
        /// User, password and database of the Redis servers.
        login: ConnectionInfo,
        ca: Option<Vec<u8>>,
    },
}

fn bad(what: &str) -> Error {
    Error::Settings(what.to_owned())
}

impl RedisOptions {
    /// Whether the address is one. What is told never holds a part of it.
    ///
    /// # Errors
    /// Settings.
    pub fn check(&self) -> Result<(), Error> {
        Address::parse(self).map(drop)
    }
}

impl Address {
    /// # Errors
    /// Settings.
    pub(crate) fn parse(options: &RedisOptions) -> Result<Self, Error> {
        let (url, ca) = (options.url.trim(), options.ca.clone());
        let sentinel = [("redis+sentinel://", false), ("rediss+sentinel://", true)];
        for (scheme, tls) in sentinel {
            if let Some(rest) = url.strip_prefix(scheme) {
                return Self::sentinel(rest, tls, ca);
            }
        }
        Ok(Self::One(client(info(url)?, ca)?))
    }

    /// `[user:password@]host[:port],…/name[/db]`
    fn sentinel(rest: &str, tls: bool, ca: Option<Vec<u8>>) -> Result<Self, Error> {
        let (login, rest) = rest
            .rsplit_once('@')
            .map_or((String::new(), rest), |(l, r)| (format!("{l}@"), r));
        let (hosts, path) = rest
            .split_once('/')
            .ok_or_else(|| bad("a Sentinel address ends with the name of the primary: /name"))?;
        let (name, db) = path.split_once('/').unwrap_or((path, "0"));
        if name.is_empty() {
            return Err(bad("the Sentinel address names no primary"));
        }
        let sentinels = hosts
            .split(',')
            .map(|host| {
                let has_port = host
                    .rsplit_once(':')
                    .is_some_and(|(_, p)| p.parse::<u16>().is_ok());
                let port = if has_port { "" } else { ":26379" };
                client(info(&format!("redis://{host}{port}"))?, None)
            })
            .collect::<Result<_, _>>()?;
        Ok(Self::Sentinel {
            sentinels,
            name: name.to_owned(),
            tls,
            login: info(&format!("redis://{login}localhost/{db}"))?,
            ca,
        })
    }

    /// A connection to the primary, subscribed to a channel, whose messages and whose end go to `push`.
    ///
    /// # Errors
    /// Unavailable, Timeout, Denied, ReadOnly when it is a replica.
    pub(crate) async fn dial(
        &self,
        options: &RedisOptions,
        channel: &str,
        push: impl Fn(PushInfo) -> Result<(), redis::aio::SendError> + Send + Sync + 'static,
    ) -> Result<MultiplexedConnection, Error> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(options.connect))
            .set_response_timeout(Some(options.answer))
            .set_pipeline_buffer_size(1024)
            .set_push_sender(push);
        let mut conn = self
            .primary(options)
            .await?
            .get_multiplexed_async_connection_with_config(&config)
            .await?;
        match redis::cmd("ROLE").query_async::<Role>(&mut conn).await {
            Ok(Role::Primary { .. }) => {}
            Ok(_) => return Err(Error::ReadOnly),
            Err(e) => match Error::from(e) {
                // A user who may not ask is let through: writing will show.
                Error::Denied(_) => {}
                other => return Err(other),
            },
        }
        conn.subscribe(channel).await?;
        Ok(conn)
    }

    async fn primary(&self, options: &RedisOptions) -> Result<Client, Error> {
        let (sentinels, name, tls, login, ca) = match self {
            Self::One(client) => return Ok(client.clone()),
            Self::Sentinel {
                sentinels,
                name,
                tls,
                login,
                ca,
            } => (sentinels, name, *tls, login, ca),
        };
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(options.connect))
            .set_response_timeout(Some(options.answer));
        let mut last = bad("no Sentinel");
        for sentinel in sentinels {
            let asked = async {
                let mut conn = sentinel
                    .get_multiplexed_async_connection_with_config(&config)
                    .await?;
                redis::cmd("SENTINEL")
                    .arg("get-master-addr-by-name")
                    .arg(name)
                    .query_async::<Option<(String, u16)>>(&mut conn)
                    .await
            };
            match asked.await {
                Ok(Some((host, port))) => {
                    let scheme = if tls { "rediss" } else { "redis" };
                    let host = if host.contains(':') {
                        format!("[{host}]")
                    } else {
                        host
                    };
                    let primary = info(&format!("{scheme}://{host}:{port}"))?
                        .set_redis_settings(login.redis_settings().clone());
                    return client(primary, ca.clone());
                }
                Ok(None) => {
                    last = Error::Unavailable(format!("Sentinel knows no primary «{name}»"));
                }
                Err(e) => last = e.into(),
            }
        }
        Err(last)
    }
}

fn info(url: &str) -> Result<ConnectionInfo, Error> {
    let info = url
        .into_connection_info()
        .map_err(|e| Error::Settings(format!("the address cannot be read: {e}")))?;
    let login = info
        .redis_settings()
        .clone()
        .set_protocol(ProtocolVersion::RESP3);
    let tcp = info.tcp_settings().clone().set_nodelay(true);
    Ok(info.set_redis_settings(login).set_tcp_settings(tcp))
}

fn client(info: ConnectionInfo, ca: Option<Vec<u8>>) -> Result<Client, Error> {
    let tls = matches!(info.addr(), redis::ConnectionAddr::TcpTls { .. });
    match ca {
        Some(pem) if tls => {
            let certificates = TlsCertificates {
                client_tls: None,
                root_cert: Some(pem),
            };
            Client::build_with_tls(info, certificates)
        }
        _ => Client::open(info),
    }
    .map_err(|e| Error::Settings(e.to_string()))
}
