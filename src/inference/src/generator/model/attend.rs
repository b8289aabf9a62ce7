//! Attention of a layer, over what each text has cached.

use super::{Architecture, Layer, Segment, Space};
use crate::kernels::decoder::{self, Sight};

/// Tokens that attend between two looks at who goes first: half a millisecond's work over 500 keys. A multiple of six
/// with the usual four query heads a key head, which are attended six at a time.
const ATTENDED: usize = 12;

impl Layer {
    /// What each of a space's tokens sees, into its context.
    pub(super) fn attend(
        &self,
        a: &Architecture,
        layer: usize,
        s: &mut Space,
        segments: &[Segment<'_>],
        between: &(dyn Fn() + Sync),
    ) {
        let stride = self.qkv.outputs();
        let (width, group) = (a.width, a.heads / a.kv_heads);
        let mut at = 0;
        while at < s.rows.len() {
            let segment = s.rows[at].segment;
            let rows = s.rows[at..]
                .iter()
                .take(ATTENDED)
                .take_while(|r| r.segment == segment)
                .count();
            between();
            for head in 0..a.kv_heads {
                let columns = head * group * width..(head + 1) * group * width;
                s.queries.clear();
                s.sights.clear();
                for (row, line) in s.rows[at..at + rows]
                    .iter()
                    .zip(s.qkv.chunks_exact(stride).skip(at))
                {
                    s.queries.extend_from_slice(&line[columns.clone()]);
                    let first = self
                        .window
                        .map_or(0, |w| (row.position + 1).saturating_sub(w));
                    let sight = Sight {
                        first,
                        last: row.position,
                    };
                    s.sights.extend(std::iter::repeat_n(sight, group));
                }
                s.contexts.resize(s.queries.len(), 0.0);
                let pages = segments[segment]
                    .cache
                    .parts(layer * a.kv_heads + head, width);
                decoder::attend(
                    &s.queries,
                    &s.sights,
                    &pages,
                    width,
                    &mut s.contexts,
                    &mut s.scratch,
                );
                let lines = s.context.chunks_exact_mut(a.heads * width).skip(at);
                for (line, from) in lines.zip(s.contexts.chunks_exact(group * width)) {
                    line[columns.clone()].copy_from_slice(from);
                }
            }
            at += rows;
        }
    }
}
