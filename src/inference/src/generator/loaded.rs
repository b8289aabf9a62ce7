//! A GGUF file, opened whole: decoder, tokenizer and chat template.

use std::path::Path;

use serde::Serialize;

use super::GeneratorOptions;
use super::architecture::Architecture;
use super::cache;
use super::gguf::{Gguf, Value};
use super::memory;
use super::model::Decoder;
use super::prompt::{PromptForm, Template};
use super::tokenizer::Tokenizer;
use crate::error::Result;
use crate::kernels::decoder::PAGE;

/// What a model is, for operators and records.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Description {
    /// As the file names itself.
    pub name: String,
    pub architecture: &'static str,
    pub form: PromptForm,
    pub parameters: u64,
    /// The longest text it is run with, in tokens.
    pub context_tokens: usize,
    pub vocabulary_tokens: usize,
    /// Of the weights in memory.
    pub weight_bytes: u64,
    pub kernel: &'static str,
}

pub(super) struct Loaded {
    pub(super) decoder: Decoder,
    pub(super) tokenizer: Tokenizer,
    pub(super) template: Template,
    pub(super) description: Description,
}

impl Loaded {
    /// Checks that it fits, then reads it.
    pub(super) fn read(path: &Path, options: &GeneratorOptions) -> Result<Self> {
        let mut file = Gguf::open(path)?;
        let architecture = Architecture::read(&file)?;
        let compute = options.compute;
        let weight_bytes = memory::weights(&file, &architecture, compute);
        let kv_bytes = options.limits.kv_bytes as u64;
        memory::check(
            weight_bytes,
            kv_bytes,
            options.free_bytes.or_else(memory::free),
        )?;
        let name = match file.metadata.get("general.name") {
            Some(Value::Text(name)) => name.chars().take(100).collect(),
            _ => "unnamed".to_owned(),
        };
        let template = Template::read(&file)?;
        let tokenizer = Tokenizer::read(&mut file)?;
        if tokenizer.len() != architecture.vocabulary {
            return Err(file.fault(format!(
                "has {} tokens and vectors for {}",
                tokenizer.len(),
                architecture.vocabulary
            )));
        }
        let values = file.tensors.values().map(|t| (t.rows() * t.width()) as u64);
        // A text for which there is never room would only be refused later.
        let room = options.limits.kv_bytes / cache::page_bytes(&architecture) * PAGE;
        let description = Description {
            name,
            architecture: architecture.family.name(),
            form: template.form(),
            parameters: values.sum(),
            context_tokens: options.limits.context.min(architecture.context).min(room),
            vocabulary_tokens: architecture.vocabulary,
            weight_bytes,
            kernel: compute.name(),
        };
        let decoder = Decoder::read(&mut file, architecture, compute, options.threads)?;
        Ok(Self {
            decoder,
            tokenizer,
            template,
            description,
        })
    }
}
