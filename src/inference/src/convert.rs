//! Other people's weight files into `encoder.bl`.
//!
//! Tensor names of ours: `word` [vocabulary, hidden] q4_0; `position` [positions, hidden],
//! `type` [hidden] (the first token type), `norm.weight`, `norm.bias` [hidden] f32; and for layer N
//! `N.{query,key,value,output}` [hidden, hidden], `N.up` [intermediate, hidden], `N.down`
//! [hidden, intermediate], each `.weight` q4_0 and `.bias` f32; `N.{norm,last_norm}.{weight,bias}`.

mod packed;
mod safetensors;

pub(crate) use packed::read as read_packed;
pub(crate) use safetensors::read as read_safetensors;

use crate::container::{Architecture, Dtype, Tensor};

/// Weights in our names and order.
pub(crate) struct Converted<'a> {
    pub(crate) architecture: Architecture,
    pub(crate) tensors: Vec<Tensor<'a>>,
}

/// Where one of our tensors is found in the two formats read.
pub(crate) struct Wanted {
    pub(crate) name: String,
    /// In `e5-small-q4.bin`.
    pub(crate) packed: String,
    /// In a transformers checkpoint, without its `bert.` or `roberta.` prefix.
    pub(crate) checkpoint: String,
    pub(crate) shape: Vec<usize>,
    pub(crate) dtype: Dtype,
}

/// Every tensor of a model of this shape, in the order they are written.
pub(crate) fn wanted(a: &Architecture) -> Vec<Wanted> {
    let mut list = Vec::with_capacity(5 + 16 * a.layers);
    let mut add = |name: String, packed: String, checkpoint: String, shape: &[usize], dtype| {
        list.push(Wanted {
            name,
            packed,
            checkpoint,
            shape: shape.to_vec(),
            dtype,
        });
    };
    let h = a.hidden;
    let embedding = |part: &str| format!("embeddings.{part}");
    add(
        "word".into(),
        "emb.word".into(),
        embedding("word_embeddings.weight"),
        &[a.vocabulary, h],
        Dtype::Q4_0,
    );
    add(
        "position".into(),
        "emb.pos".into(),
        embedding("position_embeddings.weight"),
        &[a.positions, h],
        Dtype::F32,
    );
    add(
        "type".into(),
        "emb.type".into(),
        embedding("token_type_embeddings.weight"),
        &[h],
        Dtype::F32,
    );
    add(
        "norm.weight".into(),
        "emb.ln.w".into(),
        embedding("LayerNorm.weight"),
        &[h],
        Dtype::F32,
    );
    add(
        "norm.bias".into(),
        "emb.ln.b".into(),
        embedding("LayerNorm.bias"),
        &[h],
        Dtype::F32,
    );
    for n in 0..a.layers {
        let linear: [(&str, &str, &str, usize, usize); 6] = [
            ("query", "q", "attention.self.query", h, h),
            ("key", "k", "attention.self.key", h, h),
            ("value", "v", "attention.self.value", h, h),
            ("output", "ao", "attention.output.dense", h, h),
            ("up", "fi", "intermediate.dense", a.intermediate, h),
            ("down", "fo", "output.dense", h, a.intermediate),
        ];
        for (name, packed, checkpoint, rows, columns) in linear {
            let checkpoint = format!("encoder.layer.{n}.{checkpoint}");
            let weight = format!("{checkpoint}.weight");
            add(
                format!("{n}.{name}.weight"),
                format!("l{n}.{packed}.w"),
                weight,
                &[rows, columns],
                Dtype::Q4_0,
            );
            let bias = format!("{checkpoint}.bias");
            add(
                format!("{n}.{name}.bias"),
                format!("l{n}.{packed}.b"),
                bias,
                &[rows],
                Dtype::F32,
            );
        }
        for (name, packed, checkpoint) in [
            ("norm", "aln", "attention.output.LayerNorm"),
            ("last_norm", "oln", "output.LayerNorm"),
        ] {
            for (part, short) in [("weight", "w"), ("bias", "b")] {
                let checkpoint = format!("encoder.layer.{n}.{checkpoint}.{part}");
                add(
                    format!("{n}.{name}.{part}"),
                    format!("l{n}.{packed}.{short}"),
                    checkpoint,
                    &[h],
                    Dtype::F32,
                );
            }
        }
    }
    list
}

#[cfg(test)]
pub(crate) mod tests;
