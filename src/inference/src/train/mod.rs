//! Training of an adapter: the encoder learns which sentences ask for the same thing, and forgets nothing else.
//!
//! A [`Trainer`] takes [`Data`], goes step by step, can be put down as a checkpoint at any step and taken up again with
//! the same result, and ends as an adapter's file. It reads no clock and says nothing: who calls it does.
//!
//! A step has two halves. The chunks of a batch go forward, each on one thread; the loss looks at all their vectors
//! together; then each chunk goes back with the gradients of its own vectors, and what the chunks give is added up in
//! their order. So the sum does not depend on the number of threads.

mod adam;
mod batch;
mod checkpoint;
mod data;
mod development;
mod loss;
mod model;
mod ops;
mod random;
mod weigh;
mod workers;

use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor, Var};
use serde::{Deserialize, Serialize};

use self::adam::Adam;
use self::batch::Batch;
use self::data::{Limits, Prepared};
use self::development::SOME_PAIRS;
use self::loss::Weights;
use self::model::Model;
use self::workers::Workers;
use crate::adapter::{Adapter, AdapterManifest};
use crate::encoder::{Compute, Encoder, EncoderOptions};
use crate::error::{Error, IoContext, Result};
use crate::fetch::ModelFiles;
use crate::tokenize::Tokenizer;

pub(crate) use checkpoint::replace;
pub use data::{Data, Sentence};
pub use development::{Development, Hits};
pub use loss::Loss;
pub use weigh::{Weighed, weigh};

/// How a training goes; part of every checkpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    pub steps: u32,
    pub seed: u64,
    /// Of A and B; the file grows with it (0.166 MB each for the small encoder).
    pub rank: usize,
    /// Highest learning rate.
    pub rate: f64,
    /// Steps over which the rate rises.
    pub warm: u32,
    /// B·A counts this many times.
    pub scale: f64,
    /// Of the weights, as AdamW has it.
    pub decay: f64,
    /// Gradients are shortened to this length.
    pub clip: f64,
    pub temperature: f64,
    /// Weight of staying where the stock encoder has general text.
    pub stay: f64,
    /// Weight of keeping the angles between general texts.
    pub shape: f64,
    /// Classes in a step, in this many groups of neighbours.
    pub classes: usize,
    pub groups: usize,
    /// Neighbours of a class that its group is drawn from.
    pub neighbours: usize,
    /// Sentences of a class in a step.
    pub sentences: usize,
    /// One class in this many also brings a passage.
    pub passage_one_in: usize,
    /// Sentences of no class in a step.
    pub outside: usize,
    /// General texts in a step.
    pub general: usize,
    /// Longest query and passage, in tokens.
    pub query_tokens: usize,
    pub passage_tokens: usize,
    /// Steps between measurements; neighbours are found anew with each.
    pub measure_every: u32,
}

impl Default for Recipe {
    /// What the committed adapter was trained with.
    fn default() -> Self {
        Self {
            steps: 330,
            seed: 1,
            rank: 32,
            rate: 8e-4,
            warm: 20,
            scale: 2.0,
            decay: 0.01,
            clip: 1.0,
            temperature: 0.05,
            stay: 1.0,
            shape: 10.0,
            classes: 20,
            groups: 5,
            neighbours: 10,
            sentences: 4,
            passage_one_in: 4,
            outside: 6,
            general: 8,
            query_tokens: 40,
            passage_tokens: 64,
            measure_every: 100,
        }
    }
}

impl Recipe {
    fn check(&self) -> Result<()> {
        let fault = |what: &str| Err(Error::Failed(what.to_owned()));
        match () {
            () if self.steps == 0 => fault("a training has at least one step"),
            () if !(1..=256).contains(&self.rank) => fault("the rank must be 1 to 256"),
            () if self.query_tokens < 8 || self.passage_tokens < 8 => {
                fault("texts are cut to 8 tokens or more")
            }
            () if self.measure_every == 0 || self.passage_one_in == 0 || self.groups == 0 => {
                fault("measure_every, passage_one_in and groups must be at least 1")
            }
            () => Ok(()),
        }
    }
}

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// From 1.
    pub step: u32,
    pub loss: Loss,
    pub rate: f32,
    /// Length of the gradient before it was shortened.
    pub gradient: f32,
}

/// What was seen so far, for the curves.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Curves {
    pub steps: Vec<Step>,
    /// After so many steps.
    pub development: Vec<(u32, Development)>,
}

