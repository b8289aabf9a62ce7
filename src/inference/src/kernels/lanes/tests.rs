use super::*;
use crate::testing::noise;

fn planes(columns: usize) -> Vec<Lanes> {
    noise(7, columns * LANES).as_chunks::<LANES>().0.to_vec()
}

fn near(a: &Lanes, b: &Lanes) {
    for (a, b) in a.iter().zip(b) {
        assert!((a - b).abs() < 1e-4, "{a} {b}");
    }
}

#[test]
fn sums_are_those_of_each_plane_alone_and_the_same_bits_on_every_path() {
    for columns in [0, 1, 3, 4, 5, 63, 384] {
        let (w, dense) = (planes(columns), noise(8, columns));
        // In another order, as rows of features are not sorted here.
        let sparse: Vec<(u32, f32)> = (0..).zip(dense.iter().copied()).collect();
        for row in [Row::Dense(&dense), Row::Sparse(&sparse)] {
            let found = row.dots(&w);
            let mut portable = [0.0; LANES];
            dots(row, &w, &mut portable);
            assert_eq!(found, portable);
            let mut plain = [0.0; LANES];
            for (value, w) in dense.iter().zip(&w) {
                for (sum, w) in plain.iter_mut().zip(w) {
                    *sum += value * w;
                }
            }
            near(&found, &plain);
        }
    }
}

#[test]
fn a_row_is_added_to_each_plane() {
    let times: Lanes = std::array::from_fn(|lane| lane as f32 - 3.0);
    let dense = noise(8, 50);
    let sparse: Vec<(u32, f32)> = vec![(7, 2.0), (49, -1.0)];
    for row in [Row::Dense(&dense), Row::Sparse(&sparse)] {
        let (mut w, mut plain) = (planes(50), planes(50));
        row.add_to(&times, &mut w);
        add(row, &times, &mut plain);
        assert_eq!(w, plain);
        let value = match row {
            Row::Dense(row) => row[49],
            Row::Sparse(_) => -1.0,
        };
        assert_eq!(w[49][5], planes(50)[49][5] + 2.0 * value);
    }
}

#[test]
#[should_panic(expected = "index out of bounds")]
fn a_column_beyond_the_planes_is_refused() {
    let _ = Row::Sparse(&[(4, 1.0)]).dots(&planes(4));
}
