//! Pictures from the disk to the blog: narrower ones beside them, made once.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use sha2::{Digest, Sha256};

use super::support;

const SETTINGS: &str = "[magazine]\nname = \"通信\"\npublisher = \"編集部\"\n[mail]\nfrom = \"news@example.jp\"\n\
    subject = \"Vol.{{ issue.number }}\"\n[blog]\nurl = \"https://blog.example.jp\"\n";

/// A magazine whose only issue shows a picture.
fn magazine(root: &Path) {
    fs::create_dir_all(root.join("content/issues/001")).unwrap();
    fs::write(root.join("mailmag.toml"), SETTINGS).unwrap();
    fs::write(root.join("content/issues/001/index.md"), "+++\ndate = 2010-05-14\n+++\n").unwrap();
    let text = "# 棚\n\n![棚](棚.png)\n\n![もう一度](棚.png)\n";
    fs::write(root.join("content/issues/001/01-a.md"), text).unwrap();
    picture(root, 1);
}

fn picture(root: &Path, seed: u32) {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let picture = RgbImage::from_fn(1000, 10, |_, _| Rgb([next(), next(), next()]));
    DynamicImage::from(picture).save_with_format(file(root), ImageFormat::Png).unwrap();
}

fn file(root: &Path) -> PathBuf {
    root.join("content/issues/001/棚.png")
}

/// The narrower pictures that a build makes, by their names.
fn build(root: &Path, out: &str) -> BTreeMap<String, Vec<u8>> {
    let build = support::build(root, out);
    assert!(build.status.success(), "{build:?}");
    let folder = root.join(out).join("blog/issues/001");
    let page = fs::read_to_string(folder.join("index.html")).unwrap();
    let names = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let narrower: BTreeMap<String, Vec<u8>> = names
        .filter(|name| name.starts_with("棚.") && name != "棚.png")
        .map(|name| (name.clone(), fs::read(folder.join(name)).unwrap()))
        .collect();
    assert_eq!(page.matches(" srcset=").count(), 2, "{page}");
    assert_eq!(page.matches(" width=\"1000\" height=\"10\"").count(), 2, "{page}");
    assert_eq!(page.matches("loading=\"lazy\"").count(), 1, "{page}");
    for name in narrower.keys() {
        assert!(page.contains(name.strip_prefix('棚').unwrap()), "{name}: {page}");
    }
    narrower
}

fn kept(root: &Path) -> Vec<PathBuf> {
    let folder = root.join(".mailmag-cache/pictures");
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn narrower_pictures_are_made_once_and_alike() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    magazine(root);
    let first = build(root, "one");
    let [(name, octets)] = &first.iter().collect::<Vec<_>>()[..] else { panic!("{:?}", first.keys()) };
    assert!(name.starts_with("棚.480.") && name.ends_with(".png"), "{name}");
    assert_eq!(image::load_from_memory(octets).unwrap().width(), 480);
    assert_eq!(fs::read_to_string(root.join(".mailmag-cache/.gitignore")).unwrap(), "*\n");
    let [file] = &kept(root)[..] else { panic!("one picture") };

    // A lost or damaged cache costs time alone.
    fs::write(file, "damaged").unwrap();
    assert_eq!(build(root, "two"), first);
    fs::remove_dir_all(root.join(".mailmag-cache")).unwrap();
    assert_eq!(build(root, "three"), first);

    // What is kept is not made again: something else in its place is what the build takes.
    let rest = "480 png 5\n\nother";
    let digest: String = Sha256::digest(rest).iter().map(|octet| format!("{octet:02x}")).collect();
    fs::write(file, format!("{digest}\n{rest}")).unwrap();
    assert_eq!(build(root, "four").into_values().collect::<Vec<_>>(), [b"other"]);

    // Another picture has other addresses.
    picture(root, 2);
    let changed = build(root, "five");
    assert!(changed.len() == 1 && !changed.contains_key(name.as_str()), "{:?}", changed.keys());
    assert_eq!(kept(root).len(), 2);
}

#[test]
fn without_a_place_for_the_cache_everything_is_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    magazine(root);
    let first = build(root, "one");
    fs::remove_dir_all(root.join(".mailmag-cache")).unwrap();
    fs::write(root.join(".mailmag-cache"), "in the way").unwrap();
    assert_eq!(build(root, "two"), first);
}
