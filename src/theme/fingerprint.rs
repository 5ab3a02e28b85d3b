//! What a template sees, in short: the same number for the same values, on every run of the same program.

use std::ptr;

use rayon::prelude::*;

use super::{Map, Value};
use crate::hash::{self, HashMap};

/// A digest of values that templates see.
pub type Fingerprint = u64;

/// Fingerprints of maps that many pages share, made once.
///
/// They are known by where they lie, so that a table must not outlive the values it was made of.
#[derive(Debug, Default)]
pub struct Fingerprints {
    of_maps: HashMap<usize, Fingerprint>,
}

impl Fingerprints {
    /// Remembers maps. Those that are within others are best learned before these.
    pub fn learn(&mut self, values: &[&Value]) {
        let learned = values.par_iter().filter_map(|value| Some((place(value.as_map()?), self.of(value))));
        let learned: Vec<(usize, Fingerprint)> = learned.collect();
        self.of_maps.extend(learned);
    }

    /// A value's fingerprint.
    pub fn of(&self, value: &Value) -> Fingerprint {
        if let Some(map) = value.as_map() {
            if let Some(known) = self.of_maps.get(&place(map)) {
                return *known;
            }
            // A map has no order: its entries are added up.
            let entry = |(key, value): (&tera::value::Key<'_>, &Value)| {
                let value = self.of(value).to_le_bytes();
                match key.as_str() {
                    Some(key) => mixed("entry", &[key.as_bytes(), &value]),
                    None => mixed("entry", &[key.to_string().as_bytes(), &value]),
                }
            };
            return mixed("map", &[&map.iter().map(entry).fold(0, Fingerprint::wrapping_add).to_le_bytes()]);
        }
        if let Some(values) = value.as_array() {
            return self.of_all(values);
        }
        match value.as_str() {
            Some(text) => mixed(if value.is_safe() { "safe" } else { "text" }, &[text.as_bytes()]),
            None => mixed(value.name(), &[value.to_string().as_bytes()]),
        }
    }

    /// The fingerprint of an array of values.
    pub fn of_all<'a>(&self, values: impl IntoIterator<Item = &'a Value>) -> Fingerprint {
        let all: Vec<u8> = values.into_iter().flat_map(|value| self.of(value).to_le_bytes()).collect();
        mixed("array", &[&all])
    }
}

fn place(map: &Map) -> usize {
    ptr::from_ref(map) as usize
}

/// Octets of one kind, each run with its length, so that no two sequences of runs are alike.
pub fn mixed(kind: &str, runs: &[&[u8]]) -> Fingerprint {
    hash::of_runs([kind.as_bytes()].into_iter().chain(runs.iter().copied()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::hash::HashMapExt as _;

    #[test]
    fn different_values_have_different_fingerprints() {
        let values = [
            json!(null),
            json!(true),
            json!(1),
            json!("1"),
            json!(""),
            json!([]),
            json!({}),
            json!(["1"]),
            json!(["1", "2"]),
            json!([["1"], "2"]),
            json!({ "a": "b" }),
            json!({ "a": { "b": "c" } }),
            json!({ "a": "b", "c": "d" }),
            json!({ "a": "d", "c": "b" }),
        ];
        let mut seen = HashMap::new();
        for json in &values {
            let value = Value::from_serializable(json);
            let fingerprint = Fingerprints::default().of(&value);
            assert_eq!(seen.insert(fingerprint, json), None, "{json}");
            let again = Value::from_serializable(json);
            let mut learned = Fingerprints::default();
            let inner = again.as_map().into_iter().flat_map(|map| map.values());
            learned.learn(&inner.collect::<Vec<_>>());
            learned.learn(&[&again]);
            assert_eq!(learned.of(&again), fingerprint, "{json}");
            assert_eq!(learned.of(&value), fingerprint, "{json}");
        }
        let safe = Value::safe_string("1");
        assert_eq!(seen.get(&Fingerprints::default().of(&safe)), None);
    }
}
