//! Pictures from their octets: how large they are shown, and narrower ones for small screens. Pure; the only door to
//! the libraries that know picture files.

mod narrow;
mod svg;
mod whole;

use std::io::Cursor;

use image::metadata::Orientation;
use image::{ImageDecoder, ImageFormat, ImageReader};
use imagesize::{Compression, ImageType};

pub use narrow::{ENDINGS, Made, has_narrower, narrower};

/// The widths that narrower pictures are made of, in pixels. None is made that is wider than four fifths of the picture.
pub const WIDTHS: [u32; 3] = [480, 960, 1440];

/// What [`narrower`] does, for caches: another number when it makes other octets of the same picture.
pub const RECIPE: u32 = 1;

/// The most pixels that a picture may have; a camera's largest have fifty millions.
const MOST_PIXELS: u64 = 64_000_000;

/// A picture as pages need to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// How large it is shown, in pixels; none for a drawing that does not say.
    pub size: Option<(u32, u32)>,
    /// Whether it is of pixels, as previews elsewhere want it, and no drawing.
    pub is_raster: bool,
    /// Narrower pictures of it, narrowest first.
    pub narrower: Vec<Narrower>,
}

/// A narrower picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Narrower {
    /// Its width, in pixels.
    pub width: u32,
    /// What its name has before its ending: `480.0123abcd`, for the width and the state of what it is made of.
    pub mark: String,
    /// Its name's ending: `jpg`, `png` or `webp`.
    pub ending: &'static str,
}

impl Narrower {
    /// Its path, beside that of the picture it is made of.
    pub fn path_beside(&self, path: &str) -> String {
        let stem = match path.rsplit_once('.') {
            Some((stem, ending)) if !ending.contains('/') => stem,
            _ => path,
        };
        format!("{stem}.{}.{}", self.mark, self.ending)
    }
}

/// Why a picture cannot be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The rule: `broken-picture`, `picture-too-large`.
    pub rule: &'static str,
    /// What is wrong, as the end of a sentence that begins with the picture's name.
    pub message: String,
    /// What to do.
    pub help: &'static str,
}

/// How large a picture is shown, without taking it apart: EXIF's orientation is respected, as browsers do.
///
/// # Errors
///
/// For a file of no kind that browsers show, for one whose head makes no sense or that breaks off, and for one of absurd size.
pub fn describe(octets: &[u8]) -> Result<Picture, Fault> {
    match imagesize::image_type(octets) {
        Err(_) if svg::looks_like(octets) => {
            return Ok(Picture { size: svg::size(octets)?, is_raster: false, narrower: Vec::new() });
        }
        Err(_) => return Err(broken("is no picture that browsers show")),
        Ok(ImageType::Heif(compression)) if compression != Compression::Av1 => {
            return Err(broken("is a kind of HEIF that browsers do not show"));
        }
        Ok(_) => {}
    }
    let size = imagesize::blob_size(octets).map_err(|_| broken("breaks off or is damaged"))?;
    let (Ok(width), Ok(height)) = (u32::try_from(size.width), u32::try_from(size.height)) else {
        return Err(too_large(size.width as u64, size.height as u64));
    };
    if width == 0 || height == 0 {
        return Err(broken("has no pixels"));
    }
    if u64::from(width) * u64::from(height) > MOST_PIXELS {
        return Err(too_large(width.into(), height.into()));
    }
    if !whole::is_whole(octets) {
        return Err(broken("breaks off or is damaged"));
    }
    let size = if is_turned(octets) { (height, width) } else { (width, height) };
    Ok(Picture { size: Some(size), is_raster: true, narrower: Vec::new() })
}

/// Whether the file says that its width is to be shown as its height.
fn is_turned(octets: &[u8]) -> bool {
    let orientation = decoder(octets).and_then(|(_, mut decoder)| decoder.orientation().ok());
    orientation.is_some_and(turns)
}

fn turns(orientation: Orientation) -> bool {
    matches!(
        orientation,
        Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH
    )
}

/// The picture in its file, for the kinds that narrower ones are made of.
fn decoder(octets: &[u8]) -> Option<(ImageFormat, impl ImageDecoder)> {
    let reader = ImageReader::new(Cursor::new(octets)).with_guessed_format().ok()?;
    let format = reader.format()?;
    Some((format, reader.into_decoder().ok()?))
}

fn broken(how: &str) -> Fault {
    Fault {
        rule: "broken-picture",
        message: how.to_owned(),
        help: "save the picture again, as JPEG, PNG, WebP or SVG",
    }
}

fn too_large(width: u64, height: u64) -> Fault {
    Fault {
        rule: "picture-too-large",
        message: format!(
            "has {width} × {height} pixels; the largest that is shown has {} million",
            MOST_PIXELS / 1_000_000
        ),
        help: "make it smaller: no screen shows so many",
    }
}

#[cfg(test)]
mod tests;
