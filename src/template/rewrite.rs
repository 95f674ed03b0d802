//! What Jinja reads and minijinja's parser does not, rewritten to what it does: tuples without parentheses in `for` and `{{ }}`,
//! unary plus, `do` with any expression, blocks within macros. Only texts that were refused come here; the places of
//! errors in them may be a few columns off.

use minijinja::machinery::{self, Span, Token};
use minijinja::syntax::SyntaxConfig;

use super::Extensions;

/// A text as the parser reads it.
pub struct Rewritten {
    /// The text.
    pub text: String,
    /// Where a minus stands in it for a plus.
    pub pluses: Vec<u32>,
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
        unary_plus(inside, &mut edits);
        match inside.first().map(|(token, span)| (token, span)) {
            Some((Token::Ident("for"), _)) if is_tag => for_tuple(inside, &mut edits),
            Some((Token::Ident("do"), span)) if is_tag && extensions.do_tag => edits.push(Edit::replace(span, "set _ = ")),
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
    let mut pluses = Vec::new();
    let mut done = 0;
    for edit in edits {
        out.push_str(text.get(done..edit.start as usize)?);
        if edit.text == MINUS {
            pluses.push(u32::try_from(out.len()).ok()?);
        }
        out.push_str(edit.text);
        done = edit.end as usize;
    }
    out.push_str(text.get(done..)?);
    Some(Rewritten { text: out, pluses })
}

/// What stands for a unary plus, which the parser does not know.
const MINUS: &str = "-";

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
        check("{{ +1 - +x + 2 }}", "{{ -1 - -x + 2 }}");
        check("{% do f() if y %}", "{% set _ =  f() if y %}");
        check("{% macro m() %}{% block b %}x{% endblock b %}{% endmacro %}", "{% macro m() %}{% if true %}x{% endif %}{% endmacro %}");
        check("{% block b %}x{% endblock %}", "{% block b %}x{% endblock %}");
    }
}
