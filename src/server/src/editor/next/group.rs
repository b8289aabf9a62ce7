//! Grouping by meaning: stars of neighbours, the densest first.

use super::Vector;

/// Two questions are neighbours from this cosine on, once the mean of all is taken away: vectors of this encoder
/// crowd together, and only the differences say something.
const NEIGHBOURS: f32 = 0.55;
/// Of fewer questions than this the mean says nothing of what all have in common.
const ENOUGH: usize = 20;

/// The groups, each with its most typical member first; every question is in one, many are alone.
pub(super) fn by_meaning(vectors: &[Vector]) -> Vec<Vec<usize>> {
    let centred = centred(vectors);
    let n = centred.len();
    let mut near: Vec<Vec<(usize, f32)>> = vec![Vec::new(); n];
    for i in 0..n {
        for j in i + 1..n {
            let cosine = dot(&centred[i], &centred[j]);
            if cosine >= NEIGHBOURS {
                near[i].push((j, cosine));
                near[j].push((i, cosine));
            }
        }
    }
    let mut free = vec![true; n];
    let mut groups = Vec::new();
    loop {
        let weight = |i: usize| -> f32 {
            let around = near[i].iter().filter(|(j, _)| free[*j]);
            around.map(|(_, c)| c).sum()
        };
        let densest = (0..n)
            .filter(|i| free[*i])
            .max_by(|a, b| weight(*a).total_cmp(&weight(*b)).then(b.cmp(a)));
        let Some(centre) = densest else { break };
        let mut around: Vec<(usize, f32)> = near[centre]
            .iter()
            .filter(|(j, _)| free[*j])
            .copied()
            .collect();
        if around.is_empty() {
            // Nobody that is left has a neighbour.
            groups.extend((0..n).filter(|i| free[*i]).map(|i| vec![i]));
            break;
        }
        around.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let mut members = vec![centre];
        members.extend(around.into_iter().map(|(j, _)| j));
        for m in &members {
            free[*m] = false;
        }
        groups.push(members);
    }
    groups
}

fn centred(vectors: &[Vector]) -> Vec<Vec<f32>> {
    let d = vectors.first().map_or(0, |v| v.len());
    let mut mean = vec![0.0_f32; d];
    if vectors.len() >= ENOUGH {
        for v in vectors {
            for (m, x) in mean.iter_mut().zip(v.iter()) {
                *m += x / vectors.len() as f32;
            }
        }
    }
    let one = |v: &Vector| {
        let moved: Vec<f32> = v.iter().zip(&mean).map(|(x, m)| x - m).collect();
        let length = dot(&moved, &moved).sqrt().max(1e-9);
        moved.into_iter().map(|x| x / length).collect()
    };
    vectors.iter().map(one).collect()
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

#[cfg(test)]
mod tests;
