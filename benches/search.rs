//! Gathering the terms of articles: `cargo bench --bench search`. The peer is the plain way: a map of texts.

use std::collections::HashMap;

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use mailmag::search::{Before, Collector, Entry, Found, Terms, index};

fn main() {
    divan::main();
}

/// Some 8 kB of Japanese prose with Latin words and numbers, different for each number.
fn article(number: usize) -> String {
    let nouns = [
        "全文検索",
        "文字コード",
        "サーバー",
        "証明書",
        "依存関係",
        "読者",
        "Kubernetes",
        "SQLite",
        "ＲＨＥＬ",
    ];
    let verbs = ["を導入する", "を見直す", "を測定する", "を改善する", "を検証する", "を公開する"];
    let tails =
        ["ことが重要です。", "必要があります。", "方法を紹介します。\n", "事例が増えてきました（第3回）。"];
    let mut text = String::new();
    let mut seed = number as u64 + 1;
    while text.len() < 8000 {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let at = (seed >> 33) as usize;
        text.push_str(nouns[at % nouns.len()]);
        text.push_str(verbs[at / 16 % verbs.len()]);
        // Words that few articles share.
        text.extend((0..3).filter_map(|of| char::from_u32(0x4E00 + ((at >> of) % 2500) as u32)));
        text.push_str(tails[at / 256 % tails.len()]);
    }
    text
}

fn terms(text: &str) -> Terms {
    let mut collector = Collector::default();
    collector.title("全文検索の話");
    collector.text(text);
    collector.finish()
}

#[divan::bench]
fn collect_ours(bencher: Bencher) {
    let text = article(1);
    bencher.counter(BytesCount::of_str(&text)).bench(|| terms(black_box(&text)));
}

#[divan::bench]
fn collect_map_of_texts(bencher: Bencher) {
    let text = article(1);
    bencher.counter(BytesCount::of_str(&text)).bench(|| {
        let mut counts: HashMap<String, u32> = HashMap::new();
        let all: Vec<char> = black_box(&text).chars().flat_map(char::to_lowercase).collect();
        for run in all.split(|c| !c.is_alphanumeric()).filter(|run| !run.is_empty()) {
            for pair in run.windows(2) {
                *counts.entry(pair.iter().collect()).or_default() += 1;
            }
        }
        let mut sorted: Vec<(String, u32)> = counts.into_iter().collect();
        sorted.sort_unstable();
        sorted
    });
}

#[divan::bench]
fn index_1000_articles(bencher: Bencher) {
    let kept: Vec<(Entry, Terms)> = (0..1000)
        .map(|number| {
            let (url, title) = (format!("/{number}/"), format!("題{number}"));
            (Entry { date: None, url, title, label: String::new() }, terms(&article(number)))
        })
        .collect();
    let pages = || kept.iter().map(|(entry, terms)| (entry, Found::Terms(terms)));
    bencher.bench(|| index(pages(), &Before::default()));
}
