use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::model::{Block, Inline};

fn take_apart(text: &str) -> Finished {
    finished(&SourceText::new("007.txt", text), &Envelope::default())
}
