//! What a decoder is made of, from a GGUF's metadata.

use super::gguf::{Gguf, Value};
use crate::error::Result;

/// A family of decoders, by GGUF's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    Gemma3,
    Qwen3,
    Llama,
}

impl Family {
    pub(crate) const ALL: [Self; 3] = [Self::Gemma3, Self::Qwen3, Self::Llama];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Gemma3 => "gemma3",
            Self::Qwen3 => "qwen3",
            Self::Llama => "llama",
        }
    }
}

/// Shapes and constants of a decoder.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Architecture {
    pub(crate) family: Family,
    pub(crate) hidden: usize,
    pub(crate) layers: usize,
    pub(crate) intermediate: usize,
    /// Query heads, a multiple of `kv_heads`.
    pub(crate) heads: usize,
    pub(crate) kv_heads: usize,
    /// Width of a head.
    pub(crate) width: usize,
    pub(crate) vocabulary: usize,
    /// Longest context the model was made for, in tokens.
    pub(crate) context: usize,
    pub(crate) epsilon: f32,
    /// Base of the rotary frequencies of layers that see everything, and what positions are divided by there.
    pub(crate) rope_base: f32,
    pub(crate) rope_divisor: f32,
    /// Base of those that see a window.
    pub(crate) window_rope_base: f32,
    /// Tokens that a layer with a window sees, itself among them.
    pub(crate) window: Option<usize>,
    /// Every so many layers, the last sees everything.
    pub(crate) pattern: usize,
}

impl Architecture {
    /// Reads and checks the metadata.
    pub(crate) fn read(file: &Gguf) -> Result<Self> {
        let known = || Family::ALL.map(Family::name).join(", ");
        let named = match file.metadata.get("general.architecture") {
            Some(Value::Text(name)) => name.as_str(),
            _ => return Err(file.fault("names no architecture")),
        };
        let family = Family::ALL.into_iter().find(|f| f.name() == named);
        let family = family.ok_or_else(|| {
            file.fault(format!(
                "is of the architecture {named:?}; known here are {}",
                known()
            ))
        })?;
        let keys = Keys { file, family };
        let hidden = keys.number("embedding_length", 32..=16384)?;
        let heads = keys.number("attention.head_count", 1..=256)?;
        let width = match keys.number_or("attention.key_length", 2..=512, 0)? {
            0 => hidden / heads,
            width => width,
        };
        let embedding = file.tensor("token_embd.weight")?;
        let gemma = family == Family::Gemma3;
        let found = Self {
            family,
            hidden,
            layers: keys.number("block_count", 1..=256)?,
            intermediate: keys.number("feed_forward_length", 32..=131_072)?,
            heads,
            kv_heads: keys.number_or("attention.head_count_kv", 1..=256, heads)?,
            width,
            vocabulary: embedding.rows(),
            context: keys.number("context_length", 16..=1 << 24)?,
            epsilon: keys.float("attention.layer_norm_rms_epsilon", None)?,
            rope_base: keys.float("rope.freq_base", Some(10_000.0))?,
            rope_divisor: keys.rope_divisor()?,
            window_rope_base: keys.float("rope.freq_base_swa", Some(10_000.0))?,
            window: match keys.number_or("attention.sliding_window", 1..=1 << 24, 0)? {
                window if gemma && window > 0 => Some(window),
                _ => None,
            },
            pattern: keys.number_or("attention.sliding_window_pattern", 1..=64, 6)?,
        };
        found.check(file)?;
        if embedding.width() != hidden {
            return Err(file.fault(format!(
                "token_embd.weight is {} wide, the model {hidden}",
                embedding.width()
            )));
        }
        Ok(found)
    }

