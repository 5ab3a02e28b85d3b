//! Words for values: what settings, addresses and the store call them.

/// The word for a value among `names`; nothing where it has none.
pub(crate) fn name_of<Value: Copy + PartialEq>(
    names: &[(&'static str, Value)],
    value: Value,
) -> &'static str {
    names.iter().find(|(_, known)| *known == value).map_or("", |(name, _)| name)
}

/// The words that there are, for whoever wrote another: `"a" or "b"`.
pub(crate) fn choices<Value>(names: &[(&'static str, Value)]) -> String {
    let quoted: Vec<String> = names.iter().map(|(name, _)| format!("\"{name}\"")).collect();
    quoted.join(" or ")
}

/// What a word says.
pub(crate) fn named<Value: Copy>(names: &[(&'static str, Value)], wanted: &str) -> Option<Value> {
    names.iter().find(|(name, _)| *name == wanted).map(|(_, value)| *value)
}
