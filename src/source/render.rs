//! Draws a diagnostic as text: message, `file:line:column`, the line itself, carets, hint. Colours are the caller's, by role.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr;

use super::{Diagnostic, Label, Severity};

/// What a piece of a drawn diagnostic is, for whoever colours it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// `error:`
    Error,
    /// `warning:`
    Warning,
    /// The gutter with line numbers, `-->` and bars.
    Frame,
    /// Carets and what stands behind them.
    Caret,
    /// `hint:` and `note:`
    Hint,
    /// All else.
    Plain,
}

/// The text of `diagnostic`, ending in a newline; `paint` wraps each piece (identity for plain text).
pub fn render(diagnostic: &Diagnostic, paint: &dyn Fn(Style, &str) -> String) -> String {
    let mut out = String::new();
    let head = match diagnostic.severity {
        Severity::Error => paint(Style::Error, "error:"),
        Severity::Warning => paint(Style::Warning, "warning:"),
    };
    let _ = writeln!(out, "{head} {}", diagnostic.message);
    for (index, label) in diagnostic.labels.iter().enumerate() {
        draw_label(&mut out, label, index == 0, paint);
    }
    for note in &diagnostic.notes {
        let _ = writeln!(out, "{} {note}", paint(Style::Hint, "note:"));
    }
    if let Some(hint) = &diagnostic.hint {
        let _ = writeln!(out, "{} {hint}", paint(Style::Hint, "hint:"));
    }
    out
}

/// Tabs are drawn as one blank, so that carets stand below what they mean.
fn draw_label(out: &mut String, label: &Label, primary: bool, paint: &dyn Fn(Style, &str) -> String) {
    let (line, column) = label.span.line_column();
    let text = label.span.source().line(line).replace('\t', " ");
    let gutter = line.to_string().len();
    let pad = " ".repeat(gutter);
    let arrow = if primary { "-->" } else { ":::" };
    let _ = writeln!(out, "{}{} {}", pad, paint(Style::Frame, arrow), label.span);
    if label.span.source().is_hidden() {
        let said = if label.text.is_empty() { String::new() } else { format!("{}: ", label.text) };
        let _ = writeln!(out, "{pad} {} {said}(source not shown: content encrypted)", paint(Style::Frame, "|"));
        return;
    }
    let _ = writeln!(out, "{pad} {}", paint(Style::Frame, "|"));
    let _ = writeln!(out, "{} {} {text}", paint(Style::Frame, &line.to_string()), paint(Style::Frame, "|"));
    let before: String = text.chars().take(column - 1).collect();
    let marked: String = text.chars().skip(column - 1).take(label.span.text().lines().next().unwrap_or("").chars().count()).collect();
    let carets = "^".repeat(marked.trim_end().width().max(1));
    let said = if label.text.is_empty() { carets } else { format!("{carets} {}", label.text) };
    let _ = writeln!(out, "{pad} {} {}{}", paint(Style::Frame, "|"), " ".repeat(before.width()), paint(Style::Caret, &said));
}

#[cfg(test)]
mod tests {
    use super::super::{Source, Span};
    use super::*;

    #[test]
    fn carets_stand_below_what_they_mean() {
        let source = Source::named("site.yml", "- hosts: all\n  tsks: []\n");
        let diagnostic = Diagnostic::error("`tsks` is not a keyword of a play")
            .label(&Span::new(&source, 15, 19), "unknown")
            .hint("did you mean `tasks`?");
        assert_eq!(
            render(&diagnostic, &|_, text| text.to_owned()),
            "error: `tsks` is not a keyword of a play\n --> site.yml:2:3\n  |\n2 |   tsks: []\n  |   ^^^^ unknown\nhint: did you mean `tasks`?\n"
        );
    }
}
