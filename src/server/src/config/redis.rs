//! The Redis that the nodes of one contact centre share.

use std::path::Path;

use storage::log::RedisOptions;

use super::{ConfigError, secret};

/// As the configuration file has it.
#[derive(Default)]
pub(super) struct Written {
    pub(super) url: Option<String>,
    pub(super) url_file: Option<String>,
    pub(super) prefix: Option<String>,
    pub(super) ca: Option<String>,
}

/// How Redis is reached; None without an address. The address may hold a password: `RedisOptions` never shows it.
///
/// # Errors
/// A prefix that no key may begin with, a certificate that cannot be read, an address that stands in two places.
pub(super) fn read(
    env: &dyn Fn(&str) -> Option<String>,
    file: &Written,
    home: &Path,
) -> Result<Option<RedisOptions>, ConfigError> {
    let text = |name: &str, file: &Option<String>| {
        let value = env(name).or_else(|| file.clone());
        value.filter(|v| !v.is_empty())
    };
    let written = ("redis_url", file.url.as_ref(), file.url_file.as_ref());
    let Some(url) = secret::read(env, "BORGERLINJE_REDIS_URL", written, home)? else {
        return Ok(None);
    };
    let mut options = RedisOptions::new(url);
    if let Some(prefix) = text("BORGERLINJE_REDIS_PREFIX", &file.prefix) {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if prefix.len() > 64 || !prefix.chars().all(plain) {
            return Err(ConfigError::Value {
                name: "BORGERLINJE_REDIS_PREFIX".to_owned(),
                value: prefix,
                why: "must be 1 to 64 letters, digits, -, _ and .".to_owned(),
            });
        }
        options.prefix = prefix;
    }
    if let Some(path) = text("BORGERLINJE_REDIS_CA", &file.ca) {
        let pem = std::fs::read(home.join(&path)).map_err(|e| ConfigError::Value {
            name: "BORGERLINJE_REDIS_CA".to_owned(),
            value: path,
            why: format!("cannot be read: {e}"),
        })?;
        options.ca = Some(pem);
    }
    Ok(Some(options))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(vars: &[(&str, &str)]) -> Result<Option<RedisOptions>, ConfigError> {
        let env = |name: &str| {
            let found = vars.iter().find(|(n, _)| *n == name);
            found.map(|(_, v)| (*v).to_owned())
        };
        super::read(&env, &Written::default(), Path::new("/no/such"))
    }

    #[test]
    fn redis_is_named_whole_or_refused_by_the_name_of_the_setting() {
        let url = ("BORGERLINJE_REDIS_URL", "redis://:secret@b");
        assert!(read(&[]).unwrap().is_none());
        assert!(read(&[("BORGERLINJE_REDIS_URL", "")]).unwrap().is_none());
        let options = read(&[url, ("BORGERLINJE_REDIS_PREFIX", "aarhus.test")]);
        let options = options.unwrap().unwrap();
        assert_eq!(options.url, "redis://:secret@b");
        assert_eq!(options.prefix, "aarhus.test");
        assert!(!format!("{options:?}").contains("secret"));
        for (name, value) in [
            ("BORGERLINJE_REDIS_PREFIX", "two words"),
            ("BORGERLINJE_REDIS_CA", "ca.pem"),
        ] {
            let e = read(&[url, (name, value)]).unwrap_err().to_string();
            assert!(e.contains(name) && e.contains(value), "{e}");
        }
    }
}
