//! Which sentences a step looks at: classes that are easily confused together, languages mixed.

use super::Recipe;
use super::data::{Class, Ids, Prepared};
use super::loss::Place;
use super::random::Random;

/// The sentences of one step, and what each is there for.
pub(super) struct Batch {
    pub(super) ids: Vec<Ids>,
    pub(super) places: Vec<Place>,
    /// The general ones again, in the order of their places.
    pub(super) general: Vec<Ids>,
}

impl Batch {
    /// The batch of a step: it depends on nothing but these. `near` are the classes next to each, nearest first.
    pub(super) fn draw(
        data: &Prepared,
        near: &[Vec<u32>],
        recipe: &Recipe,
        seed: u64,
        step: u32,
    ) -> Self {
        let mut random = Random::of(&[seed, 3, u64::from(step)]);
        let mut batch = Self {
            ids: Vec::new(),
            places: Vec::new(),
            general: Vec::new(),
        };
        for class in classes(data, near, recipe, &mut random) {
            let of = &data.classes[class as usize];
            for ids in queries(of, recipe.sentences, &mut random) {
                batch.add(ids, Place::Class(class));
            }
            if random.below(recipe.passage_one_in) == 0 {
                for ids in random.some(&references(&of.passages), 1) {
                    batch.add(ids, Place::Class(class));
                }
            }
        }
        for ids in random.some(&references(&data.outside), recipe.outside) {
            batch.add(ids, Place::Outside);
        }
        for ids in random.some(&references(&data.general), recipe.general) {
            batch.add(ids, Place::General(batch.general.len()));
            batch.general.push(ids.clone());
        }
        batch
    }

    fn add(&mut self, ids: &Ids, place: Place) {
        self.ids.push(ids.clone());
        self.places.push(place);
    }

    /// Sentences of about one length together, at most `tokens` of them padded, longest first: the places of each
    /// chunk's sentences. The same whatever the number of threads.
    pub(super) fn chunks(&self, tokens: usize) -> Vec<Vec<usize>> {
        let mut order: Vec<usize> = (0..self.ids.len()).collect();
        order.sort_by_key(|&i| (std::cmp::Reverse(self.ids[i].len()), i));
        let mut chunks: Vec<Vec<usize>> = Vec::new();
        let mut longest = 0;
        for i in order {
            match chunks.last_mut() {
                Some(chunk) if (chunk.len() + 1) * longest <= tokens => chunk.push(i),
                _ => {
                    longest = self.ids[i].len();
                    chunks.push(vec![i]);
                }
            }
        }
        chunks
    }
}

fn references(list: &[Ids]) -> Vec<&Ids> {
    list.iter().collect()
}

/// Some at random, each with some of its neighbours, until there are enough.
fn classes(data: &Prepared, near: &[Vec<u32>], recipe: &Recipe, random: &mut Random) -> Vec<u32> {
    let some = |class: &Class| class.queries.iter().map(Vec::len).sum::<usize>() > 1;
    let all: Vec<u32> = (0..)
        .zip(&data.classes)
        .filter(|(_, class)| some(class))
        .map(|(n, _)| n)
        .collect();
    let mut chosen: Vec<u32> = Vec::new();
    for seed in random.some(&all, all.len()) {
        let beside = near.get(seed as usize).map_or(&[][..], |list| list);
        let beside = &beside[..beside.len().min(recipe.neighbours)];
        let group = recipe.classes.div_ceil(recipe.groups).max(1);
        let others = random.some(beside, group - 1);
        for class in std::iter::once(seed).chain(others) {
            if chosen.len() < recipe.classes
                && !chosen.contains(&class)
                && some(&data.classes[class as usize])
            {
                chosen.push(class);
            }
        }
    }
    chosen
}

/// Half of the first language, the others of as many other languages as can be; what a class lacks, the rest makes up.
fn queries<'a>(class: &'a Class, wanted: usize, random: &mut Random) -> Vec<&'a Ids> {
    let mut chosen: Vec<&Ids> = Vec::new();
    let mut rest: Vec<&Ids> = Vec::new();
    let others: Vec<usize> = (1..class.queries.len())
        .filter(|&l| !class.queries[l].is_empty())
        .collect();
    if let Some(main) = class.queries.first() {
        let shuffled = random.some(&references(main), main.len());
        let (first, left) = shuffled.split_at(wanted.div_ceil(2).min(shuffled.len()));
        chosen.extend(first);
        rest.extend(left);
    }
    for language in random.some(&others, wanted / 2) {
        chosen.extend(random.some(&references(&class.queries[language]), 1));
    }
    for &language in &others {
        if rest.is_empty() {
            rest.extend(&class.queries[language]);
        }
    }
    for ids in rest {
        if chosen.len() < wanted && !chosen.contains(&ids) {
            chosen.push(ids);
        }
    }
    chosen.truncate(wanted);
    chosen
}
