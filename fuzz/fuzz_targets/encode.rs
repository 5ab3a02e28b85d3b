//! Any text is sent as its normal form, line by line from ASCII to ASCII, or what keeps it from that is told.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mailmag::charset::{Charset, Profile, decode, encode, look, normalise, unsendable};

fuzz_target!(|text: &str| {
    for profile in [Profile::Ms, Profile::Strict] {
        look(text, profile);
        let normal = normalise(text, profile);
        match encode(text, Charset::Iso2022Jp, profile) {
            Ok(octets) => {
                assert!(octets.is_ascii());
                let lines = octets.split(|octet| *octet == b'\n');
                for line in lines {
                    let last_escape = line.iter().rposition(|octet| *octet == 0x1B);
                    assert!(last_escape.is_none_or(|at| line[at..].starts_with(b"\x1b(B")));
                }
                let decoded = decode(&octets, Some(Charset::Iso2022Jp)).expect("what was sent can be read");
                assert_eq!((decoded.text.as_str(), decoded.repairs.len()), (&*normal, 0));
                assert_eq!(normalise(&normal, profile), normal);
                assert!(unsendable(text, profile).is_empty());
            }
            Err(found) => assert!(!found.is_empty() && found == unsendable(text, profile)),
        }
    }
});
