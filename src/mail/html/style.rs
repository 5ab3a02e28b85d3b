//! How the HTML of a mail looks. Many mailers pass over style sheets, so that every element carries its own style.
//!
//! No colour stands behind words and none is given to them: a mailer in the dark turns both. What is grey is grey
//! enough on white and on black.

/// The column of words, in pixels: what is wider is a picture's, and made narrower.
pub(super) const COLUMN: u32 = 608;

pub(super) const PARAGRAPH: &str = "margin:0 0 1em";
pub(super) const HEADING: [&str; 4] = [
    "margin:1.8em 0 .6em;font-size:1.15em;line-height:1.5",
    "margin:1.6em 0 .6em;font-size:1.05em;line-height:1.5",
    "margin:1.4em 0 .4em;font-size:1em;line-height:1.5",
    "margin:1.4em 0 .4em;font-size:.95em;line-height:1.5",
];
pub(super) const LIST: &str = "margin:0 0 1em;padding:0 0 0 1.6em";
pub(super) const LIST_WITHIN: &str = "margin:0;padding:0 0 0 1.6em";
pub(super) const ITEM: &str = "margin:0 0 .25em";
pub(super) const TASK: &str = "margin:0 0 .25em;list-style:none";
pub(super) const QUOTE: &str = "margin:0 0 1em;padding:0 0 0 1em;border-left:3px solid #999999";
pub(super) const CODE_BLOCK: &str = "margin:0 0 1em;padding:.8em 1em;border:1px solid #999999;overflow-x:auto;\
     font-family:Menlo,Consolas,'MS Gothic',monospace;font-size:.85em;line-height:1.5;white-space:pre";
pub(super) const CODE: &str = "font-family:Menlo,Consolas,'MS Gothic',monospace;font-size:.9em";
pub(super) const TABLE_FRAME: &str = "margin:0 0 1em;overflow-x:auto";
pub(super) const TABLE: &str = "border-collapse:collapse;font-size:.95em;line-height:1.5";
pub(super) const CELL: &str = "padding:.3em .7em;border:1px solid #999999;vertical-align:top;text-align:";
pub(super) const DEFINITIONS: &str = "margin:0 0 1em";
pub(super) const TERM: &str = "font-weight:bold";
pub(super) const DETAILS: &str = "margin:0 0 .5em 1.5em";
pub(super) const RULE: &str = "margin:2em auto;width:40%;border:0;border-top:1px solid #999999";
pub(super) const PICTURE: &str = "display:block;max-width:100%;height:auto;border:0";
pub(super) const PICTURE_WITHIN: &str = "max-width:100%;height:auto;border:0;vertical-align:middle";
pub(super) const FIGURE: &str = "margin:0 0 1.2em";
pub(super) const CAPTION: &str = "margin:.4em 0 0;font-size:.85em;line-height:1.5";
pub(super) const NOTE_MARK: &str = "font-size:.75em;line-height:1";
pub(super) const NOTES: &str = "margin:1.5em 0 1em;font-size:.9em";
