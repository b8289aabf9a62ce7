//! The keys that configurations of websites are signed with: one that signs, and those before it, each until its day.

use std::fmt;
use std::io;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::config::secret_bytes;

/// The file of keys, in the data folder.
pub(crate) const FILE: &str = "widget-keys.toml";
const BYTES: usize = 32;
/// What nothing else of ours is signed under.
const FOR: &[u8] = b"borgerlinje widget 1\n";

/// One key. Nothing shows what it is.
#[derive(Clone, PartialEq, Eq)]
struct Secret([u8; BYTES]);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// With its dates.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    made: Timestamp,
    /// None: it is the one that signs.
    until: Option<Timestamp>,
    secret: Secret,
}

impl Key {
    fn new(now: Timestamp) -> Result<Self, String> {
        let mut secret = [0; BYTES];
        getrandom::fill(&mut secret)
            .map_err(|e| format!("the system gives no random bytes: {e}"))?;
        Ok(Self {
            made: now,
            until: None,
            secret: Secret(secret),
        })
    }

    fn holds(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    fn mac(&self, text: &str) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.secret.0).ok()?;
        mac.update(FOR);
        mac.update(text.as_bytes());
        Some(mac)
    }
}

/// The file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    key: Vec<Written>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    made: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
    secret: String,
}

/// All that there are, the one that signs first. None: nothing is signed yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Keys(Vec<Key>);

impl Keys {
    /// What the data folder has; None: no file.
    ///
    /// # Errors
    /// Why the file is not taken; nothing of what it holds.
    pub(crate) fn read(data: &Path) -> Result<Option<Self>, String> {
        let path = data.join(FILE);
        if !path
            .try_exists()
            .map_err(|e| fault(&path, &e.to_string()))?
        {
            return Ok(None);
        }
        let bytes = secret_bytes(&path).map_err(|why| fault(&path, &why))?;
        // What the parser says shows the line.
        let broken = || fault(&path, "is no file of keys: bring it back from a backup");
        let text = String::from_utf8(bytes).map_err(|_| broken())?;
        let file: File = toml::from_str(&text).map_err(|_| broken())?;
        let read = |w: Written| {
            let secret = URL_SAFE_NO_PAD.decode(&w.secret).ok()?;
            Some(Key {
                made: w.made,
                until: w.until,
                secret: Secret(secret.try_into().ok()?),
            })
        };
        let keys: Option<Vec<Key>> = file.key.into_iter().map(read).collect();
        let keys = keys.filter(|k| k.first().is_some_and(|k| k.until.is_none()));
        keys.map(|k| Some(Self(k))).ok_or_else(broken)
    }

    /// What the data folder has; the first key is made where there is none.
    ///
    /// # Errors
    /// As [`Keys::read`], and where the file cannot be written.
    pub(crate) fn read_or_make(data: &Path, now: Timestamp) -> Result<Self, String> {
        if let Some(keys) = Self::read(data)? {
            return Ok(keys);
        }
        let new = Self(vec![Key::new(now)?]);
        let path = data.join(FILE);
        let put = new
            .put(&path, true)
            .map_err(|e| fault(&path, &e.to_string()))?;
        if put {
            return Ok(new);
        }
        // Another command was quicker.
        Self::read(data)?.ok_or_else(|| fault(&path, "is gone again"))
    }

    /// A new key signs from now on; the one that did holds for so many days more. Those whose day has come are gone.
    ///
    /// # Errors
    /// As [`Keys::read_or_make`].
    pub(crate) fn rotate(data: &Path, days: u16, now: Timestamp) -> Result<Self, String> {
        let mut keys = Self::read_or_make(data, now)?;
        let until = now.checked_add(SignedDuration::from_hours(24 * i64::from(days)));
        let until = until.map_err(|e| format!("--days: {e}"))?;
        for key in &mut keys.0 {
            key.until.get_or_insert(until);
        }
        keys.0.insert(0, Key::new(now)?);
        keys.0.retain(|k| k.holds(now));
        let path = data.join(FILE);
        keys.put(&path, false)
            .map_err(|e| fault(&path, &e.to_string()))?;
        Ok(keys)
    }

    fn put(&self, path: &Path, anew: bool) -> io::Result<bool> {
        let key = self.0.iter().map(|k| Written {
            made: k.made,
            until: k.until,
            secret: URL_SAFE_NO_PAD.encode(k.secret.0),
        });
        let file = File { key: key.collect() };
        let text = toml::to_string(&file).map_err(io::Error::other)?;
        super::put(path, text.as_bytes(), anew, None)
    }

    /// The signature of a text by the newest key; None: there is no key.
    pub(super) fn sign(&self, text: &str) -> Option<Vec<u8>> {
        let mac = self.0.first()?.mac(text)?;
        Some(mac.finalize().into_bytes().to_vec())
    }

    /// Whether one of the keys that hold made this signature.
    pub(super) fn made(&self, text: &str, signature: &[u8], now: Timestamp) -> bool {
        let holding = self.0.iter().filter(|k| k.holds(now));
        holding
            .filter_map(|k| k.mac(text))
            .any(|mac| mac.verify_slice(signature).is_ok())
    }

    /// When each was made, and until when it holds; of the first there is no end.
    pub(crate) fn dates(&self) -> impl Iterator<Item = (Timestamp, Option<Timestamp>)> {
        self.0.iter().map(|k| (k.made, k.until))
    }
}

fn fault(path: &Path, why: &str) -> String {
    format!("{} {why}", path.display())
}
