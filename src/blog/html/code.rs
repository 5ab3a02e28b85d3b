//! Blocks of code.

use super::{Medium, Writer, push_escaped};

impl Writer<'_> {
    /// Code; on pages each piece has the class of what it is, when the language is known.
    pub(super) fn code(&mut self, language: &str, text: &str) {
        self.has_code = true;
        self.out.push_str("<pre tabindex=\"0\"><code");
        if !language.is_empty() {
            self.out.push_str(" class=\"language-");
            push_escaped(language, &mut self.out);
            self.out.push('"');
        }
        self.out.push('>');
        let pieces = match self.place.medium {
            Medium::Page(highlighter) => highlighter.pieces(language, text),
            Medium::Feed => None,
        };
        match pieces {
            None => push_escaped(text, &mut self.out),
            Some(pieces) => {
                let mut rest = text;
                for piece in pieces.iter() {
                    let (words, after) = rest.split_at(piece.length);
                    rest = after;
                    match piece.class {
                        None => push_escaped(words, &mut self.out),
                        Some(class) => {
                            for part in ["<span class=\"", class.name(), "\">"] {
                                self.out.push_str(part);
                            }
                            push_escaped(words, &mut self.out);
                            self.out.push_str("</span>");
                        }
                    }
                }
            }
        }
        self.out.push_str("</code></pre>\n");
    }
}
