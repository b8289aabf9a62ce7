//! Vectors kept on disk by what they encode, so that a new release encodes only what changed.

use std::collections::HashMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use inference::Kind;
use sha2::{Digest, Sha256};

use crate::{Embed, Error};

type Key = [u8; 16];

/// A file of (key, vector) records for one model. The key is a hash of the kind and the text.
pub(crate) struct VectorCache {
    path: Option<PathBuf>,
    dimensions: usize,
    known: HashMap<Key, Arc<[f32]>>,
}

fn key(kind: Kind, text: &str) -> Key {
    let mut h = Sha256::new();
    h.update(kind.prefix());
    h.update(text);
    let full = h.finalize();
    let mut key = [0; 16];
    key.copy_from_slice(&full[..16]);
    key
}

impl VectorCache {
    /// Opens the vectors of a model under `dir`; without a folder they are kept in memory only. A torn
    /// record at the end is left out: it is encoded again.
    pub(crate) fn open(dir: Option<&Path>, model: &str, dimensions: usize) -> Result<Self, Error> {
        let mut this = Self {
            path: dir.map(|d| d.join(format!("vectors-{}.bin", &model[..model.len().min(16)]))),
            dimensions,
            known: HashMap::new(),
        };
        let Some(path) = &this.path else {
            return Ok(this);
        };
        let bytes = match fs::read(path) {
            Ok(b) => b,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(this),
            Err(e) => return Err(io_error(path, e)),
        };
        for record in bytes.chunks_exact(16 + 4 * dimensions) {
            let mut key = [0; 16];
            key.copy_from_slice(&record[..16]);
            let vector: Arc<[f32]> = record[16..]
                .chunks_exact(4)
                .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
                .collect();
            if vector.iter().all(|x| x.is_finite()) {
                this.known.insert(key, vector);
            }
        }
        Ok(this)
    }

    /// The vectors of the texts, in order; what is not known is encoded through `embed` and remembered.
    pub(crate) fn get(
        &mut self,
        kind: Kind,
        texts: &[String],
        embed: &mut Embed<'_>,
    ) -> Result<Vec<Arc<[f32]>>, Error> {
        let keys: Vec<Key> = texts.iter().map(|t| key(kind, t)).collect();
        let mut missing: Vec<(Key, String)> = Vec::new();
        let mut asked = std::collections::HashSet::new();
        for (k, t) in keys.iter().zip(texts) {
            if !self.known.contains_key(k) && asked.insert(*k) {
                missing.push((*k, t.clone()));
            }
        }
        // In stretches, so that a stopped build goes on where it was.
        for stretch in missing.chunks(512) {
            let texts: Vec<String> = stretch.iter().map(|(_, t)| t.clone()).collect();
            let vectors = embed(kind, &texts)?;
            self.append(stretch.iter().map(|(k, _)| *k).zip(vectors).collect())?;
        }
        Ok(keys
            .iter()
            .filter_map(|k| self.known.get(k).cloned())
            .collect())
    }

    fn append(&mut self, new: Vec<(Key, Arc<[f32]>)>) -> Result<(), Error> {
        if let Some(path) = &self.path {
            let record = 16 + 4 * self.dimensions;
            let mut bytes = Vec::with_capacity(new.len() * record);
            for (k, v) in &new {
                bytes.extend_from_slice(k);
                for x in v.iter() {
                    bytes.extend_from_slice(&x.to_le_bytes());
                }
            }
            let write = || -> io::Result<()> {
                if let Some(dir) = path.parent() {
                    fs::create_dir_all(dir)?;
                }
                let mut file = fs::OpenOptions::new()
                    .create(true)
                    .append(true)
                    .open(path)?;
                // A torn tail would shift every later record.
                let len = file.metadata()?.len();
                let torn = len % record as u64;
                if torn != 0 {
                    file.set_len(len - torn)?;
                }
                file.write_all(&bytes)?;
                file.sync_data()
            };
            write().map_err(|e| io_error(path, e))?;
        }
        self.known.extend(new);
        Ok(())
    }
}

pub(crate) fn io_error(path: &Path, source: io::Error) -> Error {
    Error::Io {
        path: path.display().to_string(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_texts_are_not_encoded_again_and_torn_tails_are_cut() {
        let dir = std::env::temp_dir().join(format!("borgerlinje-vectors-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        let mut calls = Vec::new();
        let texts = ["a".to_owned(), "b".to_owned(), "a".to_owned()];
        let mut embed = |_: Kind, t: &[String]| {
            calls.push(t.len());
            Ok(t.iter().map(|t| Arc::from([t.len() as f32, 0.5])).collect())
        };
        let mut cache = VectorCache::open(Some(&dir), "model", 2).unwrap();
        assert_eq!(cache.get(Kind::Query, &texts, &mut embed).unwrap().len(), 3);
        let path = dir.join("vectors-model.bin");
        let mut bytes = fs::read(&path).unwrap();
        assert_eq!(bytes.len(), 2 * 24);
        bytes.extend([1, 2, 3]);
        fs::write(&path, bytes).unwrap();
        let mut cache = VectorCache::open(Some(&dir), "model", 2).unwrap();
        cache.get(Kind::Query, &texts, &mut embed).unwrap();
        cache.get(Kind::Passage, &texts[..1], &mut embed).unwrap();
        assert_eq!(fs::read(&path).unwrap().len(), 3 * 24);
        assert_eq!(calls, [2, 1]);
        fs::remove_dir_all(&dir).unwrap();
    }
}
