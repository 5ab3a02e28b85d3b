//! Numbers in as few octets as they need: seven bits in each, the lowest first, the eighth says that more follow.

/// Appends a number.
pub(super) fn push(octets: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        octets.push((number & 0x7F) as u8 | 0x80);
        number >>= 7;
    }
    octets.push(number as u8);
}

/// Reads the number at a place and moves the place behind it; none where the octets end.
#[inline]
pub(super) fn read(octets: &[u8], at: &mut usize) -> Option<u64> {
    let octet = *octets.get(*at)?;
    if octet < 0x80 {
        // Most are so short.
        *at += 1;
        return Some(octet.into());
    }
    read_long(octets, at)
}

fn read_long(octets: &[u8], at: &mut usize) -> Option<u64> {
    let mut number = 0;
    let mut shift = 0;
    loop {
        let octet = *octets.get(*at)?;
        *at += 1;
        number |= u64::from(octet & 0x7F).checked_shl(shift)?;
        if octet < 0x80 {
            return Some(number);
        }
        shift += 7;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back() {
        for number in [0, 1, 127, 128, 300, 1 << 21, (1 << 53) - 1, u64::MAX] {
            let mut octets = Vec::new();
            push(&mut octets, number);
            let mut at = 0;
            assert_eq!(read(&octets, &mut at), Some(number));
            assert_eq!(at, octets.len());
            assert_eq!(read(&octets[..at - 1], &mut 0), None, "it was cut");
        }
        assert_eq!(read(&[0xFF; 20], &mut 0), None, "no number is that long");
    }
}
