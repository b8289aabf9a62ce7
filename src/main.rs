//! Borgerlinje: the program. Everything is in the `server` crate.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// Gives memory back. The system's own keeps what a start or an argon2 had for a moment: 800 MB instead of 300 with
/// 10,000 citizens (docs/performance.md).
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    server::main()
}
