//! What the vectors of a batch should be like.

use candle_core::{D, Device, Tensor};
use serde::{Deserialize, Serialize};

use crate::error::Result;

/// What a vector of the batch is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Near its class, far from the rest.
    Class(u32),
    /// Far from all classes.
    Outside,
    /// Where the stock encoder has it; the row of its stock vector.
    General(usize),
}

/// How much each part counts, and the temperature.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weights {
    pub(super) temperature: f64,
    /// Of 1 - cosine to the stock vector, on general text.
    pub(super) stay: f64,
    /// Of the squared difference of cosines between general texts.
    pub(super) shape: f64,
}

/// Parts of the loss, and what is made of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Loss {
    /// Supervised contrastive (Khosla et al., arXiv:2004.11362, equation 2): mean over the sentences that have another
    /// of their class beside them.
    pub contrast: f32,
    /// 1 - cosine to the stock vector, mean over general texts.
    pub drift: f32,
    /// Everything, weighted: what goes down.
    #[serde(default)]
    pub sum: f32,
}

/// A loss that has gradients, and its parts. `vectors` [n, width] are of length 1, `stock` [general, width].
pub(super) fn loss(
    vectors: &Tensor,
    places: &[Place],
    stock: Option<&Tensor>,
    weights: &Weights,
) -> Result<(Tensor, Loss)> {
    let device = vectors.device();
    let mut sum = Tensor::zeros((), candle_core::DType::F32, device)?;
    let mut parts = Loss::default();
    let inside: Vec<u32> = (0..)
        .zip(places)
        .filter(|(_, place)| !matches!(place, Place::General(_)))
        .map(|(i, _)| i)
        .collect();
    if let Some(contrast) = contrast(vectors, places, &inside, weights.temperature)? {
        parts.contrast = contrast.to_scalar()?;
        sum = (sum + contrast)?;
    }
    let (mut general, mut rows) = (Vec::new(), Vec::new());
    for (i, place) in (0_u32..).zip(places) {
        if let Place::General(row) = place {
            general.push(i);
            rows.push(*row as u32);
        }
    }
    if let Some(stock) = stock.filter(|_| !general.is_empty()) {
        let take = |from: &Tensor, rows: &[u32]| -> Result<Tensor> {
            Ok(from.index_select(&Tensor::new(rows, device)?, 0)?)
        };
        let (now, before) = (take(vectors, &general)?, take(stock, &rows)?);
        let drift = (1.0 - (&now * &before)?.sum(D::Minus1)?.mean_all()?)?;
        parts.drift = drift.to_scalar()?;
        let apart = (now.matmul(&now.t()?)? - before.matmul(&before.t()?)?)?;
        let bent = apart.sqr()?.mean_all()?;
        sum = ((sum + (drift * weights.stay)?)? + (bent * weights.shape)?)?;
    }
    parts.sum = sum.to_scalar()?;
    Ok((sum, parts))
}

/// None where no sentence has another of its class beside it.
fn contrast(
    vectors: &Tensor,
    places: &[Place],
    inside: &[u32],
    temperature: f64,
) -> Result<Option<Tensor>> {
    let device = vectors.device();
    let n = inside.len();
    let class = |i: u32| match places[i as usize] {
        Place::Class(class) => Some(class),
        _ => None,
    };
    // Shares of the loss: a row an anchor, a column a positive.
    let mut shares = vec![0.0_f32; n * n];
    let mut anchors = 0.0_f32;
    for (row, &i) in shares.chunks_exact_mut(n.max(1)).zip(inside) {
        let Some(own) = class(i) else { continue };
        let mut positives = 0.0_f32;
        for (share, &j) in row.iter_mut().zip(inside) {
            if i != j && class(j) == Some(own) {
                *share = 1.0;
                positives += 1.0;
            }
        }
        if positives > 0.0 {
            row.iter_mut().for_each(|share| *share /= positives);
            anchors += 1.0;
        }
    }
    if anchors == 0.0 {
        return Ok(None);
    }
    let rows = vectors.index_select(&Tensor::new(inside, device)?, 0)?;
    let scores = (rows.matmul(&rows.t()?)? / temperature)?;
    // Nobody is compared with itself.
    let scores = (scores + itself(n, device)?)?;
    let highest = scores.detach().max_keepdim(D::Minus1)?;
    let scores = scores.broadcast_sub(&highest)?;
    let total = scores.exp()?.sum_keepdim(D::Minus1)?.log()?;
    // What is not a positive has share 0, and 0 times -1e9 is 0.
    let log = scores.broadcast_sub(&total)?;
    let shares = Tensor::from_vec(shares, (n, n), device)?;
    let sum = (log * shares)?.sum_all()?;
    Ok(Some((sum * (-1.0 / f64::from(anchors)))?))
}

/// [n, n] with -1e9 on the diagonal.
fn itself(n: usize, device: &Device) -> Result<Tensor> {
    let value = |i: usize| if i / n == i % n { -1e9_f32 } else { 0.0 };
    let values: Vec<f32> = (0..n * n).map(value).collect();
    Ok(Tensor::from_vec(values, (n, n), device)?)
}
