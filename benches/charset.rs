//! Reading and writing ISO-2022-JP beside encoding_rs alone, on a megabyte of what magazines look like.

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use encoding_rs::ISO_2022_JP;
use mailmag::charset::{Charset, Profile, decode, detect, encode, normalise, unsendable};

fn main() {
    divan::main();
}

/// Mixed kanji, kana and ASCII in lines of 76 columns, with boxes, rules, addresses and blank lines.
fn mail_text() -> String {
    let page = "┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┓\r\n\
        \x20                 等 幅 通 信  Vol.128 (2026/11/24)\r\n\
        ┗━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┛\r\n\r\n\
        \u{3000}等幅の書体で組んだ文章は、一行の文字数が決まっていて、どこで開いても同じ姿\r\n\
        に見えます。今月は、その行の終わりに句読点が来たときのことを考えてみましょう。\r\n\
        たとえば Rust で書いた組版の道具は、1 秒に 20 万行を超える速さで行を分けます。\r\n\
        カタカナのコンピュータ用語、データベースやネットワークなども少しあります。\r\n\r\n\
        ----------------------------------------------------------------------------\r\n\
        ■ 次号の予告: https://example.jp/magazine/129/index.html (12月8日ごろ)\r\n\r\n";
    page.repeat(1_000_000 / page.len())
}

mod reading {
    use super::*;

    fn octets() -> Vec<u8> {
        ISO_2022_JP.encode(&mail_text()).0.into_owned()
    }

    #[divan::bench]
    fn ours(bencher: Bencher) {
        let octets = octets();
        let label = Some(Charset::Iso2022Jp);
        bencher.counter(BytesCount::of_slice(&octets)).bench_local(|| decode(black_box(&octets), label));
    }

    #[divan::bench]
    fn encoding_rs_alone(bencher: Bencher) {
        let octets = octets();
        bencher
            .counter(BytesCount::of_slice(&octets))
            .bench_local(|| ISO_2022_JP.decode(black_box(&octets)).0.len());
    }

    #[divan::bench(args = [Charset::Iso2022Jp, Charset::ShiftJis, Charset::EucJp, Charset::Utf8])]
    fn detecting(bencher: Bencher, charset: Charset) {
        let octets = encode(&mail_text(), charset, Profile::Ms).expect("all of it can be sent");
        bencher.counter(BytesCount::of_slice(&octets)).bench_local(|| detect(black_box(&octets)));
    }

    /// Octets that are wrong in every character set.
    #[divan::bench]
    fn garbage(bencher: Bencher) {
        let octets = vec![0xFF; 100_000];
        bencher
            .counter(BytesCount::of_slice(&octets))
            .bench_local(|| decode(black_box(&octets), None).is_err());
    }
}

mod writing {
    use super::*;

    #[divan::bench]
    fn ours(bencher: Bencher) {
        let text = mail_text();
        bencher
            .counter(BytesCount::of_str(&text))
            .bench_local(|| encode(black_box(&text), Charset::Iso2022Jp, Profile::Ms));
    }

    #[divan::bench]
    fn encoding_rs_alone(bencher: Bencher) {
        let text = mail_text();
        bencher
            .counter(BytesCount::of_str(&text))
            .bench_local(|| ISO_2022_JP.encode(black_box(&text)).0.len());
    }

    /// A wave dash in every paragraph.
    #[divan::bench]
    fn normalising(bencher: Bencher) {
        let text = mail_text().replace("ごろ", "〜");
        bencher
            .counter(BytesCount::of_str(&text))
            .bench_local(|| normalise(black_box(&text), Profile::Ms).len());
    }

    /// Nothing but characters that cannot be sent.
    #[divan::bench]
    fn finding_what_cannot_be_sent(bencher: Bencher) {
        let text = "한글 ©é\n".repeat(70_000);
        bencher
            .counter(BytesCount::of_str(&text))
            .bench_local(|| unsendable(black_box(&text), Profile::Ms).len());
    }
}
