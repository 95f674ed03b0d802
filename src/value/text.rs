//! A text and what is known of it: whether the user wrote it (only then may it be a template), whether it is secret, whether it
//! is or was in a vault, where it was written. Passing a text on whole keeps this; making a new text of its characters drops trust
//! and keeps secrecy.

use std::fmt;
use std::sync::Arc;

use crate::source::Span;

/// An immutable text.
#[derive(Clone)]
pub struct Text {
    chars: Arc<str>,
    tags: Option<Arc<Tags>>,
}

#[derive(Clone, Default)]
struct Tags {
    trusted: bool,
    secret: bool,
    markup: bool,
    vault: Vaulted,
    origin: Option<Span>,
}

/// How a text stands to a vault.
#[derive(Clone, Default)]
enum Vaulted {
    #[default]
    Never,
    /// The characters are the envelope; whoever uses the text opens it first.
    Sealed,
    /// The characters came out of this envelope.
    Opened(Arc<str>),
}

impl Text {
    /// A text that nobody vouches for: never a template.
    pub fn new(chars: impl Into<Arc<str>>) -> Self {
        Self { chars: chars.into(), tags: None }
    }

    /// A text that the user wrote at `origin`. For loaders of playbooks, variables and inventories alone (invariant 6).
    pub fn trusted(chars: impl Into<Arc<str>>, origin: Option<Span>) -> Self {
        Self { chars: chars.into(), tags: Some(Arc::new(Tags { trusted: true, origin, ..Tags::default() })) }
    }

    /// A text that has a place but is no template: what `!unsafe` marks.
    pub fn untrusted_at(chars: impl Into<Arc<str>>, origin: Span) -> Self {
        Self { chars: chars.into(), tags: Some(Arc::new(Tags { origin: Some(origin), ..Tags::default() })) }
    }

    /// A vault's envelope, `!vault` in YAML: what is in it is asked for on use, and is no template.
    pub fn sealed(envelope: impl Into<Arc<str>>, origin: Option<Span>) -> Self {
        Self { chars: envelope.into(), tags: Some(Arc::new(Tags { vault: Vaulted::Sealed, origin, ..Tags::default() })) }
    }

    /// What was in this envelope.
    #[must_use]
    pub fn opened(&self, plain: impl Into<Arc<str>>) -> Self {
        let vault = Vaulted::Opened(Arc::clone(&self.chars));
        let tags = self.tags.as_ref().map_or_else(Tags::default, |tags| (**tags).clone());
        Self { chars: plain.into(), tags: Some(Arc::new(Tags { vault, ..tags })) }
    }

    /// The same text, never to be shown.
    #[must_use]
    pub fn into_secret(self) -> Self {
        let tags = self.tags.map_or_else(Tags::default, |tags| (*tags).clone());
        Self { chars: self.chars, tags: Some(Arc::new(Tags { secret: true, ..tags })) }
    }

    /// The same text as HTML that needs no escape: what `escape` and `safe` give within a render.
    #[must_use]
    pub fn into_markup(self) -> Self {
        let tags = self.tags.map_or_else(Tags::default, |tags| (*tags).clone());
        Self { chars: self.chars, tags: Some(Arc::new(Tags { markup: true, ..tags })) }
    }

    /// The same text, of which nothing is said about HTML.
    #[must_use]
    pub fn without_markup(self) -> Self {
        match self.tags {
            Some(tags) if tags.markup => Self { chars: self.chars, tags: Some(Arc::new(Tags { markup: false, ..(*tags).clone() })) },
            tags => Self { chars: self.chars, tags },
        }
    }

    /// The same text, no longer a template.
    #[must_use]
    pub fn into_untrusted(self) -> Self {
        match self.tags {
            Some(tags) if tags.trusted => Self { chars: self.chars, tags: Some(Arc::new(Tags { trusted: false, ..(*tags).clone() })) },
            tags => Self { chars: self.chars, tags },
        }
    }

    /// The characters.
    pub fn as_str(&self) -> &str {
        &self.chars
    }

    /// The characters, shared.
    pub fn chars(&self) -> &Arc<str> {
        &self.chars
    }

    /// Whether the user wrote it, so that it may be a template.
    pub fn is_trusted(&self) -> bool {
        self.tags.as_ref().is_some_and(|tags| tags.trusted)
    }

    /// Whether it is never shown.
    pub fn is_secret(&self) -> bool {
        self.tags.as_ref().is_some_and(|tags| tags.secret)
    }

    /// Whether it is HTML that needs no escape.
    pub fn is_markup(&self) -> bool {
        self.tags.as_ref().is_some_and(|tags| tags.markup)
    }

    /// Whether the characters are a vault's envelope that is still to be opened.
    pub fn is_sealed(&self) -> bool {
        self.tags.as_ref().is_some_and(|tags| matches!(tags.vault, Vaulted::Sealed))
    }

    /// The vault's envelope, of a text that is sealed or came out of one.
    pub fn envelope(&self) -> Option<&Arc<str>> {
        match &self.tags.as_ref()?.vault {
            Vaulted::Never => None,
            Vaulted::Sealed => Some(&self.chars),
            Vaulted::Opened(envelope) => Some(envelope),
        }
    }

    /// Where it was written.
    pub fn origin(&self) -> Option<&Span> {
        self.tags.as_ref()?.origin.as_ref()
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_secret() || self.envelope().is_some() { formatter.write_str("***") } else { fmt::Debug::fmt(&*self.chars, formatter) }
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.chars == other.chars
    }
}

impl From<&str> for Text {
    fn from(chars: &str) -> Self {
        Self::new(chars)
    }
}

impl From<String> for Text {
    fn from(chars: String) -> Self {
        Self::new(chars)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_opened_text_remembers_its_envelope_and_hides_itself() {
        let sealed = Text::sealed("$ANSIBLE_VAULT;1.1;AES256\n61", None);
        let opened = sealed.opened("hunter2");
        assert!(sealed.is_sealed() && !opened.is_sealed() && !opened.is_trusted() && !opened.is_secret());
        assert_eq!(opened.envelope(), Some(sealed.chars()));
        assert_eq!(format!("{sealed:?} {opened:?}"), "*** ***");
    }
}
