//! From text to tree: the only file beside `lower` that names minijinja. It is handed text that cannot overflow its stack, and
//! its errors are said in Jinja's words.

use minijinja::machinery::{self, Token, ast};
use minijinja::syntax::SyntaxConfig;

use super::ir::{Extent, Template};
use super::line::rewrite_lines;
use super::lower::{Embedded, Lower};
use super::rewrite::{StandIns, rewrite, rewrite_expression};
use super::{Engine, ErrorKind, Extensions, Place, TemplateError};
use crate::value::Text;

/// How a text is read as a template.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Syntax {
    /// `{%` and `%}`
    pub block: (String, String),
    /// `{{` and `}}`
    pub variable: (String, String),
    /// `{#` and `#}`
    pub comment: (String, String),
    /// What begins a line that is a statement; empty where none is.
    pub line_statement: String,
    /// What begins a comment that takes the rest of its line; empty where nothing does.
    pub line_comment: String,
    /// The first line break after a block is dropped.
    pub trim_blocks: bool,
    /// Blanks before a block at the start of a line are dropped.
    pub lstrip_blocks: bool,
    /// The last line break of the text is kept.
    pub keep_trailing_newline: bool,
    /// What a line break of the template's own text becomes.
    pub newline_sequence: String,
    /// What a backslash in a constant within `{{ }}` is.
    pub backslashes: Backslashes,
    /// Which tags beyond Jinja's own are known.
    pub extensions: Extensions,
}

impl Syntax {
    /// Whether a file is a template at all: as in Ansible, one without any mark stays as it is, line breaks and all.
    pub fn is_in(&self, text: &str) -> bool {
        [&self.block.0, &self.variable.0, &self.comment.0].into_iter().any(|mark| text.contains(mark.as_str()))
    }

    /// The marks, each with the option of `template` that names it.
    pub fn marks(&mut self) -> [(&mut String, &'static str); 6] {
        [
            (&mut self.block.0, "block_start_string"),
            (&mut self.block.1, "block_end_string"),
            (&mut self.variable.0, "variable_start_string"),
            (&mut self.variable.1, "variable_end_string"),
            (&mut self.comment.0, "comment_start_string"),
            (&mut self.comment.1, "comment_end_string"),
        ]
    }
}

/// What a backslash in a constant within `{{ }}` is; elsewhere it always escapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Backslashes {
    /// A backslash: in YAML strings, whose own quotes have had their say already.
    Literal,
    /// The start of an escape: in template files and bare expressions.
    Escape,
}

impl Default for Syntax {
    fn default() -> Self {
        let pair = |open: &str, close: &str| (open.to_owned(), close.to_owned());
        Self {
            block: pair("{%", "%}"),
            variable: pair("{{", "}}"),
            comment: pair("{#", "#}"),
            line_statement: String::new(),
            line_comment: String::new(),
            trim_blocks: false,
            lstrip_blocks: false,
            keep_trailing_newline: false,
            newline_sequence: "\n".to_owned(),
            backslashes: Backslashes::Literal,
            extensions: Extensions::default(),
        }
    }
}

/// Why a text could not be read, and where in it.
pub struct SyntaxError {
    pub message: String,
    pub extent: Extent,
}

/// More operators in a row, or `elif`s, or nested parentheses than this, and the parser's stack would be at risk.
const MAX_NESTING: usize = 300;
/// Texts shorter than this cannot hold so many.
const SHORT: usize = MAX_NESTING;
/// Tokens of one expression or tag.
const MAX_TOKENS: usize = 50_000;

/// A template from its text.
pub fn parse(engine: &Engine, text: &str, syntax: &Syntax) -> Result<Template, SyntaxError> {
    let config = config(syntax)?;
    let lines = lines(text, syntax, &config)?;
    let text = lines.as_deref().unwrap_or(text);
    if text.len() > SHORT {
        bounded(text, false, &config)?;
    }
    let text = without_open_end(text, syntax, &config);
    match parse_with(engine, text, &StandIns::default(), syntax, &config) {
        Err(error) => match rewrite(text, &config, syntax.extensions) {
            // What is refused still is refused for what was written.
            Some(made) => parse_with(engine, &made.text, &made.stand_ins, syntax, &config).map_err(|other| {
                // The parser knows no `print` and says no more.
                if error.message == "Encountered unknown tag 'print'." { SyntaxError { extent: error.extent, ..other } } else { error }
            }),
            None => Err(error),
        },
        parsed => parsed,
    }
}

