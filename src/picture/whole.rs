//! Whether a picture's file goes on to its end. Libraries fill what is missing of some kinds with grey.

/// Whether a JPEG, PNG or WebP has all its parts up to the one that ends it; any other kind is taken to be whole.
pub(super) fn is_whole(octets: &[u8]) -> bool {
    match octets {
        [0xFF, 0xD8, segments @ ..] => jpeg(segments).is_some(),
        [0x89, b'P', b'N', b'G', _, _, _, _, chunks @ ..] => png(chunks).is_some(),
        [b'R', b'I', b'F', b'F', a, b, c, d, rest @ ..] => {
            rest.len() as u64 >= u64::from(u32::from_le_bytes([*a, *b, *c, *d]))
        }
        _ => true,
    }
}

/// Segments with their lengths, and after a start of scan data up to the next marker (ITU-T T.81, B.1).
fn jpeg(mut rest: &[u8]) -> Option<()> {
    loop {
        let marker = *rest.get(1)?;
        if rest[0] != 0xFF {
            return None;
        }
        match marker {
            // The end of the image.
            0xD9 => return Some(()),
            // A marker may have any number of filling octets before it.
            0xFF => rest = &rest[1..],
            0x01 | 0xD0..=0xD7 => rest = &rest[2..],
            _ => {
                let length = usize::from(u16::from_be_bytes([*rest.get(2)?, *rest.get(3)?]));
                rest = rest.get(2 + length..)?;
                if marker == 0xDA {
                    let is_marker = |pair: &[u8]| pair[0] == 0xFF && !matches!(pair[1], 0 | 0xD0..=0xD7);
                    rest = &rest[rest.windows(2).position(is_marker)?..];
                }
            }
        }
    }
}

/// Chunks with their lengths up to `IEND` (PNG, 5.3).
fn png(mut rest: &[u8]) -> Option<()> {
    loop {
        let length = u32::from_be_bytes(rest.get(..4)?.try_into().ok()?);
        let kind = rest.get(4..8)?;
        let is_end = kind == b"IEND";
        rest = rest.get(usize::try_from(length).ok()?.checked_add(12)?..)?;
        if is_end {
            return Some(());
        }
    }
}
