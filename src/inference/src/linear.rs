//! A linear layer in any of three forms.

use candle_core::quantized::{GgmlDType, QMatMul, QTensor, ggml_file};
use candle_core::{Device, Module, Tensor};

use crate::adapter::{self, Adapter};
use crate::container::Reader;
use crate::encoder::Compute;
use crate::error::{Error, Result};
use crate::kernels::int8::{self, Rows};
use crate::kernels::{self, Isa, Packed};

/// y = x · wᵀ + bias, w [outputs, inputs].
pub(crate) struct Linear {
    weights: Weights,
    bias: Vec<f32>,
    inputs: usize,
}

enum Weights {
    Int8(int8::Packed, Isa),
    Dense(Packed),
    Candle(QMatMul),
}

impl Linear {
    /// Reads `N.PART.weight` and `.bias` for each part, adds what the adapter has for it, and stacks their outputs into
    /// one layer.
    pub(crate) fn read(
        reader: &Reader,
        adapter: Option<&Adapter>,
        layer: usize,
        parts: &[&str],
        [outputs, inputs]: [usize; 2],
        compute: Compute,
    ) -> Result<Self> {
        let (mut blocks, mut rows) = (Vec::new(), Vec::new());
        let mut bias = Vec::new();
        let shape = [outputs, inputs];
        for part in parts {
            let name = format!("{layer}.{part}");
            if compute == Compute::Candle {
                blocks.extend(adapter::blocks(reader, adapter, &name, shape)?);
            } else {
                rows.extend(adapter::rows(reader, adapter, &name, shape)?);
            }
            bias.extend(reader.floats(&format!("{name}.bias"), &[outputs])?);
        }
        let weights = match compute {
            Compute::Int8(isa) => Weights::Int8(int8::Packed::new(&rows, inputs, isa), isa),
            Compute::Dense => Weights::Dense(Packed::new(&rows, inputs)),
            Compute::Candle => {
                let shape = vec![outputs * parts.len(), inputs];
                let tensor: QTensor =
                    ggml_file::qtensor_from_ggml(GgmlDType::Q4_0, &blocks, shape, &Device::Cpu)?;
                Weights::Candle(QMatMul::from_qtensor(tensor)?)
            }
        };
        Ok(Self {
            weights,
            bias,
            inputs,
        })
    }

    /// The weights in 8 bits, where these are what it multiplies by.
    pub(crate) fn packed(&mut self) -> Option<&mut int8::Packed> {
        match &mut self.weights {
            Weights::Int8(packed, _) => Some(packed),
            Weights::Dense(_) | Weights::Candle(_) => None,
        }
    }

    pub(crate) fn outputs(&self) -> usize {
        self.bias.len()
    }

    /// As [`Linear::forward`] of the GELU of `x`, which is overwritten.
    pub(crate) fn forward_gelu(
        &self,
        x: &mut [f32],
        out: &mut [f32],
        scratch: &mut Rows,
    ) -> Result<()> {
        if let Weights::Int8(weights, isa) = &self.weights {
            scratch.round_gelu(x, self.inputs, *isa);
            weights.linear(scratch, &self.bias, out, 1);
            return Ok(());
        }
        kernels::gelu(x);
        self.forward(x, out, scratch)
    }

    /// x [rows, inputs] to out [rows, outputs]; `scratch` is overwritten and grows as needed.
    pub(crate) fn forward(&self, x: &[f32], out: &mut [f32], scratch: &mut Rows) -> Result<()> {
        match &self.weights {
            Weights::Int8(weights, isa) => {
                scratch.round(x, self.inputs, *isa);
                weights.linear(scratch, &self.bias, out, 1);
            }
            Weights::Dense(weights) => {
                weights.linear(x, &self.bias, out, 1);
            }
            Weights::Candle(weights) => {
                let rows = x.len() / self.inputs;
                let product =
                    weights.forward(&Tensor::from_slice(x, (rows, self.inputs), &Device::Cpu)?)?;
                let product = product.flatten_all()?.to_vec1::<f32>()?;
                if product.len() != out.len() {
                    return Err(Error::Failed(format!(
                        "{} products for {} outputs",
                        product.len(),
                        out.len()
                    )));
                }
                for (out, row) in out
                    .chunks_exact_mut(self.outputs())
                    .zip(product.chunks_exact(self.outputs()))
                {
                    for ((out, product), bias) in out.iter_mut().zip(row).zip(&self.bias) {
                        *out = product + bias;
                    }
                }
            }
        }
        Ok(())
    }
}
