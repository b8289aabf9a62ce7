//! Operations with gradients of their own, because candle would compose them of many small ones, and would compute
//! gradients of weights that never change.

use std::sync::Arc;

use candle_core::{
    CpuStorage, CustomOp1, CustomOp2, CustomOp3, D, Error, Layout, Result, Shape, Tensor,
};

use crate::kernels::{self, Packed};

/// W + s·B·A of one matrix at one step.
pub(super) enum Merged {
    /// On the processor: [inputs, outputs] for x · Wᵀ, and the other way round for gradient · W.
    Packed {
        forward: Packed,
        back: Packed,
        inputs: usize,
    },
    /// Elsewhere: [outputs, inputs].
    Plain(Tensor),
}

impl Merged {
    /// `frozen` [outputs, inputs], `low` the product B·A.
    pub(super) fn new(frozen: &Tensor, low: &Tensor, scale: f64) -> Result<Self> {
        if !frozen.device().is_cpu() {
            return Ok(Self::Plain((frozen + (low * scale)?)?));
        }
        // By hand: candle's own threads for large sums wait for one another, which is slow beside other work.
        let (outputs, inputs) = frozen.dims2()?;
        let mut rows = frozen.flatten_all()?.to_vec1::<f32>()?;
        for (value, low) in rows.iter_mut().zip(low.flatten_all()?.to_vec1::<f32>()?) {
            *value += low * scale as f32;
        }
        let mut columns = vec![0.0; rows.len()];
        for (output, row) in rows.chunks_exact(inputs).enumerate() {
            for (column, value) in columns.chunks_exact_mut(outputs).zip(row) {
                column[output] = *value;
            }
        }
        Ok(Self::Packed {
            forward: Packed::new(&rows, inputs),
            back: Packed::new(&columns, outputs),
            inputs,
        })
    }
}

/// y = x · (W + s·B·A)ᵀ + bias: x [rows, inputs], A [rank, inputs], B [outputs, rank].
///
/// The sum in the brackets is made once a step, so a product costs what it costs without an adapter, and only A and B
/// get gradients beside x.
pub(super) struct Product {
    pub(super) merged: Arc<Merged>,
    pub(super) bias: Arc<[f32]>,
    pub(super) scale: f64,
}

