//! `mailmag subscribers import`: a list of another program into the store, all of it or nothing.

mod refusals;
mod rows;

use std::cell::RefCell;
use std::fs::{self, File};
use std::io::Seek;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::json;

use super::super::console::Console;
use super::super::{Outcome, shown};
use super::{List, basis, evidence, grouped, operator, random, readers, time};
use crate::charset::Charset;
use crate::digest;
use crate::list::files::{ListFile, Mapping};
use crate::model::{Language, Source};
use crate::store::{ImportOrder, ImportReport};
use refusals::Refusals;
use rows::{Rows, Seen, Slip};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The list: CSV (commas, tabs or semicolons) in any Japanese character set, or an address on each line
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// How these readers consented: kept as the proof of it. Needed
    #[arg(long, value_name = "TEXT")]
    basis: Option<String>,
    /// What the list is called where the readers came from; else the file's name
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Which column holds a field (email, name, tags or status), as in email=連絡先 or name=3
    #[arg(long, value_name = "FIELD=COLUMN", value_parser = mapped)]
    map: Vec<String>,
    /// Mark every reader of the list with this, too
    #[arg(long)]
    tag: Vec<String>,
    /// What the file is in, where that is not to be found out
    #[arg(long, value_parser = charset)]
    charset: Option<Charset>,
    /// Only tell what would happen
    #[arg(long)]
    dry_run: bool,
    /// Write every row that does not come in to this file, as CSV
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// What came of it, as JSON on stdout
    #[arg(long)]
    json: bool,
}

pub(super) fn run(list: &List<'_>, arguments: Arguments, console: &Console) -> Result<Outcome> {
    let basis = basis(arguments.basis.as_deref())?;
    let name = shown(&arguments.file).to_string();
    let cannot_read = || format!("cannot read {name}");
    let mut octets = File::open(&arguments.file).with_context(cannot_read)?;
    if !octets.metadata().with_context(cannot_read)?.is_file() {
        bail!("{name} is no file: save the list as one, since its digest is kept as proof");
    }
    if let Some(report) = &arguments.report {
        refuse_own_report(&arguments.file, report)?;
    }
    let file_digest = digest::sha256_of(&mut octets).with_context(cannot_read)?;
    let mut mapping = Mapping::default();
    arguments.map.iter().try_for_each(|written| mapping.add(written))?;
    octets.rewind().with_context(cannot_read)?;
    // Read once for nothing but what would end it halfway, and for who left.
    let file = ListFile::open(&octets, arguments.charset, &mapping).with_context(cannot_read)?;
    let before = rows::look_through(file).with_context(cannot_read)?;

    octets.rewind().with_context(cannot_read)?;
    let file = ListFile::open(&octets, arguments.charset, &mapping).with_context(cannot_read)?;
    let columns = described(&file);
    let file_name = arguments.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let order = ImportOrder {
        at: time(),
        seed: random()?,
        basis,
        source: Source::Import,
        source_name: arguments.source.clone().unwrap_or_else(|| file_name.clone()),
        file_name,
        file_digest: file_digest.clone(),
        language: Language::tagged(&list.config.magazine.language).unwrap_or_default(),
        operator: Some(operator()),
        dry_run: arguments.dry_run,
    };
    let progress = console.progress(before.rows, "importing");
    let refusals = RefCell::new(Refusals::new(console, &progress, arguments.report.as_deref())?);
    let mut rows = Rows::new(file, before, &arguments.tag, &refusals);
    let told = list.store.import(&order, &mut rows, &mut |refused| refusals.borrow_mut().of_store(&refused));
    let (charset, seen, failure) = rows.finish();
    progress.finish_and_clear();
    let mut refusals = refusals.into_inner();
    refusals.finish()?;
    let report = told?;
    octets.rewind().with_context(cannot_read)?;
    if failure.is_some() || digest::sha256_of(&mut octets).with_context(cannot_read)? != file_digest {
        if !arguments.dry_run {
            list.store.undo_import(report.id, &evidence()?)?;
        }
        bail!("{name} was changed while it was read, and nothing of it was kept: try again");
    }

    console.say(&format!("{name}: {}, {columns}", charset.name()));
    say(&report, &seen, &refusals, &arguments, console);
    if arguments.json {
        let told = json!({
            "import": (!arguments.dry_run).then_some(report.id),
            "dry-run": arguments.dry_run,
            "file": order.file_name,
            "sha256": order.file_digest,
            "charset": charset.name(),
            "rows": seen.rows,
            "imported": report.taken,
            "left-elsewhere": seen.inactive,
            "old-addresses": seen.legacy,
            "mistyped": seen.mistyped,
            "already": refusals.known,
            "twice": refusals.twice,
            "refused": refusals.kinds(),
        });
        console.data(format!("{told:#}\n").as_bytes())?;
    }
    Ok(if refusals.count() == 0 { Outcome::Well } else { Outcome::Problems })
}

