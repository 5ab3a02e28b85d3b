//! Any octets are read as a mail, or refused with a help; an mbox is parted without adding anything.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mailmag::source::{finished_message, split_mbox};

fuzz_target!(|octets: &[u8]| {
    let mut problems = Vec::new();
    let timezone = "Asia/Tokyo".parse().expect("it is in the database");
    let read = finished_message("fuzz.eml".to_owned(), octets.to_vec(), timezone, &mut problems);
    assert!(read.is_some() || !problems.is_empty());
    assert!(problems.iter().all(|problem| problem.help.is_some()));
    for message in split_mbox("fuzz", octets).unwrap_or_default() {
        assert!(message.len() <= octets.len());
    }
});
