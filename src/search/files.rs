//! The files of the index, as `docs/search.md` describes them.

use rayon::prelude::*;
use serde_json::json;

use super::merge::{Merged, merge};
use super::renew::renewed;
use super::terms::Terms;
use super::tokens::Key;
use super::{Entry, File, varint};

/// The version of the layout; `theme/search.js` reads this one alone.
const VERSION: u64 = 1;
/// How many shards there are, unless they would be too small or too large.
const SHARDS: usize = 64;
/// A shard's size in octets; a term that has more postings than that has a shard to itself.
const SMALLEST: usize = 8 << 10;
const LARGEST: usize = 24 << 10;
/// How many entries stand in one file.
const PAGE: usize = 64;
/// The file that a reader's browser fetches first.
const DIRECTORY: &str = "search/index.bin";

/// Makes the index of all pages: the same files for the same pages in the same order, which is best the order of their
/// days, so that a new page leaves the entries before it where they are.
pub fn index<'a>(pages: impl Iterator<Item = (&'a Entry, &'a Terms<'a>)>) -> Vec<File> {
    let (entries, texts): (Vec<&Entry>, Vec<&Terms<'_>>) = pages.unzip();
    merged(&entries, &texts)
}

/// Makes just what [`index`] does, from the index before where that saves work. `left` gives a file of that index by its
/// path; with each page stands whether its terms may be others than they were when that index was made.
pub fn index_again<'a>(
    pages: impl Iterator<Item = (&'a Entry, &'a Terms<'a>, bool)>,
    left: &dyn Fn(&str) -> Option<Vec<u8>>,
) -> Vec<File> {
    let (mut entries, mut texts, mut is_new) = (Vec::new(), Vec::new(), Vec::new());
    for (entry, terms, new) in pages {
        entries.push(entry);
        texts.push(terms);
        is_new.push(new);
    }
    again(&entries, &texts, &is_new, left).unwrap_or_else(|| merged(&entries, &texts))
}

fn merged(entries: &[&Entry], texts: &[&Terms<'_>]) -> Vec<File> {
    let mut shards = Shards::of(texts);
    merge(texts, &mut |merged| shards.add(&merged));
    files(shards, entry_files(entries), texts)
}

/// The index, made of the one before; none where it has other pages, and where so many are new that nothing is saved.
fn again(
    entries: &[&Entry],
    texts: &[&Terms<'_>],
    is_new: &[bool],
    left: &dyn Fn(&str) -> Option<Vec<u8>>,
) -> Option<Vec<File>> {
    if is_new.iter().filter(|new| **new).count() > is_new.len() / 2 {
        return None;
    }
    let firsts = firsts(&left(DIRECTORY)?, texts.len())?;
    let entries = entry_files(entries);
    if !entries.iter().all(|file| left(&file.path).is_some_and(|octets| octets == file.bytes)) {
        return None;
    }
    let before: Vec<Vec<u8>> =
        (0..firsts.len()).map(|number| left(&shard_path(number))).collect::<Option<_>>()?;
    let mut shards = Shards::of(texts);
    renewed((&firsts, &before), texts, is_new)?.iter().for_each(|merged| shards.add(merged));
    Some(files(shards, entries, texts))
}

/// The first term of each shard, from the directory of an index of so many texts.
fn firsts(directory: &[u8], texts: usize) -> Option<Vec<Key>> {
    let mut at = size_of::<u64>();
    let mut read = || varint::read(directory, &mut at);
    if (read()?, read()?) != (VERSION, PAGE as u64) {
        return None;
    }
    let mut firsts = Vec::new();
    let mut first: Key = 0;
    for _ in 0..read()? {
        first = first.checked_add(read()?)?;
        firsts.push(first);
    }
    (read()? == texts as u64).then_some(firsts)
}

fn files(shards: Shards, entries: Vec<File>, texts: &[&Terms<'_>]) -> Vec<File> {
    let (firsts, mut files) = shards.finish();
    files.extend(entries);

    let mut directory = Vec::new();
    directory.extend_from_slice(&digest(&files).to_le_bytes());
    let mut push = |number: u64| varint::push(&mut directory, number);
    push(VERSION);
    push(PAGE as u64);
    push(firsts.len() as u64);
    let mut last = 0;
    for first in firsts {
        push(first - last);
        last = first;
    }
    push(texts.len() as u64);
    push(texts.iter().map(|terms| u64::from(terms.length)).sum());
    directory.extend(texts.iter().map(|terms| rough(terms.length)));
    files.push(File { path: DIRECTORY.to_owned(), bytes: directory });
    files
}

fn shard_path(number: usize) -> String {
    format!("search/terms-{number}.bin")
}

/// Terms with their postings, in files of about the same size.
struct Shards {
    size: usize,
    /// The first term of each shard.
    firsts: Vec<Key>,
    files: Vec<File>,
    open: Vec<u8>,
    last: Key,
}

impl Shards {
    fn of(texts: &[&Terms<'_>]) -> Self {
        let octets: usize = texts.iter().map(|terms| terms.packed.len()).sum();
        // Postings take about half of what the terms of each text do.
        let size = (octets / 2 / SHARDS).clamp(SMALLEST, LARGEST);
        Shards { size, firsts: Vec::new(), files: Vec::new(), open: Vec::new(), last: 0 }
    }

    fn add(&mut self, merged: &Merged) {
        let mut start = 0;
        for &(key, end) in &merged.terms {
            if !self.open.is_empty() && self.open.len() + end - start > self.size {
                self.close();
            }
            if self.open.is_empty() {
                self.firsts.push(key);
                self.last = key;
            }
            varint::push(&mut self.open, key - self.last);
            varint::push(&mut self.open, (end - start) as u64);
            self.open.extend_from_slice(&merged.postings[start..end]);
            (self.last, start) = (key, end);
        }
    }

    fn close(&mut self) {
        let path = shard_path(self.files.len());
        let bytes = std::mem::take(&mut self.open);
        self.files.push(File { path, bytes });
    }

    fn finish(mut self) -> (Vec<Key>, Vec<File>) {
        if !self.open.is_empty() {
            self.close();
        }
        (self.firsts, self.files)
    }
}

fn entry_files(entries: &[&Entry]) -> Vec<File> {
    let file = |(number, entries): (usize, &[&Entry])| {
        let lines: Vec<String> = entries
            .iter()
            .map(|entry| {
                let date = entry.date.map(|date| date.to_string()).unwrap_or_default();
                json!([entry.title, entry.url, entry.label, date]).to_string()
            })
            .collect();
        let bytes = format!("[{}]\n", lines.join(",\n")).into_bytes();
        File { path: format!("search/pages-{number}.json"), bytes }
    };
    entries.par_chunks(PAGE).enumerate().map(file).collect()
}

/// A length in one octet: its highest bit's place and the three bits behind that.
fn rough(length: u32) -> u8 {
    let length = u64::from(length.max(1)) << 3;
    let place = length.ilog2() - 3;
    (place << 3) as u8 + ((length >> place) & 7) as u8
}

/// Says whether two indexes are the same: not a seal, only what tells a reader's browser that the files have changed.
fn digest(files: &[File]) -> u64 {
    let mut digest: u64 = 0xCBF2_9CE4_8422_2325;
    let mut add = |word: u64| {
        digest = (digest ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        digest ^= digest >> 29;
    };
    for file in files {
        add(file.bytes.len() as u64);
        for chunk in file.bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            add(u64::from_le_bytes(word));
        }
    }
    digest
}
