//! Draws a diagnostic as people know it from Ansible: `[ERROR]: …`, `Origin: file:line:column`, the lines up to it, and a caret.

use std::fmt::Write as _;

use super::{Diagnostic, Severity, Span};

/// Columns that a line of an excerpt takes.
const WIDTH: usize = 120;

/// The text of `diagnostic`; where it shows lines of the user's, an empty line follows them.
pub fn render_as_ansible(diagnostic: &Diagnostic) -> String {
    let head = match diagnostic.severity {
        Severity::Error => "[ERROR]",
        Severity::Warning => "[WARNING]",
    };
    format!("{head}: {}{}", diagnostic.message, beside(diagnostic))
}

/// What stands below the message of `diagnostic`: its places, notes and hint.
pub fn beside(diagnostic: &Diagnostic) -> String {
    let mut out = String::from("\n");
    for (index, label) in diagnostic.labels.iter().enumerate() {
        let between = if index == 0 { "" } else { "\n" };
        let said = if label.text.is_empty() { String::new() } else { format!(": {}", label.text) };
        // Writing to a text cannot fail.
        let _ = writeln!(out, "{between}{}{said}", origin(&label.span).trim_end());
    }
    for note in &diagnostic.notes {
        let _ = writeln!(out, "note: {note}");
    }
    if let Some(hint) = &diagnostic.hint {
        let _ = writeln!(out, "hint: {hint}");
    }
    if diagnostic.labels.is_empty() { out.trim_end().to_owned() } else { out }
}

/// The place, and the lines up to it.
pub fn origin(span: &Span) -> String {
    let source = span.source();
    let (line, column) = span.line_column();
    if source.path().is_none() {
        let text = shortened(source.text());
        let caret = if span.start() > 0 && text == source.text() {
            format!("{}^ column {column}\n", " ".repeat(column - 1))
        } else {
            String::new()
        };
        return format!("Origin: {}\n\n{text}\n{caret}", source.name());
    }
    let mut out = format!("Origin: {}:{line}:{column}\n\n", span.file());
    if source.is_hidden() {
        return out + "(source not shown: content encrypted)\n";
    }
    let width = line.to_string().len();
    for number in line.saturating_sub(2).max(1)..=line {
        let _ = writeln!(out, "{}", cut(format!("{number:>width$} {}", source.line(number)).trim_end()));
    }
    let _ = writeln!(out, "{}^ column {column}", " ".repeat(width + column));
    out
}

/// A line of a file, cut where it is too wide.
fn cut(line: &str) -> String {
    if line.chars().count() <= WIDTH {
        return line.to_owned();
    }
    line.chars().take(WIDTH - 3).chain("...".chars()).collect()
}

/// A text that stands in no file, in one line: words that find no room are left out.
fn shortened(text: &str) -> String {
    const LEFT_OUT: &str = " [...]";
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= WIDTH {
        return line;
    }
    let room: String = line.chars().take(WIDTH - LEFT_OUT.len() + 1).collect();
    let kept = room.rfind(' ').map_or("", |end| &room[..end]);
    format!("{kept}{LEFT_OUT}").trim_start().to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::Source;
    use super::*;

    #[test]
    fn a_place_is_shown_with_the_lines_before_it() {
        let source = Source::file(std::path::Path::new("/site.yml"), "- hosts: all\n  tsks: []\n".to_owned());
        let diagnostic =
            Diagnostic::error("'tsks' is not a valid attribute for a Play").at(&Span::new(&source, 15, 19)).hint("mean `tasks`?");
        assert_eq!(
            render_as_ansible(&diagnostic),
            "[ERROR]: 'tsks' is not a valid attribute for a Play\nOrigin: /site.yml:2:3\n\n1 - hosts: all\n2   tsks: []\n    ^ column 3\nhint: mean `tasks`?\n"
        );
        assert_eq!(render_as_ansible(&Diagnostic::error("no such file")), "[ERROR]: no such file");
    }
}
