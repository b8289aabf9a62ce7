//! The product by the tile instructions of x86 (AMX).
//!
//! A tile holds up to 16 rows of 64 bytes. `tdpbusd` multiplies 16 rows by 64 inputs with 64 inputs by 16 outputs. The
//! weights lie as for `vpdpbusd`: 16 steps of a panel are two such tiles beside each other. Values lie row by row.
//! Up to 32 rows go through a panel at once, as two halves that share its tiles.
//!
//! No weights are asked for ahead of their use: whether that helps nobody could measure yet.

use std::arch::asm;
use std::arch::x86_64::{__cpuid, __cpuid_count, _mm512_add_epi32};
use std::sync::LazyLock;

use super::x86::{two, two_floats, write_row};
use super::{MOST_TILED, Panel, Part, STEP, Target, WIDTH};

/// Most rows of a tile, and most steps.
const TILE: usize = 16;
/// Bytes of a tile's row.
const ROW: usize = TILE * STEP;
/// Bytes between a step's weights and the next one's.
const NEXT_STEP: usize = WIDTH * STEP;

/// Sums of a group of rows and a panel: row by row, 32 outputs each.
#[repr(C, align(64))]
struct Sums([[i32; WIDTH]; MOST_TILED]);

/// Whether this machine has the instructions, and its kernel lets this process use them. Asks once.
pub(super) fn available() -> bool {
    static AVAILABLE: LazyLock<bool> = LazyLock::new(|| has_tiles() && permitted());
    *AVAILABLE
}

fn has_tiles() -> bool {
    /// Leaf 7, EDX: AMX-TILE and AMX-INT8.
    const BITS: u32 = 1 << 24 | 1 << 25;
    __cpuid(0).eax >= 7 && __cpuid_count(7, 0).edx & BITS == BITS
}

/// Asks the kernel for the 8 KiB that a thread's tiles take, for all threads of this process.
fn permitted() -> bool {
    /// `ARCH_REQ_XCOMP_PERM` and `XFEATURE_XTILEDATA` of Linux 5.16 and later.
    const REQUEST: libc::c_int = 0x1023;
    const TILE_DATA: libc::c_ulong = 18;
    // SAFETY: the call takes two numbers, and changes nothing but what this process may do.
    unsafe { libc::syscall(libc::SYS_arch_prctl, REQUEST, TILE_DATA) == 0 }
}

/// What `ldtilecfg` reads.
#[repr(C, align(64))]
struct Shapes {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    /// Of each tile, bytes of a row.
    bytes: [u16; 16],
    rows: [u8; 16],
}

/// The tiles of a thread while it multiplies; given back when dropped.
#[derive(Default)]
pub(super) struct Tiles {
    /// Of the two halves of a group, and the steps at once; 0 where tiles have no shape yet.
    shape: (usize, usize, usize),
}

impl Drop for Tiles {
    fn drop(&mut self) {
        if self.shape != Default::default() {
            // SAFETY: tiles had shapes, so this machine has the instruction; it touches nothing but tiles.
            unsafe { asm!("tilerelease", options(nomem, nostack, preserves_flags)) }
        }
    }
}

impl Tiles {
    /// One group of rows through one panel.
    pub(super) fn product(&mut self, x: Part<'_>, panel: &Panel<'_>, target: &mut Target<'_>) {
        assert!(available());
        let (rows, steps) = (x.scales.len(), panel.lines.len());
        assert!((1..=MOST_TILED).contains(&rows) && x.bytes.len() == rows * steps);
        assert!(target.to.len() >= (rows - 1) * target.stride + WIDTH);
        let (whole, rest) = (steps / TILE, steps % TILE);
        let mut sums = Sums([[0; WIDTH]; MOST_TILED]);
        // SAFETY: the machine has the instructions. Values are `rows` rows of `steps` arrays of 4 bytes, weights are
        // `steps` lines, as asserted: first come `whole` times 16 of them, then `rest`, fewer than 16.
        unsafe {
            if whole > 0 {
                self.shape(rows, TILE);
                multiply(x.bytes, panel, (rows, 0, TILE, whole), &mut sums);
            }
            if rest > 0 {
                let mut more = Sums([[0; WIDTH]; MOST_TILED]);
                self.shape(rows, rest);
                multiply(x.bytes, panel, (rows, whole * TILE, rest, 1), &mut more);
                for (sums, more) in sums.0[..rows].iter_mut().zip(&more.0) {
                    for (sum, more) in sums.iter_mut().zip(more) {
                        *sum += more;
                    }
                }
            }
            write(&sums.0[..rows], x.scales, panel, target);
        }
    }

