//! Places as Ansible's callbacks name them: the file from the root, and the line.

use crate::source::Span;

/// `FILE:LINE`
pub(super) fn file_line(span: &Span) -> String {
    format!("{}:{}", span.file(), span.line_column().0)
}
