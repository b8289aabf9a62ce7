use std::os::unix::fs::PermissionsExt as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tempfile::TempDir;

use super::*;
use crate::auth::Origins;
use crate::websites::{Website, Websites};

const PAGE: &str = "https://www.aarhus.dk";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn day(n: i64) -> Timestamp {
    let from = at("2026-11-23T08:00:00Z");
    from.checked_add(SignedDuration::from_hours(24 * n))
        .unwrap()
}

fn code(text: &str) -> MunicipalityCode {
    text.parse().unwrap()
}

fn leave() -> Leave {
    Leave::new(code("0751"), vec![PAGE.to_owned()])
}

fn checked(
    brought: &str,
    keys: &Keys,
    town: &str,
    from: Option<&str>,
    n: i64,
) -> Result<(), Refused> {
    Leave::check(brought, keys, code(town), from, day(n))
}

#[test]
fn leave_is_for_one_municipality_and_its_websites() {
    let dir = TempDir::new().unwrap();
    let keys = Keys::read_or_make(dir.path(), day(0)).unwrap();
    let mut all = leave();
    all.websites.push("https://portal.dk".to_owned());
    let brought = all.signed(&keys).unwrap();
    let of = |town: &str, from: Option<&str>| checked(&brought, &keys, town, from, 1);
    assert_eq!(of("0751", Some(PAGE)), Ok(()));
    assert_eq!(of("0751", Some("https://portal.dk")), Ok(()));
    assert_eq!(of("0615", Some(PAGE)), Err(Refused::Municipality));
    for other in [
        None,
        Some("null"),
        Some("https://www.aarhus.dk.example"),
        Some("http://www.aarhus.dk"),
    ] {
        assert_eq!(of("0751", other), Err(Refused::Website), "{other:?}");
    }
}

#[test]
fn whatever_is_changed_is_not_signed() {
    let dir = TempDir::new().unwrap();
    let keys = Keys::read_or_make(dir.path(), day(0)).unwrap();
    let brought = leave().signed(&keys).unwrap();
    let of = |text: &str| checked(text, &keys, "0751", Some(PAGE), 0);
    assert_eq!(of(&brought), Ok(()));
    let (text, signature) = brought.split_once('.').unwrap();
    // Each letter of either part, changed into another.
    for n in 0..brought.len() {
        let mut changed = brought.clone().into_bytes();
        changed[n] = if changed[n] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert!(of(&changed).is_err(), "{changed}");
    }
    let json = URL_SAFE_NO_PAD.decode(text).unwrap();
    let json = String::from_utf8(json).unwrap();
    let more = json.replace(PAGE, "https://evil.example");
    assert_ne!(json, more);
    let more = format!("{}.{signature}", URL_SAFE_NO_PAD.encode(more));
    assert_eq!(of(&more), Err(Refused::Signature));
    for odd in [
        "",
        ".",
        "a",
        "a.b",
        "æ.ø",
        &format!("{text}."),
        &format!("{text}.{signature}."),
    ] {
        assert!(of(odd).is_err(), "{odd}");
    }
    let long = format!("{}.{signature}", "A".repeat(5_000));
    assert_eq!(of(&long), Err(Refused::Unreadable));
    // A shorter signature is none, and neither is that of another's key.
    assert_eq!(
        of(&format!("{text}.{}", &signature[..16])),
        Err(Refused::Signature)
    );
    let other = TempDir::new().unwrap();
    let theirs = Keys::read_or_make(other.path(), day(0)).unwrap();
    assert_eq!(
        of(&leave().signed(&theirs).unwrap()),
        Err(Refused::Signature)
    );
    assert!(leave().signed(&Keys::default()).is_err());
    let mut many = leave();
    many.websites = vec![PAGE.to_owned(); 500];
    assert!(many.signed(&keys).unwrap_err().contains("too many"));
}