/// Tokens of a chunk, padding included. So few that 1,536 numbers a token stay below 65,536: from there on candle spreads
/// sums over threads that spin while they wait for one another.
const CHUNK_TOKENS: usize = 42;

/// A training at some step.
pub struct Trainer {
    recipe: Recipe,
    weights: PathBuf,
    data: Prepared,
    data_sha256: String,
    /// As it was: it knows the words, and where general text belongs.
    stock: Encoder,
    model: Model,
    adam: Adam,
    device: Device,
    workers: Workers,
    /// Steps done.
    done: u32,
    near: Vec<Vec<u32>>,
    curves: Curves,
}

impl Trainer {
    /// Begins a training on `threads` threads.
    ///
    /// # Errors
    /// [`Error::Io`] and [`Error::Format`] for the model's files, [`Error::Failed`] for a recipe that cannot be.
    pub fn new(files: &ModelFiles, data: &Data, recipe: Recipe, threads: usize) -> Result<Self> {
        recipe.check()?;
        let options = EncoderOptions {
            compute: Compute::Dense,
            threads,
        };
        let stock = Encoder::load(&files.weights, &options)?;
        let most = stock.max_tokens();
        let tokenizer = Tokenizer::open(&files.tokenizer, stock.tokenizer_sha256(), most)?;
        let limits = Limits::of(&recipe, most);
        let device = device()?;
        let (rank, scale, seed) = (recipe.rank, recipe.scale, recipe.seed);
        let model = Model::read(&files.weights, rank, scale, seed, &device)?;
        let adam = Adam::new(model.variables().map(|v| v.1), recipe.decay)?;
        Ok(Self {
            weights: files.weights.clone(),
            data: Prepared::new(data, &tokenizer, limits)?,
            data_sha256: data.sha256(),
            stock,
            model,
            adam,
            workers: Workers::new(if device.is_cpu() { threads } else { 1 })?,
            device,
            done: 0,
            near: Vec::new(),
            curves: Curves::default(),
            recipe,
        })
    }

