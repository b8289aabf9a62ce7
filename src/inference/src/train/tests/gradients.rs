//! Gradients against finite differences, and own operations against candle's.

use super::*;
use crate::train::loss::Place;
use crate::train::ops::{Norm, gelu};

fn tensor(seed: u32, shape: (usize, usize)) -> Tensor {
    Tensor::from_vec(noise(seed, shape.0 * shape.1), shape, &Device::Cpu).unwrap()
}

fn flat(t: &Tensor) -> Vec<f32> {
    t.flatten_all().unwrap().to_vec1().unwrap()
}

fn near(a: &Tensor, b: &Tensor, tolerance: f32) {
    for (a, b) in flat(a).iter().zip(flat(b)) {
        assert!((a - b).abs() < tolerance, "{a} and {b}");
    }
}

/// The gradient at `x` of the sum of what `f` makes of it, weighted so that no two parts count the same.
fn pulled(x: &Tensor, f: impl Fn(&Tensor) -> Tensor) -> (Tensor, Tensor) {
    let x = Var::from_tensor(x).unwrap();
    let y = f(x.as_tensor());
    let weights = tensor(77, y.dims2().unwrap());
    let store = (&y * weights)
        .unwrap()
        .sum_all()
        .unwrap()
        .backward()
        .unwrap();
    (y, store.get(&x).unwrap().clone())
}

#[test]
fn own_operations_are_candles() {
    let x = (tensor(5, (6, 32)) * 3.0).unwrap();
    let norm = Norm {
        weight: noise(6, 32).into(),
        bias: noise(7, 32).into(),
        eps: 1e-6,
    };
    let (own, own_gradient) = pulled(&x, |x| norm.apply(x).unwrap());
    let (composed, gradient) = pulled(&x, |x| norm.composed(x).unwrap());
    near(&own, &composed, 1e-4);
    near(&own_gradient, &gradient, 1e-4);
    let (own, own_gradient) = pulled(&x, |x| gelu(x).unwrap());
    let (theirs, gradient) = pulled(&x, |x| x.gelu_erf().unwrap());
    near(&own, &theirs, 1e-5);
    near(&own_gradient, &gradient, 1e-5);
}

/// The trainer's whole gradient, through both halves of a step, chunks and loss included.
#[test]
fn gradients_are_what_finite_differences_say() {
    let folder = Folder::new();
    let gentle = Recipe {
        // Softer than in use: differences of a sharp softmax are rounded away.
        temperature: 0.5,
        ..recipe(4)
    };
    let trainer = Trainer::new(&files(&folder), &data(), gentle, 1).unwrap();
    // With B at zero, A would have no gradient at all.
    for (n, (name, variable)) in (0..).zip(trainer.model.variables()) {
        if name.ends_with(".b") {
            let shape = variable.dims2().unwrap();
            variable
                .set(&(tensor(200 + n, shape) * 0.1).unwrap())
                .unwrap();
        }
    }
    let batch = Batch::draw(&trainer.data, &[], &trainer.recipe, 1, 0);
    assert!(batch.places.iter().any(|p| matches!(p, Place::General(_))));
    assert!(batch.places.contains(&Place::Outside));
    let (_, gradients) = trainer.gradients(&batch).unwrap();
    let whole = || {
        let (loss, _) = trainer.gradients(&batch).unwrap();
        f64::from(loss.sum)
    };
    let mut seen = 0;
    for (n, (name, variable)) in trainer.model.variables().enumerate().step_by(5) {
        let values = flat(variable.as_tensor());
        let gradient = flat(&gradients[n]);
        // The entry that matters most can be told from rounding.
        let at = (0..gradient.len())
            .max_by(|&a, &b| gradient[a].abs().total_cmp(&gradient[b].abs()))
            .unwrap();
        let moved = |by: f32| {
            let mut values = values.clone();
            values[at] += by;
            let shape = variable.dims2().unwrap();
            variable
                .set(&Tensor::from_vec(values, shape, &Device::Cpu).unwrap())
                .unwrap();
            whole()
        };
        let by = 2e-2;
        let slope = (moved(by) - moved(-by)) / (2.0 * f64::from(by));
        moved(0.0);
        let found = f64::from(gradient[at]);
        assert!(
            (slope - found).abs() < 0.04 * found.abs().max(0.02),
            "{name}[{at}]: {found}, differences say {slope}"
        );
        seen += 1;
    }
    assert!(seen >= 4);
}
