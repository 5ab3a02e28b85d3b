use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::tokens::{Tokens, spelled};
use super::*;

/// The index read back: each term's pages, with how often and whether in the title.
fn read(files: &[File]) -> BTreeMap<u64, Vec<(u64, u8)>> {
    let number = |octets: &[u8], at: &mut usize| varint::read(octets, at).expect("a number");
    let directory = &files.last().expect("the directory").bytes;
    let mut at = 8;
    let (version, _page) = (number(directory, &mut at), number(directory, &mut at));
    assert_eq!(version, 1);
    let mut terms = BTreeMap::new();
    let mut first = 0;
    for shard in 0..number(directory, &mut at) {
        first += number(directory, &mut at);
        let path = format!("search/terms-{shard}.bin");
        let octets = &files.iter().find(|file| file.path == path).expect("the shard").bytes;
        let (mut at, mut key) = (0, first);
        while at < octets.len() {
            key += number(octets, &mut at);
            let end = number(octets, &mut at) as usize + at;
            let (mut postings, mut before) = (Vec::new(), 0);
            while at < end {
                let step = number(octets, &mut at);
                before += step / 2;
                let weight = if step % 2 == 0 { 2 } else { octets[at] };
                at += step as usize % 2;
                postings.push((before - 1, weight));
            }
            assert!(terms.insert(key, postings).is_none(), "each term is in one place");
        }
    }
    terms
}

fn keys(text: &str) -> Vec<u64> {
    let (mut tokens, mut found) = (Tokens::default(), Vec::new());
    tokens.push(text, &mut |key| found.push(key));
    tokens.end(&mut |key| found.push(key));
    found
}

fn terms_of(title: &str, text: &str) -> Terms {
    let mut collector = Collector::default();
    collector.title(title);
    collector.text(text);
    collector.finish()
}

fn entry(number: usize) -> Entry {
    let date = NaiveDate::from_ymd_opt(2010, 5, 14);
    Entry { date, url: format!("/{number}/"), title: format!("題\"{number}"), label: "Vol.010".into() }
}

fn index_of(texts: &[Terms]) -> Vec<File> {
    let entries: Vec<Entry> = (0..texts.len()).map(entry).collect();
    index(entries.iter().zip(texts.iter().map(Found::Terms)), &Before::default())
}

#[test]
fn terms_are_those_of_the_table() {
    let table: serde_json::Value =
        serde_json::from_str(include_str!("../../tests/search/cases.json")).expect("JSON");
    let cases = table["terms"].as_array().expect("cases");
    for case in cases {
        let text = case["text"].as_str().expect("a text");
        let mut seen = BTreeSet::new();
        let terms: Vec<String> =
            keys(text).into_iter().map(spelled).filter(|term| seen.insert(term.clone())).collect();
        assert_eq!(serde_json::json!(terms), case["terms"], "{text:?}");
    }
    assert!(cases.len() > 20);
    for (term, key) in table["keys"].as_object().expect("keys") {
        assert_eq!(keys(term).first().copied().unwrap_or(0), key.as_u64().expect("a key"), "{term}");
    }
}

#[test]
fn a_term_has_its_pages_and_how_often() {
    let texts =
        [terms_of("検索", "検索の話"), terms_of("話", "別"), Terms::default(), terms_of("", "検索検索検索")];
    let index = read(&index_of(&texts));
    let found = |term: &str| index.get(&keys(term)[0]).cloned().unwrap_or_default();
    assert_eq!(found("検索"), [(0, 2 * 2 + 1), (3, 3 * 2)]);
    assert_eq!(found("話"), [(0, 2), (1, 3)]);
    assert_eq!(found("題"), []);
}

#[test]
fn many_texts_fill_many_shards_and_no_term_is_lost() {
    let text = |number: usize| -> String {
        (0..900)
            .filter_map(|at| char::from_u32(0x4E00 + ((number * 7919 + at * at * 31) % 3000) as u32))
            .collect()
    };
    let texts: Vec<Terms> =
        (0..700).map(|number| terms_of(&format!("word{number}"), &text(number))).collect();
    let files = index_of(&texts);
    let largest = files.iter().map(|file| file.bytes.len()).max();
    assert!(files.len() > 70 && largest < Some(40 << 10), "{} files up to {largest:?}", files.len());
    let index = read(&files);
    let held: usize = index.values().map(Vec::len).sum();
    assert_eq!(held, texts.iter().map(|terms| terms.cursor().count()).sum::<usize>());
    for number in [0, 1, 350, 699] {
        for key in keys(&text(number)) {
            assert!(index[&key].iter().any(|&(page, _)| page == number as u64));
        }
    }
    assert_eq!(index_of(&texts), files, "the same for the same texts");
}

#[test]
fn a_long_text_keeps_every_term() {
    let text: String = (0..5_000).map(|number| format!("w{number} w{number} ")).collect();
    let terms = read(&index_of(&[terms_of("w7", &text)]));
    assert_eq!(terms.len(), 5_000);
    for (key, postings) in terms {
        let weight = if spelled(key) == "w7" { 3 * 2 + 1 } else { 2 * 2 };
        assert_eq!(postings, [(0, weight)], "{}", spelled(key));
    }
}