    /// Gives tiles their shapes for so many rows and steps: 0 and 1 are the sums of the first half of the rows, 2 and 3
    /// of the second, 4 and 5 their values, 6 and 7 weights.
    ///
    /// # Safety
    /// The machine must have the instructions; `rows` is at most 32, `steps` at most 16.
    unsafe fn shape(&mut self, rows: usize, steps: usize) {
        let (first, second) = halves(rows);
        if self.shape == (first, second, steps) {
            return;
        }
        self.shape = (first, second, steps);
        let mut shapes = Shapes {
            palette: 1,
            start_row: 0,
            reserved: [0; 14],
            bytes: [0; 16],
            rows: [0; 16],
        };
        let sums = [first, first, second, second].map(|rows| (rows, ROW));
        let values = [first, second].map(|rows| (rows, steps * STEP));
        let weights = [(steps, ROW); 2];
        let all = sums.into_iter().chain(values).chain(weights).enumerate();
        for (tile, (rows, bytes)) in all.filter(|(_, (rows, _))| *rows > 0) {
            // At most 16 and 64.
            shapes.rows[tile] = rows as u8;
            shapes.bytes[tile] = bytes as u16;
        }
        // SAFETY: 64 bytes are read, as many as `Shapes` has; palette 1 has 8 tiles of up to 16 rows of 64 bytes.
        unsafe {
            asm!("ldtilecfg [{}]", in(reg) &raw const shapes, options(readonly, nostack, preserves_flags));
        }
    }
}

/// A group's rows in two halves of at most 16; the second may be empty.
fn halves(rows: usize) -> (usize, usize) {
    let first = if rows <= TILE { rows } else { rows.div_ceil(2) };
    (first, rows - first)
}

/// `sums` := the products of the rows' values with the panel's weights, `times` times `at_once` steps from step `from`
/// on.
///
/// # Safety
/// [`Tiles::shape`] was told `rows` and `at_once`; `x` has `rows` times the panel's steps, and the steps from `from` on
/// are `times * at_once` or more, with `times` at least 1.
unsafe fn multiply(
    x: &[[u8; STEP]],
    panel: &Panel<'_>,
    (rows, from, at_once, times): (usize, usize, usize, usize),
    sums: &mut Sums,
) {
    let stride = panel.lines.len() * STEP;
    let (first, second) = halves(rows);
    let values = x.as_ptr().wrapping_add(from);
    let weights = panel.lines.as_ptr().wrapping_add(from);
    let to = sums.0.as_mut_ptr();
    // SAFETY: each pass reads `at_once` steps of each row and of the panel, which are there by the caller's word; rows
    // are written to `sums`, which has 32. Tiles keep their shapes from `ldtilecfg` on; what they hold is
    // made and stored within one block.
    unsafe {
        if second == 0 {
            asm!(
                "tilezero tmm0",
                "tilezero tmm1",
                "2:",
                "tileloadd tmm4, [{values} + {stride}]",
                "tileloadd tmm6, [{weights} + {next}]",
                "tileloadd tmm7, [{weights} + {next} + 64]",
                "tdpbusd tmm0, tmm4, tmm6",
                "tdpbusd tmm1, tmm4, tmm7",
                "add {values}, 64",
                "add {weights}, 2048",
                "dec {times}",
                "jnz 2b",
                "tilestored [{to} + {next}], tmm0",
                "tilestored [{to} + {next} + 64], tmm1",
                values = inout(reg) values => _,
                weights = inout(reg) weights => _,
                times = inout(reg) times => _,
                stride = in(reg) stride,
                next = in(reg) NEXT_STEP,
                to = in(reg) to,
                out("tmm0") _, out("tmm1") _, out("tmm4") _, out("tmm6") _, out("tmm7") _,
                options(nostack),
            );
        } else {
            asm!(
                "tilezero tmm0",
                "tilezero tmm1",
                "tilezero tmm2",
                "tilezero tmm3",
                "2:",
                "tileloadd tmm6, [{weights} + {next}]",
                "tileloadd tmm4, [{values} + {stride}]",
                "tdpbusd tmm0, tmm4, tmm6",
                "tileloadd tmm7, [{weights} + {next} + 64]",
                "tdpbusd tmm1, tmm4, tmm7",
                "tileloadd tmm5, [{below} + {stride}]",
                "tdpbusd tmm2, tmm5, tmm6",
                "tdpbusd tmm3, tmm5, tmm7",
                "add {values}, 64",
                "add {below}, 64",
                "add {weights}, 2048",
                "dec {times}",
                "jnz 2b",
                "tilestored [{to} + {next}], tmm0",
                "tilestored [{to} + {next} + 64], tmm1",
                "tilestored [{half} + {next}], tmm2",
                "tilestored [{half} + {next} + 64], tmm3",
                values = inout(reg) values => _,
                below = inout(reg) values.wrapping_byte_add(first * stride) => _,
                weights = inout(reg) weights => _,
                times = inout(reg) times => _,
                stride = in(reg) stride,
                next = in(reg) NEXT_STEP,
                to = in(reg) to,
                half = in(reg) to.wrapping_add(first),
                out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                options(nostack),
            );
        }
    }
    debug_assert!(at_once == TILE || times == 1);
}

/// Writes what the sums stand for.
#[target_feature(enable = "avx512f")]
fn write(sums: &[[i32; WIDTH]], scales: &[f32], panel: &Panel<'_>, target: &mut Target<'_>) {
    let starts = two(panel.starts);
    let outputs = (two_floats(panel.scales), two_floats(panel.bias));
    for ((row, sums), &scale) in sums.iter().enumerate().zip(scales) {
        let [low, high] = two(sums);
        let sums = [
            _mm512_add_epi32(low, starts[0]),
            _mm512_add_epi32(high, starts[1]),
        ];
        let to = target.to[row * target.stride..].first_chunk_mut();
        if let Some(to) = to {
            write_row(sums, scale, outputs, to);
        }
    }
}