#[test]
fn what_an_old_key_signed_holds_until_its_day() {
    let dir = TempDir::new().unwrap();
    let first = Keys::read_or_make(dir.path(), day(0)).unwrap();
    let old = leave().signed(&first).unwrap();
    let second = Keys::rotate(dir.path(), 30, day(10)).unwrap();
    let new = leave().signed(&second).unwrap();
    assert_ne!(old, new);
    let of = |text: &str, keys: &Keys, n| checked(text, keys, "0751", Some(PAGE), n);
    assert_eq!(of(&old, &second, 39), Ok(()));
    assert_eq!(of(&old, &second, 40), Err(Refused::Signature));
    assert_eq!(of(&new, &second, 400), Ok(()));
    assert_eq!(of(&new, &first, 11), Err(Refused::Signature));
    // What a node reads is what the command left; a later change lengthens nothing.
    let third = Keys::rotate(dir.path(), 365, day(20)).unwrap();
    assert_eq!(Keys::read(dir.path()).unwrap().unwrap(), third);
    let ends: Vec<_> = third.dates().map(|(_, until)| until).collect();
    assert_eq!(ends, [None, Some(day(20 + 365)), Some(day(40))]);
    let fourth = Keys::rotate(dir.path(), 0, day(50)).unwrap();
    assert_eq!(fourth.dates().count(), 2, "one that holds no more is gone");
    let fifth = Keys::rotate(dir.path(), 0, day(400)).unwrap();
    assert_eq!(
        fifth.dates().count(),
        1,
        "without days the old ends at once"
    );
}

