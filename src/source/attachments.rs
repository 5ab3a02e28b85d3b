//! The files that go with an issue's mail: what front matter names, and what they hold.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use unicode_normalization::UnicodeNormalization;

use super::Content;
use crate::config::Setting;
use crate::diagnostic::{Diagnostic, Place, SourceText};
use crate::model::AttachedFile;

/// A file that goes with a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// Its name, as readers save it.
    pub name: String,
    /// What it holds.
    pub octets: Vec<u8>,
}

/// What all files of a mail may have under base64, in octets: mail servers that take no more than 10 MB are common.
const LARGEST: u64 = 10_000_000;

/// What au takes for its telephones, in octets: other mail comes without its files or not at all.
const LARGEST_FOR_AU: u64 = 3_000_000;

/// The files that front matter names, as far as they can be: names of files beside the issue's text.
pub(super) fn attached_files(
    names: Vec<Setting<String>>,
    source: &Arc<SourceText>,
    problems: &mut Vec<Diagnostic>,
) -> Vec<AttachedFile> {
    let folder = source.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut files: Vec<AttachedFile> = Vec::new();
    for Setting { value, span } in names {
        let mut refuse = |message: String, help: &str| {
            let problem = Diagnostic::error("bad-attachment", message);
            problems.push(problem.at(source, span.clone()).help(help));
        };
        let value: String = value.nfc().collect();
        let is_name = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(['\\', ':']);
        let name = value.rsplit('/').next().unwrap_or_default();
        if !value.split('/').all(is_name) || value.contains(char::is_control) {
            let message = format!("`{}` is no file beside this text", value.escape_debug());
            refuse(message, "put the file beside the text and name it alone, such as \"slides.pdf\"");
        } else if [".md", ".txt", ".eml"].iter().any(|ending| name.ends_with(ending)) {
            refuse(
                format!("`{value}` is read as a text of the magazine"),
                "attach it in another form, such as .pdf or .zip",
            );
        } else if files.iter().any(|file| file.name == name) {
            refuse(format!("a file `{name}` is attached already"), "name each file once, and alike no two");
        } else {
            let place = Place::Span(source.clone(), span);
            files.push(AttachedFile { path: format!("{folder}/{value}"), name: name.to_owned(), place });
        }
    }
    files
}

impl Content {
    /// The files that go with the mail of an issue, by its index in the magazine, read anew at each call. What cannot go
    /// is left out and told.
    pub fn attachments(&self, index: usize, problems: &mut Vec<Diagnostic>) -> Vec<Attachment> {
        let mut attachments = Vec::new();
        let mut encoded = 0;
        for file in &self.magazine.issues[index].attachments {
            let octets = match self.file(&file.path) {
                Some(disk) => read(disk, LARGEST.saturating_sub(encoded)),
                None => Err(Problem::Missing),
            };
            match octets {
                Ok(octets) => {
                    let before = encoded;
                    encoded += in_base64(octets.len() as u64);
                    if before <= LARGEST_FOR_AU && encoded > LARGEST_FOR_AU {
                        problems.push(large(file, encoded));
                    }
                    attachments.push(Attachment { name: file.name.clone(), octets });
                }
                Err(problem) => problems.push(problem.of(file)),
            }
        }
        attachments
    }
}

/// Why a file cannot go with a mail.
enum Problem {
    Missing,
    Empty,
    TooLarge(u64),
    Unreadable(std::io::Error),
}

impl Problem {
    fn of(self, file: &AttachedFile) -> Diagnostic {
        let AttachedFile { path, place, .. } = file;
        let problem = match self {
            Problem::Missing => Diagnostic::error("missing-attachment", format!("there is no file `{path}`"))
                .help("put the file beside the text, or correct its name"),
            Problem::Empty => Diagnostic::error("empty-attachment", format!("there is nothing in `{path}`"))
                .help("save the file again, or take its name out"),
            Problem::TooLarge(octets) => Diagnostic::error(
                "attachments-too-large",
                format!(
                    "with this file of {} MB the files are too large for mail: many servers take {} MB",
                    megabytes(octets),
                    LARGEST / 1_000_000
                ),
            )
            .help(LINK_IT),
            Problem::Unreadable(error) => {
                Diagnostic::error("unreadable", format!("`{path}` cannot be read: {error}"))
                    .help("look at the disk and at the file's rights")
            }
        };
        Diagnostic { place: place.clone(), ..problem.label("attached here") }
    }
}

const LINK_IT: &str = "put a link to the file into the text instead: the blog has room for it";

fn large(file: &AttachedFile, encoded: u64) -> Diagnostic {
    let message = format!(
        "the files of this mail have {} MB under base64; au's telephones take {} MB",
        megabytes(encoded),
        LARGEST_FOR_AU / 1_000_000
    );
    let problem = Diagnostic::warning("attachments-large", message).label("more with this file");
    Diagnostic { place: file.place.clone(), ..problem.help(LINK_IT) }
}

fn megabytes(octets: u64) -> String {
    format!("{:.1}", octets as f64 / 1e6)
}

/// How long octets are under base64 in lines of 76 with their ends.
fn in_base64(octets: u64) -> u64 {
    let characters = octets.div_ceil(3) * 4;
    characters + characters.div_ceil(76) * 2
}

fn read(disk: &Path, room: u64) -> Result<Vec<u8>, Problem> {
    let length = fs::metadata(disk).map_err(Problem::Unreadable)?.len();
    if in_base64(length) > room {
        return Err(Problem::TooLarge(length));
    }
    match fs::read(disk).map_err(Problem::Unreadable)? {
        octets if octets.is_empty() => Err(Problem::Empty),
        octets => Ok(octets),
    }
}
