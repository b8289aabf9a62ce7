//! What a system gets besides the program: the unit, the Debian package's files, the container file, fuzz targets.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use regex::Regex;

use crate::harness::root;
use crate::layout::rust_files;

const UNIT: &str = "packaging/borgerlinje.service";
/// Where the package puts the program.
const PROGRAM: &str = "/usr/lib/borgerlinje/borgerlinje";

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// Whether `systemd-analyze` is here; it must be where CI runs.
fn systemd() -> bool {
    let here = Command::new("systemd-analyze").arg("--version").output();
    let here = here.is_ok_and(|o| o.status.success());
    assert!(
        here || std::env::var_os("CI").is_none(),
        "systemd-analyze is not here: install Debian's systemd"
    );
    if !here {
        eprintln!("SKIPPED: systemd-analyze is not here");
    }
    here
}

#[test]
fn systemd_takes_the_unit_as_it_stands() {
    if !systemd() {
        return;
    }
    // The program is elsewhere on this machine, and a folder that only root may search helps nobody.
    let folder = tempfile::tempdir().unwrap();
    let unit = folder.path().join("borgerlinje.service");
    let here = read(UNIT).replace(PROGRAM, env!("CARGO_BIN_EXE_borgerlinje"));
    fs::write(&unit, here).unwrap();
    let verify = Command::new("systemd-analyze")
        .args(["verify", "--man=no"])
        .arg(&unit)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&verify.stderr);
    // What it does not know it names and leaves out, and that would be less protection than is written.
    assert!(
        verify.status.success() && !said.contains("borgerlinje.service"),
        "{said}"
    );
}

#[test]
fn the_unit_leaves_little_exposed_and_the_document_says_how_little() {
    if !systemd() {
        return;
    }
    let security = Command::new("systemd-analyze")
        .args(["security", "--offline=yes", "--no-pager"])
        .arg(root().join(UNIT))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&security.stdout).into_owned();
    let figure = Regex::new(r"Overall exposure level for \S+: ([0-9.]+)").unwrap();
    let found: f64 = figure.captures(&said).expect(&said)[1].parse().unwrap();
    // Releases of systemd weigh a little differently; a line taken out of the unit weighs more.
    assert!(found < 1.5, "{found}:\n{said}");
    let told = Regex::new(r"exposure of ([0-9.]+)").unwrap();
    let operations = read("docs/operations.md");
    let told: f64 = told
        .captures(&operations)
        .expect("docs/operations.md names the exposure")[1]
        .parse()
        .unwrap();
    assert!(
        (found - told).abs() < 0.25,
        "docs/operations.md says {told}, systemd {found}"
    );
}

#[test]
fn what_the_package_installs_fits_what_its_unit_and_its_settings_name() {
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    let deb = &manifest["package"]["metadata"]["deb"];
    let assets = deb["assets"].as_array().unwrap();
    let mut installed = BTreeSet::new();
    for asset in assets {
        let (from, to) = (asset[0].as_str().unwrap(), asset[1].as_str().unwrap());
        installed.insert(format!("/{}", to.trim_end_matches('/')));
        // What is made when a package is made is not there yet.
        if from.starts_with("target/") || from.starts_with("widget/dist/") {
            continue;
        }
        let stem = from.split('*').next().unwrap();
        assert!(root().join(stem).exists(), "{from} is not there");
    }
    let unit = read(UNIT);
    assert!(unit.contains(&format!("\nExecStart={PROGRAM} serve\n")));
    assert!(installed.contains("/usr/lib/borgerlinje"));

    // A file of settings that the program reads: what is wrong then is that nothing is installed here.
    let doctor = Command::new(env!("CARGO_BIN_EXE_borgerlinje"))
        .args(["doctor", "--json"])
        .env_clear()
        .env(
            "BORGERLINJE_CONFIG",
            root().join("packaging/borgerlinje.toml"),
        )
        .env("BORGERLINJE_HOME", root())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&doctor.stdout);
    assert!(
        said.contains(r#""what":"knowledge""#),
        "{said}{}",
        String::from_utf8_lossy(&doctor.stderr)
    );
    let settings: toml::Table = read("packaging/borgerlinje.toml").parse().unwrap();
    for name in ["models", "widget"] {
        let folder = settings[name].as_str().unwrap();
        assert!(
            installed.iter().any(|to| to.starts_with(folder)),
            "{folder} is not installed"
        );
    }
    // Made by the package's script, and the only places that are written.
    let script = read("packaging/debian/postinst");
    for name in ["data", "knowledge", "cache"] {
        let folder = settings[name].as_str().unwrap();
        let base = ["/var/lib/borgerlinje", "/var/cache/borgerlinje"];
        assert!(
            base.iter()
                .any(|b| folder.starts_with(b) && script.contains(b))
        );
    }
}