/// The text without a comment or `raw` that begins at its very end: Jinja finds nothing in it that is not closed.
fn without_open_end<'t>(text: &'t str, syntax: &Syntax, config: &SyntaxConfig) -> &'t str {
    let end = match text.strip_suffix(syntax.comment.0.as_str()) {
        Some(before) => Some(before.len()),
        None => text.strip_suffix(syntax.block.1.as_str()).and_then(|inside| {
            let start = inside.rfind(syntax.block.0.as_str())?;
            let sign = |char: char| matches!(char, '-' | '+');
            let name = inside[start + syntax.block.0.len()..].trim_start_matches(sign).trim_end_matches(sign).trim();
            (name == "raw").then_some(start)
        }),
    };
    let Some(end) = end else { return text };
    // What is open there may be within something else that the text does close.
    let before = &text[..end];
    let is_outside = machinery::tokenize(before, false, config.clone()).all(|token| token.is_ok());
    if is_outside && machinery::tokenize(text, false, config.clone()).any(|token| token.is_err()) { before } else { text }
}

fn parse_with(engine: &Engine, text: &str, stand_ins: &StandIns, syntax: &Syntax, config: &SyntaxConfig) -> Result<Template, SyntaxError> {
    let parsed = machinery::parse(text, "<template>", config.clone());
    let ast = parsed.map_err(|error| explain(text, &error, Some(config)))?;
    let ast::Stmt::Template(template) = &ast else {
        return Err(SyntaxError { message: "this is no template".to_owned(), extent: Extent::default() });
    };
    Lower::new(engine, text, syntax).with_stand_ins(stand_ins).template(&template.children)
}

/// A template whose only output is the expression in `text`.
pub fn parse_expression(engine: &Engine, text: &str, embedded: Embedded) -> Result<Template, SyntaxError> {
    if text.len() > SHORT {
        bounded(text, true, &SyntaxConfig::default())?;
    }
    let syntax = Syntax { backslashes: Backslashes::Escape, ..Syntax::default() };
    let error = match machinery::parse_expr(text) {
        Ok(ast) => return Lower::new(engine, text, &syntax).expression_template(&ast, embedded),
        Err(error) => explain(text, &error, None),
    };
    let Some(made) = rewrite_expression(text) else { return Err(error) };
    let Ok(ast) = machinery::parse_expr(&made.text) else { return Err(error) };
    Lower::new(engine, &made.text, &syntax).with_stand_ins(&made.stand_ins).expression_template(&ast, embedded)
}

impl SyntaxError {
    /// As Ansible says it of a template, or of an expression.
    pub fn into_template_error(self, what: &str, text: &Text) -> TemplateError {
        let place = Place::new(text, self.extent);
        let error = TemplateError::new(ErrorKind::Syntax, format!("Syntax error in {what}: {}", self.message)).at(place.span());
        match text.as_str().get(self.extent.start as usize..) {
            Some(rest) if rest.starts_with('=') => error.with_hint("`=` gives a name, `==` compares"),
            _ => error,
        }
    }
}

/// The text with blocks for the lines that are statements, where there may be such.
fn lines(text: &str, syntax: &Syntax, config: &SyntaxConfig) -> Result<Option<String>, SyntaxError> {
    if syntax.line_statement.is_empty() && syntax.line_comment.is_empty() {
        return Ok(None);
    }
    let mut builder = config.to_builder();
    builder.line_statement_prefix(syntax.line_statement.clone()).line_comment_prefix(syntax.line_comment.clone());
    let config = builder.build().map_err(|_| SyntaxError { message: SAME_MARKS.to_owned(), extent: Extent::default() })?;
    rewrite_lines(text, syntax, &config).map(Some).map_err(|error| explain(text, &error, Some(&config)))
}

/// What is said of marks of which one cannot be told from another.
const SAME_MARKS: &str = "Block, variable and comment start strings must be different.";

