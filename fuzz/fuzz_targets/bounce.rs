//! Any octets are read as a mail that came back, or are none: within bounds, and shown without control characters.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mailmag::bounce::{automatic, read};

fuzz_target!(|octets: &[u8]| {
    let _ = automatic(octets, None);
    if let Some(report) = read(octets) {
        assert!(!report.recipients.is_empty() && report.recipients.len() <= 200);
        for recipient in &report.recipients {
            assert!(recipient.diagnostic.chars().count() <= 501);
            assert!(!recipient.diagnostic.chars().any(char::is_control));
        }
        let _ = report.event();
    }
});
