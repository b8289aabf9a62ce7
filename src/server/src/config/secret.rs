//! Secrets that lie in files of their own, as systemd's credentials do.

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::ConfigError;

/// A secret is a line; whatever is longer is another file, named by mistake.
const MOST: u64 = 64 << 10;

/// The bytes of a file that holds a secret. The group may read it: systemd's credentials look so, for the right of the
/// service's user shows as the group's there.
///
/// # Errors
/// Why it is not taken; nothing of what it holds.
pub(crate) fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    let file = fs::File::open(path).map_err(|e| format!("cannot be read: {e}"))?;
    let about = file
        .metadata()
        .map_err(|e| format!("cannot be read: {e}"))?;
    if about.permissions().mode() & 0o007 != 0 {
        return Err("may be read by every user of this machine: chmod o= it".to_owned());
    }
    let mut bytes = Vec::new();
    file.take(MOST + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| format!("cannot be read: {e}"))?;
    if bytes.len() as u64 > MOST {
        return Err("is longer than a secret: 64 kB at most".to_owned());
    }
    Ok(bytes)
}

/// One place where a setting may stand, with its value, or with the file that holds it.
struct Place<'a> {
    names: (&'a str, &'a str),
    value: Option<String>,
    file: Option<String>,
}

/// A secret setting: from the environment, else from the configuration file; in each either itself, or as the path of
/// a file that holds it, with `_FILE` or `_file` at the end of its name. A line's end behind it is not part of it.
///
/// # Errors
/// Both in one place; a file that is not taken. Never anything of the secret.
pub(super) fn read(
    env: &dyn Fn(&str) -> Option<String>,
    name: &str,
    written: (&str, Option<&String>, Option<&String>),
    home: &Path,
) -> Result<Option<String>, ConfigError> {
    let (key, value, file) = written;
    let (env_file, key_file) = (format!("{name}_FILE"), format!("{key}_file"));
    let places = [
        Place {
            names: (name, &env_file),
            value: env(name),
            file: env(&env_file),
        },
        Place {
            names: (key, &key_file),
            value: value.cloned(),
            file: file.cloned(),
        },
    ];
    for place in places {
        let given = |v: Option<String>| v.filter(|v| !v.is_empty());
        match (given(place.value), given(place.file)) {
            (None, None) => {}
            (Some(value), None) => return Ok(Some(value)),
            (Some(_), Some(_)) => {
                let (one, other) = place.names;
                return Err(ConfigError::Twice(one.to_owned(), other.to_owned()));
            }
            (None, Some(path)) => {
                let fault = |why: String| ConfigError::Value {
                    name: place.names.1.to_owned(),
                    value: path.clone(),
                    why,
                };
                let whole: PathBuf = home.join(&path);
                let text = String::from_utf8(bytes(&whole).map_err(fault)?);
                let text = text.map_err(|_| fault("is no text".to_owned()))?;
                let line = text.trim_end_matches(['\r', '\n']);
                if line.is_empty() || line.contains('\n') {
                    return Err(fault("must hold one line: the secret".to_owned()));
                }
                return Ok(Some(line.to_owned()));
            }
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "BORGERLINJE_REDIS_URL";

    fn mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn asked(vars: &[(&str, &str)], value: &str, file: &str) -> Result<Option<String>, String> {
        let env = |name: &str| {
            let found = vars.iter().find(|(n, _)| *n == name);
            found.map(|(_, v)| (*v).to_owned())
        };
        let (value, file) = (value.to_owned(), file.to_owned());
        let written = ("redis_url", Some(&value), Some(&file));
        read(&env, NAME, written, Path::new("/no/such")).map_err(|e| e.to_string())
    }

    #[test]
    fn a_secret_is_one_line_of_a_file_that_others_may_not_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("redis");
        let at = path.to_str().unwrap();
        let var = ("BORGERLINJE_REDIS_URL_FILE", at);
        fs::write(&path, "redis://:kanarie@h\n").unwrap();
        for good in [0o400, 0o600, 0o440] {
            mode(&path, good);
            let read = asked(&[var], "", "").unwrap();
            assert_eq!(read.unwrap(), "redis://:kanarie@h");
        }
        assert_eq!(asked(&[], "", at).unwrap().unwrap(), "redis://:kanarie@h");
        mode(&path, 0o644);
        let e = asked(&[var], "", "").unwrap_err();
        assert!(e.contains(at) && e.contains("every user"), "{e}");
        mode(&path, 0o600);
        for bad in ["", "\n", "kanarie\nredis://h\n"] {
            fs::write(&path, bad).unwrap();
            let e = asked(&[var], "", "").unwrap_err();
            assert!(e.contains("one line") && !e.contains("kanarie"), "{e}");
        }
        fs::write(&path, vec![b'a'; 70_000]).unwrap();
        assert!(asked(&[var], "", "").unwrap_err().contains("64 kB"));
        fs::remove_file(&path).unwrap();
        assert!(asked(&[var], "", "").unwrap_err().contains(at));
    }

    #[test]
    fn a_secret_and_its_file_are_not_both_given() {
        let both = [
            (NAME, "redis://:kanarie@h"),
            ("BORGERLINJE_REDIS_URL_FILE", "f"),
        ];
        let e = asked(&both, "", "").unwrap_err();
        assert!(e.contains("BORGERLINJE_REDIS_URL_FILE"), "{e}");
        assert!(!e.contains("kanarie"), "{e}");
        let e = asked(&[], "redis://:kanarie@h", "f").unwrap_err();
        assert!(
            e.contains("redis_url_file") && !e.contains("kanarie"),
            "{e}"
        );
        // The environment is nearer, as everywhere.
        let near = asked(&both[..1], "redis://far", "f").unwrap();
        assert_eq!(near.unwrap(), "redis://:kanarie@h");
        assert_eq!(asked(&[(NAME, "")], "", "").unwrap(), None);
    }
}
