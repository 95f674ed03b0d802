//! `TemplateFile`: a template in a file of its own, with what its first line says of how it is read
//! (`#jinja2: trim_blocks: False`).

use std::sync::Arc;

use super::ir::{Expr, ExprKind, Stmt};
use super::lower::Embedded;
use super::syntax::Syntax;
use super::{Engine, ErrorKind, Result, TemplateError};
use crate::source::{Source, Span};
use crate::value::{Text, Value};

/// What is behind a file's header, and how it is read.
pub struct TemplateFile {
    /// The template.
    pub text: Text,
    /// How it is read.
    pub syntax: Arc<Syntax>,
    /// What stands for each line break at the end that rendering lost: the header has no say in it.
    pub line_break: String,
    /// Whether there is nothing to render: the text stays as it is, its line breaks too.
    pub is_plain: bool,
}

/// What a header begins with.
const MARK: &str = "#jinja2:";

impl TemplateFile {
    /// The template in `source`; the header wins over the `options`.
    pub fn read(engine: &Engine, source: &Arc<Source>, options: Syntax) -> Result<Self> {
        let whole = source.text();
        let line_break = options.newline_sequence.clone();
        let mut syntax = options;
        let start = if whole.starts_with(MARK) { header(engine, source, &mut syntax)? } else { 0 };
        let is_plain = start == 0 && !syntax.is_in(whole);
        let text = Text::trusted(&whole[start..], Some(Span::new(source, start, whole.len())));
        Ok(Self { text, syntax: Arc::new(syntax), line_break, is_plain })
    }
}

/// Sets the options of the first line, and says where the template begins behind it.
fn header(engine: &Engine, source: &Arc<Source>, syntax: &mut Syntax) -> Result<usize> {
    let failed = |message: String, start: usize, end: usize| {
        TemplateError::new(ErrorKind::Syntax, format!("Syntax error in template: {message}")).at(Some(Span::new(source, start, end)))
    };
    let rest = &source.text()[MARK.len()..];
    let Some((line, _)) = rest.split_once('\n') else {
        return Err(failed(format!("Missing newline after '{MARK}' override."), 0, source.text().len()));
    };
    let mut start = MARK.len();
    for pair in line.split(',') {
        set(engine, pair, syntax).map_err(|message| failed(message, start, start + pair.len()))?;
        start += pair.len() + 1;
    }
    Ok(MARK.len() + line.len() + 1)
}

/// Sets the option of one `name: value`.
fn set(engine: &Engine, pair: &str, syntax: &mut Syntax) -> Result<(), String> {
    if pair.trim().is_empty() {
        return Err(format!("Empty '{MARK}' override pair not allowed."));
    }
    let Some((name, written)) = pair.split_once(':') else {
        return Err(format!("Missing key-value separator `:` in '{MARK}' override pair '{pair}'."));
    };
    let name = name.trim();
    let Some(option) = option(syntax, name) else { return Err(format!("Invalid '{MARK}' override key '{name}'.")) };
    let value = literal(engine, written)?;
    let wrong = |wanted: &str| Err(format!("TemplateOverrides.{name} must be {wanted} instead of <class '{}'>", value.type_name()));
    match (option, &value) {
        (Setting::Flag(flag), Literal::Value(Value::Bool(on))) => *flag = *on,
        (Setting::Flag(_), _) => return wrong("<class 'bool'>"),
        (Setting::Mark(mark) | Setting::Prefix(mark), Literal::Value(Value::Text(text))) => *mark = text.as_str().to_owned(),
        (Setting::Mark(_), _) => return wrong("<class 'str'>"),
        (Setting::Prefix(prefix), Literal::Value(Value::Null)) => prefix.clear(),
        (Setting::Prefix(_), _) => return wrong("str | None"),
        (Setting::LineBreak(sequence), Literal::Value(Value::Text(text))) if matches!(text.as_str(), "\n" | "\r\n" | "\r") => {
            *sequence = text.as_str().to_owned();
        }
        (Setting::LineBreak(_), _) => {
            return Err(format!(r"TemplateOverrides.{name} must be one of ('\n', '\r\n', '\r') instead of {}", written.trim()));
        }
    }
    Ok(())
}

