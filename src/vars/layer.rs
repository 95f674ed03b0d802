//! `Layer`: variables that were written in one place, immutable and shared.

use std::sync::Arc;

use super::Precedence;
use crate::value::{Key, Map, Value};

/// Variables of one origin.
#[derive(Clone, Debug)]
pub struct Layer {
    /// How strong they are.
    pub level: Precedence,
    /// Where they were written, for people: a file, `vars of play "web"`.
    pub from: Arc<str>,
    /// The variables, not rendered.
    pub vars: Arc<Map>,
    /// The marks of their names.
    marks: u64,
}

impl Layer {
    /// A layer of `vars`.
    pub fn new(level: Precedence, from: impl Into<Arc<str>>, vars: impl Into<Arc<Map>>) -> Arc<Self> {
        let vars = vars.into();
        let marks = vars.keys().filter_map(Key::as_str).fold(0, |marks, name| marks | mark_of(name));
        Arc::new(Self { level, from: from.into(), vars, marks })
    }

    /// A layer of one variable: a loop's `item`.
    pub fn single(level: Precedence, name: &str, value: Value) -> Arc<Self> {
        Self::new(level, level.describe(), [(Key::from(name), value)].into_iter().collect::<Map>())
    }

    /// A variable of the layer, whose name has this mark. Most layers are small and do not have what is looked for: they are passed
    /// without a look into the map.
    pub(super) fn get(&self, name: &str, mark: u64) -> Option<&Value> {
        if self.marks & mark == 0 { None } else { self.vars.get(name) }
    }
}

/// One bit of 64, the same for a name each time. Two names may share it.
pub(super) fn mark_of(name: &str) -> u64 {
    let bytes = name.as_bytes();
    // Names differ in their ends and lengths: `ansible_` begins them all.
    let last = bytes.iter().rev().take(8).fold(bytes.len() as u64, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    1 << (last.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_finds_all_that_it_has() {
        let names: Vec<String> = (0..300).map(|number| format!("{}name{number}", "x".repeat(number % 7))).collect();
        let vars: Map = names.iter().map(|name| (Key::from(name.as_str()), Value::text(name.clone()))).collect();
        let layer = Layer::new(Precedence::PlayVars, "test", vars);
        for name in &names {
            assert_eq!(layer.get(name, mark_of(name)).and_then(Value::as_str), Some(name.as_str()));
            let other = format!("{name}_");
            assert_eq!(layer.get(&other, mark_of(&other)), None);
        }
        let marks = names.iter().fold(0u64, |marks, name| marks | mark_of(name));
        assert!(marks.count_ones() > 48, "names are spread: {marks:b}");
    }
}
