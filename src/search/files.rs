//! The files of the index, as `docs/search.md` describes them.

use rayon::prelude::*;
use serde_json::json;

use super::before::Before;
use super::merge::{Merged, merge};
use super::renew::renewed;
use super::terms::{Extent, Terms};
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
pub(super) const DIRECTORY: &str = "search/index.bin";

/// What is known of the terms of a page.
#[derive(Clone, Copy, Debug)]
pub enum Found<'a> {
    /// All.
    Terms(&'a Terms),
    /// They are those of the page at this place of the index before, and so many.
    AsBefore(usize, Extent),
}

impl Found<'_> {
    fn extent(&self) -> Extent {
        match self {
            Found::Terms(terms) => terms.extent(),
            Found::AsBefore(_, extent) => *extent,
        }
    }
}

/// Makes the index of all pages: the same files for the same pages in the same order, which is best the order of their
/// days, so that a new page leaves the entries before it where they are. With the index made `before`, the terms of those
/// pages alone are needed that were not in it.
pub fn index<'a>(pages: impl Iterator<Item = (&'a Entry, Found<'a>)>, before: &Before) -> Vec<File> {
    let (entries, found): (Vec<&Entry>, Vec<Found<'_>>) = pages.unzip();
    let extents: Vec<Extent> = found.iter().map(Found::extent).collect();
    let mut shards = Shards::of(&extents);
    let all_terms = found.iter().map(|found| match found {
        Found::Terms(terms) => Some(*terms),
        Found::AsBefore(..) => None,
    });
    match all_terms.collect::<Option<Vec<&Terms>>>() {
        Some(texts) => merge(&texts, &mut |merged| shards.add(&merged)),
        None => renewed(before, &found, &mut |merged| shards.add(&merged)),
    }
    files(shards, entry_files(&entries), &extents)
}

/// The first term of each shard and the number of pages, from the directory of an index.
pub(super) fn directory(octets: &[u8]) -> Option<(Vec<Key>, usize)> {
    let mut at = size_of::<u64>();
    let mut read = || varint::read(octets, &mut at);
    if (read()?, read()?) != (VERSION, PAGE as u64) {
        return None;
    }
    let mut firsts = Vec::new();
    let mut first: Key = 0;
    for _ in 0..read()? {
        first = first.checked_add(read()?)?;
        firsts.push(first);
    }
    let pages = usize::try_from(read()?).ok()?;
    // Each has an octet in the directory.
    (pages <= octets.len()).then_some((firsts, pages))
}

fn files(shards: Shards, entries: Vec<File>, texts: &[Extent]) -> Vec<File> {
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
    push(texts.iter().map(|text| u64::from(text.length)).sum());
    directory.extend(texts.iter().map(|text| rough(text.length)));
    files.push(File { path: DIRECTORY.to_owned(), bytes: directory });
    files
}

pub(super) fn shard_path(number: usize) -> String {
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
    fn of(texts: &[Extent]) -> Self {
        let octets: usize = texts.iter().map(|text| text.octets as usize).sum();
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
