//! For `fuzz/` alone: the readers of model files, on bytes that anybody could have written.

use std::path::Path;

use crate::{Adapter, Encoder, EncoderOptions};

/// Opens an encoder's weights, and encodes with them when they are whole.
pub fn weights(file: &Path) {
    let Ok(encoder) = Encoder::load(file, &EncoderOptions::default()) else {
        return;
    };
    let _ = encoder.max_tokens();
    let _ = encoder.encode_serial(&[vec![0, 1, 2], vec![u32::MAX]]);
}

/// Reads an adapter's tensors.
pub fn adapter(bytes: &[u8]) {
    let _ = Adapter::from_bytes(bytes, Path::new("adapter"));
}

/// Opens a language model, and takes a text through its tokenizer and its template when it is whole.
pub fn generator(file: &Path) {
    crate::generator::fuzz(file);
}

#[cfg(test)]
mod tests;
