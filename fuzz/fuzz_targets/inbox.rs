//! Any octets are read as a mail to the list, and only its one sender is ever answered.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mailmag::inbox::{Addresses, Meaning, read};
use mailmag::model::Language;

fuzz_target!(|octets: &[u8]| {
    let incoming = read(octets, &Addresses::new("news@mag.example"), Language::Japanese);
    assert!(incoming.message_id.is_ascii());
    let has_from = octets.to_ascii_lowercase().windows(4).any(|window| window == b"from");
    match incoming.meaning {
        Meaning::Subscribe(address) => assert!(has_from && !address.is_legacy()),
        Meaning::SendLinks(_) => assert!(has_from),
        _ => {}
    }
});
