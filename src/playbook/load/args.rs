//! Arguments written as one text: `src=a dest="{{ b }}"`, and free text with options in it: `ls creates=/x`.

use std::sync::Arc;

use crate::playbook::TaskArgs;
use crate::source::{Diagnostic, Span, Spanned};
use crate::template::Templar;
use crate::value::{Text, Value};
use crate::yaml::scalar_span;

/// Modules whose text is a command; of them only these options are taken out of the text.
const COMMANDS: &[&str] = &["command", "raw", "script", "shell"];
const COMMAND_OPTIONS: &[&str] = &["chdir", "creates", "executable", "removes", "stdin", "stdin_add_newline", "strip_empty_ends", "warn"];

/// Modules that take a text that is no option.
const FREE_FORM: &[&str] = &[
    "add_host",
    "command",
    "group_by",
    "import_role",
    "import_tasks",
    "include_role",
    "include_tasks",
    "include_vars",
    "meta",
    "raw",
    "script",
    "set_fact",
    "shell",
];

/// The arguments that a text means for the module `short`.
pub(super) fn parse(short: &str, text: &Text, span: &Span) -> Result<TaskArgs, Diagnostic> {
    let is_command = COMMANDS.contains(&short);
    let pieces = split_args(text.as_str()).map_err(|message| Diagnostic::error(message).at(span))?;
    let mut args = TaskArgs::default();
    let mut free: Vec<&Piece> = Vec::new();
    for piece in &pieces {
        match key_value(&text.as_str()[piece.start..piece.end]) {
            Some((key, written)) if !is_command || COMMAND_OPTIONS.contains(&key) => {
                let name = place(text, span, piece.start, piece.start + key.len());
                let (value, at) = value(text, span, written, piece.end);
                args.options.push((Spanned::new(Arc::from(key), name), Spanned::new(value, at)));
            }
            _ => free.push(piece),
        }
    }
    if free.is_empty() {
        return Ok(args);
    }
    let kept = if free.len() == pieces.len() { text.as_str().trim_start().to_owned() } else { join(text.as_str(), &free) };
    let kept_text = match retag(text, kept) {
        Value::Text(text) => text,
        _ => text.clone(),
    };
    if !FREE_FORM.contains(&short) && Templar::is_template(&Value::Text(kept_text.clone())) {
        args.variables.push(Spanned::new(kept_text, span.clone()));
    } else {
        args.free_form = Some(Spanned::new(kept_text, span.clone()));
    }
    Ok(args)
}

/// An option's value out of `written`, which ends at byte `end` of the text, and where it stands.
fn value(text: &Text, span: &Span, written: &str, end: usize) -> (Value, Span) {
    let start = end - written.trim_start().len();
    let end = start + written.trim().len();
    let decoded = decode_escapes(written.trim());
    let value = unquote(&decoded);
    let quote = usize::from(value.len() < decoded.len());
    let inside = &text.as_str()[start + quote..end - quote];
    let at = place(text, span, start, end);
    // Only what stands there as it is can be underlined piece by piece.
    let origin = if inside == value { place(text, span, start + quote, end - quote) } else { at.clone() };
    let value = if text.is_trusted() { Text::trusted(value, Some(origin)) } else { Text::new(value) };
    (Value::Text(value), at)
}

/// Where bytes of the text stand in the file.
fn place(text: &Text, span: &Span, start: usize, end: usize) -> Span {
    match text.origin() {
        Some(origin) if origin.text() == text.as_str() => origin.part(start, end),
        Some(origin) => scalar_span(origin, text.as_str(), start..end),
        None => span.clone(),
    }
}

/// Whether the module takes a text that is no option.
pub fn is_free_form(short: &str) -> bool {
    FREE_FORM.contains(&short)
}

/// The first word, where a template is one, and what follows.
pub(super) fn first_word(text: &str) -> (&str, &str) {
    match split_args(text).ok().and_then(|pieces| pieces.first().copied()) {
        Some(piece) => (&text[piece.start..piece.end], text[piece.end..].trim_start()),
        None => text.split_once(char::is_whitespace).unwrap_or((text, "")),
    }
}

/// A piece of a text, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// Splits at blanks that are in no quotes and in no template mark.
///
/// # Errors
/// If quotes or template marks are not closed.
pub fn split_args(text: &str) -> Result<Vec<Piece>, String> {
    let bytes = text.as_bytes();
    let mut pieces = Vec::new();
    let mut start = None;
    let mut quote = None;
    let mut closers: Vec<&[u8]> = Vec::new();
    let mut index = 0;
    while index < bytes.len() {
        let rest = &bytes[index..];
        let mut width = 1;
        if let Some(closer) = closers.last().copied() {
            if rest.starts_with(closer) {
                closers.pop();
                width = 2;
            }
        } else if let Some(closer) = opened(rest) {
            closers.push(closer);
            width = 2;
            start.get_or_insert(index);
        } else if let Some(mark) = quote {
            if rest[0] == b'\\' && rest.len() > 1 {
                width = 2;
            } else if rest[0] == mark {
                quote = None;
            }
        } else if rest[0].is_ascii_whitespace() {
            if let Some(start) = start.take() {
                pieces.push(Piece { start, end: index });
            }
        } else {
            if matches!(rest[0], b'"' | b'\'') {
                quote = Some(rest[0]);
            } else if rest[0] == b'\\' && rest.len() > 1 {
                width = 2;
            }
            start.get_or_insert(index);
        }
        index += width;
    }
    if quote.is_some() || !closers.is_empty() {
        return Err("failed at splitting arguments, either an unbalanced jinja2 block or quotes".to_owned());
    }
    if let Some(start) = start {
        pieces.push(Piece { start, end: bytes.len() });
    }
    Ok(pieces)
}

