//! Vectors kept on disk by what they encode, so that a new release encodes only what changed.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use inference::Kind;
use sha2::{Digest, Sha256};

use crate::{BuildOptions, Embed, Error};

type Key = [u8; 16];

/// Texts that are encoded and then kept: at each end the threads wait for one another and for the disk.
const STRETCH: usize = 2_048;

/// Files of (key, vector) records for one model. The key is a hash of the kind and the text.
pub(crate) struct VectorCache {
    /// Where new vectors go.
    path: Option<PathBuf>,
    dimensions: usize,
    /// Records as they were read, end to end.
    stored: Vec<u8>,
    /// Where in `stored` each begins.
    place: HashMap<Key, usize>,
    /// Vectors that were encoded since.
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
    /// Opens the vectors of a model; without a folder they are kept in memory only. A torn record at the end
    /// is left out: it is encoded again.
    pub(crate) fn open(options: &BuildOptions) -> Result<Self, Error> {
        let model = &options.model;
        let name = format!("vectors-{}.bin", &model[..model.len().min(16)]);
        let dimensions = options.dimensions;
        let record = 16 + 4 * dimensions;
        let mut stored: Vec<u8> = Vec::new();
        for dir in options.folders() {
            let path = dir.join(&name);
            match fs::File::open(&path).and_then(|mut f| f.read_to_end(&mut stored)) {
                Ok(_) => stored.truncate(stored.len() / record * record),
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                Err(e) => return Err(io_error(&path, e)),
            }
        }
        let mut place = HashMap::with_capacity(stored.len() / record);
        for (n, bytes) in stored.chunks_exact(record).enumerate() {
            let mut key = [0; 16];
            key.copy_from_slice(&bytes[..16]);
            place.insert(key, n * record);
        }
        Ok(Self {
            path: options.cache.as_ref().map(|dir| dir.join(name)),
            dimensions,
            stored,
            place,
            known: HashMap::new(),
        })
    }

    /// A vector that is known, unless what was stored is damaged.
    fn find(&self, key: &Key) -> Option<Arc<[f32]>> {
        if let Some(v) = self.known.get(key) {
            return Some(v.clone());
        }
        let start = self.place.get(key)? + 16;
        let bytes = &self.stored[start..start + 4 * self.dimensions];
        let vector: Arc<[f32]> = bytes
            .as_chunks()
            .0
            .iter()
            .map(|b| f32::from_le_bytes(*b))
            .collect();
        vector.iter().all(|x| x.is_finite()).then_some(vector)
    }

    /// The vectors of the texts, in order; what is not known is encoded through `embed` and remembered.
    pub(crate) fn get(
        &mut self,
        kind: Kind,
        texts: &[String],
        embed: &mut Embed<'_>,
    ) -> Result<Vec<Arc<[f32]>>, Error> {
        let keys: Vec<Key> = texts.iter().map(|t| key(kind, t)).collect();
        let mut found: Vec<Option<Arc<[f32]>>> = keys.iter().map(|k| self.find(k)).collect();
        let mut missing: Vec<(Key, String)> = Vec::new();
        let mut asked = HashSet::new();
        for ((k, t), known) in keys.iter().zip(texts).zip(&found) {
            if known.is_none() && asked.insert(*k) {
                missing.push((*k, t.clone()));
            }
        }
        // In stretches, so that a stopped build goes on where it was.
        for stretch in missing.chunks(STRETCH) {
            let texts: Vec<String> = stretch.iter().map(|(_, t)| t.clone()).collect();
            let vectors = embed(kind, &texts)?;
            self.append(stretch.iter().map(|(k, _)| *k).zip(vectors).collect())?;
        }
        for (found, k) in found.iter_mut().zip(&keys) {
            if found.is_none() {
                *found = self.known.get(k).cloned();
            }
        }
        Ok(found.into_iter().flatten().collect())
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

/// The vectors of texts where they are stored; nothing is encoded, and nothing written.
///
/// # Errors
/// [`Error::Io`] when what is stored cannot be read.
pub fn known_vectors(
    options: &BuildOptions,
    kind: Kind,
    texts: &[String],
) -> Result<Vec<Option<Arc<[f32]>>>, Error> {
    let cache = VectorCache::open(options)?;
    Ok(texts.iter().map(|t| cache.find(&key(kind, t))).collect())
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
        let options = BuildOptions {
            cache: Some(dir.clone()),
            prepared: Vec::new(),
            model: "model".to_owned(),
            adapted: false,
            dimensions: 2,
            threads: 1,
            budget: crate::ErrorBudget::default(),
        };
        let mut cache = VectorCache::open(&options).unwrap();
        assert_eq!(cache.get(Kind::Query, &texts, &mut embed).unwrap().len(), 3);
        let path = dir.join("vectors-model.bin");
        let mut bytes = fs::read(&path).unwrap();
        assert_eq!(bytes.len(), 2 * 24);
        bytes.extend([1, 2, 3]);
        fs::write(&path, bytes).unwrap();
        let mut cache = VectorCache::open(&options).unwrap();
        cache.get(Kind::Query, &texts, &mut embed).unwrap();
        cache.get(Kind::Passage, &texts[..1], &mut embed).unwrap();
        assert_eq!(fs::read(&path).unwrap().len(), 3 * 24);
        // What was prepared elsewhere is read, and stays as it is.
        let service = BuildOptions {
            cache: Some(dir.join("service")),
            prepared: vec![dir.clone()],
            ..options
        };
        let mut cache = VectorCache::open(&service).unwrap();
        let more = ["a".to_owned(), "c".to_owned()];
        assert_eq!(
            &cache.get(Kind::Query, &more, &mut embed).unwrap()[0][..],
            [1.0, 0.5]
        );
        assert_eq!(fs::read(&path).unwrap().len(), 3 * 24);
        assert_eq!(
            fs::read(dir.join("service/vectors-model.bin"))
                .unwrap()
                .len(),
            24
        );
        assert_eq!(calls, [2, 1, 1]);
        fs::remove_dir_all(&dir).unwrap();
    }
}
