//! Runs other people's programs, without a shell between.

use std::io;
use std::process::{Command, Stdio};

use super::CarryError;

/// Runs a program to its end and hands back what it wrote to stdout. Its messages are English, so that they are the
/// same everywhere.
pub(super) fn run(program: &'static str, command: &mut Command) -> Result<Vec<u8>, CarryError> {
    let output = match command.env("LC_ALL", "C").stdin(Stdio::null()).output() {
        Ok(output) => output,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(CarryError::Missing { program }),
        Err(error) => return Err(CarryError::Failed { program, last: error.to_string() }),
    };
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let last = match lines.as_slice() {
        [] => output.status.to_string(),
        lines => lines[lines.len().saturating_sub(4)..].join("; "),
    };
    Err(CarryError::Failed { program, last })
}
