use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageEncoder, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};

use super::*;

/// A picture that no compression makes small, in a form.
fn noise(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let picture = RgbImage::from_fn(width, height, |_, _| Rgb([next(), next(), next()]));
    let mut octets = Cursor::new(Vec::new());
    DynamicImage::from(picture).write_to(&mut octets, format).expect("it can be written");
    octets.into_inner()
}

/// A JPEG that EXIF says to be shown turned by `orientation` (TIFF 6.0, tag 274).
fn turned(width: u32, height: u32, orientation: u8) -> Vec<u8> {
    let mut exif = b"MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
    let mut octets = Vec::new();
    let mut encoder = JpegEncoder::new(&mut octets);
    encoder.set_exif_metadata(exif).expect("JPEG carries it");
    DynamicImage::from(RgbImage::new(width, height)).write_with_encoder(encoder).expect("it can be written");
    octets
}

fn size(octets: &[u8]) -> Result<Option<(u32, u32)>, &'static str> {
    describe(octets).map(|picture| picture.size).map_err(|fault| fault.rule)
}

#[test]
fn sizes_are_those_that_are_shown() {
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
        assert_eq!(size(&noise(30, 20, format)), Ok(Some((30, 20))), "{format:?}");
    }
    assert_eq!(size(b"GIF89a\x0a\0\x05\0\0\0\0"), Ok(Some((10, 5))));
    for (orientation, expected) in [(1, (30, 20)), (3, (30, 20)), (5, (20, 30)), (6, (20, 30)), (8, (20, 30))]
    {
        assert_eq!(size(&turned(30, 20, orientation)), Ok(Some(expected)), "{orientation}");
    }
    let heif = |brand: &[u8]| [b"\0\0\0\x18ftyp", brand, b"\0\0\0\0mif1", brand].concat();
    for other in [&b"%PDF-1.7 and more than that"[..], b"MM\0\x2A\0\0\0\x08\0\0\0\0", &heif(b"heic")] {
        assert_eq!(size(other), Err("broken-picture"));
    }
}

#[test]
fn drawings_have_a_size_when_they_say_so() {
    let svg = |attributes: &str| format!("<svg xmlns=\"http://www.w3.org/2000/svg\" {attributes}/>");
    for (attributes, expected) in [
        ("width=\"32\" height=\"16\"", Some((32, 16))),
        ("width=\"1in\" height=\"2.54cm\"", Some((96, 96))),
        ("viewBox=\"0 0 300 150\"", Some((300, 150))),
        ("width=\"100%\" viewBox=\"0,0,300,150\"", Some((300, 150))),
        ("width=\"60px\" viewBox=\"0 0 300 150\"", Some((60, 30))),
        ("height=\"60\" viewBox=\"0 0 300 150\"", Some((120, 60))),
        ("width=\"32\"", None),
        ("width=\"0\" height=\"1e9\" viewBox=\"0 0 0 0\"", None),
        ("", None),
    ] {
        assert_eq!(size(svg(attributes).as_bytes()), Ok(expected), "{attributes}");
    }
    let doctype = "<?xml version=\"1.0\"?>\n<!DOCTYPE svg PUBLIC \"-//W3C//DTD SVG 1.1//EN\" \"x\">\n";
    let text = format!("\u{FEFF}{doctype}{}", svg("width=\"8\" height=\"8\""));
    assert_eq!(size(text.as_bytes()), Ok(Some((8, 8))));
    assert_eq!(size(b"<svg xmlns=\"http://www.w3.org/2000/svg\"><g></svg>"), Err("broken-picture"));
    let laughs = "<!DOCTYPE svg [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\">\
        <!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;\"><!ENTITY d \"&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;\">\
        <!ENTITY e \"&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;\"><!ENTITY f \"&e;&e;&e;&e;&e;&e;&e;&e;&e;&e;\">]>\
        <svg xmlns=\"http://www.w3.org/2000/svg\">&f;&f;&f;</svg>";
    assert_eq!(size(laughs.as_bytes()), Err("broken-picture"));
}

