//! SHA-256 as lowercase hexadecimal, over bytes and over files of any size.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::error::{Error, IoContext, Result};

/// 64 lowercase hexadecimal digits.
pub(crate) fn of_bytes(bytes: &[u8]) -> String {
    let mut hasher = Sha256::new();
    hasher.update(bytes);
    hex(hasher)
}

pub(crate) fn hex(hasher: Sha256) -> String {
    hasher
        .finalize()
        .iter()
        .fold(String::with_capacity(64), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// Reads the file in blocks of 1 MiB; memory does not grow with its size.
pub(crate) fn of_file(path: &Path) -> Result<String> {
    let mut file = File::open(path).at("open", path)?;
    let mut hasher = Sha256::new();
    let mut block = vec![0_u8; 1 << 20];
    loop {
        let read = file.read(&mut block).at("read", path)?;
        if read == 0 {
            return Ok(hex(hasher));
        }
        hasher.update(&block[..read]);
    }
}

/// Refuses a file whose digest is not `expected`; without an expectation every file passes.
pub(crate) fn check(path: &Path, expected: Option<&str>) -> Result<String> {
    let found = of_file(path)?;
    match expected {
        Some(expected) if expected != found => Err(Error::Hash {
            path: path.to_owned(),
            expected: expected.to_owned(),
            found,
        }),
        _ => Ok(found),
    }
}