    #[must_use]
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// Steps done.
    #[must_use]
    pub fn done(&self) -> u32 {
        self.done
    }

    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.done >= self.recipe.steps
    }

    #[must_use]
    pub fn curves(&self) -> &Curves {
        &self.curves
    }

    /// Whether figures are due before the next step, or at the end.
    #[must_use]
    pub fn measure_is_due(&self) -> bool {
        let last = self.curves.development.last().map(|d| d.0);
        let now = self.is_finished() || self.done.is_multiple_of(self.recipe.measure_every);
        now && last != Some(self.done)
    }

    /// Measures the encoder as it is, and finds anew which classes are easily confused. Takes about as long as ten
    /// steps.
    ///
    /// # Errors
    /// As [`Encoder::load_with`].
    pub fn measure(&mut self) -> Result<&Development> {
        let adapter = Adapter::of(self.model.parts()?);
        let options = EncoderOptions {
            compute: Compute::Dense,
            threads: self.stock.threads(),
        };
        let encoder = Encoder::load_with(&self.weights, &options, Some(&adapter))?;
        let (found, near) = development::measure(&encoder, &self.data, SOME_PAIRS)?;
        self.near = near;
        self.curves.development.push((self.done, found));
        Ok(&self.curves.development[self.curves.development.len() - 1].1)
    }

    /// One step.
    ///
    /// # Errors
    /// [`Error::Failed`] when the numbers get out of hand, or there is nothing to learn.
    pub fn step(&mut self) -> Result<Step> {
        let recipe = &self.recipe;
        let batch = Batch::draw(&self.data, &self.near, recipe, recipe.seed, self.done);
        let (loss, gradients) = self.gradients(&batch)?;
        let rate = adam::rate(recipe.rate, self.done, recipe.steps, recipe.warm);
        let (factor, length) = adam::clip(&gradients, recipe.clip)?;
        if !length.is_finite() {
            let what = "the gradients are no numbers any more: lower the learning rate";
            return Err(Error::Failed(what.into()));
        }
        let gradients: candle_core::Result<Vec<Tensor>> =
            gradients.iter().map(|g| g * factor).collect();
        self.done += 1;
        let variables = self.model.variables().map(|v| v.1);
        self.adam.step(variables, &gradients?, rate, self.done)?;
        let step = Step {
            step: self.done,
            loss,
            rate: rate as f32,
            gradient: length as f32,
        };
        self.curves.steps.push(step);
        Ok(step)
    }

    /// The loss of a batch and its gradients, in the order of the variables.
    fn gradients(&self, batch: &Batch) -> Result<(Loss, Vec<Tensor>)> {
        let merged = self.model.merge(&self.workers)?;
        let chunks = batch.chunks(CHUNK_TOKENS);
        let forward = |chunk: usize| -> Result<Tensor> {
            let ids = chunks[chunk].iter().map(|&i| batch.ids[i].clone());
            let ids: Vec<Vec<u32>> = ids.collect();
            self.model.forward(&self.stock, &merged, &ids)
        };
        let parts: Result<Vec<Tensor>> = self
            .workers
            .map(chunks.len(), forward)
            .into_iter()
            .collect();
        let parts = parts?;
        if parts.is_empty() {
            return Err(Error::Failed("there are no sentences to learn from".into()));
        }
        // The vectors in the order of the chunks; the loss gets its places in the same.
        let apart: Vec<Tensor> = parts.iter().map(Tensor::detach).collect();
        let vectors = Var::from_tensor(&Tensor::cat(&apart, 0)?)?;
        let places: Vec<_> = chunks.iter().flatten().map(|&i| batch.places[i]).collect();
        let stock = self.stock_vectors(&batch.general)?;
        let weights = Weights {
            temperature: self.recipe.temperature,
            stay: self.recipe.stay,
            shape: self.recipe.shape,
        };
        let (sum, loss) = loss::loss(vectors.as_tensor(), &places, stock.as_ref(), &weights)?;
        let store = sum.backward()?;
        let Some(pull) = store.get(&vectors) else {
            return Err(Error::Failed("this batch teaches nothing".into()));
        };
        let mut starts = vec![0];
        for chunk in &chunks {
            starts.push(starts[starts.len() - 1] + chunk.len());
        }
        let back = |chunk: usize| -> Result<Vec<Tensor>> {
            let pull = pull.narrow(0, starts[chunk], chunks[chunk].len())?;
            let store = (&parts[chunk] * pull.detach())?.sum_all()?.backward()?;
            let gradient = |v: &Var| {
                store
                    .get(v)
                    .map_or_else(|| v.as_detached_tensor().zeros_like(), |g| Ok(g.detach()))
            };
            let gradients = self.model.variables().map(|(_, v)| gradient(v));
            Ok(gradients.collect::<candle_core::Result<_>>()?)
        };
        let mut total: Option<Vec<Tensor>> = None;
        for gradients in self.workers.map(chunks.len(), back) {
            let gradients = gradients?;
            total = Some(match total {
                None => gradients,
                Some(total) => {
                    let pairs = total.iter().zip(&gradients);
                    pairs
                        .map(|(a, b)| a + b)
                        .collect::<candle_core::Result<_>>()?
                }
            });
        }
        Ok((loss, total.unwrap_or_default()))
    }

    /// [general, hidden]; none where there are none.
    fn stock_vectors(&self, general: &[Vec<u32>]) -> Result<Option<Tensor>> {
        if general.is_empty() {
            return Ok(None);
        }
        let rows = self.stock.encode(general)?.concat();
        let shape = (general.len(), self.stock.dimensions());
        Ok(Some(Tensor::from_vec(rows, shape, &self.device)?))
    }

    /// Writes `adapter.safetensors` and its manifest into `folder`, each whole or not at all. Title, licence and file
    /// name are taken from `about`, and what it says of the figures; the rest is filled in.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Failed`].
    pub fn finish(&self, manifest: &Path, mut about: AdapterManifest) -> Result<AdapterManifest> {
        let folder = manifest.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).at("create", folder)?;
        let bytes = Adapter::to_bytes(&self.model.parts()?, folder)?;
        about.sha256 = crate::digest::of_bytes(&bytes);
        about.bytes = bytes.len() as u64;
        about.base = self.stock.hash().to_owned();
        about.data_sha256.clone_from(&self.data_sha256);
        about.seed = self.recipe.seed;
        about.rank = self.recipe.rank;
        about.steps = self.done;
        about.strength = 1.0;
        replace(&folder.join(&about.file), &bytes)?;
        about.save(manifest)?;
        Ok(about)
    }
}

#[cfg(feature = "cuda")]
fn device() -> Result<Device> {
    Ok(Device::new_cuda(0)?)
}

#[cfg(not(feature = "cuda"))]
fn device() -> Result<Device> {
    Ok(Device::Cpu)
}

#[cfg(test)]
mod tests;
