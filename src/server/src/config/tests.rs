use super::*;

fn read(values: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let owned: Vec<(String, String)> = values
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect();
    Config::read(&|name| {
        owned
            .iter()
            .find(|(k, _)| k == name)
            .map(|(_, v)| v.clone())
    })
}

#[test]
fn defaults_are_embedded_and_local() {
    let c = read(&[("BORGERLINJE_HOME", "/srv/b")]).unwrap();
    assert_eq!(c.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(c.data, Path::new("./data"));
    assert_eq!(c.knowledge, Path::new("/srv/b/knowledge"));
    assert!(c.redis.is_none() && c.node.is_none());
    assert_eq!(c.adapter, Adapted::Named);
}

#[test]
fn an_adapter_is_named_left_out_or_ones_own() {
    let with = |value| {
        read(&[
            ("BORGERLINJE_HOME", "/srv/b"),
            ("BORGERLINJE_ADAPTER", value),
        ])
    };
    assert_eq!(with("off").unwrap().adapter, Adapted::Off);
    let own = Adapted::At(PathBuf::from("/srv/b/ours/adapter.toml"));
    assert_eq!(with("ours/adapter.toml").unwrap().adapter, own);
}

#[test]
fn the_contact_centre_is_set_by_the_environment_and_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("b.toml");
    let write = |text: &str| std::fs::write(&path, text).unwrap();
    let file = path.display().to_string();
    write("redis_url = \"redis://a\"\nnode = \"n1\"\n[centre]\nwrap_up_ms = 5\n");
    let home = ("BORGERLINJE_HOME", "/srv/b");
    let c = read(&[home, ("BORGERLINJE_CONFIG", &file)]).unwrap();
    assert_eq!(c.redis.unwrap().url, "redis://a");
    assert_eq!(c.node.unwrap().as_str(), "n1");
    assert_eq!(c.centre.wrap_up_ms, 5);
    let url = ("BORGERLINJE_REDIS_URL", "redis://:secret@b");
    let c = read(&[home, ("BORGERLINJE_CONFIG", &file), url]).unwrap();
    assert!(!format!("{c:?}").contains("secret"));
    assert_eq!(c.redis.unwrap().url, "redis://:secret@b");
    write("[centre]\nrest_ms = 5\n");
    let e = read(&[home, ("BORGERLINJE_CONFIG", &file)]).unwrap_err();
    assert!(e.to_string().contains("rest_ms: at least 1000"), "{e}");
}

#[test]
fn faults_name_the_value_and_what_is_allowed() {
    for (name, value, want) in [
        ("BORGERLINJE_LISTEN", "8080", "such as 127.0.0.1:8080"),
        (
            "BORGERLINJE_METRICS_LISTEN",
            "9464",
            "an address and a port",
        ),
        ("BORGERLINJE_KERNEL", "gpu", "must be auto"),
        ("BORGERLINJE_ADAPTER", "on", "must be auto, off, or"),
        ("BORGERLINJE_CONFIG", "/no/such/file", "/no/such/file"),
        ("BORGERLINJE_NODE", "two words", "must be 1 to 40"),
        ("BORGERLINJE_PUBLIC_URL", "desk", "such as https://"),
        ("BORGERLINJE_PROXIES", "10.0.0.1, x", "such as 10.0.0.2"),
        (
            "BORGERLINJE_IMPORT_HOSTS",
            "a.dk, *.dk",
            "such as www.aarhus.dk",
        ),
        ("BORGERLINJE_ALWAYS_OPEN", "yes", "must be 0 or 1"),
    ] {
        let e = read(&[("BORGERLINJE_HOME", "/srv/b"), (name, value)]).unwrap_err();
        assert!(e.to_string().contains(want), "{e}");
    }
}
