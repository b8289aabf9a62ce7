//! Whether a model fits this machine, before anything of it is read.

use std::path::{Component, Path};

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
    let own = read("/proc/self/cgroup").unwrap_or_default();
    let group = group(Path::new("/sys/fs/cgroup"), &own);
    [machine, group].into_iter().flatten().min()
}

/// What the control groups leave, below `root`: the process's own, by its `/proc/self/cgroup`, and those around it, of
/// which the tightest counts. What the kernel can take back from its cache of files is free.
fn group(root: &Path, own: &str) -> Option<u64> {
    let own = own.lines().find_map(|l| l.strip_prefix("0::"));
    let own = own.unwrap_or_default().trim().trim_start_matches('/');
    // In a container the path is the machine's, and only the root may be there.
    let groups = Path::new(own)
        .ancestors()
        .filter(|p| p.components().all(|c| matches!(c, Component::Normal(_))));
    groups.filter_map(|p| left(&root.join(p))).min()
}

/// What one control group leaves, if it has a limit.
fn left(group: &Path) -> Option<u64> {
    let read = |file: &str| std::fs::read_to_string(group.join(file)).ok();
    let number = |file: &str| read(file)?.trim().parse::<u64>().ok();
    let (most, now) = (number("memory.max")?, number("memory.current")?);
    let stat = read("memory.stat").unwrap_or_default();
    let cached = stat
        .lines()
        .find_map(|l| l.strip_prefix("inactive_file "))
        .and_then(|n| n.trim().parse().ok());
    Some(most.saturating_sub(now.saturating_sub(cached.unwrap_or(0))))
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
    use crate::testing::Folder;

    #[test]
    fn a_group_s_own_limit_counts_and_its_cache_of_files_is_free() {
        let root = Folder::new();
        let write = |group: &str, most: &str, now: u64, stat: &str| {
            let group = root.0.join(group);
            std::fs::create_dir_all(&group).unwrap();
            std::fs::write(group.join("memory.max"), format!("{most}\n")).unwrap();
            std::fs::write(group.join("memory.current"), format!("{now}\n")).unwrap();
            std::fs::write(group.join("memory.stat"), stat).unwrap();
        };
        assert_eq!(group(&root.0, "0::/\n"), None);
        write(
            "a/b",
            "1000",
            900,
            "anon 100\ninactive_file 700\nactive_file 100\n",
        );
        assert_eq!(group(&root.0, "12:cpu:/x\n0::/a/b\n"), Some(800));
        // The group around it is tighter; the root has no limit.
        write("a", "600", 500, "");
        write("", "max", 5000, "");
        assert_eq!(group(&root.0, "0::/a/b\n"), Some(100));
        // A path of another machine's: the root alone is there.
        write("", "300", 100, "inactive_file 50\n");
        assert_eq!(group(&root.0, "0::/kubepods/pod7\n"), Some(250));
        assert_eq!(group(&root.0, "0::/../../x\n"), Some(250));
    }

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