impl CustomOp3 for Product {
    fn name(&self) -> &'static str {
        "adapted-product"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        layout: &Layout,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let Merged::Packed { forward, .. } = &*self.merged else {
            return Err(Error::Msg("weights on another device".into()));
        };
        let (rows, _) = layout.shape().dims2()?;
        let mut out = vec![0.0; rows * self.bias.len()];
        forward.linear(values(x, layout)?, &self.bias, &mut out, 1);
        Ok((CpuStorage::F32(out), (rows, self.bias.len()).into()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        x: &candle_core::CudaStorage,
        x_layout: &Layout,
        _: &candle_core::CudaStorage,
        _: &Layout,
        _: &candle_core::CudaStorage,
        _: &Layout,
    ) -> Result<(candle_core::CudaStorage, Shape)> {
        use candle_core::backend::BackendStorage;
        let (rows, inputs) = x_layout.shape().dims2()?;
        let Merged::Plain(weights) = &*self.merged else {
            return Err(Error::Msg("weights on another device".into()));
        };
        let (weights, layout) = weights.storage_and_layout();
        let candle_core::Storage::Cuda(weights) = &*weights else {
            return Err(Error::Msg("weights on another device".into()));
        };
        let outputs = self.bias.len();
        let shape = (1, rows, outputs, inputs);
        // The bias is added outside: see `apply`.
        let out = x.matmul(weights, shape, x_layout, &layout.transpose(0, 1)?)?;
        Ok((out, (rows, outputs).into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        a: &Tensor,
        b: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (a, b, values) = (a.detach(), b.detach(), x.detach());
        let inner = values.matmul(&a.t()?)?;
        let outer = grad.matmul(&b)?;
        let a_grad = (outer.t()?.matmul(&values)? * self.scale)?;
        let b_grad = (grad.t()?.matmul(&inner)? * self.scale)?;
        // Nothing below the first layer learns.
        let x_grad = x.track_op().then(|| match &*self.merged {
            Merged::Plain(weights) => grad.matmul(weights),
            Merged::Packed { .. } => {
                let back = Back(self.merged.clone());
                grad.contiguous()?.apply_op1_no_bwd(&back)
            }
        });
        Ok((x_grad.transpose()?, Some(a_grad), Some(b_grad)))
    }
}

impl Product {
    pub(super) fn apply(self, x: &Tensor, a: &Tensor, b: &Tensor) -> Result<Tensor> {
        if x.device().is_cpu() {
            return x.apply_op3(a, b, self);
        }
        let bias = Tensor::new(&*self.bias, x.device())?;
        x.apply_op3(a, b, self)?.broadcast_add(&bias)
    }
}

/// gradient [rows, outputs] · W.
struct Back(Arc<Merged>);

impl CustomOp1 for Back {
    fn name(&self) -> &'static str {
        "adapted-product-gradient"
    }

    fn cpu_fwd(&self, grad: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let Merged::Packed { back, inputs, .. } = &*self.0 else {
            return Err(Error::Msg("weights on another device".into()));
        };
        let (rows, inputs) = (layout.shape().dims2()?.0, *inputs);
        let mut out = vec![0.0; rows * inputs];
        back.linear(values(grad, layout)?, &vec![0.0; inputs], &mut out, 1);
        Ok((CpuStorage::F32(out), (rows, inputs).into()))
    }
}

/// The values of a tensor that lies in one piece.
fn values<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let Some((start, end)) = layout.contiguous_offsets() else {
        return Err(Error::Msg("a tensor in pieces".into()));
    };
    Ok(&storage.as_slice::<f32>()?[start..end])
}

/// The exact GELU.
pub(super) fn gelu(x: &Tensor) -> Result<Tensor> {
    if x.device().is_cpu() {
        x.apply_op1(Gelu)
    } else {
        x.gelu_erf()
    }
}

struct Gelu;

impl CustomOp1 for Gelu {
    fn name(&self) -> &'static str {
        "gelu"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let mut out = values(x, layout)?.to_vec();
        kernels::gelu(&mut out);
        Ok((CpuStorage::F32(out), layout.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        x.apply_op2_no_bwd(&grad.contiguous()?, &GeluGradient)
            .map(Some)
    }
}

struct GeluGradient;

impl CustomOp2 for GeluGradient {
    fn name(&self) -> &'static str {
        "gelu-gradient"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        grad: &CpuStorage,
        grad_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let x = values(x, x_layout)?;
        let mut out = vec![0.0; x.len()];
        kernels::gelu_gradient(x, values(grad, grad_layout)?, &mut out);
        Ok((CpuStorage::F32(out), x_layout.shape().clone()))
    }
}

/// Scale and shift of a layer norm, which never change.
#[derive(Clone)]
pub(super) struct Norm {
    pub(super) weight: Arc<[f32]>,
    pub(super) bias: Arc<[f32]>,
    pub(super) eps: f32,
}

impl Norm {
    /// x [rows, width], each row normalised, scaled and shifted.
    pub(super) fn apply(&self, x: &Tensor) -> Result<Tensor> {
        if x.device().is_cpu() {
            x.apply_op1(self.clone())
        } else {
            self.composed(x)
        }
    }

    /// The same of candle's own operations, for other devices.
    pub(super) fn composed(&self, x: &Tensor) -> Result<Tensor> {
        let apart = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
        let variance = apart.sqr()?.mean_keepdim(D::Minus1)?;
        let unit = apart.broadcast_div(&(variance + f64::from(self.eps))?.sqrt()?)?;
        unit.broadcast_mul(&Tensor::new(&*self.weight, x.device())?)?
            .broadcast_add(&Tensor::new(&*self.bias, x.device())?)
    }
}

impl CustomOp1 for Norm {
    fn name(&self) -> &'static str {
        "layer-norm"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let mut out = values(x, layout)?.to_vec();
        kernels::add_layer_norm(&mut out, &[], &self.weight, &self.bias, self.eps);
        Ok((CpuStorage::F32(out), layout.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let gradient = NormGradient(self.clone());
        x.apply_op2_no_bwd(&grad.contiguous()?, &gradient).map(Some)
    }
}

struct NormGradient(Norm);

impl CustomOp2 for NormGradient {
    fn name(&self) -> &'static str {
        "layer-norm-gradient"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        grad: &CpuStorage,
        grad_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let x = values(x, x_layout)?;
        let mut out = vec![0.0; x.len()];
        let grad = values(grad, grad_layout)?;
        kernels::layer_norm_gradient(x, grad, &self.0.weight, self.0.eps, &mut out);
        Ok((CpuStorage::F32(out), x_layout.shape().clone()))
    }
}
