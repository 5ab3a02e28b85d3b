//! The `mailmag` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    mailmag::cli::main()
}
