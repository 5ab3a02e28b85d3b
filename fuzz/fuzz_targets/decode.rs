//! Any octets are read without loss or refused at a place of theirs.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mailmag::charset::{Charset, decode, decode_restoring_escapes};

fuzz_target!(|octets: &[u8]| {
    let labels = [None, Some(Charset::Iso2022Jp), Some(Charset::ShiftJis), Some(Charset::EucJp), Some(Charset::Utf8)];
    for label in labels {
        for result in [decode(octets, label), decode_restoring_escapes(octets, label)] {
            match result {
                Ok(decoded) => {
                    let lines = 1 + decoded.text.matches(['\n', '\r']).count();
                    assert!(decoded.repairs.iter().all(|repair| (1..=lines).contains(&repair.line)));
                }
                Err(error) => {
                    assert!(octets[error.offset..].starts_with(&error.octets) && !error.octets.is_empty());
                }
            }
        }
    }
});
