//! Japanese character sets of mail: what a text is in, how it is read, what can be sent and how.
//!
//! No character is lost in silence. [`decode()`] mends the usual damage of old mail and tells of every repair, and what
//! it cannot read is an error at its place. [`encode()`] writes what [`normalise()`] makes of a text, and what the
//! character set cannot carry is an error at its place, with a [`remedy()`] where one is known.
//!
//! Nothing here knows of files: places are lines, counted from one, and offsets in octets.

mod decode;
mod detect;
mod encode;
mod encoded_words;
mod iso_2022_jp;
mod normalise;
mod octets;
mod remedy;
mod stream;
mod table;

pub use decode::{Decoded, Repair, RepairKind, Undecodable, decode, decode_restoring_escapes};
pub use detect::detect;
pub use encode::{Finding, Sendable, Unsendable, choose, encode, look, unsendable};
pub use encoded_words::{decode_header, encode_header};
pub use normalise::normalise;
pub(crate) use octets::{find_octet, surely_without_controls, utf8};
pub use remedy::{remedy, substitute};
pub use stream::TextStream;

/// A character set that Japanese text comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Charset {
    /// ISO-2022-JP (RFC 1468) with Microsoft's additional characters: what Japanese mail is classically sent in.
    Iso2022Jp,
    /// Shift_JIS as Microsoft has it (code page 932).
    ShiftJis,
    /// EUC-JP, with JIS X 0212.
    EucJp,
    /// UTF-8, and so ASCII.
    Utf8,
    /// UTF-16, low octet first.
    Utf16Le,
    /// UTF-16, high octet first.
    Utf16Be,
}

/// Which two-byte characters may be sent in ISO-2022-JP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// Microsoft's set: JIS X 0208, NEC's row 13 and the IBM characters of rows 89 to 92.
    #[default]
    Ms,
    /// JIS X 0208 alone.
    Strict,
}

impl Charset {
    /// The character set of a label in mail or on a command line, in any case; `None` for others.
    pub fn from_label(label: &str) -> Option<Charset> {
        Some(match label.trim().to_ascii_lowercase().as_str() {
            "iso-2022-jp" | "iso2022jp" | "iso2022-jp" | "iso-2022-jp-1" | "iso-2022-jp-ms"
            | "csiso2022jp" | "cp50220" | "cp50221" | "cp50222" | "windows-50220" | "windows-50221"
            | "jis" | "jis7" => Charset::Iso2022Jp,
            "shift_jis" | "shift-jis" | "shiftjis" | "sjis" | "x-sjis" | "sjis-win" | "ms_kanji"
            | "csshiftjis" | "windows-31j" | "cswindows31j" | "cp932" | "ms932" | "cp943" | "cp943c" => {
                Charset::ShiftJis
            }
            "euc-jp"
            | "eucjp"
            | "x-euc-jp"
            | "euc_jp"
            | "ujis"
            | "cp51932"
            | "eucjp-win"
            | "eucjp-ms"
            | "cseucpkdfmtjapanese" => Charset::EucJp,
            "utf-8" | "utf8" | "unicode-1-1-utf-8" | "us-ascii" | "ascii" => Charset::Utf8,
            "utf-16" | "utf-16le" | "utf16" | "utf16le" => Charset::Utf16Le,
            "utf-16be" | "utf16be" => Charset::Utf16Be,
            _ => return None,
        })
    }

    /// The name in IANA's list, as it stands in mail: `ISO-2022-JP`.
    pub fn name(self) -> &'static str {
        match self {
            Charset::Iso2022Jp => "ISO-2022-JP",
            Charset::ShiftJis => "Shift_JIS",
            Charset::EucJp => "EUC-JP",
            Charset::Utf8 => "UTF-8",
            Charset::Utf16Le => "UTF-16LE",
            Charset::Utf16Be => "UTF-16BE",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_of_old_mail_are_known() {
        let check =
            |label: &str, want: Option<Charset>| assert_eq!(Charset::from_label(label), want, "{label}");
        for label in ["ISO-2022-JP", "iso-2022-jp", " csISO2022JP ", "cp50220", "CP50221", "iso-2022-jp-ms"] {
            check(label, Some(Charset::Iso2022Jp));
        }
        for label in ["Shift_JIS", "shift-jis", "x-sjis", "windows-31j", "Windows-31J", "CP932", "ms932"] {
            check(label, Some(Charset::ShiftJis));
        }
        for label in ["EUC-JP", "x-euc-jp", "cp51932", "eucJP-ms"] {
            check(label, Some(Charset::EucJp));
        }
        for label in ["utf-8", "UTF8", "us-ascii"] {
            check(label, Some(Charset::Utf8));
        }
        for label in ["", "iso-8859-1", "gb2312", "euc-kr", "日本語"] {
            check(label, None);
        }
    }

    #[test]
    fn every_name_is_its_own_label() {
        use Charset::{EucJp, Iso2022Jp, ShiftJis, Utf8, Utf16Be, Utf16Le};
        for charset in [Iso2022Jp, ShiftJis, EucJp, Utf8, Utf16Le, Utf16Be] {
            assert_eq!(Charset::from_label(charset.name()), Some(charset));
        }
    }
}
