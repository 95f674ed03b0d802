//! A map that keeps its order, as Python's `dict`.

use std::fmt;

use foldhash::quality::RandomState;
use indexmap::IndexMap;

use super::{Key, Value};

/// An ordered map; keys are any scalar.
#[derive(Clone, Default, PartialEq)]
pub struct Map {
    entries: IndexMap<Key, Value, RandomState>,
}

impl Map {
    /// An empty map.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty map with room for `count` entries.
    pub fn with_capacity(count: usize) -> Self {
        Self { entries: IndexMap::with_capacity_and_hasher(count, RandomState::default()) }
    }

    /// The value of a text key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.entries.get(key)
    }

    /// The value of any key; `None` also for what cannot be a key.
    pub fn get_key(&self, key: &Value) -> Option<&Value> {
        match key {
            Value::Text(text) => self.get(text.as_str()),
            Value::List(_) | Value::Map(_) => None,
            scalar => self.entries.get(&Key::new(scalar.clone())?),
        }
    }

    /// Whether the text key is there.
    pub fn contains(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// Sets an entry; one that was there keeps its place. Returns the value it had.
    pub fn insert(&mut self, key: impl Into<Key>, value: impl Into<Value>) -> Option<Value> {
        self.entries.insert(key.into(), value.into())
    }

    /// Takes an entry out, the rest keep their order.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        self.entries.shift_remove(key)
    }

    /// Takes an entry of any key out.
    pub fn remove_key(&mut self, key: &Key) -> Option<Value> {
        self.entries.shift_remove(key)
    }

    /// How many entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Entries in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&Key, &Value)> + ExactSizeIterator {
        self.entries.iter()
    }

    /// Entries in order, values to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&Key, &mut Value)> {
        self.entries.iter_mut()
    }

    /// Keys in order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &Key> + ExactSizeIterator {
        self.entries.keys()
    }

    /// Values in order.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &Value> + ExactSizeIterator {
        self.entries.values()
    }
}

impl FromIterator<(Key, Value)> for Map {
    fn from_iter<T: IntoIterator<Item = (Key, Value)>>(entries: T) -> Self {
        Self { entries: entries.into_iter().collect() }
    }
}

impl IntoIterator for Map {
    type Item = (Key, Value);
    type IntoIter = indexmap::map::IntoIter<Key, Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

impl Extend<(Key, Value)> for Map {
    fn extend<T: IntoIterator<Item = (Key, Value)>>(&mut self, entries: T) {
        self.entries.extend(entries);
    }
}

impl fmt::Debug for Map {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_map().entries(self.entries.iter()).finish()
    }
}
