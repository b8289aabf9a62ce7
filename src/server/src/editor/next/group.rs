//! Grouping by meaning: stars of neighbours, the densest first.

use std::collections::BTreeMap;

/// Two questions are neighbours from this likeness on.
const NEIGHBOURS: f32 = 0.55;

/// What is known of a question besides its words: how likely each article was thought to answer it.
pub(super) type Profile = BTreeMap<String, f32>;

/// The groups, each with its most typical member first; every question is in one, many are alone.
///
/// Two are alike through their vectors, centred and of unit length (vectors of this encoder crowd together, and only
/// the differences say something), and through the articles that the ranker weighed for each (the coefficient of
/// Bhattacharyya 1943): people ask for one thing in words that have nothing in common. Where articles have all of the
/// weight both count the same; where they have none, the vectors alone.
pub(super) fn by_meaning(centred: &[Vec<f32>], profiles: &[Profile]) -> Vec<Vec<usize>> {
    grouped(centred, profiles, NEIGHBOURS)
}

fn grouped(centred: &[Vec<f32>], profiles: &[Profile], neighbours: f32) -> Vec<Vec<usize>> {
    let n = centred.len();
    let weights: Vec<f32> = profiles.iter().map(|p| p.values().sum()).collect();
    let mut near: Vec<Vec<(usize, f32)>> = vec![Vec::new(); n];
    for i in 0..n {
        for j in i + 1..n {
            let cosine = dot(&centred[i], &centred[j]).max(0.0);
            let of_articles = (weights[i] * weights[j]).sqrt().min(1.0) / 2.0;
            let likeness = (1.0 - of_articles) * cosine + common(&profiles[i], &profiles[j]) / 2.0;
            if likeness >= neighbours {
                near[i].push((j, likeness));
                near[j].push((i, likeness));
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

/// 0 to 1: of two distributions over articles.
fn common(a: &Profile, b: &Profile) -> f32 {
    let both = a.iter().filter_map(|(id, p)| Some((p * b.get(id)?).sqrt()));
    both.sum()
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

#[cfg(test)]
mod tests;
