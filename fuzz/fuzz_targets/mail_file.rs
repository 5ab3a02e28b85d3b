//! Any octets are read as a mail, or refused with a help.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mailmag::source::{mail_file, split_mbox};

fuzz_target!(|octets: &[u8]| {
    if let Err(problem) = mail_file("fuzz.eml", octets) {
        assert!(problem.help.is_some());
    }
    for message in split_mbox("fuzz", octets).unwrap_or_default() {
        assert!(message.len() <= octets.len());
    }
});
