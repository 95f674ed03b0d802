//! Arguments written as one text: `src=a dest="{{ b }}"`, and free text with options in it: `ls creates=/x`.

use std::ops::Range;
use std::sync::Arc;

use crate::playbook::TaskArgs;
use crate::source::{Diagnostic, Span, Spanned};
use crate::template::Templar;
use crate::value::{Text, Value};
use crate::vars::{key_values, split_words};
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
    let known = COMMANDS.contains(&short).then_some(COMMAND_OPTIONS);
    let found = key_values(text.as_str(), known).map_err(|error| Diagnostic::error(error.to_string()).at(span))?;
    let mut args = TaskArgs::default();
    for option in found.options {
        let name = place(text, span, option.key_at);
        let (value, at) = value(text, span, option.value, option.value_at);
        args.options.push((Spanned::new(Arc::from(option.key), name), Spanned::new(value, at)));
    }
    let Some(raw) = found.raw else { return Ok(args) };
    let raw = if args.options.is_empty() { text.as_str().trim_start().to_owned() } else { raw };
    // A part of a text is as trusted as the whole.
    let raw = if text.is_trusted() { Text::trusted(raw, text.origin().cloned()) } else { Text::new(raw) };
    if !FREE_FORM.contains(&short) && Templar::is_template(&Value::Text(raw.clone())) {
        args.variables.push(Spanned::new(raw, span.clone()));
    } else {
        args.free_form = Some(Spanned::new(raw, span.clone()));
    }
    Ok(args)
}

/// An option's value, which is written at `range` of the text, and where it stands.
fn value(text: &Text, span: &Span, value: String, range: Range<usize>) -> (Value, Span) {
    let written = &text.as_str()[range.clone()];
    let at = place(text, span, range.clone());
    let quote = usize::from(value.len() < written.len());
    let inside = range.start + quote..range.end - quote;
    // Only what stands there as it is can be underlined piece by piece.
    let origin = if text.as_str().get(inside.clone()) == Some(value.as_str()) { place(text, span, inside) } else { at.clone() };
    let value = if text.is_trusted() { Text::trusted(value, Some(origin)) } else { Text::new(value) };
    (Value::Text(value), at)
}

/// Where bytes of the text stand in the file.
fn place(text: &Text, span: &Span, range: Range<usize>) -> Span {
    match text.origin() {
        Some(origin) if origin.text() == text.as_str() => origin.part(range.start, range.end),
        Some(origin) => scalar_span(origin, text.as_str(), range),
        None => span.clone(),
    }
}

/// Whether the module takes a text that is no option.
pub fn is_free_form(short: &str) -> bool {
    FREE_FORM.contains(&short)
}

/// The first word, where a template is one, and what follows.
pub(super) fn first_word(text: &str) -> (&str, &str) {
    match split_words(text).ok().and_then(|words| words.first().cloned()) {
        Some(word) => (&text[word.clone()], text[word.end..].trim_start()),
        None => text.split_once(char::is_whitespace).unwrap_or((text, "")),
    }
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
        check("set_fact", "{{ a }}b=1 c=2", &[("{{ a }}b", "1"), ("c", "2")], None);
        check("include_tasks", "{{ 'a' if b == 1 else 'c' }}", &[("{{ 'a' if b", "= 1 else 'c' }}")], None);
        check("include_tasks", "{{ 'a' if b is true else 'c' }}", &[], Some("{{ 'a' if b is true else 'c' }}"));
        check("ping", "data=1 more", &[("data", "1")], Some("more"));
        check("file", "path=/a mode=0644", &[("path", "/a"), ("mode", "0644")], None);
    }

    #[test]
    fn commands_keep_their_text() {
        check("shell", "FOO=1  ls | grep 'a=b'", &[], Some("FOO=1  ls | grep 'a=b'"));
        check("command", "ls -l creates=/x chdir=/y", &[("creates", "/x"), ("chdir", "/y")], Some("ls -l"));
    }
}
