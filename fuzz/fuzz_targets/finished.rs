//! Any text is taken apart as a finished mail, and every part lies within it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mailmag::diagnostic::SourceText;
use mailmag::source::{Envelope, finished};

fuzz_target!(|text: &str| {
    let source = SourceText::new("fuzz.txt", text);
    let finished = finished(&source, &Envelope::default());
    assert!(!finished.articles.is_empty());
    let parts = [&finished.masthead, &finished.contents, &finished.promise];
    let articles = finished.articles.iter().flat_map(|article| [&article.span, &article.text.span]);
    let passages = finished.opening.iter().chain(&finished.footer).map(|passage| &passage.span);
    for span in parts.into_iter().flatten().chain(articles).chain(passages) {
        assert!(text.get(span.clone()).is_some(), "{span:?}");
    }
});
