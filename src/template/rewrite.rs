//! What Jinja reads and minijinja's parser does not, rewritten to what it does: tuples without parentheses in `for` and `{{ }}`,
//! unary plus, `do` with any expression, `print`, blocks within macros, colons behind tags. Only texts that were refused come here; the places of
//! errors in them may be a few columns off.

use minijinja::machinery::{self, Span, Token};
use minijinja::syntax::SyntaxConfig;

use super::Extensions;

/// A text as the parser reads it.
pub struct Rewritten {
    /// The text.
    pub text: String,
    /// What stands in it for what else.
    pub stand_ins: StandIns,
}

/// What stands in a rewritten text for what the parser does not know.
#[derive(Default)]
pub struct StandIns {
    /// Where a minus stands for a plus.
    pub pluses: Vec<u32>,
    /// Where the call of a `do` stands for what `print` shows.
    pub prints: Vec<u32>,
}

/// A bare expression as the parser reads it; `None` where there is nothing to rewrite.
pub fn rewrite_expression(text: &str) -> Option<Rewritten> {
    let tokens: Vec<(Token<'_>, Span)> = machinery::tokenize(text, true, SyntaxConfig::default()).collect::<Result<_, _>>().ok()?;
    let mut edits = Vec::new();
    unary_plus(&tokens, &mut edits);
    apply(text, edits)
}

/// `text` as the parser reads it; `None` where there is nothing to rewrite.
pub fn rewrite(text: &str, config: &SyntaxConfig, extensions: Extensions) -> Option<Rewritten> {
    let tokens: Vec<(Token<'_>, Span)> = machinery::tokenize(text, false, config.clone()).collect::<Result<_, _>>().ok()?;
    let mut edits = Vec::new();
    let mut macros = 0_usize;
    let mut blocks_in_macros = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let is_tag = matches!(tokens[at].0, Token::BlockStart);
        if !is_tag && !matches!(tokens[at].0, Token::VariableStart) {
            at += 1;
            continue;
        }
        let inside = &tokens[at + 1..];
        let end = inside.iter().position(|(token, _)| matches!(token, Token::BlockEnd | Token::VariableEnd))?;
        let inside = &inside[..end];
        let is_print = is_tag && matches!(inside.first(), Some((Token::Ident("print"), _)));
        unary_plus(&inside[usize::from(is_print)..], &mut edits);
        match inside.first().map(|(token, span)| (token, span)) {
            Some((Token::Ident("for"), _)) if is_tag => for_tuple(inside, &mut edits),
            Some((Token::Ident("do"), span)) if is_tag && extensions.do_tag => edits.push(Edit::replace(span, "set _ = ")),
            Some((Token::Ident("print"), span)) if is_tag => match inside.last()? {
                // Jinja misses an operand behind a comma at the end.
                (Token::Comma, comma) => edits.extend([Edit::replace(span, "if"), Edit::replace(comma, " and")]),
                (_, last) => edits.extend([Edit::replace(span, PRINT), Edit::insert(last.end_offset, ")")]),
            },
            Some((Token::Ident("macro" | "call"), _)) if is_tag => macros += 1,
            Some((Token::Ident("endmacro" | "endcall"), _)) if is_tag => macros = macros.saturating_sub(1),
            Some((Token::Ident("block"), first)) if is_tag && macros > 0 => {
                blocks_in_macros.push(macros);
                edits.push(Edit { start: first.start_offset, end: inside.last()?.1.end_offset, text: "if true" });
            }
            Some((Token::Ident("endblock"), first)) if is_tag && blocks_in_macros.pop_if(|depth| *depth == macros).is_some() => {
                edits.push(Edit { start: first.start_offset, end: inside.last()?.1.end_offset, text: "endif" });
            }
            Some((_, first)) if !is_tag && top_level_comma(inside) => {
                edits.push(Edit::insert(first.start_offset, "("));
                edits.push(Edit::insert(inside.last()?.1.end_offset, ")"));
            }
            _ => {}
        }
        if let Some((Token::Colon, colon)) = inside.last().filter(|_| is_tag && takes_colon(inside)) {
            edits.push(Edit::replace(colon, ""));
        }
        at += end + 2;
    }
    apply(text, edits)
}

/// Bytes that are replaced.
struct Edit {
    start: u32,
    end: u32,
    text: &'static str,
}

impl Edit {
    fn insert(at: u32, text: &'static str) -> Self {
        Self { start: at, end: at, text }
    }

    fn replace(span: &Span, text: &'static str) -> Self {
        Self { start: span.start_offset, end: span.end_offset, text }
    }
}

fn apply(text: &str, mut edits: Vec<Edit>) -> Option<Rewritten> {
    if edits.is_empty() {
        return None;
    }
    edits.sort_by_key(|edit| edit.start);
    let mut out = String::with_capacity(text.len() + edits.len());
    let mut stand_ins = StandIns::default();
    let mut done = 0;
    for edit in edits {
        out.push_str(text.get(done..edit.start as usize)?);
        let at = u32::try_from(out.len()).ok()?;
        match edit.text {
            MINUS => stand_ins.pluses.push(at),
            PRINT => stand_ins.prints.push(at + 3),
            _ => {}
        }
        out.push_str(edit.text);
        done = edit.end as usize;
    }
    out.push_str(text.get(done..)?);
    Some(Rewritten { text: out, stand_ins })
}

/// What stands for a unary plus, which the parser does not know.
const MINUS: &str = "-";

/// What stands for `print`: its `print` is three bytes in.
const PRINT: &str = "do print(";

/// How deep in parentheses each token is.
fn depths<'a>(tokens: &'a [(Token<'a>, Span)]) -> impl Iterator<Item = (i32, &'a Token<'a>, &'a Span)> {
    let mut depth = 0;
    tokens.iter().map(move |(token, span)| {
        match token {
            Token::ParenOpen | Token::BracketOpen | Token::BraceOpen => depth += 1,
            Token::ParenClose | Token::BracketClose | Token::BraceClose => depth -= 1,
            _ => {}
        }
        (depth, token, span)
    })
}

fn top_level_comma(tokens: &[(Token<'_>, Span)]) -> bool {
    depths(tokens).any(|(depth, token, _)| depth == 0 && matches!(token, Token::Comma))
}

/// Whether a colon may end the tag.
fn takes_colon(tokens: &[(Token<'_>, Span)]) -> bool {
    match tokens.first() {
        Some((Token::Ident("set"), _)) => !tokens.iter().any(|(token, _)| matches!(token, Token::Assign)),
        Some((Token::Ident(name), _)) => {
            matches!(*name, "if" | "elif" | "else" | "for" | "block" | "macro" | "call" | "filter" | "autoescape")
        }
        _ => false,
    }
}

/// `for x in a, b if c`: the tuple ends before `if` and `recursive`.
fn for_tuple(tokens: &[(Token<'_>, Span)], edits: &mut Vec<Edit>) {
    let Some(keyword) = tokens.iter().position(|(token, _)| matches!(token, Token::Ident("in"))) else { return };
    let items = &tokens[keyword + 1..];
    let end =
        depths(items).position(|(depth, token, _)| depth == 0 && matches!(token, Token::Ident("if" | "recursive"))).unwrap_or(items.len());
    let items = &items[..end];
    if let (true, Some((_, first)), Some((_, last))) = (top_level_comma(items), items.first(), items.last()) {
        edits.push(Edit::insert(first.start_offset, "("));
        edits.push(Edit::insert(last.end_offset, ")"));
    }
}

/// A plus where an operand is to begin.
fn unary_plus(tokens: &[(Token<'_>, Span)], edits: &mut Vec<Edit>) {
    let mut operand_before = false;
    for (token, span) in tokens {
        if matches!(token, Token::Plus) && !operand_before {
            edits.push(Edit::replace(span, MINUS));
            continue;
        }
        operand_before = match token {
            Token::Ident(name) => !matches!(*name, "if" | "else" | "in" | "and" | "or" | "not" | "is" | "elif" | "set"),
            Token::Str(_)
            | Token::String(_)
            | Token::Int(_)
            | Token::Int128(_)
            | Token::Float(_)
            | Token::ParenClose
            | Token::BracketClose
            | Token::BraceClose => true,
            _ => false,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_parser_refuses_is_rewritten() {
        let extensions = Extensions { do_tag: true, loop_controls: false };
        let check = |text: &str, expected: &str| {
            assert_eq!(rewrite(text, &SyntaxConfig::default(), extensions).map_or_else(|| text.to_owned(), |made| made.text), expected);
        };
        check("{% for x in a, b.c if x %}", "{% for x in (a, b.c) if x %}");
        check("{% for x in (a, b) %}", "{% for x in (a, b) %}");
        check("{{ 1, 2 }}", "{{ (1, 2) }}");
        check("{{ f(1, 2) }}", "{{ f(1, 2) }}");
        check("{% for x in 1, 2: %}{% else: %}{% endfor %}{% set x = 1: %}", "{% for x in (1, 2) %}{% else %}{% endfor %}{% set x = 1: %}");
        check("{{ +1 - +x + 2 }}", "{{ -1 - -x + 2 }}");
        check("{% print +a, b if c %}{% print %}{% print a, %}", "{% do print( -a, b if c) %}{% do print() %}{% if a and %}");
        check("{% do f() if y %}", "{% set _ =  f() if y %}");
        check("{% macro m() %}{% block b %}x{% endblock b %}{% endmacro %}", "{% macro m() %}{% if true %}x{% endif %}{% endmacro %}");
        check("{% block b %}x{% endblock %}", "{% block b %}x{% endblock %}");
    }
}
