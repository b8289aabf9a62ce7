//! What the operating system says of this process.

/// Files and sockets that are open; `None` where the system does not say.
pub(super) fn open_files() -> Option<i64> {
    let all = std::fs::read_dir("/proc/self/fd").ok()?;
    // Looking opens one.
    Some((i64::try_from(all.count()).ok()? - 1).max(0))
}

/// Files and sockets that may be open; `None`: as many as it likes.
pub(super) fn most_files() -> Option<i64> {
    use rustix::process::{Resource, getrlimit};
    let most = getrlimit(Resource::Nofile).current?;
    i64::try_from(most).ok()
}
