//! Any octets are read as a list of readers or refused; rows come in order, and what they hold can be sent.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mailmag::charset::Charset;
use mailmag::list::files::{ListFile, Mapping};

fuzz_target!(|octets: &[u8]| {
    for charset in [None, Some(Charset::Utf16Le), Some(Charset::Iso2022Jp), Some(Charset::ShiftJis)] {
        let Ok(file) = ListFile::open(octets, charset, &Mapping::default()) else { continue };
        let mut before = 0;
        for row in file.map_while(Result::ok) {
            let line = match row {
                Ok(row) => {
                    let texts = row.name.iter().chain(&row.tags);
                    assert!(texts.into_iter().all(|text| !text.contains(|c: char| c.is_control() || c == '\u{FFFD}')));
                    row.line
                }
                Err(bad) => {
                    assert!(!bad.problem.remedy().is_empty());
                    bad.line
                }
            };
            assert!(line > before, "{line} comes behind {before}");
            before = line;
        }
    }
});
