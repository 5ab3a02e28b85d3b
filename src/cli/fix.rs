//! What `mailmag check --fix` mends by itself: slips whose remedy changes no meaning.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::diagnostic::{Diagnostic, Edit, Place, SourceText};

/// Writes the edits that problems carry into their files and tells how many there were in each. A file that is not
/// UTF-8 any more, or not what was checked, is left as it is.
pub(super) fn fix(directory: &Path, problems: &[Diagnostic]) -> Result<BTreeMap<String, usize>> {
    let mut files: BTreeMap<&str, (&SourceText, Vec<&Edit>)> = BTreeMap::new();
    for problem in problems {
        if let Place::Span(source, _) = &problem.place
            && source.path.starts_with("content/")
        {
            files.entry(&source.path).or_insert((source, Vec::new())).1.extend(&problem.edits);
        }
    }
    let mut mended = BTreeMap::new();
    for (path, (source, edits)) in files {
        let disk = directory.join(path);
        let Ok(octets) = fs::read(&disk) else { continue };
        let mark = if octets.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK } else { b"" };
        if octets[mark.len()..] != *source.text.as_bytes() || edits.is_empty() {
            continue;
        }
        let (text, count) = edited(&source.text, edits);
        replace(&disk, &[mark, text.as_bytes()].concat()).with_context(|| format!("cannot write {path}"))?;
        mended.insert(path.to_owned(), count);
    }
    Ok(mended)
}

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// A text with its edits made, and how many there were; of two that overlap only the first is made.
fn edited(text: &str, mut edits: Vec<&Edit>) -> (String, usize) {
    edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
    let (mut new, mut at, mut count) = (String::with_capacity(text.len()), 0, 0);
    for edit in edits {
        if edit.span.start < at || (count > 0 && edit.span.end == at) {
            continue;
        }
        new += &text[at..edit.span.start];
        new += &edit.text;
        at = edit.span.end;
        count += 1;
    }
    (new + &text[at..], count)
}

/// Puts a file in another's place at once, so that a full disk never costs a manuscript.
fn replace(path: &Path, octets: &[u8]) -> Result<()> {
    let path = path.canonicalize()?;
    let folder = path.parent().context("a file lies in a folder")?;
    let new = folder.join(".mailmag-fix");
    fs::write(&new, octets)
        .and_then(|()| fs::set_permissions(&new, fs::metadata(&path)?.permissions()))
        .and_then(|()| fs::rename(&new, &path))
        .inspect_err(|_| {
            // The first cause is told; what is left over is hidden from the magazine.
            let _ = fs::remove_file(&new);
        })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_made_in_order_and_once() {
        let edit = |start: usize, end: usize, text: &str| Edit { span: start..end, text: text.to_owned() };
        for (edits, expected, count) in [
            (vec![], "①と②", 0),
            (vec![edit(6, 9, "(2)"), edit(0, 3, "(1)")], "(1)と(2)", 2),
            (vec![edit(3, 3, " "), edit(3, 3, " ")], "① と②", 1),
            (vec![edit(0, 6, "x"), edit(3, 6, "y")], "x②", 1),
        ] {
            assert_eq!(edited("①と②", edits.iter().collect()), (expected.to_owned(), count));
        }
    }
}
