//! Each command's page in `tests/cmd/`: what it says of the command is true, for its examples run here.
//!
//! A page's magazine lies in `PAGE.in/` and is copied before the page's examples run in it, one after the other;
//! `PAGE.out/` holds what must be there afterwards. `TRYCMD=overwrite cargo test --test cmd` rewrites what the
//! commands say: read the difference as carefully as code.

use std::env;
use std::path::{Path, PathBuf};

use trycmd::schema::Bin;

#[test]
#[expect(clippy::disallowed_methods, reason = "the pages' examples run in the environment of the tests")]
fn the_pages_are_true() {
    let program = Path::new(env!("CARGO_BIN_EXE_mailmag"));
    let folder = program.parent().expect("a program lies in a folder");
    let path = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths([PathBuf::from(folder)].into_iter().chain(env::split_paths(&path)));
    let path = path.expect("these are folders").into_string().expect("the folders' names are UTF-8");
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cmd");
    let cases = trycmd::TestCases::new();
    cases.env("PATH", path).env("NO_COLOR", "1").env("COLUMNS", "100");
    for command in ["mailmag", "cat", "ls"] {
        cases.register_bin(command, Bin::Path(pages.join("bin").join(command)));
    }
    cases.case("tests/cmd/*.md");
}
