//! `mailmag init`: a new magazine, ready to build.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use chrono::{Days, NaiveDate, Utc};
use include_dir::{Dir, include_dir};

use super::console::Console;
use super::{Outcome, shown};

/// What a new magazine begins with.
static STARTER: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/src/cli/starter");

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The folder of the new magazine; it must be new or empty
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

pub(super) fn run(base: &Path, arguments: Arguments, console: &Console) -> Result<Outcome> {
    let directory = base.join(&arguments.directory);
    if let Ok(mut entries) = fs::read_dir(&directory)
        && entries.next().is_some()
    {
        bail!("{} is not empty: nothing was written (name a new folder)", shown(&directory));
    }
    write_starter(&directory, today())?;
    let shown = shown(&directory);
    console.say(&format!(
        "{shown} is a magazine now. Write its name and sender into {shown}/mailmag.toml, then:"
    ));
    console.say(&format!("  mailmag -C {shown} build"));
    Ok(Outcome::Well)
}

fn write_starter(directory: &Path, today: NaiveDate) -> Result<()> {
    let next = today.checked_add_days(Days::new(14)).unwrap_or(today);
    let mut folders = vec![&STARTER];
    while let Some(folder) = folders.pop() {
        let target = directory.join(folder.path());
        fs::create_dir_all(&target).with_context(|| format!("cannot make {}", target.display()))?;
        for file in folder.files() {
            let target = directory.join(file.path());
            let text = file.contents_utf8().context("the built-in files are UTF-8")?;
            let text = text.replace("@TODAY@", &today.to_string()).replace("@NEXT@", &next.to_string());
            fs::write(&target, text).with_context(|| format!("cannot write {}", target.display()))?;
        }
        folders.extend(folder.dirs());
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "the command line reads the clock, and hands it on as a value")]
fn today() -> NaiveDate {
    // The starter's time zone; the editor may change it afterwards.
    Utc::now().with_timezone(&chrono_tz::Asia::Tokyo).date_naive()
}