/// What a header may set.
enum Setting<'s> {
    Flag(&'s mut bool),
    Mark(&'s mut String),
    /// A mark that may be `None`.
    Prefix(&'s mut String),
    LineBreak(&'s mut String),
}

fn option<'s>(syntax: &'s mut Syntax, name: &str) -> Option<Setting<'s>> {
    Some(match name {
        "keep_trailing_newline" => Setting::Flag(&mut syntax.keep_trailing_newline),
        "line_comment_prefix" => Setting::Prefix(&mut syntax.line_comment),
        "line_statement_prefix" => Setting::Prefix(&mut syntax.line_statement),
        "lstrip_blocks" => Setting::Flag(&mut syntax.lstrip_blocks),
        "newline_sequence" => Setting::LineBreak(&mut syntax.newline_sequence),
        "trim_blocks" => Setting::Flag(&mut syntax.trim_blocks),
        _ => return syntax.marks().into_iter().find(|(_, known)| *known == name).map(|(mark, _)| Setting::Mark(mark)),
    })
}

/// What a Python literal stands for.
enum Literal {
    Value(Value),
    /// A value that no option has, by the name of its type.
    Other(&'static str),
}

impl Literal {
    fn type_name(&self) -> &str {
        match self {
            Self::Value(value) => value.type_name(),
            Self::Other(name) => name,
        }
    }
}

/// Reads a literal as an expression of Jinja's, whose constants are Python's but for the words in lower case.
fn literal(engine: &Engine, written: &str) -> Result<Literal, String> {
    let (code, open_quote) = without_comment(written);
    let text = code.trim();
    let broken = |what: &str| format!("{what} (<unknown>, line 1)");
    if text.is_empty() {
        return Err("invalid syntax (<unknown>, line 0)".to_owned());
    }
    if open_quote {
        return Err(broken("unterminated string literal (detected at line 1)"));
    }
    let malformed = || format!("malformed node or string on line 1: {text}");
    if matches!(text, "true" | "false" | "none") {
        return Err(malformed());
    }
    let without_prefix = text.strip_prefix(['r', 'R', 'u', 'U']).filter(|rest| rest.starts_with(['\'', '"']) && !rest.contains('\\'));
    let template = engine.expression(&Text::from(without_prefix.unwrap_or(text)), Embedded::Keep).map_err(|_| {
        let unclosed =
            [("[", ']'), ("(", ')'), ("{", '}')].into_iter().find(|(open, close)| text.starts_with(open) && !text.contains(*close));
        unclosed.map_or_else(|| broken("invalid syntax"), |(open, _)| broken(&format!("'{open}' was never closed")))
    })?;
    let [Stmt::Emit(expr)] = &template.body[..] else { return Err(malformed()) };
    constant(expr).ok_or_else(malformed)
}

fn constant(expr: &Expr) -> Option<Literal> {
    match &expr.kind {
        ExprKind::Constant(value) => Some(Literal::Value(value.clone())),
        ExprKind::Negate(inner) | ExprKind::Positive(inner) => match constant(inner)? {
            number @ Literal::Value(Value::Int(_) | Value::BigInt(_) | Value::Float(_)) => Some(number),
            _ => None,
        },
        ExprKind::List(_) => Some(Literal::Other("list")),
        ExprKind::Tuple(_) => Some(Literal::Other("tuple")),
        ExprKind::Dict(_) => Some(Literal::Other("dict")),
        _ => None,
    }
}

/// The code before a comment, and whether a text in it is not closed.
fn without_comment(written: &str) -> (&str, bool) {
    let mut quote = None;
    let mut chars = written.char_indices();
    while let Some((at, char)) = chars.next() {
        match (char, quote) {
            ('#', None) => return (&written[..at], false),
            ('\\', Some(_)) => drop(chars.next()),
            ('\'' | '"', None) => quote = Some(char),
            (char, Some(open)) if char == open => quote = None,
            _ => {}
        }
    }
    (written, quote.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_header_must_not_say_is_an_error() {
        let check = |header: &str, expected: &str| {
            let source = Source::file(std::path::Path::new("t.j2"), format!("#jinja2:{header}"));
            let error = TemplateFile::read(&Engine::new(), &source, Syntax::default()).err().expect(header);
            assert_eq!(error.message(), format!("Syntax error in template: {expected}"));
        };
        check(" foo: bar\n", "Invalid '#jinja2:' override key 'foo'.");
        check(" trim_blocks\n", "Missing key-value separator `:` in '#jinja2:' override pair ' trim_blocks'.");
        check("trim_blocks:False,\n", "Empty '#jinja2:' override pair not allowed.");
        check(" trim_blocks: 'False'\n", "TemplateOverrides.trim_blocks must be <class 'bool'> instead of <class 'str'>");
        check(" trim_blocks: -1\n", "TemplateOverrides.trim_blocks must be <class 'bool'> instead of <class 'int'>");
        check(" trim_blocks: []\n", "TemplateOverrides.trim_blocks must be <class 'bool'> instead of <class 'list'>");
        check(" trim_blocks: None\n", "TemplateOverrides.trim_blocks must be <class 'bool'> instead of <class 'NoneType'>");
        check(" variable_start_string: 3\n", "TemplateOverrides.variable_start_string must be <class 'str'> instead of <class 'int'>");
        check(" newline_sequence: 'x'\n", r"TemplateOverrides.newline_sequence must be one of ('\n', '\r\n', '\r') instead of 'x'");
        check(" trim_blocks: false\n", "malformed node or string on line 1: false");
        check(" trim_blocks: not True\n", "malformed node or string on line 1: not True");
        check(" trim_blocks: [1\n", "'[' was never closed (<unknown>, line 1)");
        check(" trim_blocks:\n", "invalid syntax (<unknown>, line 0)");
        check(" trim_blocks: True False\n", "invalid syntax (<unknown>, line 1)");
        check(" trim_blocks: 'a\n", "unterminated string literal (detected at line 1) (<unknown>, line 1)");
        check(" trim_blocks: False", "Missing newline after '#jinja2:' override.");
    }
}
