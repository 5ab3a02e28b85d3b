//! Filling Japanese text, beside a plain greedy fill over unicode-linebreak's breaks: `cargo bench --bench typeset`.

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use mailmag::model::{HangingPunctuation, LineBreak, Typesetting};
use mailmag::typeset::{char_columns, columns, fill_into, unwrap, wrap};
use std::sync::LazyLock;

fn main() {
    divan::main();
}

/// About a megabyte: paragraphs of kanji, kana, punctuation, Latin words, numbers and addresses, a line each.
static FLOWED: LazyLock<String> = LazyLock::new(|| flowed(1 << 20));
/// The same, broken into lines.
static WRAPPED: LazyLock<String> = LazyLock::new(|| wrap(&FLOWED, &STRICT));

const STRICT: Typesetting = Typesetting {
    width: 76,
    line_break: LineBreak::Strict,
    hanging_punctuation: HangingPunctuation::None,
    hanging_columns: 2,
};
const LOOSE: Typesetting =
    Typesetting { line_break: LineBreak::Loose, hanging_punctuation: HangingPunctuation::AllowEnd, ..STRICT };

#[divan::bench]
fn fill_unicode_linebreak(bencher: Bencher) {
    bencher.counter(BytesCount::of_str(&*FLOWED)).bench(|| greedy(black_box(&FLOWED), 76));
}

#[divan::bench(args = [STRICT, LOOSE])]
fn fill_ours(bencher: Bencher, typesetting: &Typesetting) {
    bencher.counter(BytesCount::of_str(&*FLOWED)).bench(|| {
        let mut out = String::with_capacity(FLOWED.len() + FLOWED.len() / 16);
        for paragraph in black_box(&*FLOWED).split('\n') {
            fill_into(&mut out, paragraph, typesetting, "", "");
        }
        out
    });
}

#[divan::bench]
fn wrap_flowed(bencher: Bencher) {
    bencher.counter(BytesCount::of_str(&*FLOWED)).bench(|| wrap(black_box(&FLOWED), &STRICT));
}

#[divan::bench]
fn wrap_wrapped(bencher: Bencher) {
    bencher.counter(BytesCount::of_str(&*WRAPPED)).bench(|| wrap(black_box(&WRAPPED), &STRICT));
}

#[divan::bench]
fn unwrap_wrapped(bencher: Bencher) {
    bencher.counter(BytesCount::of_str(&*WRAPPED)).bench(|| unwrap(black_box(&WRAPPED), 76));
}

#[divan::bench]
fn measure(bencher: Bencher) {
    bencher
        .counter(BytesCount::of_str(&*FLOWED))
        .bench(|| black_box(&*FLOWED).split('\n').map(columns).sum::<usize>());
}

/// Greedy fill over UAX #14's breaks, carrying the width: each piece between two breaks is measured once.
fn greedy(text: &str, width: usize) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    for paragraph in text.split('\n') {
        let (mut start, mut end, mut line, mut blank) = (0, 0, 0, 0);
        for (next, _) in unicode_linebreak::linebreaks(paragraph) {
            let piece = &paragraph[end..next];
            let columns: usize = piece.chars().map(char_columns).sum();
            let trailing = piece.len() - piece.trim_end_matches(' ').len();
            if line + columns - trailing > width && end > start {
                out.push_str(&paragraph[start..end - blank]);
                out.push('\n');
                (start, line) = (end, 0);
            }
            line += columns;
            (end, blank) = (next, trailing);
        }
        out.push_str(&paragraph[start..end - blank]);
        out.push('\n');
    }
    out
}

fn flowed(size: usize) -> String {
    const KANJI: &str =
        "日本語文章画面行幅読者発行記事印刷技術設定配信登録仮想環境電子郵便規則禁則処理組版等幅文字列折返";
    const KANA: &str = "のはをがにともでしたっているこれすまやらなかよきあえおくけさつてねひめりれわん";
    const KATAKANA: &str = "メールマガジンコンピュータネットワークサーバーディスプレイ";
    const LATIN: [&str; 6] = ["Linux", "virt-v2v", "0.5.3", "RHEL6", "Web", "--option"];
    let pick = |random: &mut u64, characters: &[char], count: u64, out: &mut String| {
        for _ in 0..count {
            out.push(characters[(next(random) % characters.len() as u64) as usize]);
        }
    };
    let sets = [KANJI, KANA, KATAKANA].map(|set| set.chars().collect::<Vec<char>>());
    let mut random = 0x9E37_79B9_7F4A_7C15;
    let mut out = String::with_capacity(size + 4096);
    while out.len() < size {
        for _ in 0..2 + next(&mut random) % 6 {
            for _ in 0..3 + next(&mut random) % 8 {
                let (count, set) = match next(&mut random) % 20 {
                    0..8 => (1 + next(&mut random) % 3, &sets[0]),
                    8..18 => (1 + next(&mut random) % 5, &sets[1]),
                    _ => (3 + next(&mut random) % 5, &sets[2]),
                };
                pick(&mut random, set, count, &mut out);
                match next(&mut random) % 24 {
                    0 => out.push_str(LATIN[(next(&mut random) % 6) as usize]),
                    1 => out.push_str("「仮想化」"),
                    2 | 3 => out.push('、'),
                    _ => {}
                }
            }
            out.push('。');
            if next(&mut random).is_multiple_of(40) {
                out.push_str(" https://www.example.com/mail/magazine?number=10 ");
            }
        }
        out.push('\n');
    }
    out
}

/// Xorshift: the same text on every machine.
fn next(random: &mut u64) -> u64 {
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    *random >> 11
}
