//! Fixed-width Japanese text.
