//! Words for values: what settings, addresses and the store call them.

/// The word for a value among `names`; nothing where it has none.
pub(crate) fn name_of<Value: Copy + PartialEq>(
    names: &[(&'static str, Value)],
    value: Value,
) -> &'static str {
    names.iter().find(|(_, known)| *known == value).map_or("", |(name, _)| name)
}

/// What a word says.
pub(crate) fn named<Value: Copy>(names: &[(&'static str, Value)], wanted: &str) -> Option<Value> {
    names.iter().find(|(name, _)| *name == wanted).map(|(_, value)| *value)
}
