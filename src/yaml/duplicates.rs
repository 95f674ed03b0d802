//! What a key is that a mapping has twice: the setting `duplicate_dict_key`.

use crate::source::{Diagnostics, Severity};

/// What the warning begins with.
pub(super) const FOUND: &str = "found duplicate mapping key";

/// What is made of such keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DuplicateKeys {
    /// A mistake.
    Error,
    /// Nothing.
    Ignored,
    /// A warning; the last one counts.
    #[default]
    Warned,
}

impl DuplicateKeys {
    /// From the setting's text.
    pub fn of_setting(text: &str) -> Self {
        match text {
            "error" => Self::Error,
            "ignore" => Self::Ignored,
            _ => Self::Warned,
        }
    }

    /// What was found in a file, with duplicate keys as they are to be.
    #[must_use]
    pub fn judge(self, found: Diagnostics) -> Diagnostics {
        let mut judged = Diagnostics::new();
        for mut diagnostic in found.into_sorted() {
            match self {
                Self::Error if diagnostic.message.starts_with(FOUND) => diagnostic.severity = Severity::Error,
                Self::Ignored if diagnostic.message.starts_with(FOUND) => continue,
                Self::Error | Self::Ignored | Self::Warned => {}
            }
            judged.push(diagnostic);
        }
        judged
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;

    #[test]
    fn a_key_that_is_there_twice_is_what_the_setting_says() {
        for (setting, wanted) in [("warn", Some(Severity::Warning)), ("error", Some(Severity::Error)), ("ignore", None)] {
            let mut found = Diagnostics::new();
            super::super::load(&Source::named("t", "a: 1\na: 2\n"), &mut found);
            let judged = DuplicateKeys::of_setting(setting).judge(found);
            assert_eq!(judged.iter().map(|diagnostic| diagnostic.severity).next(), wanted);
        }
    }
}
