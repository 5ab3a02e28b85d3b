//! Narrower pictures of one, for small screens.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngDecoder, PngEncoder};
use image::codecs::webp::{WebPDecoder, WebPEncoder};
use image::{DynamicImage, ImageDecoder, ImageEncoder, ImageFormat, Limits, imageops};

use super::{Fault, WIDTHS, broken, decoder};

/// JPEG's measure of likeness, of a hundred: artefacts are not seen on screens of many pixels.
const JPEG_QUALITY: u8 = 82;

/// The most memory that taking a picture apart may use, in octets.
const MOST_MEMORY: u64 = 512 << 20;

/// A narrower picture as made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// Its width, in pixels.
    pub width: u32,
    /// Its name's ending, one of [`ENDINGS`].
    pub ending: &'static str,
    /// The file.
    pub octets: Vec<u8>,
}

/// The endings that narrower pictures may have.
pub const ENDINGS: [&str; 3] = ["jpg", "png", "webp"];

/// Whether narrower pictures are made of one of this width.
pub fn has_narrower(width: u32) -> bool {
    widths(width).next().is_some()
}

fn widths(width: u32) -> impl Iterator<Item = u32> {
    WIDTHS.into_iter().filter(move |narrow| narrow * 5 <= width.saturating_mul(4))
}

/// The pictures of [`WIDTHS`] that are worth to be had of a JPEG, PNG or WebP: each at most four fifths as wide as the
/// picture itself and of fewer octets than it. Drawings, animations and other kinds have none. What a JPEG has of EXIF
/// is dropped, after its orientation has been carried out; colour profiles are kept.
///
/// # Errors
///
/// `broken-picture` when it cannot be taken apart.
pub fn narrower(octets: &[u8], width: u32) -> Result<Vec<Made>, Fault> {
    if !has_narrower(width) || is_animated(octets) {
        return Ok(Vec::new());
    }
    let Some((format, mut source)) = decoder(octets) else { return Ok(Vec::new()) };
    let mut limits = Limits::default();
    limits.max_alloc = Some(MOST_MEMORY);
    let damaged = |_| broken("breaks off or is damaged");
    source.set_limits(limits).map_err(damaged)?;
    let orientation = source.orientation().map_err(damaged)?;
    let profile = source.icc_profile().ok().flatten();
    let mut picture = DynamicImage::from_decoder(source).map_err(damaged)?;
    picture.apply_orientation(orientation);
    // Screens have eight bits.
    let picture: DynamicImage =
        if picture.color().has_alpha() { picture.into_rgba8().into() } else { picture.into_rgb8().into() };
    let mut made = Vec::new();
    for narrow in widths(width) {
        let height =
            (u64::from(picture.height()) * u64::from(narrow)).div_ceil(u64::from(picture.width())) as u32;
        let smaller = resized(&picture, narrow, height.max(1));
        let (ending, smaller) = encoded(&smaller, format, profile.clone()).map_err(damaged)?;
        if smaller.len() < octets.len() {
            made.push(Made { width: narrow, ending, octets: smaller });
        }
    }
    Ok(made)
}

fn resized(picture: &DynamicImage, width: u32, height: u32) -> DynamicImage {
    picture.resize_exact(width, height, imageops::FilterType::CatmullRom)
}

/// WebP without loss is no form for photographs: one without transparency becomes a JPEG.
fn encoded(
    picture: &DynamicImage,
    format: ImageFormat,
    profile: Option<Vec<u8>>,
) -> image::ImageResult<(&'static str, Vec<u8>)> {
    let mut octets = Vec::new();
    let has_alpha = picture.color().has_alpha();
    let ending = match format {
        ImageFormat::Png => {
            let encoder =
                PngEncoder::new_with_quality(&mut octets, CompressionType::Best, FilterType::Adaptive);
            write(encoder, picture, profile)?;
            "png"
        }
        ImageFormat::WebP if has_alpha => {
            write(WebPEncoder::new_lossless(&mut octets), picture, profile)?;
            "webp"
        }
        _ => {
            write(JpegEncoder::new_with_quality(&mut octets, JPEG_QUALITY), picture, profile)?;
            "jpg"
        }
    };
    Ok((ending, octets))
}

fn write(
    mut encoder: impl ImageEncoder,
    picture: &DynamicImage,
    profile: Option<Vec<u8>>,
) -> image::ImageResult<()> {
    if let Some(profile) = profile {
        // A form that cannot carry it shows the picture without.
        let _ = encoder.set_icc_profile(profile);
    }
    picture.write_with_encoder(encoder)
}

fn is_animated(octets: &[u8]) -> bool {
    match image::guess_format(octets) {
        Ok(ImageFormat::Png) => {
            PngDecoder::new(Cursor::new(octets)).and_then(|decoder| decoder.is_apng()).unwrap_or(false)
        }
        Ok(ImageFormat::WebP) => {
            WebPDecoder::new(Cursor::new(octets)).is_ok_and(|decoder| decoder.has_animation())
        }
        _ => false,
    }
}
