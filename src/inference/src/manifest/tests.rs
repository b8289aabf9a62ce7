use super::*;

const SHIPPED: &str = include_str!("../../../../models/e5-small.toml");

fn parse(text: &str) -> Result<Manifest> {
    Manifest::parse(text, Path::new("models/test.toml"))
}

#[test]
fn the_shipped_manifest_is_right() {
    let manifest = parse(SHIPPED).unwrap();
    assert_eq!(
        (manifest.name.as_str(), manifest.licence.as_str()),
        ("e5-small", "MIT")
    );
    assert_eq!(
        (
            manifest.dimensions,
            manifest.layers,
            manifest.vocabulary_tokens
        ),
        (384, 12, 250_037)
    );
    assert_eq!(manifest.wheels.len(), 2);
    assert_eq!(manifest.hub.as_ref().unwrap().files.len(), 3);
    assert_eq!(
        manifest.folder(Path::new("cache")),
        Path::new("cache/models/e5-small")
    );
}

#[test]
fn every_fault_is_named() {
    let faults = [
        ("licence = \"MIT\"", "license = \"MIT\"", "license"),
        (
            "name = \"e5-small\"",
            "name = \"../e5\"",
            "only lowercase letters",
        ),
        (
            "sha256 = \"f4b8",
            "sha256 = \"F4b8",
            "64 lowercase hexadecimal",
        ),
        (
            "file = \"e5-small-q4.bin\"",
            "file = \"../../x\"",
            "plain file name",
        ),
        ("layers = 12", "layers = \"twelve\"", "layers"),
    ];
    for (right, wrong, expected) in faults {
        assert!(SHIPPED.contains(right), "{right}");
        let error = parse(&SHIPPED.replacen(right, wrong, 1))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("models/test.toml") && error.contains(expected),
            "{error}"
        );
    }
}

#[test]
fn a_folder_of_manifests_is_listed_by_name() {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models");
    let names: Vec<String> = Manifest::list(&models)
        .unwrap()
        .into_iter()
        .map(|m| m.name)
        .collect();
    assert!(names.contains(&"e5-small".to_owned()));
    assert!(names.is_sorted());
}