#[test]
fn entries_are_json_and_the_directory_tells_of_every_change() {
    let texts = vec![terms_of("一", "二"); 65];
    let files = index_of(&texts);
    let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(
        paths,
        ["search/terms-0.bin", "search/pages-0.json", "search/pages-1.json", "search/index.bin"]
    );
    let entries: serde_json::Value = serde_json::from_slice(&files[2].bytes).expect("JSON");
    assert_eq!(entries, serde_json::json!([["題\"64", "/64/", "Vol.010", "2010-05-14"]]));
    let mut others: Vec<Entry> = (0..65).map(entry).collect();
    others[3].title = "別".into();
    let changed = index(others.iter().zip(texts.iter().map(Found::Terms)), &Before::default());
    assert_ne!(changed[3].bytes[..8], files[3].bytes[..8]);
    assert_eq!(read(&index_of(&[])), BTreeMap::new(), "an empty magazine has an index");
}

#[test]
fn words_end_where_readers_see_them_end() {
    let check = |markdown: &str, expected: &[&str], absent: &[&str]| {
        let source = crate::diagnostic::SourceText::new("a.md", markdown);
        let (_, document) = crate::source::document(&source, 0..markdown.len(), &mut Vec::new());
        let terms: BTreeSet<String> = super::terms("題名", &["水野", "道具"], [&document])
            .cursor()
            .map(|(key, _)| spelled(key))
            .collect();
        for term in expected.iter().chain(&["題名", "水野", "道具"]) {
            assert!(terms.contains(*term), "{markdown:?} has no {term}: {terms:?}");
        }
        for term in absent.iter().chain(&["名水", "野道"]) {
            assert!(!terms.contains(*term), "{markdown:?} has {term}");
        }
    };
    check("全文**検索**の話", &["文検", "索の"], &[]);
    check("全文\n検索", &["文検"], &[]);
    check("## Rust\n\nGoの話\n\n- 一\n- 二", &["rust", "go"], &["rustgo", "一二"]);
    check("{漢字|かん|じ}検索と{他|た}", &["漢字", "字検", "かん", "んじ"], &["字か", "じた"]);
    check("|甲|乙|\n|--|--|\n|Rust|Go|", &["rust", "go"], &["甲乙"]);
    check("![図の話](a.png)", &["図の"], &["png"]);
    check("話[^1]は\n\n[^1]: 注の文", &["話は", "注の"], &[]);
}

#[test]
fn what_was_kept_badly_does_no_harm() {
    let broken = Terms { length: 3, packed: vec![0xFF, 0xFF, 1, 5, 9, 0x81] };
    index_of(&[broken, Terms { length: 1, packed: vec![3] }]);
}

/// Words of characters that a number chooses, some of them common to all numbers.
fn words(number: u64, length: usize) -> String {
    let mut state = number;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as u32
    };
    (0..length).filter_map(|_| char::from_u32(0x4E00 + next() % (8 << (next() % 9)))).collect()
}