    fn check(&self, file: &Gguf) -> Result<()> {
        let Self { heads, width, .. } = *self;
        let value_width = Keys {
            file,
            family: self.family,
        }
        .number_or("attention.value_length", 2..=512, width)?;
        let rotated = Keys {
            file,
            family: self.family,
        }
        .number_or("rope.dimension_count", 2..=512, width)?;
        let narrow = [
            self.hidden,
            self.intermediate,
            heads * width,
            self.kv_heads * width,
        ];
        let fault = if !heads.is_multiple_of(self.kv_heads) {
            format!("{heads} heads share the keys of {}", self.kv_heads)
        } else if !width.is_multiple_of(16) || value_width != width || rotated != width {
            format!(
                "heads are {width} wide, their values {value_width}, {rotated} of it rotated: expected one multiple of 16"
            )
        } else if narrow.iter().any(|n| !n.is_multiple_of(32)) {
            format!("matrices have {narrow:?} outputs: expected multiples of 32")
        } else if !(self.epsilon > 0.0 && self.epsilon < 0.1) {
            format!("the norm's epsilon is {}", self.epsilon)
        } else {
            return Ok(());
        };
        Err(file.fault(fault))
    }

    /// Tokens that this layer sees, itself among them; none: all before it.
    pub(crate) fn window_of(&self, layer: usize) -> Option<usize> {
        self.window
            .filter(|_| !(layer + 1).is_multiple_of(self.pattern))
    }

    /// What embeddings are multiplied by.
    pub(crate) fn embedding_scale(&self) -> f32 {
        match self.family {
            Family::Gemma3 => (self.hidden as f32).sqrt(),
            Family::Qwen3 | Family::Llama => 1.0,
        }
    }

    /// Bytes of keys and values for one token.
    pub(crate) fn kv_bytes(&self) -> usize {
        self.layers * 2 * self.kv_heads * self.width * size_of::<f32>()
    }
}

struct Keys<'a> {
    file: &'a Gguf,
    family: Family,
}

impl Keys<'_> {
    fn get(&self, key: &str) -> (String, Option<&Value>) {
        let key = format!("{}.{key}", self.family.name());
        let value = self.file.metadata.get(&key);
        (key, value)
    }

    fn number(&self, key: &str, allowed: std::ops::RangeInclusive<usize>) -> Result<usize> {
        match self.get(key) {
            (key, None) => Err(self.file.fault(format!("has no {key}"))),
            (key, Some(Value::Integer(n))) => match usize::try_from(*n) {
                Ok(n) if allowed.contains(&n) => Ok(n),
                _ => Err(self
                    .file
                    .fault(format!("{key} is {n}, expected {allowed:?}"))),
            },
            (key, Some(_)) => Err(self.file.fault(format!("{key} is no number"))),
        }
    }

    fn number_or(
        &self,
        key: &str,
        allowed: std::ops::RangeInclusive<usize>,
        otherwise: usize,
    ) -> Result<usize> {
        match self.get(key) {
            (_, None) => Ok(otherwise),
            _ => self.number(key, allowed),
        }
    }

    fn float(&self, key: &str, otherwise: Option<f32>) -> Result<f32> {
        let (key, value) = self.get(key);
        let found = match (value, otherwise) {
            (Some(Value::Float(x)), _) => *x as f32,
            (None, Some(otherwise)) => otherwise,
            _ => return Err(self.file.fault(format!("has no number {key}"))),
        };
        if !found.is_finite() || found <= 0.0 {
            return Err(self.file.fault(format!("{key} is {found}")));
        }
        Ok(found)
    }

    /// Of linear scaling; any other kind would need other frequencies.
    fn rope_divisor(&self) -> Result<f32> {
        match self.get("rope.scaling.type") {
            (_, None) => Ok(1.0),
            (_, Some(Value::Text(kind))) if kind == "none" => Ok(1.0),
            (_, Some(Value::Text(kind))) if kind == "linear" => {
                self.float("rope.scaling.factor", None)
            }
            (key, Some(other)) => Err(self
                .file
                .fault(format!("{key} is {other:?}; only \"linear\" is known here"))),
        }
    }
}
