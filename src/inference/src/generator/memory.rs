//! Whether a model fits this machine, before anything of it is read.

use super::architecture::Architecture;
use super::gguf::Gguf;
use crate::encoder::Compute;
use crate::error::{Error, Result};

/// Of the machine's memory, what the rest of the service may come to need.
const HEAD_ROOM: u64 = 256 << 20;

/// Bytes that weights take when loaded, about.
pub(super) fn weights(file: &Gguf, a: &Architecture, compute: Compute) -> u64 {
    let tied = !file.tensors.contains_key("output.weight");
    let tensors = file.tensors.iter().map(|(name, info)| {
        let values = (info.rows() * info.width()) as u64;
        let blocks = info.bytes() as u64;
        let embedding = name == "token_embd.weight";
        match compute {
            // Norms are small and stay as they are.
            _ if info.shape.len() == 1 => values * 4,
            Compute::Candle => blocks,
            _ if embedding && !tied => blocks,
            Compute::Int8(_) => values,
            // The matrix, and for a moment its rows beside it; of a tied one the blocks as well.
            Compute::Dense => values * 4 + if embedding { values * 4 + blocks } else { 0 },
        }
    });
    // Scores, and what a pass works in.
    tensors.sum::<u64>() + 4 * a.vocabulary as u64 * 8
}

/// Refuses a model that does not fit beside `kv` bytes for dialogues; a machine that does not say what is free has room.
pub(super) fn check(weights: u64, kv: u64, free: Option<u64>) -> Result<()> {
    let need = weights + kv + HEAD_ROOM;
    match free {
        Some(free) if free < need => Err(Error::TooLarge {
            need_mb: need.div_ceil(1 << 20),
            kv_mb: kv.div_ceil(1 << 20),
            free_mb: free >> 20,
        }),
        _ => Ok(()),
    }
}

/// Bytes that this process may still take: what the kernel says is available, and what its control group leaves.
pub(super) fn free() -> Option<u64> {
    let read = |path: &str| std::fs::read_to_string(path).ok();
    let machine = read("/proc/meminfo").and_then(|text| available(&text));
    let number = |path: &str| read(path)?.trim().parse::<u64>().ok();
    let group = number("/sys/fs/cgroup/memory.max")
        .zip(number("/sys/fs/cgroup/memory.current"))
        .map(|(most, now)| most.saturating_sub(now));
    match (machine, group) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// `MemAvailable` of `/proc/meminfo`, in bytes.
fn available(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|l| l.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_that_does_not_fit_is_refused_with_both_figures() {
        let gib = 1 << 30;
        assert!(check(gib, gib, Some(3 * gib)).is_ok());
        assert!(check(gib, gib, None).is_ok());
        let said = check(4 * gib, gib, Some(3 * gib)).unwrap_err().to_string();
        assert!(
            said.contains("5376 MB") && said.contains("3072 MB"),
            "{said}"
        );
    }

    #[test]
    fn free_memory_is_read_from_the_kernel() {
        let text = "MemTotal:  100 kB\nMemFree:   1 kB\nMemAvailable:    24 kB\n";
        assert_eq!(available(text), Some(24 * 1024));
        assert_eq!(available("MemTotal: 100 kB\n"), None);
        assert_eq!(available("MemAvailable: 99999999999999999999 kB"), None);
    }
}