fn config(syntax: &Syntax) -> Result<SyntaxConfig, SyntaxError> {
    let pair = |(open, close): &(String, String)| (open.clone(), close.clone());
    let (block, variable, comment) = (pair(&syntax.block), pair(&syntax.variable), pair(&syntax.comment));
    SyntaxConfig::builder()
        .block_delimiters(block.0, block.1)
        .variable_delimiters(variable.0, variable.1)
        .comment_delimiters(comment.0, comment.1)
        .trim_blocks(syntax.trim_blocks)
        .lstrip_blocks(syntax.lstrip_blocks)
        .keep_trailing_newline(syntax.keep_trailing_newline)
        .build()
        .map_err(|_| {
            let is_empty = [&syntax.block, &syntax.variable, &syntax.comment].iter().any(|pair| pair.0.is_empty() || pair.1.is_empty());
            let message = if is_empty { "a mark of blocks, variables or comments is empty" } else { SAME_MARKS };
            SyntaxError { message: message.to_owned(), extent: Extent::default() }
        })
}

/// Refuses what would overflow the parser's stack: it recurses per prefix operator, parenthesis, `elif` and inline `else`.
fn bounded(text: &str, in_expression: bool, config: &SyntaxConfig) -> Result<(), SyntaxError> {
    let (mut prefixes, mut elses, mut elifs, mut open, mut tokens) = (0_usize, 0_usize, 0_usize, 0_usize, 0_usize);
    for token in machinery::tokenize(text, in_expression, config.clone()) {
        // A wrong token is the parser's to report.
        let Ok((token, span)) = token else { return Ok(()) };
        tokens += 1;
        match token {
            Token::Minus | Token::Ident("not") => prefixes += 1,
            Token::ParenOpen | Token::BracketOpen | Token::BraceOpen => {
                prefixes += 1;
                open += 1;
            }
            Token::ParenClose | Token::BracketClose | Token::BraceClose => {
                open = open.saturating_sub(1);
                prefixes = 0;
            }
            Token::Ident("else") => elses += 1,
            Token::Ident("elif") => elifs += 1,
            Token::Ident("endif") => elifs = 0,
            Token::BlockStart | Token::VariableStart | Token::BlockEnd | Token::VariableEnd => {
                (prefixes, elses, open, tokens) = (0, 0, 0, 0);
            }
            _ => prefixes = 0,
        }
        if [prefixes, elses, elifs, open].iter().any(|count| *count > MAX_NESTING) || tokens > MAX_TOKENS {
            let extent = Extent { start: span.start_offset, end: span.end_offset };
            return Err(SyntaxError { message: "the template is nested too deeply or too long".to_owned(), extent });
        }
    }
    Ok(())
}

fn explain(text: &str, error: &minijinja::Error, config: Option<&SyntaxConfig>) -> SyntaxError {
    let mut start = error.range().map_or(0, |range| range.start).min(text.len());
    let mut end = error.range().map_or(0, |range| range.end).min(text.len()).max(start);
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let detail = error.detail().unwrap_or("the syntax is wrong");
    let offset = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
    let extent = Extent { start: offset(start), end: offset(end) };
    if let Some(message) = unbalanced(text, start, end, config) {
        return SyntaxError { message, extent };
    }
    let at_end = detail.starts_with("unexpected end of input");
    if at_end && let Some(open) = config.and_then(|config| innermost_open(text, config)) {
        return SyntaxError { extent: open.extent, message: open.message() };
    }
    let message = match (detail, config) {
        ("unexpected end of string", _) => {
            let at = unfinished(text, config);
            let shown = if text[at..].starts_with('"') { "'\"'" } else { "\"'\"" };
            return SyntaxError {
                message: format!("unexpected char {shown} at {at}"),
                extent: Extent { start: offset(at), end: offset(text.len()) },
            };
        }
        ("unexpected character", _) => match text[start..].chars().next() {
            // A token of Jinja's that nothing takes.
            Some(';') => "expected token 'end of print statement', got ';'".to_owned(),
            Some(found) => format!("unexpected char '{found}' at {}", text[..start].chars().count()),
            None => jinja_words(detail, ""),
        },
        ("unexpected end of comment", _) => "Missing end of comment tag".to_owned(),
        ("unexpected end of raw block", _) => "Missing end of raw directive".to_owned(),
        ("unexpected end of input, expected end of variable block", Some(_)) => {
            "unexpected end of template, expected 'end of print statement'.".to_owned()
        }
        _ => {
            let message = jinja_words(detail, &text[start..end]);
            let wants_expression = config.is_some() && wants_expression(&text[..start]);
            match message.strip_prefix("unexpected ") {
                Some(found) if wants_expression => format!("Expected an expression, got {found}"),
                _ => message,
            }
        }
    };
    SyntaxError { message, extent }
}

