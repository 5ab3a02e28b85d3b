//! The pictures beside texts: what pages need to know of them, and narrower ones, made once and kept in
//! `.mailmag-cache/pictures/` in the magazine's folder.
//!
//! What is kept is found by the digest of the picture and by how it is made, so that it is right for ever; losing it
//! costs time alone, and a kept file that was damaged is made anew.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use crate::digest::{fingerprint, sha256};
use crate::picture::{self, Fault, Made, Narrower, Picture};
use crate::source::Content;

/// All pictures of a magazine, each looked at once.
pub(crate) struct Pictures<'a> {
    content: &'a Content,
    cache: PathBuf,
    known: Mutex<HashMap<String, Arc<Looked>>>,
    /// One large picture at a time: taken apart it has a hundred times the octets of its file.
    working: Mutex<()>,
}

/// What came of looking at a picture, once somebody did.
type Looked = OnceLock<Result<Picture, Fault>>;

/// The largest file that is looked at as a picture, in octets.
const LARGEST: u64 = 64 << 20;

impl<'a> Pictures<'a> {
    /// The pictures of a magazine in a folder.
    pub(crate) fn new(content: &'a Content, root: &Path) -> Self {
        let cache = root.join(".mailmag-cache");
        Pictures { content, cache, known: Mutex::default(), working: Mutex::default() }
    }

    /// What pages need to know of a picture, by its path from the magazine's root.
    pub(crate) fn picture(&self, path: &str) -> Result<Picture, Fault> {
        let entry = locked(&self.known).entry(path.to_owned()).or_default().clone();
        entry.get_or_init(|| self.look_at(path)).clone()
    }

    /// The octets of a narrower picture that [`Pictures::picture`] told of, or a sentence that says why there are none.
    pub(crate) fn narrower(&self, path: &str, width: u32) -> Result<Vec<u8>, String> {
        let made = self.read(path).and_then(|octets| {
            let picture = picture::describe(&octets)?;
            self.made(&octets, picture.size.map_or(0, |(width, _)| width))
        });
        match made {
            Ok(made) => match made.into_iter().find(|made| made.width == width) {
                Some(made) => Ok(made.octets),
                None => Err(format!("{path} was changed during the build")),
            },
            Err(fault) => Err(format!("{path} {}", fault.message)),
        }
    }

    fn look_at(&self, path: &str) -> Result<Picture, Fault> {
        let octets = self.read(path)?;
        let mut picture = picture::describe(&octets)?;
        if let (Some((width, _)), true) = (picture.size, picture.is_raster) {
            let made = self.made(&octets, width)?;
            // Only a picture that has narrower ones needs to be told from its other states.
            let state = if made.is_empty() { String::new() } else { fingerprint(&marked(&octets)) };
            let of_made = |Made { width, ending, .. }: &Made| Narrower {
                width: *width,
                mark: format!("{width}.{state}"),
                ending,
            };
            picture.narrower = made.iter().map(of_made).collect();
        }
        Ok(picture)
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, Fault> {
        let fault = |message: String| Fault {
            rule: "unreadable",
            message,
            help: "look at the disk and at the file's rights",
        };
        let Some(disk) = self.content.file(path) else { return Err(fault("is not there".to_owned())) };
        let length = fs::metadata(disk).map_err(|error| fault(format!("cannot be read: {error}")))?.len();
        if length > LARGEST {
            return Err(Fault {
                rule: "picture-too-large",
                message: format!(
                    "has {} MB; the largest that is shown has {} MB",
                    length >> 20,
                    LARGEST >> 20
                ),
                help: "make it smaller: nobody waits for so much",
            });
        }
        fs::read(disk).map_err(|error| fault(format!("cannot be read: {error}")))
    }

    /// The narrower pictures of one, from the cache or made and put there.
    fn made(&self, octets: &[u8], width: u32) -> Result<Vec<Made>, Fault> {
        if !picture::has_narrower(width) {
            return Ok(Vec::new());
        }
        let kept = self.cache.join("pictures").join(&sha256(&marked(octets))[..32]);
        if let Some(made) = fs::read(&kept).ok().and_then(|kept| unpacked(&kept)) {
            return Ok(made);
        }
        let _one_at_a_time = locked(&self.working);
        let made = picture::narrower(octets, width)?;
        // Without a cache everything is the same, only later.
        let _ = self.keep(&kept, &packed(&made));
        Ok(made)
    }

    /// Another build may read the same file meanwhile, so it appears whole.
    fn keep(&self, file: &Path, octets: &[u8]) -> std::io::Result<()> {
        fs::create_dir_all(self.cache.join("pictures"))?;
        let ignore = self.cache.join(".gitignore");
        if !ignore.exists() {
            fs::write(ignore, "*\n")?;
        }
        let beside = file.with_extension(std::process::id().to_string());
        fs::write(&beside, octets)?;
        fs::rename(beside, file)
    }
}

/// A picture's octets and what decides how narrower ones are made of it.
fn marked(octets: &[u8]) -> Vec<u8> {
    let mut marked = octets.to_vec();
    marked.extend_from_slice(format!("{:?} {}", picture::WIDTHS, picture::RECIPE).as_bytes());
    marked
}

/// Pictures as a file: the digest of what follows, a line for each with its width, ending and length, an empty line,
/// and their octets.
fn packed(made: &[Made]) -> Vec<u8> {
    let mut rest = Vec::new();
    for Made { width, ending, octets } in made {
        rest.extend_from_slice(format!("{width} {ending} {}\n", octets.len()).as_bytes());
    }
    rest.push(b'\n');
    made.iter().for_each(|made| rest.extend_from_slice(&made.octets));
    let mut file = format!("{}\n", sha256(&rest)).into_bytes();
    file.extend(rest);
    file
}

/// What [`packed`] made a file of; nothing when it is damaged.
fn unpacked(file: &[u8]) -> Option<Vec<Made>> {
    let (digest, mut rest) = line(file)?;
    if digest != sha256(rest) {
        return None;
    }
    let mut heads = Vec::new();
    loop {
        let (head, after) = line(rest)?;
        rest = after;
        if head.is_empty() {
            break;
        }
        let mut words = head.split(' ');
        let width: u32 = words.next()?.parse().ok()?;
        let ending = picture::ENDINGS.into_iter().find(|ending| words.clone().next() == Some(ending))?;
        let length: usize = words.nth(1)?.parse().ok()?;
        heads.push((width, ending, length));
    }
    let mut made = Vec::new();
    for (width, ending, length) in heads {
        let (octets, after) = rest.split_at_checked(length)?;
        made.push(Made { width, ending, octets: octets.to_vec() });
        rest = after;
    }
    Some(made)
}

fn line(octets: &[u8]) -> Option<(&str, &[u8])> {
    let end = octets.iter().position(|octet| *octet == b'\n')?;
    Some((std::str::from_utf8(&octets[..end]).ok()?, &octets[end + 1..]))
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("nothing panics while it holds this lock")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_comes_back_whole_or_not_at_all() {
        let made = [
            Made { width: 480, ending: "jpg", octets: b"a\n\nb".to_vec() },
            Made { width: 960, ending: "png", octets: Vec::new() },
        ];
        for made in [&made[..], &[]] {
            let file = packed(made);
            assert_eq!(unpacked(&file).as_deref(), Some(made));
            for damaged in [&file[..file.len() - 1], &file[1..], &[], &[&file[..], b"x"].concat()] {
                assert_eq!(unpacked(damaged), None);
            }
        }
    }
}