#[test]
fn the_file_of_keys_is_for_its_owner_and_is_never_shown() {
    let dir = TempDir::new().unwrap();
    assert_eq!(Keys::read(dir.path()), Ok(None));
    let made = Keys::read_or_make(dir.path(), day(0)).unwrap();
    assert_eq!(Keys::read_or_make(dir.path(), day(1)), Ok(made.clone()));
    let path = dir.path().join(FILE);
    let mode = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let text = fs::read_to_string(&path).unwrap();
    let secret = text.split('"').nth(3).unwrap();
    assert!(
        secret.len() > 40 && !format!("{made:?}").contains(secret),
        "{made:?}"
    );
    mode(0o644);
    assert!(Keys::read(dir.path()).unwrap_err().contains("every user"));
    mode(0o600);
    for broken in [
        String::new(),
        text.replace("secret = ", "secret "),
        text.replace(secret, &secret[4..]),
        text.replace("made = ", "until = \"2027-01-01T00:00:00Z\"\nmade = "),
        format!("{text}\nx = 1\n"),
    ] {
        fs::write(&path, &broken).unwrap();
        let why = Keys::read(dir.path()).unwrap_err();
        assert!(why.contains(FILE) && !why.contains(&secret[4..]), "{why}");
        // What cannot be read is not written over.
        assert!(Keys::rotate(dir.path(), 1, day(1)).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), broken);
    }
    let left: Vec<_> = fs::read_dir(dir.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

/// A service's view, over a folder with one built script.
struct Place {
    dir: TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self {
            dir: TempDir::new().unwrap(),
        };
        fs::create_dir_all(place.dir.path().join("pages/dist")).unwrap();
        place
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn embed(&self, signed: bool) -> Embed {
        let settings = Settings {
            signed,
            ..Settings::default()
        };
        Embed::new(settings, &self.dir.path().join("pages"), &self.data())
    }

    fn build(&self, text: &str) -> String {
        fs::write(self.dir.path().join("pages/dist/borgerlinje.js"), text).unwrap();
        Script::of(text.into()).name()
    }
}

#[test]
fn an_earlier_script_is_served_for_its_days() {
    let place = Place::new();
    let embed = place.embed(false);
    embed.tidy(day(0));
    assert!(!place.data().exists(), "nothing is built, and nothing kept");
    let first = place.build("one");
    embed.tidy(day(0));
    embed.tidy(day(100));
    let second = place.build("two");
    let found = |name: &str| embed.scripts.find(name).map(|(v, s)| (v, s.bytes));
    assert_eq!(found(&first), Some((Version::Earlier, b"one".to_vec())));
    assert_eq!(found(&second), Some((Version::Current, b"two".to_vec())));
    embed.tidy(day(101));
    embed.tidy(day(280));
    assert!(found(&first).is_some(), "180 days after it was the newest");
    embed.tidy(day(281));
    assert_eq!(found(&first), None);
    assert!(found(&second).is_some());
    // The newest is never old.
    embed.tidy(day(2_000));
    assert_eq!(embed.scripts.earlier().unwrap(), []);
    assert!(place.data().join(FOLDER).join(&second).is_file());
}

#[test]
fn name_and_integrity_are_of_the_same_hash() {
    let script = Script::of(b"one".to_vec());
    assert_eq!(
        script.name(),
        "borgerlinje-5dbcbedb00d131a29e0593f976f2b437.js"
    );
    assert_eq!(
        script.integrity(),
        "sha384-Xby+2wDRMaKeBZP5dvK0N5QpOSORmtQnZt6Bf+yCSmJieZ/sjQTLmxfEjo6ukSZY"
    );
}

#[test]
fn under_a_name_with_a_hash_is_nothing_else() {
    let place = Place::new();
    let embed = place.embed(false);
    let first = place.build("one");
    embed.tidy(day(0));
    let kept = place.data().join(FOLDER).join(&first);
    fs::write(&kept, "other").unwrap();
    assert!(embed.scripts.find(&first).is_some(), "as it is built");
    embed.tidy(day(1));
    assert_eq!(fs::read_to_string(&kept).unwrap(), "one", "mended");
    // Whatever was served once is kept, also where it was built while the service ran.
    let second = place.build("two");
    assert!(!embed.scripts.keeps(&second));
    assert!(embed.script(&second, day(1)).is_some() && embed.scripts.keeps(&second));
    fs::write(&kept, "other").unwrap();
    assert!(embed.scripts.find(&first).is_none());
    fs::write(place.data().join(FOLDER).join("borgerlinje-x.js"), "x").unwrap();
    for odd in [
        "borgerlinje-x.js",
        "../journal.sqlite",
        "",
        "borgerlinje-.js",
        &first.to_uppercase(),
    ] {
        assert!(embed.scripts.find(odd).is_none(), "{odd}");
    }
}

#[test]
fn a_website_without_leave_is_refused_where_it_is_demanded() {
    let place = Place::new();
    let site = Website {
        origin: PAGE.to_owned(),
        municipalities: None,
    };
    let listed = Websites::new(vec![site]);
    let visitor = |origin: &str| {
        let mut headers = axum::http::HeaderMap::new();
        headers.insert("host", "127.0.0.1:8080".parse().unwrap());
        headers.insert("origin", origin.parse().unwrap());
        listed.visitor(&Origins::default(), &headers).unwrap()
    };
    let (page, ours) = (visitor(PAGE), visitor("http://127.0.0.1:8080"));
    let (open, strict) = (place.embed(false), place.embed(true));
    let of = |embed: &Embed, brought: Option<&str>, who: &Visitor| {
        embed.look();
        embed.admits(brought, code("0751"), who, day(0))
    };
    assert_eq!(of(&open, None, &page), Ok(()));
    assert_eq!(of(&strict, None, &page), Err(Refused::Missing));
    assert_eq!(of(&strict, None, &ours), Ok(()));
    let brought = leave().signed(&Keys::read_or_make(&place.data(), day(0)).unwrap());
    let brought = brought.unwrap();
    for embed in [&open, &strict] {
        assert_eq!(of(embed, Some(&brought), &page), Ok(()));
        assert_eq!(of(embed, Some("e30.c2ln"), &page), Err(Refused::Signature));
    }
    // A file that cannot be read takes nothing from those who had leave.
    fs::write(place.data().join(FILE), "x").unwrap();
    assert_eq!(of(&strict, Some(&brought), &page), Ok(()));
    fs::remove_file(place.data().join(FILE)).unwrap();
    assert_eq!(of(&strict, Some(&brought), &page), Err(Refused::Signature));
}

#[test]
fn settings_have_bounds_and_no_others() {
    let read = |text: &str| toml::from_str::<Settings>(text).map_err(|e| e.to_string());
    assert_eq!(read("").unwrap(), Settings::default());
    assert!(!Settings::default().signed, "off by default");
    let set = read("signed = true\nkeep_days = 0").unwrap();
    assert!(set.signed && set.check().is_ok());
    assert_eq!(set.before(day(3)), day(3));
    assert!(read("keep_days = 3651").unwrap().check().is_err());
    assert!(read("sign = true").is_err());
}
