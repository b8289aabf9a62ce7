//! Borgerlinje: the program. Everything is in the `server` crate.

use std::process::ExitCode;

fn main() -> ExitCode {
    server::main()
}