#[test]
fn every_fuzz_target_is_built_explained_and_has_somewhere_to_begin() {
    let manifest: toml::Table = read("fuzz/Cargo.toml").parse().unwrap();
    let listed: BTreeSet<String> = manifest["bin"]
        .as_array()
        .unwrap()
        .iter()
        .map(|bin| bin["name"].as_str().unwrap().to_owned())
        .collect();
    let names = |folder: &str| -> BTreeSet<String> {
        let entries = fs::read_dir(root().join(folder)).unwrap();
        let stem = |e: fs::DirEntry| e.path().file_stem().unwrap().to_str().unwrap().to_owned();
        entries.map(|e| stem(e.unwrap())).collect()
    };
    assert_eq!(names("fuzz/targets"), listed);
    assert_eq!(names("fuzz/seeds"), listed);
    let explained = read("fuzz/README.md");
    for name in &listed {
        assert!(explained.contains(&format!("| `{name}` |")), "{name}");
    }
}

/// The container's compiler sees what is copied for it and nothing else of the folder.
#[test]
fn what_the_program_is_compiled_with_lies_in_the_containers_first_stages() {
    let container = read("packaging/Containerfile");
    let stage = container
        .split("\nFROM ")
        .find(|s| s.contains("cargo build"));
    let copied = stage
        .unwrap()
        .lines()
        .filter_map(|l| l.strip_prefix("COPY "));
    let copied: BTreeSet<&str> = copied.flat_map(str::split_whitespace).collect();
    let included = Regex::new(r#"include_(?:str|bytes)!\("([^"]+)"\)"#).unwrap();
    let mut outside = 0;
    for (name, text) in rust_files("src") {
        let program = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap();
        if name.ends_with("tests.rs") || name.contains("/tests/") {
            continue;
        }
        for found in included.captures_iter(program) {
            let folder = root().join(&name);
            let file = folder.parent().unwrap().join(&found[1]);
            let file = file
                .canonicalize()
                .unwrap_or_else(|e| panic!("{name}: {}: {e}", &found[1]));
            let file = file
                .strip_prefix(root().canonicalize().unwrap())
                .unwrap()
                .to_owned();
            let file = file.to_str().unwrap();
            if file.starts_with("src/") {
                continue;
            }
            outside += 1;
            assert!(
                copied.contains(file),
                "{name} is compiled with {file}, which the container's compiler has not"
            );
        }
    }
    assert!(outside > 0, "nothing was looked at");
}

#[test]
fn tools_have_one_version_wherever_they_are_installed() {
    let pinned = Regex::new(r"--version ([0-9.]+) (cargo-[a-z]+)").unwrap();
    let mut versions: BTreeSet<(String, String)> = BTreeSet::new();
    for file in ["Makefile", ".ci/run"] {
        for found in pinned.captures_iter(&read(file)) {
            versions.insert((found[2].to_owned(), found[1].to_owned()));
        }
    }
    let names: BTreeSet<&String> = versions.iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), versions.len(), "{versions:?}");
    assert!(versions.len() >= 4, "{versions:?}");
}
