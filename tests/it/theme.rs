//! The built-in style, as far as figures can judge it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The relative luminance of `#rrggbb` (WCAG 2.2).
fn luminance(color: &str) -> f64 {
    let part = |from: usize| {
        let value = f64::from(u8::from_str_radix(&color[from..from + 2], 16).unwrap()) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)
}

#[test]
fn code_can_be_read_in_light_and_dark() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("theme/style.css");
    let style = fs::read_to_string(path).unwrap();
    let mut palettes: Vec<BTreeMap<&str, &str>> = Vec::new();
    for rule in style.split('}').filter(|rule| rule.contains("--code-paper:")) {
        let declarations = rule.split(['{', ';']).filter_map(|declaration| declaration.split_once(": "));
        let colors = declarations.map(|(name, value)| (name.trim(), value.trim()));
        palettes.push(colors.filter(|(name, _)| name.starts_with("--code-")).collect());
    }
    assert_eq!(palettes.len(), 2, "one for light, one for dark");
    for palette in palettes {
        let paper = luminance(palette["--code-paper"]);
        assert!(palette.len() > 8, "{palette:?}");
        for (name, color) in palette.iter().filter(|(name, _)| **name != "--code-paper") {
            let ink = luminance(color);
            let contrast = (paper.max(ink) + 0.05) / (paper.min(ink) + 0.05);
            assert!(contrast >= 4.5, "{name} has a contrast of {contrast:.2}");
        }
    }
}
