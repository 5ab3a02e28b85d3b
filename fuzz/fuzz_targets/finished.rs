//! Any text is taken apart as a finished mail, every part lies within it, and what it is converted to has no problems.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use mailmag::config::{Config, parse};
use mailmag::diagnostic::SourceText;
use mailmag::source::{Envelope, convert, document, finished};

static CONFIG: LazyLock<Config> = LazyLock::new(|| {
    let settings = "[magazine]\nname = \"m\"\npublisher = \"p\"\n[mail]\nfrom = \"a@example.jp\"\nsubject = \"s\"\n\
        [blog]\nurl = \"https://example.jp\"\n";
    parse(&SourceText::new("mailmag.toml", settings), &mut Vec::new()).expect("good settings")
});

fuzz_target!(|text: &str| {
    let source = SourceText::new("fuzz.txt", text);
    let envelope = Envelope { subject: Some("Vol.7".into()), date: "2010-05-14".parse().ok() };
    let finished = finished(&source, &envelope);
    assert!(!finished.articles.is_empty());
    let parts = [&finished.masthead, &finished.contents, &finished.promise];
    let articles = finished.articles.iter().flat_map(|article| [&article.span, &article.text.span]);
    let passages = finished.opening.iter().chain(&finished.footer).map(|passage| &passage.span);
    for span in parts.into_iter().flatten().chain(articles).chain(passages) {
        assert!(text.get(span.clone()).is_some(), "{span:?}");
    }
    for (path, markdown) in convert(&finished, &CONFIG, false).expect("it has a number and a date") {
        let body = markdown.find("+++\n\n").map_or(0, |end| end + 4);
        let source = SourceText::new(path, markdown);
        document(&source, body..source.text.len(), &mut Vec::new());
    }
});
