//! Places as Ansible's callbacks name them: the file from the root, and the line.

use crate::source::Span;

/// The file, from the root.
pub(super) fn file(span: &Span) -> String {
    let source = span.source();
    let absolute = source.path().and_then(|path| std::path::absolute(path).ok());
    absolute.map_or_else(|| source.name().to_owned(), |path| path.display().to_string())
}

/// `FILE:LINE`
pub(super) fn file_line(span: &Span) -> String {
    format!("{}:{}", file(span), span.line_column().0)
}
