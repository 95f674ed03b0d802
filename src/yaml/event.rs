//! The one file that names the parser crate: libyaml's events, with byte offsets into the source, and cures for what the port gets
//! wrong. A panic of the port is an error here; nesting is bounded.

use std::cell::Cell;
use std::io::{BufRead, Read as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use libyaml_safer::{Encoding, EventData, MappingStyle, Parser, ScalarStyle, SequenceStyle};

/// Deeper nesting is refused: nobody writes it, and the scanner is quadratic in it.
pub(super) const MAX_DEPTH: usize = 500;

/// One event and where it is.
pub(super) struct Event {
    pub kind: EventKind,
    pub start: usize,
    pub end: usize,
}

pub(super) enum EventKind {
    DocumentStart,
    DocumentEnd,
    Alias(String),
    Scalar { properties: Properties, value: String, style: Style },
    SequenceStart { properties: Properties, layout: Layout },
    MappingStart { properties: Properties, layout: Layout },
    CollectionEnd,
}

/// What stands before a node.
#[derive(Default)]
pub(super) struct Properties {
    pub anchor: Option<String>,
    pub tag: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Quoted,
    Block,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    Block,
    Flow,
}

/// Why the parser stopped, in libyaml's words.
#[derive(Debug)]
pub(super) struct SyntaxError {
    pub problem: String,
    pub context: Option<&'static str>,
    pub at: usize,
    pub context_at: Option<usize>,
}

/// The events of `text[from..]`.
pub(super) struct Events<'s> {
    parser: Parser<Box<dyn BufRead + 's>>,
    text: &'s str,
    from: usize,
    /// How far the parser has come, for what has no mark.
    reached: usize,
    depth: usize,
}

impl<'s> Events<'s> {
    /// Reads `text` from the byte `from`, which is the begin of a line.
    pub fn new(text: &'s str, from: usize) -> Self {
        let mut parser = Parser::<Box<dyn BufRead + 's>>::new();
        parser.set_encoding(Encoding::Utf8);
        // A block scalar that ends the text without a line break panics; `without_added_break` takes this one back.
        let end: &[u8] = if text.ends_with('\n') { b"" } else { b"\n" };
        parser.set_input(Box::new(text.as_bytes()[from..].chain(end)));
        Self { parser, text, from, reached: from, depth: 0 }
    }

    /// The next event; `None` at the end of the stream.
    pub fn next(&mut self) -> Result<Option<Event>, SyntaxError> {
        loop {
            let parsed = quietly(AssertUnwindSafe(|| self.parser.parse()));
            let Some(parsed) = parsed else { return Err(self.failed("found a tag without a value".to_owned(), None, None, None)) };
            let event = match parsed {
                Ok(event) => event,
                Err(error) => {
                    let context_at = error.context_mark().map(|mark| self.offset(mark.index));
                    let at = error.problem_mark().map(|mark| self.offset(mark.index));
                    return Err(match at {
                        Some(at) => self.failed(error.problem().to_owned(), error.context(), Some(at), context_at),
                        None => self.unreadable(error.problem()),
                    });
                }
            };
            let (start, end) = (self.offset(event.start_mark.index), self.offset(event.end_mark.index));
            self.reached = end;
            let Some(kind) = self.convert(event.data, end) else { continue };
            match kind {
                None => return Ok(None),
                Some(EventKind::SequenceStart { .. } | EventKind::MappingStart { .. }) if self.depth == MAX_DEPTH => {
                    return Err(self.failed(format!("found collections nested deeper than {MAX_DEPTH}"), None, Some(start), None));
                }
                Some(kind) => {
                    match &kind {
                        EventKind::SequenceStart { .. } | EventKind::MappingStart { .. } => self.depth += 1,
                        EventKind::CollectionEnd => self.depth -= 1,
                        EventKind::DocumentStart | EventKind::DocumentEnd | EventKind::Alias(_) | EventKind::Scalar { .. } => {}
                    }
                    return Ok(Some(Event { kind, start, end }));
                }
            }
        }
    }

    /// `None` for events without meaning, `Some(None)` for the end.
    #[allow(clippy::option_option)]
    fn convert(&self, data: EventData, end: usize) -> Option<Option<EventKind>> {
        Some(Some(match data {
            EventData::StreamStart { .. } => return None,
            EventData::StreamEnd => return Some(None),
            EventData::DocumentStart { .. } => EventKind::DocumentStart,
            EventData::DocumentEnd { .. } => EventKind::DocumentEnd,
            EventData::Alias { anchor } => EventKind::Alias(anchor),
            EventData::Scalar { anchor, tag, value, style, .. } => {
                let style = match style {
                    ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Style::Quoted,
                    ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
                    _ => Style::Plain,
                };
                let value = if style == Style::Block { self.without_added_break(value, end) } else { value };
                EventKind::Scalar { properties: Properties { anchor, tag }, value, style }
            }
            EventData::SequenceStart { anchor, tag, style, .. } => {
                let layout = if style == SequenceStyle::Flow { Layout::Flow } else { Layout::Block };
                EventKind::SequenceStart { properties: Properties { anchor, tag }, layout }
            }
            EventData::MappingStart { anchor, tag, style, .. } => {
                let layout = if style == MappingStyle::Flow { Layout::Flow } else { Layout::Block };
                EventKind::MappingStart { properties: Properties { anchor, tag }, layout }
            }
            EventData::SequenceEnd | EventData::MappingEnd => EventKind::CollectionEnd,
        }))
    }

    /// A block scalar that reaches the end of a text without a last line break has none either, unless that last line was blank.
    fn without_added_break(&self, mut value: String, end: usize) -> String {
        if self.text.ends_with('\n') || end < self.text.len() || !value.ends_with('\n') {
            return value;
        }
        let last_line = self.text.rsplit('\n').next().unwrap_or_default();
        let blank = |line: &str| line.chars().all(|character| character == ' ');
        let last_of_value = value.trim_end_matches('\n').rsplit('\n').next().unwrap_or_default();
        let kept = value.ends_with("\n\n") || value == "\n";
        if !blank(last_line) || kept || (!last_of_value.is_empty() && blank(last_of_value)) {
            value.pop();
        }
        value
    }

    fn offset(&self, index: u64) -> usize {
        (self.from + usize::try_from(index).unwrap_or(usize::MAX)).min(self.text.len())
    }

    fn failed(&self, problem: String, context: Option<&'static str>, at: Option<usize>, context_at: Option<usize>) -> SyntaxError {
        SyntaxError { problem, context, at: at.unwrap_or(self.reached), context_at }
    }

    /// The reader's errors have no mark: it stops at the first character that YAML forbids.
    fn unreadable(&self, problem: &str) -> SyntaxError {
        let bad = self.text[self.from..].char_indices().find(|(_, character)| !is_printable(*character));
        let at = bad.map_or(self.reached, |(index, _)| self.from + index);
        let problem = match bad {
            Some((_, character)) => format!("found the control character U+{:04X}", u32::from(character)),
            None => problem.to_owned(),
        };
        self.failed(problem, None, Some(at), None)
    }
}

/// What YAML allows in a text.
fn is_printable(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
        && character != '\u{feff}'
}

/// Runs `work`; `None` if it panicked, of which nothing is printed.
fn quietly<T>(work: impl FnOnce() -> T + std::panic::UnwindSafe) -> Option<T> {
    thread_local!(static QUIET: Cell<bool> = const { Cell::new(false) });
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !QUIET.get() {
                before(info);
            }
        }));
    });
    QUIET.set(true);
    let result = catch_unwind(work);
    QUIET.set(false);
    result.ok()
}
