//! What the user wrote and where: `Source` (a file's text), `Span` (a byte range in it), `Spanned<T>` (a value that knows
//! where it was written), and `Diagnostic` (what is wrong with it). Knows no YAML and no terminal.

mod diagnostic;
pub mod escape;
mod origin;
mod plugin_name;
mod render;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

pub use diagnostic::{Diagnostic, Diagnostics, Label, Severity};
pub use driftless_modules::spec::did_you_mean;
pub use origin::{beside, origin, render_as_ansible};
pub use plugin_name::short_name;
pub use render::{Style, render};

/// The path from the root, links not followed; the empty path is the current folder.
pub fn absolute(path: &Path) -> PathBuf {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}

/// A text that the user wrote: a file, or an argument of the command line. Shared by all spans into it.
pub struct Source {
    name: String,
    path: Option<PathBuf>,
    text: String,
    hidden: bool,
    line_starts: OnceLock<Vec<u32>>,
}

impl Source {
    /// A source that was read from the file `path`; diagnostics show the path as given.
    pub fn file(path: &Path, text: String) -> Arc<Self> {
        Arc::new(Self::new(path.display().to_string(), Some(path), text, false))
    }

    fn new(name: String, path: Option<&Path>, text: String, hidden: bool) -> Self {
        Self { name, path: path.map(Path::to_path_buf), text, hidden, line_starts: OnceLock::new() }
    }

    /// Reads the file `path`: UTF-8, or UTF-16 with a byte order mark.
    pub fn read(path: &Path) -> std::io::Result<Arc<Self>> {
        let bytes = std::fs::read(path)?;
        Self::decode(path, bytes)
    }

    /// The source `path` whose content is `bytes`.
    pub fn decode(path: &Path, bytes: Vec<u8>) -> std::io::Result<Arc<Self>> {
        Ok(Self::file(path, decoded(bytes)?))
    }

    /// As [`Source::decode`], for what was encrypted: diagnostics name places in it and show no lines.
    pub fn decode_hidden(path: &Path, bytes: Vec<u8>) -> std::io::Result<Arc<Self>> {
        Ok(Arc::new(Self::new(path.display().to_string(), Some(path), decoded(bytes)?, true)))
    }

    /// A source without a file: `<extra vars>`, `<ad-hoc>`.
    pub fn named(name: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self::new(name.into(), None, text.into(), false))
    }

    /// The name that diagnostics show.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file, when there is one.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Whether its lines are not to be shown: they were encrypted.
    pub fn is_hidden(&self) -> bool {
        self.hidden
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Line and column, both counted from 1; columns count characters.
    pub fn line_column(&self, offset: usize) -> (usize, usize) {
        let offset = self.floor_char(offset);
        let starts = self.line_starts();
        let line = starts.partition_point(|start| *start as usize <= offset).max(1);
        let start = starts[line - 1] as usize;
        (line, self.text[start..offset].chars().count() + 1)
    }

    /// The text of a line counted from 1, without its line break; empty beyond the end.
    pub fn line(&self, line: usize) -> &str {
        let starts = self.line_starts();
        let Some(start) = line.checked_sub(1).and_then(|index| starts.get(index)) else { return "" };
        let end = starts.get(line).map_or(self.text.len(), |next| *next as usize);
        self.text[*start as usize..end].trim_end_matches(['\n', '\r'])
    }

    fn line_starts(&self) -> &[u32] {
        self.line_starts.get_or_init(|| {
            let breaks = self.text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
            std::iter::once(0).chain(breaks.map(|(index, _)| saturate(index + 1))).collect()
        })
    }

    fn floor_char(&self, offset: usize) -> usize {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        offset
    }
}

/// UTF-8, or UTF-16 with a byte order mark.
fn decoded(bytes: Vec<u8>) -> std::io::Result<String> {
    let wide = |unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes[2..].chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
        String::from_utf16(&units).ok()
    };
    let text = match bytes.as_slice() {
        [0xff, 0xfe, ..] => wide(u16::from_le_bytes),
        [0xfe, 0xff, ..] => wide(u16::from_be_bytes),
        _ => return String::from_utf8(bytes).map_err(|error| not_text(error.as_bytes(), error.utf8_error().valid_up_to())),
    };
    text.ok_or_else(|| std::io::Error::new(std::io::ErrorKind::InvalidData, "the file is not UTF-8 text"))
}

/// The error of a byte that belongs to no text, with its place.
fn not_text(bytes: &[u8], at: usize) -> std::io::Error {
    let before = String::from_utf8_lossy(&bytes[..at]);
    let (line, column) = (before.matches('\n').count() + 1, before.rsplit('\n').next().map_or(0, |text| text.chars().count()) + 1);
    std::io::Error::new(std::io::ErrorKind::InvalidData, format!("line {line}, column {column} is not UTF-8 text"))
}

impl fmt::Debug for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Source({})", self.name)
    }
}

/// A byte range in a source.
#[derive(Clone)]
pub struct Span {
    source: Arc<Source>,
    start: u32,
    end: u32,
}

impl Span {
    /// The bytes `start..end` of `source`; clamped to its text.
    pub fn new(source: &Arc<Source>, start: usize, end: usize) -> Self {
        let start = source.floor_char(start);
        let end = source.floor_char(end).max(start);
        Self { source: Arc::clone(source), start: saturate(start), end: saturate(end) }
    }

    /// The source that this is a part of.
    pub fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// First byte.
    pub fn start(&self) -> usize {
        self.start as usize
    }

    /// One past the last byte.
    pub fn end(&self) -> usize {
        self.end as usize
    }

    /// What the user wrote there.
    pub fn text(&self) -> &str {
        &self.source.text[self.start as usize..self.end as usize]
    }

    /// Line and column of the first character, counted from 1.
    pub fn line_column(&self) -> (usize, usize) {
        self.source.line_column(self.start())
    }

    /// The file from the root; the name of a source without one.
    pub fn file(&self) -> String {
        let absolute = self.source.path().and_then(|path| std::path::absolute(path).ok());
        absolute.map_or_else(|| self.source.name().to_owned(), |path| path.display().to_string())
    }

    /// A part of this span, in bytes from its start.
    pub fn part(&self, start: usize, end: usize) -> Self {
        let limit = self.end();
        Self::new(&self.source, (self.start() + start).min(limit), (self.start() + end).min(limit))
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// `file:line:column`.
impl fmt::Display for Span {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, column) = self.line_column();
        write!(formatter, "{}:{line}:{column}", self.source.name)
    }
}

impl PartialEq for Span {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.source, &other.source) && (self.start, self.end) == (other.start, other.end)
    }
}

/// A value that knows where it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it was written.
    pub span: Span,
}

impl<T> Spanned<T> {
    /// `value`, written at `span`.
    pub fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }

    /// The same place with another value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Spanned<U> {
        Spanned { value: change(self.value), span: self.span }
    }

    /// An error that points here.
    pub fn error(&self, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(message).at(&self.span)
    }
}

/// Sources over 4 GiB are refused by every reader; offsets beyond saturate rather than wrap.
fn saturate(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let source = Source::named("t", "äb: c\nd: e");
        assert_eq!(source.line_column(5), (1, 5));
        assert_eq!(source.line_column(7), (2, 1));
        assert_eq!(source.line(2), "d: e");
        assert_eq!(source.line(3), "");
    }

    #[test]
    fn spans_are_clamped_to_the_text() {
        let source = Source::named("t", "ä");
        let span = Span::new(&source, 1, 99);
        assert_eq!((span.start(), span.end(), span.text()), (0, 2, "ä"));
    }
}