#[test]
fn what_is_broken_or_absurd_is_told() {
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
        let whole = noise(700, 20, format);
        assert_eq!(size(&whole[..14]), Err("broken-picture"), "{format:?}");
        let half = &whole[..whole.len() / 2];
        assert_eq!(size(half), Err("broken-picture"), "{format:?}");
        assert_eq!(size(&[&whole[..], b"more"].concat()), Ok(Some((700, 20))), "{format:?}");
    }
    // What has all its parts may still make no sense.
    let mut damaged = noise(700, 20, ImageFormat::Png);
    let middle = damaged.len() / 2;
    damaged[middle..middle + 64].fill(0);
    assert_eq!(narrower(&damaged, 700).map_err(|fault| fault.rule), Err("broken-picture"));
    assert_eq!(size(b""), Err("broken-picture"));
    let bomb = |width: u32, height: u32| {
        let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
        png.extend([width.to_be_bytes(), height.to_be_bytes()].concat());
        png.extend(b"\x08\x02\0\0\0\0\0\0\0");
        png
    };
    assert_eq!(size(&bomb(100_000, 100_000)), Err("picture-too-large"));
    assert_eq!(size(&bomb(u32::MAX, u32::MAX)), Err("picture-too-large"));
    assert_eq!(size(&bomb(0, 1)), Err("broken-picture"));
}

#[test]
fn wide_pictures_have_narrower_ones() {
    for (width, format, expected) in [
        (1300, ImageFormat::Jpeg, &[(480, "jpg"), (960, "jpg")][..]),
        (1300, ImageFormat::Png, &[(480, "png"), (960, "png")]),
        (1300, ImageFormat::WebP, &[(480, "jpg"), (960, "jpg")]),
        (1800, ImageFormat::Png, &[(480, "png"), (960, "png"), (1440, "png")]),
        (600, ImageFormat::Png, &[(480, "png")]),
        (599, ImageFormat::Png, &[]),
    ] {
        let octets = noise(width, 12, format);
        let made = narrower(&octets, width).expect("it is whole");
        let names: Vec<(u32, &str)> = made.iter().map(|made| (made.width, made.ending)).collect();
        assert_eq!(names, expected, "{width} {format:?}");
        for made in &made {
            let height = (12 * made.width).div_ceil(width);
            assert_eq!(size(&made.octets), Ok(Some((made.width, height))));
        }
        assert_eq!(narrower(&octets, width), Ok(made), "the same octets each time");
    }
}

#[test]
fn narrower_pictures_stand_upright_and_keep_transparency() {
    let made = narrower(&turned(12, 700, 6), 700).expect("it is whole");
    assert_eq!(made.iter().map(|made| size(&made.octets)).collect::<Vec<_>>(), [Ok(Some((480, 9)))]);

    let mut state = 1_u32;
    let glass = RgbaImage::from_fn(700, 20, |x, y| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        Rgba([(state >> 24) as u8, (x % 251) as u8, (state >> 16) as u8, if y < 10 { 0 } else { 255 }])
    });
    for (format, ending) in [(ImageFormat::Png, "png"), (ImageFormat::WebP, "webp")] {
        let mut octets = Cursor::new(Vec::new());
        DynamicImage::from(glass.clone()).write_to(&mut octets, format).expect("it can be written");
        let made = narrower(&octets.into_inner(), 700).expect("it is whole");
        let [Made { width: 480, ending: made_ending, octets }] = &made[..] else { panic!("{}", made.len()) };
        let picture = image::load_from_memory(octets).expect("it is whole").into_rgba8();
        assert_eq!((*made_ending, picture.get_pixel(9, 0)[3], picture.get_pixel(9, 12)[3]), (ending, 0, 255));
    }
}

#[test]
fn what_is_one_colour_is_not_made_larger() {
    // Four colours take fewer octets than the shades between them.
    let plain = RgbImage::from_fn(700, 200, |x, y| Rgb([if (x / 2 + y / 2) % 2 == 0 { 0 } else { 255 }; 3]));
    let mut octets = Cursor::new(Vec::new());
    DynamicImage::from(plain).write_to(&mut octets, ImageFormat::Png).expect("it can be written");
    let octets = octets.into_inner();
    let made = narrower(&octets, 700).expect("it is whole");
    assert!(made.iter().all(|made| made.octets.len() < octets.len()));
}