#[test]
fn an_index_made_of_the_one_before_is_the_one_made_anew() {
    let texts: Vec<Terms> = (0..60).map(|number| terms_of("題", &words(number, 400))).collect();
    let files = index_of(&texts);
    let left = |path: &str| files.iter().find(|file| file.path == path).map(|file| file.bytes.clone());
    assert!(left("search/terms-5.bin").is_some(), "there are several shards");
    let before = Before::read(&left).expect("it is an index");
    assert_eq!(before.pages(), 60);
    let as_before = |at: usize| (Found::AsBefore(at, texts[at].extent()), &texts[at]);
    let again = |pages: &[(Found<'_>, &Terms)], what: &str| {
        let entries: Vec<Entry> = (0..pages.len()).map(entry).collect();
        let found = entries.iter().zip(pages.iter().map(|(found, _)| *found));
        let all = entries.iter().zip(pages.iter().map(|(_, terms)| Found::Terms(terms)));
        assert!(index(found, &before) == index(all, &Before::default()), "{what}");
    };
    for new in [vec![], vec![0], vec![59], vec![7, 8, 31], (0..30).collect(), (0..60).collect()] {
        for (what, length) in [("nothing", 0), ("little", 3), ("as much", 400), ("far more", 5000)] {
            let others: Vec<Terms> =
                new.iter().map(|&at| terms_of("題", &words(100 + at as u64, length))).collect();
            let mut pages: Vec<(Found<'_>, &Terms)> = (0..60).map(as_before).collect();
            for (&at, terms) in new.iter().zip(&others) {
                pages[at] = (Found::Terms(terms), terms);
            }
            again(&pages, &format!("{what} in {new:?}"));
            // The same between those before, and behind them.
            let pages: Vec<(Found<'_>, &Terms)> = (0..60).map(as_before).collect();
            let added = |at: usize| new.iter().position(|&new| new == at).map(|new| &others[new]);
            let with_added = (0..60).flat_map(|at| {
                [added(at).map(|terms| (Found::Terms(terms), terms)), Some(pages[at])].into_iter().flatten()
            });
            again(&with_added.collect::<Vec<_>>(), &format!("{what} before {new:?}"));
            let last = others.iter().map(|terms| (Found::Terms(terms), terms));
            again(&pages.iter().copied().chain(last).collect::<Vec<_>>(), &format!("{what} at the end"));
        }
        let others: Vec<_> = (0..60).filter(|at| !new.contains(at)).map(as_before).collect();
        again(&others, &format!("without {new:?}"));
    }
    again(&(0..60).rev().map(as_before).collect::<Vec<_>>(), "the other way round");
}

#[test]
fn what_is_no_index_is_none_to_begin_with() {
    let texts: Vec<Terms> = (0..60).map(|number| terms_of("題", &words(number, 400))).collect();
    let files = index_of(&texts);
    let left = |path: &str| files.iter().find(|file| file.path == path).map(|file| file.bytes.clone());
    assert!(Before::read(&left).is_some());
    assert!(Before::read(&|_| None).is_none());
    for lost in ["search/index.bin", "search/terms-0.bin", "search/terms-5.bin"] {
        assert!(Before::read(&|path| left(path).filter(|_| path != lost)).is_none(), "{lost}");
    }
    assert!(Before::read(&|path| left(&path.replace("terms-1.", "terms-2."))).is_none());
    let directory = left("search/index.bin").expect("it is there");
    for length in 0..16 {
        let cut = |path: &str| left(path).map(|octets| octets[..octets.len().min(length)].to_vec());
        assert!(Before::read(&cut).is_none(), "{length} of {}", directory.len());
    }
    // A page that the index before does not have is not found, and nothing else is harmed.
    let (before, entries) = (Before::read(&left).expect("it is an index"), [entry(0)]);
    let beyond = Found::AsBefore(60, texts[0].extent());
    assert_eq!(read(&index(entries.iter().zip([beyond]), &before)), BTreeMap::new());
    // Postings that go nowhere, and that end too early.
    let shards = vec![vec![0, 6, 0, 0, 1, 9, 0x80, 0x80, 9, 4, 2, 3, 0xFF, 0xFF]];
    let broken = Before { firsts: vec![5], shards, pages: 2 };
    let two = [entry(0), entry(1)];
    let (new, kept) = (Found::Terms(&texts[0]), |at| Found::AsBefore(at, texts[1].extent()));
    for (first, second) in [(kept(0), new), (new, kept(1)), (kept(1), kept(0)), (kept(0), kept(1))] {
        assert!(!index(two.iter().zip([first, second]), &broken).is_empty());
    }
    // Steps so long that they would lead back.
    let mut octets = vec![0, 23];
    for step in [12, u64::MAX - 1, u64::MAX - 1, 4, 0] {
        varint::push(&mut octets, step);
    }
    octets[1] = octets.len() as u8 - 2;
    let back = Before { firsts: vec![5], shards: vec![octets], pages: 8 };
    let nine: Vec<Entry> = (0..9).map(entry).collect();
    let pages = [new].into_iter().chain((0..8).map(kept));
    assert!(!index(nine.iter().zip(pages), &back).is_empty());
    let empty = index_of(&[]);
    let of_empty = |path: &str| empty.iter().find(|file| file.path == path).map(|file| file.bytes.clone());
    let before = Before::read(&of_empty).expect("it is an index");
    let first = index(entries.iter().zip([Found::Terms(&texts[0])]), &before);
    assert!(first == index_of(&texts[..1]));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_pair_of_a_text_finds_it(texts in prop::collection::vec("[あいう漢字検索ー々aB1２Ｚ。、 \\-]{0,60}", 1..12)) {
        let kept: Vec<Terms> = texts.iter().map(|text| terms_of("", text)).collect();
        let index = read(&index_of(&kept));
        for (page, text) in texts.iter().enumerate() {
            let all: Vec<char> = text.chars().collect();
            for pair in all.windows(2) {
                let part: String = pair.iter().collect();
                let is_run = pair.iter().all(|c| c.is_alphanumeric() && !c.is_ascii() && !"２Ｚ".contains(*c));
                for key in keys(&part).into_iter().filter(|_| is_run).take(1) {
                    prop_assert!(index[&key].iter().any(|&(found, _)| found == page as u64), "{part} in {text}");
                }
            }
        }
    }

    #[test]
    fn nothing_panics_and_pieces_are_one_text(text in any::<String>(), at in 0_usize..100) {
        let at = text.char_indices().map(|(index, _)| index).nth(at).unwrap_or(0);
        let mut collector = Collector::default();
        collector.text(&text[..at]);
        collector.text(&text[at..]);
        let parted = collector.finish();
        // A mark is composed with the letter before it where both stand in one piece.
        if text.is_ascii() {
            prop_assert_eq!(parted, terms_of("", &text));
        }
        index_of(&[terms_of(&text, &text)]);
    }
}
