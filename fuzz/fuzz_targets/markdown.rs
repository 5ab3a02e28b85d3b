//! Any text becomes sections whose problems lie within it, and an outline that agrees with them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mailmag::diagnostic::{Place, SourceText};
use mailmag::source::{outline, sections};

fuzz_target!(|text: &str| {
    let source = SourceText::new("fuzz.md", text);
    let mut problems = Vec::new();
    let sections = sections(&source, 0..text.len(), &mut problems);
    for problem in &problems {
        let Place::Span(_, span) = &problem.place else { panic!("{} has no place", problem.rule) };
        assert!(text.get(span.clone()).is_some(), "{} at {span:?}", problem.rule);
    }
    let titles: Vec<_> = sections.iter().map(|section| section.title.clone()).collect();
    let outlined: Vec<_> = outline(text, 0..text.len()).into_iter().map(|outline| outline.title).collect();
    assert_eq!(titles, outlined);
});
