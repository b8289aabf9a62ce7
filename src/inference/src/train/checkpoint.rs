//! A training put down and taken up: one safetensors file with the adapter and Adam's moments in f32, and the rest as
//! JSON in a tensor of bytes.

use std::collections::HashMap;
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use serde::{Deserialize, Serialize};

use super::{Curves, Data, Recipe, Trainer};
use crate::error::{Error, IoContext, Result};
use crate::fetch::ModelFiles;

/// The tensor of bytes.
const STATE: &str = "state";

#[derive(Serialize, Deserialize)]
struct State {
    recipe: Recipe,
    done: u32,
    base: String,
    data_sha256: String,
    near: Vec<Vec<u32>>,
    curves: Curves,
}

impl Trainer {
    /// Writes the training as it is; the file is whole or the one before.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Failed`].
    pub fn save(&self, path: &Path) -> Result<()> {
        let mut tensors: HashMap<String, Tensor> = HashMap::new();
        for ((name, variable), [first, second]) in self.model.variables().zip(&self.adam.moments) {
            tensors.insert(format!("{name}.first"), first.to_device(&Device::Cpu)?);
            tensors.insert(format!("{name}.second"), second.to_device(&Device::Cpu)?);
            tensors.insert(name, variable.as_detached_tensor().to_device(&Device::Cpu)?);
        }
        let state = State {
            recipe: self.recipe.clone(),
            done: self.done,
            base: self.stock.hash().to_owned(),
            data_sha256: self.data_sha256.clone(),
            near: self.near.clone(),
            curves: self.curves.clone(),
        };
        let json = serde_json::to_vec(&state).map_err(|e| Error::Failed(e.to_string()))?;
        let length = json.len();
        let json = Tensor::from_vec(json, length, &Device::Cpu)?;
        tensors.insert(STATE.to_owned(), json);
        let half = path.with_extension(format!("half-{}", std::process::id()));
        candle_core::safetensors::save(&tensors, &half)?;
        std::fs::rename(&half, path).at("rename", &half)
    }

    /// Takes up a training where [`Trainer::save`] put it down: the same model, data and recipe, the number of steps
    /// aside.
    ///
    /// # Errors
    /// [`Error::Format`] for a file that is none, or that belongs to other data, another model or recipe; otherwise
    /// as [`Trainer::new`].
    pub fn resume(
        files: &ModelFiles,
        data: &Data,
        recipe: Recipe,
        threads: usize,
        path: &Path,
    ) -> Result<Self> {
        let fault = |what: String| Error::format(path, what);
        let bytes = std::fs::read(path).at("read", path)?;
        let tensors = candle_core::safetensors::load_buffer(&bytes, &Device::Cpu)
            .map_err(|e| fault(format!("is no checkpoint ({e}): begin without --resume")))?;
        let get = |name: &str| -> Result<&Tensor> {
            let what = || fault(format!("has no {name}: begin without --resume"));
            tensors.get(name).ok_or_else(what)
        };
        let json = get(STATE)?.to_dtype(DType::U8)?.to_vec1::<u8>()?;
        let state: State = serde_json::from_slice(&json).map_err(|e| {
            fault(format!(
                "is of another version ({e}): begin without --resume"
            ))
        })?;
        // More steps, or fewer, are the same training with another end.
        let steps = recipe.steps;
        let begun = Recipe {
            steps,
            ..state.recipe
        };
        if begun != read_back(&recipe)? {
            let what = "was begun with other settings: give the same, or begin without --resume";
            return Err(fault(what.to_owned()));
        }
        let mut this = Self::new(files, data, recipe, threads)?;
        if state.data_sha256 != this.data_sha256 || state.base != this.stock.hash() {
            let what = "belongs to other sentences or another encoder: begin without --resume";
            return Err(fault(what.to_owned()));
        }
        let device = this.device.clone();
        for ((name, variable), moments) in this.model.variables().zip(&mut this.adam.moments) {
            variable.set(&get(&name)?.to_device(&device)?)?;
            let [first, second] = moments;
            *first = get(&format!("{name}.first"))?.to_device(&device)?;
            *second = get(&format!("{name}.second"))?.to_device(&device)?;
        }
        this.done = state.done;
        this.near = state.near;
        this.curves = state.curves;
        Ok(this)
    }
}

/// A recipe as a checkpoint gives it back: JSON may cost a number its last bit.
fn read_back(recipe: &Recipe) -> Result<Recipe> {
    let json = serde_json::to_vec(recipe).and_then(|json| serde_json::from_slice(&json));
    json.map_err(|e| Error::Failed(e.to_string()))
}

/// Writes a file beside its place and moves it there.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let half = path.with_extension(format!("half-{}", std::process::id()));
    std::fs::write(&half, bytes).at("write", &half)?;
    std::fs::rename(&half, path).at("rename", &half)
}
