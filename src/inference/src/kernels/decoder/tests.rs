use super::*;
use crate::testing::noise;

fn near(a: f32, b: f64) {
    assert!(
        (f64::from(a) - b).abs() < 1e-5 * b.abs().max(1.0),
        "{a} is not {b}"
    );
}

#[test]
fn gates_are_those_of_the_papers() {
    let x: Vec<f32> = [-200.0, -87.5, -3.0, -0.5, 0.0, 0.1, 2.0, 12.0, 90.0].into();
    let y = vec![2.0; x.len()];
    let both = [x.clone(), y].concat();
    let mut out = vec![0.0; x.len()];
    gated(&both, Gate::Silu, x.len(), &mut out);
    for (x, out) in x.iter().zip(&out) {
        let x = f64::from(*x);
        near(*out, 2.0 * x / (1.0 + (-x).exp()));
    }
    gated(&both, Gate::Gelu, x.len(), &mut out);
    for (x, out) in x.iter().zip(&out) {
        let x = f64::from(*x);
        let z = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x * x * x);
        near(*out, x * (1.0 + z.tanh()));
    }
}

#[test]
fn attention_is_the_plain_one_and_each_query_sees_only_its_own() {
    for (width, positions) in [(16, 1), (32, 15), (64, 50), (256, 100)] {
        let (keys, values) = (noise(1, positions * width), noise(2, positions * width));
        let mut pages = vec![vec![f32::NAN; page_part(width)]; positions.div_ceil(PAGE)];
        // What was never written is never read into a sum, but multiplied by nothing: so it must be a number.
        pages.iter_mut().for_each(|page| page.fill(9.0));
        for position in 0..positions {
            let at = position * width..(position + 1) * width;
            put(
                &mut pages[position / PAGE],
                position,
                &keys[at.clone()],
                &values[at],
            );
        }
        let pages: Vec<&[f32]> = pages.iter().map(Vec::as_slice).collect();
        let sights: Vec<Sight> = (0..positions)
            .map(|last| Sight {
                first: last.saturating_sub(20),
                last,
            })
            .collect();
        let queries = noise(3, positions * width);
        let mut scratch = Scratch::default();
        let mut together = vec![0.0; queries.len()];
        attend(
            &queries,
            &sights,
            &pages,
            width,
            &mut together,
            &mut scratch,
        );
        for (n, query) in queries.chunks(width).enumerate() {
            let mut alone = vec![0.0; width];
            attend(
                query,
                &sights[n..=n],
                &pages,
                width,
                &mut alone,
                &mut scratch,
            );
            assert_eq!(
                alone,
                together[n * width..(n + 1) * width],
                "query {n} of width {width}"
            );
            let seen = sights[n].first..=sights[n].last;
            let row = |of: &[f32], p: usize| of[p * width..(p + 1) * width].to_vec();
            let scores: Vec<f64> = seen
                .clone()
                .map(|p| {
                    let pairs = query.iter().zip(row(&keys, p));
                    let dot: f64 = pairs.map(|(a, b)| f64::from(*a) * f64::from(b)).sum();
                    (dot / (width as f64).sqrt()).exp()
                })
                .collect();
            let total: f64 = scores.iter().sum();
            for (d, alone) in alone.iter().enumerate() {
                let sum: f64 = seen
                    .clone()
                    .zip(&scores)
                    .map(|(p, s)| s * f64::from(row(&values, p)[d]))
                    .sum();
                near(*alone, sum / total);
            }
        }
    }
}

#[test]
fn turning_by_both_orders_is_the_same_turn() {
    let (half, head) = (8, noise(1, 16));
    let (cos, sin): (Vec<f32>, Vec<f32>) = (0..half)
        .map(|n| ((n as f32).cos(), (n as f32).sin()))
        .unzip();
    let mut halves = head.clone();
    rotate(&mut halves, &cos, &sin, Pairs::Halves);
    let mut neighbours: Vec<f32> = (0..half).flat_map(|n| [head[n], head[n + half]]).collect();
    rotate(&mut neighbours, &cos, &sin, Pairs::Neighbours);
    for n in 0..half {
        assert_eq!(
            [neighbours[2 * n], neighbours[2 * n + 1]],
            [halves[n], halves[n + half]]
        );
    }
}

#[test]
fn the_highest_is_found_wherever_it_is() {
    for length in [1, 15, 16, 17, 100] {
        for at in 0..length {
            let mut values = noise(length as u32, length);
            values[at] = 2.0;
            let mut found = usize::MAX;
            highest_at(&values, &mut found);
            assert_eq!(found, at);
        }
    }
    let mut found = 9;
    highest_at(&[1.0, 3.0, 3.0], &mut found);
    assert_eq!(found, 1);
}

#[test]
fn a_norm_is_the_root_of_the_mean_square() {
    let (x, weight) = (noise(1, 3 * 40), noise(2, 40));
    let mut out = vec![0.0; x.len()];
    rms_norm(&x, &weight, 1e-6, &mut out);
    for (row, out) in x.chunks(40).zip(out.chunks(40)) {
        let square: f64 = row.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>() / 40.0;
        for ((x, w), out) in row.iter().zip(&weight).zip(out) {
            near(*out, f64::from(*x) * f64::from(*w) / (square + 1e-6).sqrt());
        }
    }
    let mut place = x;
    rms_norm_in_place(&mut place, &weight, 1e-6);
    assert_eq!(place, out);
}
