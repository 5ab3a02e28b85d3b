//! The index of terms over the whole archive: tags, corners, and the terms of texts, in the order of their readings.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use unicode_normalization::UnicodeNormalization;

use super::labels::{Entry, by_date};
use super::lists::Gathered;
use super::terms::Term;
use super::values::{map, optional, text};
use super::{Made, Pages, Shown, Site, lists};
use crate::address::href;
use crate::diagnostic::Diagnostic;
use crate::hash::{HashMap, HashSet};
use crate::theme::Value;

/// The index's path.
pub const INDEX_OF_TERMS: &str = "index-of-terms/";

/// Up to how many words the index is one page; else every group has its own.
const SHORT: usize = 400;

/// How many articles are named under a word, the newest.
const SHOWN: usize = 5;

/// The groups in order: their part of an address, their name, and the kana that begin them.
const GROUPS: [(&str, &str, &str); 13] = [
    ("a", "あ", "あいうえお"),
    ("ka", "か", "かきくけこ"),
    ("sa", "さ", "さしすせそ"),
    ("ta", "た", "たちつてと"),
    ("na", "な", "なにぬねの"),
    ("ha", "は", "はひふへほ"),
    ("ma", "ま", "まみむめも"),
    ("ya", "や", "やゆよ"),
    ("ra", "ら", "らりるれろ"),
    ("wa", "わ", "わゐゑをん"),
    ("latin", "A–Z", ""),
    ("kanji", "漢字", ""),
    ("other", "数字・記号", ""),
];

/// A word with what it leads to.
#[derive(Default)]
struct Word {
    entries: HashSet<Entry>,
    /// The page of the tag or corner of this name.
    page: Option<String>,
}

/// The paths that the index's pages may have.
pub(super) fn paths() -> impl Iterator<Item = String> {
    let groups = GROUPS.iter().map(|(part, ..)| format!("{INDEX_OF_TERMS}{part}/"));
    [INDEX_OF_TERMS.to_owned()].into_iter().chain(groups)
}

impl Site<'_> {
    /// The index of terms, of the terms of every article and post that has some, in any order; without the pages that were
    /// `shown` with the same before.
    ///
    /// # Errors
    /// A template that cannot be rendered.
    pub fn render_index_of_terms(
        &self,
        terms: &[(Entry, Vec<Term>)],
        shown: Option<&Shown<'_>>,
    ) -> Result<Pages, Vec<Diagnostic>> {
        let mut made = Gathered { made: Made::default(), shown };
        let words = self.words(terms);
        let dated = if words.is_empty() { Vec::new() } else { by_date(self.magazine) };
        let rank: HashMap<Entry, usize> =
            dated.into_iter().enumerate().map(|(rank, entry)| (entry, rank)).collect();
        let count = words.len();
        let mut groups: BTreeMap<usize, Vec<Value>> = BTreeMap::new();
        let mut sections: BTreeMap<(usize, String), Vec<Value>> = BTreeMap::new();
        let mut sorted: Vec<(Place, Term, Word)> =
            words.into_iter().map(|(term, word)| (Place::of(&term), term, word)).collect();
        sorted.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
        for (place, term, word) in sorted {
            sections.entry((place.group, place.head)).or_default().push(self.word(&term, word, &rank));
        }
        for ((group, head), words) in sections {
            let section = map([("head", text(&head)), ("words", words.into())]);
            groups.entry(group).or_default().push(section);
        }

        let is_short = count <= SHORT;
        let group_url = |part: &str| match is_short {
            true => format!("#{part}"),
            false => href(self.root, &format!("{INDEX_OF_TERMS}{part}/")),
        };
        let group = |group: usize, sections: Option<&Vec<Value>>| {
            let (part, name, _) = GROUPS[group];
            map([
                ("id", part.into()),
                ("name", text(name)),
                ("url", text(&group_url(part))),
                ("sections", optional(sections.map(|sections| Value::from(sections.as_slice())))),
            ])
        };
        let all: Vec<Value> =
            groups.iter().map(|(&at, sections)| group(at, Some(sections).filter(|_| is_short))).collect();
        let description = format!("{}のことばの索引。", self.config.magazine.name);
        let lists = [("groups", all.clone().into()), ("current", Value::none()), ("count", count.into())];
        self.list("blog/terms.html", &lists::head(INDEX_OF_TERMS, "総索引", &description), lists, &mut made);
        if !is_short {
            for (&at, sections) in &groups {
                let (part, name, _) = GROUPS[at];
                let (path, title) = (format!("{INDEX_OF_TERMS}{part}/"), format!("総索引：{name}"));
                let current = group(at, Some(sections));
                let lists = [("groups", all.clone().into()), ("current", current), ("count", count.into())];
                self.list("blog/terms.html", &lists::head(&path, &title, &description), lists, &mut made);
            }
        }
        made.made.pages()
    }

    /// Whether there is anything that an index could lead to.
    pub(super) fn has_index_of_terms(magazine: &crate::model::Magazine) -> bool {
        !magazine.posts.is_empty() || magazine.issues.iter().any(|issue| !issue.articles.is_empty())
    }

    /// Every word once for each of its readings; where a text gives it none, it stands with the first that another
    /// text gives.
    fn words(&self, terms: &[(Entry, Vec<Term>)]) -> BTreeMap<Term, Word> {
        let mut words: BTreeMap<Term, Word> = BTreeMap::new();
        for (entry, terms) in terms {
            for term in terms {
                words.entry(term.clone()).or_default().entries.insert(*entry);
            }
        }
        for label in self.index.tags.all.iter().chain(&self.index.corners.all) {
            let word = words.entry(Term { word: label.name.clone(), reading: None }).or_default();
            word.entries.extend(&label.entries);
            word.page.get_or_insert_with(|| label.path.clone());
        }
        // A word without a reading stands directly before those that it shares its letters with.
        let mut without: Option<(Term, Word)> = None;
        let mut merged = BTreeMap::new();
        for (term, mut word) in words {
            if let Some((unread, found)) = without.take() {
                if unread.word == term.word {
                    word.entries.extend(found.entries);
                    word.page = found.page;
                } else {
                    merged.insert(unread, found);
                }
            }
            match term.reading {
                None => without = Some((term, word)),
                Some(_) => {
                    merged.insert(term, word);
                }
            }
        }
        merged.extend(without);
        merged
    }

    fn word(&self, term: &Term, word: Word, rank: &HashMap<Entry, usize>) -> Value {
        let count = word.entries.len();
        let mut entries: Vec<Entry> = word.entries.into_iter().collect();
        let newest = |entry: &Entry| Reverse(rank.get(entry).copied());
        if count > SHOWN {
            entries.select_nth_unstable_by_key(SHOWN, newest);
            entries.truncate(SHOWN);
        }
        entries.sort_by_key(newest);
        map([
            ("word", text(&term.word)),
            ("reading", optional(term.reading.as_deref().map(text))),
            ("url", optional(word.page.map(|path| text(&href(self.root, &path))))),
            ("entries", entries.into_iter().map(|entry| self.entry(entry)).collect::<Vec<_>>().into()),
            ("more", Value::from(count.saturating_sub(SHOWN))),
        ])
    }
}