fn opened(rest: &[u8]) -> Option<&'static [u8]> {
    match rest {
        [b'{', b'{', ..] => Some(b"}}"),
        [b'{', b'%', ..] => Some(b"%}"),
        [b'{', b'#', ..] => Some(b"#}"),
        _ => None,
    }
}

/// Key and value around the first `=` that is neither escaped nor part of a template; a key is a plain word or holds templates.
fn key_value(piece: &str) -> Option<(&str, &str)> {
    let bytes = piece.as_bytes();
    let mut closers: Vec<&[u8]> = Vec::new();
    let mut index = 0;
    let at = loop {
        let rest = bytes.get(index..).filter(|rest| !rest.is_empty())?;
        if closers.last().is_some_and(|closer| rest.starts_with(closer)) {
            closers.pop();
            index += 2;
        } else if let Some(closer) = opened(rest) {
            closers.push(closer);
            index += 2;
        } else if closers.is_empty() && rest[0] == b'=' && !piece[..index].ends_with('\\') {
            break index;
        } else {
            index += 1;
        }
    };
    let key = &piece[..at];
    let is_plain = !key.contains(['"', '\'', '{']);
    (!key.is_empty() && (is_plain || key.contains("{{"))).then_some((key, &piece[at + 1..]))
}

fn unquote(value: &str) -> String {
    let mut chars = value.chars();
    match (chars.next(), chars.next_back()) {
        (Some(first @ ('"' | '\'')), Some(last)) if first == last && !value.ends_with(&format!("\\{last}")) => chars.as_str().to_owned(),
        _ => value.to_owned(),
    }
}

/// Python's escapes, as `key=value` texts know them.
fn decode_escapes(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let (decoded, used) = escape(&rest[at..]);
        match decoded {
            Some(char) => out.push(char),
            None => out.push_str(&rest[at..at + used]),
        }
        rest = &rest[at + used..];
    }
    out.push_str(rest);
    out
}

/// The character of the escape at the start of `text`, and how many bytes it takes.
fn escape(text: &str) -> (Option<char>, usize) {
    let Some(kind) = text[1..].chars().next() else { return (None, 1) };
    let hex = |digits: usize| {
        let code = text.get(2..2 + digits).and_then(|code| u32::from_str_radix(code, 16).ok()).and_then(char::from_u32);
        (code, if code.is_some() { 2 + digits } else { 2 })
    };
    let simple = |char| (Some(char), 2);
    match kind {
        'n' => simple('\n'),
        't' => simple('\t'),
        'r' => simple('\r'),
        'a' => simple('\x07'),
        'b' => simple('\x08'),
        'f' => simple('\x0c'),
        'v' => simple('\x0b'),
        '\\' => simple('\\'),
        '\'' => simple('\''),
        '"' => simple('"'),
        'x' => hex(2),
        'u' => hex(4),
        'U' => hex(8),
        '0'..='7' => {
            let digits = text[1..].bytes().take(3).take_while(|byte| (b'0'..=b'7').contains(byte)).count();
            (u32::from_str_radix(&text[1..=digits], 8).ok().and_then(char::from_u32), 1 + digits)
        }
        other => (None, 1 + other.len_utf8()),
    }
}

/// The pieces that were kept, with the blanks that stood before each.
fn join(text: &str, kept: &[&Piece]) -> String {
    let mut out = String::new();
    for piece in kept {
        if !out.is_empty() {
            let gap_start = text[..piece.start].trim_end().len();
            let gap = &text[gap_start..piece.start];
            out.push_str(if gap.contains('\n') { "\n" } else { " " });
        }
        out.push_str(&text[piece.start..piece.end]);
    }
    out
}

/// A part of a text is as trusted as the whole.
fn retag(whole: &Text, part: String) -> Value {
    Value::Text(if whole.is_trusted() { Text::trusted(part, whole.origin().cloned()) } else { Text::new(part) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;

    fn check(short: &str, text: &str, options: &[(&str, &str)], free: Option<&str>) {
        let source = Source::named("t", text);
        let span = Span::new(&source, 0, text.len());
        let args = parse(short, &Text::trusted(text, None), &span).unwrap();
        let found: Vec<_> = args.options.iter().map(|(key, value)| (&*key.value, value.value.as_str().unwrap())).collect();
        assert_eq!(found, options);
        assert_eq!(args.free_form.as_ref().map(|text| text.value.as_str()), free);
    }

    #[test]
    fn options_are_split_at_blanks_outside_of_quotes_and_marks() {
        check("copy", "src=a  dest='b c'", &[("src", "a"), ("dest", "b c")], None);
        check("copy", "src={{ a b }} content=\"x=\\n\"", &[("src", "{{ a b }}"), ("content", "x=\n")], None);
        check("set_fact", "{{ a ~ '=' }}b=1 c=2", &[("{{ a ~ '=' }}b", "1"), ("c", "2")], None);
        check("include_tasks", "{{ 'a' if b == 1 else 'c' }}", &[], Some("{{ 'a' if b == 1 else 'c' }}"));
        check("ping", "data=1 more", &[("data", "1")], Some("more"));
        check("file", "path=/a mode=0644", &[("path", "/a"), ("mode", "0644")], None);
    }

    #[test]
    fn commands_keep_their_text() {
        check("shell", "FOO=1  ls | grep 'a=b'", &[], Some("FOO=1  ls | grep 'a=b'"));
        check("command", "ls -l creates=/x chdir=/y", &[("creates", "/x"), ("chdir", "/y")], Some("ls -l"));
    }

    #[test]
    fn open_quotes_are_an_error() {
        assert!(split_args("a 'b").is_err());
        assert!(split_args("{{ a").is_err());
    }
}
