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
}

impl Layer {
    /// A layer of `vars`.
    pub fn new(level: Precedence, from: impl Into<Arc<str>>, vars: impl Into<Arc<Map>>) -> Arc<Self> {
        Arc::new(Self { level, from: from.into(), vars: vars.into() })
    }

    /// A layer of one variable: a loop's `item`.
    pub fn single(level: Precedence, name: &str, value: Value) -> Arc<Self> {
        Self::new(level, level.describe(), [(Key::from(name), value)].into_iter().collect::<Map>())
    }
}