/// Where a word stands in the index.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    /// Its group, in [`GROUPS`].
    group: usize,
    /// The letter or kana it stands under.
    head: String,
    /// What orders it under this head: its reading without voicing, size and length.
    key: String,
}

impl Place {
    fn of(term: &Term) -> Self {
        let key = key(term.reading.as_deref().unwrap_or(&term.word));
        let first = key.chars().next().unwrap_or_default();
        let kana = GROUPS.iter().position(|(_, _, kana)| kana.contains(first));
        let (group, head) = match kana {
            Some(group) => (group, first.to_string()),
            None if first.is_ascii_alphabetic() => (10, first.to_uppercase().to_string()),
            None if first.is_alphabetic() => (11, first.to_string()),
            None => (12, String::new()),
        };
        Place { group, head, key }
    }
}

/// A word for comparing, as dictionaries do: katakana as hiragana, が as か, っ as つ, ー as the vowel before it, and
/// full-width letters as the small Latin ones.
fn key(word: &str) -> String {
    let mut key = String::with_capacity(word.len());
    for c in word.nfkd().flat_map(char::to_lowercase) {
        let c = match c {
            'ァ'..='ヶ' => char::from_u32(u32::from(c) - 0x60).unwrap_or(c),
            c => c,
        };
        match c {
            '\u{3099}' | '\u{309A}' | '\u{300}'..='\u{36F}' | '・' | ' ' | '-' => {}
            'ー' => key.extend(key.chars().next_back().and_then(vowel)),
            'ぁ' | 'ぃ' | 'ぅ' | 'ぇ' | 'ぉ' | 'っ' | 'ゃ' | 'ゅ' | 'ょ' | 'ゎ' => {
                // The small ones stand directly before the large ones.
                key.extend(char::from_u32(u32::from(c) + 1));
            }
            c => key.push(c),
        }
    }
    key
}

/// The vowel that a kana ends in.
fn vowel(kana: char) -> Option<char> {
    const ROWS: [&str; 5] = [
        "あかさたなはまやらわ",
        "いきしちにひみり",
        "うくすつぬふむゆる",
        "えけせてねへめれ",
        "おこそとのほもよろを",
    ];
    ROWS.iter().find(|row| row.contains(kana)).and_then(|row| row.chars().next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_where_a_dictionary_has_them() {
        let check = |word: &str, reading: Option<&str>, group: &str, head: &str, key: &str| {
            let term = Term { word: word.to_owned(), reading: reading.map(str::to_owned) };
            let place = Place::of(&term);
            let told = (GROUPS[place.group].0, place.head.as_str(), place.key.as_str());
            assert_eq!(told, (group, head, key), "{word}");
        };
        check("禁則処理", Some("きんそくしょり"), "ka", "き", "きんそくしより");
        check("禁則処理", None, "kanji", "禁", "禁則処理");
        check("サーバ", None, "sa", "さ", "さあは");
        check("ｻｰﾊﾞ", None, "sa", "さ", "さあは");
        check("がっこう", None, "ka", "か", "かつこう");
        check("ＳＭＴＰ", None, "latin", "S", "smtp");
        check("émacs", None, "latin", "E", "emacs");
        check("8ビット", None, "other", "", "8ひつと");
        check("ん", None, "wa", "ん", "ん");
    }
}
