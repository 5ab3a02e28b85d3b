//! How large a drawing in SVG is shown (SVG 2, 7.2 and 7.12).

use roxmltree::{Document, Node, ParsingOptions};

use super::{Fault, broken};

/// Whether a file is a drawing: XML that says so near its head.
pub(super) fn looks_like(octets: &[u8]) -> bool {
    let head = String::from_utf8_lossy(&octets[..octets.len().min(4096)]);
    head.trim_start_matches('\u{FEFF}').trim_start().starts_with('<') && head.contains("<svg")
}

/// Its size in pixels: `width` and `height`, or the side that one of them and the proportions of `viewBox` tell, or
/// `viewBox` itself; none where there is none of these.
pub(super) fn size(octets: &[u8]) -> Result<Option<(u32, u32)>, Fault> {
    let text = std::str::from_utf8(octets).map_err(|_| broken("is not in UTF-8"))?;
    let options = ParsingOptions { allow_dtd: true, nodes_limit: 1_000_000, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options)
        .map_err(|error| broken(&format!("is not well-formed XML: {error}")))?;
    let root = document.root_element();
    let (width, height) = (length(root, "width"), length(root, "height"));
    let view = root.attribute("viewBox").and_then(view_box);
    let (width, height) = match (width, height, view) {
        (Some(width), Some(height), _) => (width, height),
        (Some(width), None, Some((across, down))) => (width, width * down / across),
        (None, Some(height), Some((across, down))) => (height * across / down, height),
        (None, None, Some(view)) => view,
        _ => return Ok(None),
    };
    Ok(pixels(width).zip(pixels(height)))
}

fn pixels(length: f64) -> Option<u32> {
    (length.is_finite() && (0.5..100_000.0).contains(&length)).then(|| length.round() as u32)
}

/// A length in CSS pixels; none for a percentage or a unit that depends on the text around.
fn length(root: Node<'_, '_>, name: &str) -> Option<f64> {
    let value = root.attribute(name)?.trim();
    let unit_at = value.find(|c: char| !c.is_ascii_digit() && !"+-.".contains(c)).unwrap_or(value.len());
    let (number, unit) = value.split_at(unit_at);
    let scale = match unit.trim() {
        "" | "px" => 1.0,
        "in" => 96.0,
        "cm" => 96.0 / 2.54,
        "mm" => 96.0 / 25.4,
        "pt" => 96.0 / 72.0,
        "pc" => 16.0,
        _ => return None,
    };
    number.parse::<f64>().ok().map(|number| number * scale).filter(|length| *length > 0.0)
}

fn view_box(value: &str) -> Option<(f64, f64)> {
    let numbers: Vec<f64> = value
        .split(|c: char| c == ',' || c.is_whitespace())
        .filter(|part| !part.is_empty())
        .map(|part| part.parse().ok())
        .collect::<Option<_>>()?;
    match numbers[..] {
        [_, _, width, height] if width > 0.0 && height > 0.0 => Some((width, height)),
        _ => None,
    }
}
