//! Where a piece of a template stands in what the user wrote: its bytes in the text, carried until somebody asks for the span.

use super::ir::Extent;
use crate::source::Span;
use crate::value::Text;
use crate::yaml::scalar_span;

/// A piece of a template's text.
#[derive(Clone, Debug)]
pub struct Place {
    text: Text,
    extent: Extent,
}

impl Place {
    /// The bytes `extent` of `text`.
    pub(super) fn new(text: &Text, extent: Extent) -> Self {
        Self { text: text.clone(), extent }
    }

    /// The place in the file, where the text's origin is known.
    pub fn span(&self) -> Option<Span> {
        let origin = self.text.origin()?;
        let (start, end) = (self.extent.start as usize, self.extent.end as usize);
        if origin.text() == self.text.as_str() {
            return Some(origin.part(start, end));
        }
        Some(scalar_span(origin, self.text.as_str(), start..end))
    }
}
