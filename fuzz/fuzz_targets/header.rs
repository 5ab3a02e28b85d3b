//! Any header value can be read, and what was written is what is read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mailmag::charset::{Charset, decode_header, encode_header};

fuzz_target!(|octets: &[u8]| {
    decode_header(octets);
    let Ok(text) = str::from_utf8(octets) else { return };
    let header = encode_header(text, Charset::Utf8, "Subject: ".len());
    assert!(header.split("\r\n").skip(1).all(|line| line.starts_with(' ')));
    assert!(header.is_ascii());
    assert_eq!(decode_header(header.as_bytes()), text);
    decode_header(encode_header(text, Charset::Iso2022Jp, 0).as_bytes());
});