fn say(
    report: &ImportReport,
    seen: &Seen,
    refusals: &Refusals<'_>,
    arguments: &Arguments,
    console: &Console,
) {
    let dry = arguments.dry_run;
    let kinds: Vec<String> =
        refusals.kinds().iter().map(|(kind, number)| format!("{} {kind}", grouped(*number))).collect();
    let kinds = if kinds.is_empty() { String::new() } else { format!(" ({})", kinds.join(", ")) };
    console.say(&format!(
        "{}: {}, {} already there, {} refused{kinds}",
        if dry { "would import" } else { "imported" },
        readers(report.taken),
        grouped(refusals.known),
        grouped(refusals.count()),
    ));
    for (number, what) in [
        (refusals.twice, "stand in the file a second time"),
        (seen.inactive, "came as unsubscribed or suppressed, as the file says"),
        (seen.legacy, "have old addresses with dots where none may be, and are marked"),
    ] {
        if number > 0 {
            console.say(&format!("  {} {what}", grouped(number)));
        }
    }
    for Slip { line, domain, meant } in &seen.slips {
        console.say(&format!("  line {line}: {domain} may be a slip for {meant}"));
    }
    let more = seen.mistyped - seen.slips.len() as u64;
    if more > 0 {
        console.say(&format!("  … and {} more such slips", grouped(more)));
    }
    if dry {
        console.say("nothing was kept: this was a dry run");
    } else if report.taken > 0 {
        console.say(&format!("`mailmag subscribers undo {}` takes this import back", report.id));
    }
}

/// Which columns are read, in the file's own words.
fn described<R: std::io::Read>(file: &ListFile<R>) -> String {
    let Some(columns) = file.columns() else { return "an address on each line".to_owned() };
    let name = |column: &usize| match file.headings().and_then(|headings| headings.get(*column)) {
        Some(heading) => format!("`{heading}`"),
        None => format!("column {}", column + 1),
    };
    let fields = [
        ("email", vec![columns.email]),
        ("name", columns.name.clone()),
        ("tags", columns.tags.into_iter().collect()),
        ("status", columns.status.into_iter().collect()),
    ];
    let read = fields.iter().filter(|(_, columns)| !columns.is_empty());
    let read = read.map(|(field, columns)| {
        format!("{field} from {}", columns.iter().map(name).collect::<Vec<_>>().join(" and "))
    });
    read.collect::<Vec<_>>().join(", ")
}

/// A report that would be written over the list itself.
fn refuse_own_report(file: &Path, report: &Path) -> Result<()> {
    let is_same =
        fs::canonicalize(report).is_ok_and(|report| fs::canonicalize(file).is_ok_and(|file| file == report));
    if is_same {
        bail!("--report {} is the list itself: name another file", shown(report));
    }
    Ok(())
}

fn mapped(written: &str) -> Result<String, String> {
    Mapping::default().add(written).map(|()| written.to_owned()).map_err(|error| error.to_string())
}

fn charset(label: &str) -> Result<Charset, String> {
    Charset::from_label(label)
        .ok_or_else(|| "known are utf-8, shift_jis, euc-jp, iso-2022-jp, utf-16le and utf-16be".to_owned())
}