/// Jinja's reader itself refuses a bracket that closes nothing, or something else than was opened.
fn unbalanced(text: &str, start: usize, end: usize, config: Option<&SyntaxConfig>) -> Option<String> {
    let found = &text[start..end];
    if !found.ends_with([')', ']', '}']) {
        return None;
    }
    let mut open: Vec<&str> = Vec::new();
    let tokens = machinery::tokenize(text, config.is_none(), config.cloned().unwrap_or_default()).map_while(Result::ok);
    for (token, _) in tokens.take_while(|(_, span)| (span.start_offset as usize) < start) {
        match token {
            Token::ParenOpen => open.push(")"),
            Token::BracketOpen => open.push("]"),
            Token::BraceOpen => open.push("}"),
            Token::ParenClose | Token::BracketClose | Token::BraceClose => drop(open.pop()),
            Token::VariableStart | Token::BlockStart => open.clear(),
            _ => {}
        }
    }
    match (found, open.last()) {
        (")" | "]" | "}", None) => Some(format!("unexpected '{found}'")),
        (")" | "]" | "}", Some(wanted)) => (found != *wanted).then(|| format!("unexpected '{found}', expected '{wanted}'")),
        // The first half of the delimiter closes the map.
        (_, Some(&"}")) => Some("unexpected '}'".to_owned()),
        (_, Some(wanted)) => Some(format!("unexpected '}}', expected '{wanted}'")),
        (_, None) => None,
    }
}

/// Whether a whole expression was to begin here: Jinja words that differently from a missing operand.
fn wants_expression(before: &str) -> bool {
    let before = before.trim_end();
    let tag = before.rfind("{%").map_or("", |at| before[at + 2..].trim_start_matches(['-', '+']).trim());
    before.ends_with("{{") || matches!(tag, "if" | "elif") || tag.starts_with("for ") && tag.ends_with(" in")
}

/// Where the token begins that the text ends in.
fn unfinished(text: &str, config: Option<&SyntaxConfig>) -> usize {
    let tokens = machinery::tokenize(text, config.is_none(), config.cloned().unwrap_or_default());
    let end = tokens.map_while(Result::ok).last().map_or(0, |(_, span)| span.end_offset as usize).min(text.len());
    let rest = text.get(end..).unwrap_or("");
    end + (rest.len() - rest.trim_start().len())
}

/// A tag that was not closed.
struct OpenTag {
    name: String,
    has_else: bool,
    extent: Extent,
}

impl OpenTag {
    fn message(&self) -> String {
        let wanted = match (&*self.name, self.has_else) {
            ("for", false) => "'endfor' or 'else'".to_owned(),
            ("if", false) => "'elif' or 'else' or 'endif'".to_owned(),
            (name, _) => format!("'end{name}'"),
        };
        let name = &self.name;
        format!(
            "Unexpected end of template. Jinja was looking for the following tags: {wanted}. The innermost block that needs to be closed is '{name}'."
        )
    }
}

fn innermost_open(text: &str, config: &SyntaxConfig) -> Option<OpenTag> {
    let mut open: Vec<OpenTag> = Vec::new();
    let mut tokens = machinery::tokenize(text, false, config.clone()).map_while(Result::ok).peekable();
    while let Some((token, _)) = tokens.next() {
        if !matches!(token, Token::BlockStart) {
            continue;
        }
        let Some((Token::Ident(name), span)) = tokens.next() else { continue };
        match name {
            "for" | "if" | "macro" | "call" | "filter" | "block" | "with" | "autoescape" | "set" => {
                let mut assigns = false;
                let mut closed = false;
                for (token, _) in tokens.by_ref() {
                    assigns |= matches!(token, Token::Assign);
                    if matches!(token, Token::BlockEnd) {
                        closed = true;
                        break;
                    }
                }
                if closed && (name != "set" || !assigns) {
                    let extent = Extent { start: span.start_offset, end: span.end_offset };
                    open.push(OpenTag { name: name.to_owned(), has_else: false, extent });
                }
            }
            "else" => {
                if let Some(tag) = open.last_mut() {
                    tag.has_else = true;
                }
            }
            name if name.starts_with("end") && open.last().is_some_and(|tag| tag.name == name[3..]) => {
                open.pop();
            }
            _ => {}
        }
    }
    open.pop()
}

/// The parser's message as Jinja would have said it.
fn jinja_words(detail: &str, found: &str) -> String {
    let token = |name: &str| -> String {
        match name {
            "end of variable block" => "end of print statement".to_owned(),
            "start of variable block" => "begin of print statement".to_owned(),
            "end of block" => "end of statement block".to_owned(),
            "start of block" => "begin of statement block".to_owned(),
            "end of input" => "end of template".to_owned(),
            "identifier" if !found.is_empty() => found.to_owned(),
            "identifier" => "name".to_owned(),
            other => other.trim_matches('`').to_owned(),
        }
    };
    if detail == "unexpected input after expression" {
        return "chunk after expression".to_owned();
    }
    if let Some(tag) = detail.strip_prefix("unknown statement ") {
        return format!("Encountered unknown tag '{tag}'.");
    }
    let Some(rest) = detail.strip_prefix("unexpected ") else { return detail.to_owned() };
    match rest.split_once(", expected ") {
        Some((got, "expression")) => format!("unexpected '{}'", token(got)),
        Some((_, "identifier or integer")) => "expected name or number".to_owned(),
        Some((got, wanted)) => {
            let wanted = if wanted == "identifier" { "name".to_owned() } else { token(wanted) };
            format!("expected token '{wanted}', got '{}'", token(got))
        }
        None => format!("unexpected '{}'", token(rest)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> String {
        parse(&Engine::new(), text, &Syntax::default()).err().map(|error| error.message).unwrap_or_default()
    }

    #[test]
    fn errors_are_said_in_jinja_s_words() {
        assert_eq!(message("{{ 1 1 }}"), "expected token 'end of print statement', got 'integer'");
        assert_eq!(message("{{ a b }}"), "expected token 'end of print statement', got 'b'");
        assert_eq!(message("{{ 1 +  }}"), "unexpected 'end of print statement'");
        assert_eq!(message("{{ a ; b }}"), "expected token 'end of print statement', got ';'");
        assert_eq!(message("{{ a $ b }}"), "unexpected char '$' at 5");
        assert_eq!(message("{{ a } }}"), "unexpected '}'");
        assert_eq!(message("{{ (a ] }}"), "unexpected ']', expected ')'");
        assert_eq!(message("{{ [1, 2 }}"), "unexpected '}', expected ']'");
        assert_eq!(message("{{ {'a': 1 }}"), "unexpected '}'");
        assert_eq!(message("{{ (a b) }}"), "expected token ')', got 'b'");
        assert_eq!(message("{% foo %}"), "Encountered unknown tag 'foo'.");
        assert_eq!(message("{% do x() %}"), "Encountered unknown tag 'do'.");
        assert_eq!(message("{{ 'abc"), "unexpected char \"'\" at 3");
        assert_eq!(message("{% if %}"), "Expected an expression, got 'end of statement block'");
        assert_eq!(
            message("{% for x in l %}{% if x %}{% endif %}"),
            "Unexpected end of template. Jinja was looking for the following tags: 'endfor' or 'else'. The innermost block that needs to be closed is 'for'."
        );
    }

    #[test]
    fn nesting_bombs_are_errors() {
        let bombs = [
            format!("{{{{ {}1 }}}}", "-".repeat(100_000)),
            format!("{{{{ {}1 }}}}", "not ".repeat(100_000)),
            format!("{{{{ {}1{} }}}}", "(".repeat(100_000), ")".repeat(100_000)),
            format!("{{{{ {}1 }}}}", "1 if 2 else ".repeat(100_000)),
            format!("{{% if a %}}{}{{% endif %}}", "{% elif b %}".repeat(100_000)),
            format!("{{% set {}a{} = 1 %}}", "(".repeat(100_000), ")".repeat(100_000)),
            format!("{{{{ 1{} }}}}", " + 1".repeat(1_000_000)),
            "{% if a %}".repeat(100_000),
            format!("{{{{ a{} }}}}", "[".repeat(100_000)),
        ];
        for bomb in bombs {
            assert_ne!(message(&bomb), "");
        }
    }

    #[test]
    fn long_chains_are_fine() {
        assert_eq!(message(&format!("{{{{ 1{} }}}}", " + 1".repeat(5_000))), "");
        assert_eq!(message(&format!("{{{{ 1{} }}}}", " | string".repeat(5_000))), "");
    }
}
