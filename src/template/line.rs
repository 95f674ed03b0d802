//! Lines that are statements or comments as a whole (`# for x in y`, `## why`), where a template file names marks for them:
//! rewritten to blocks, or dropped. The places of errors in what is rewritten may be off.

use minijinja::machinery::{self, Token};
use minijinja::syntax::SyntaxConfig;

use super::syntax::Syntax;

/// `text` with blocks for lines; `config` knows the marks of both kinds of lines.
pub fn rewrite_lines(text: &str, syntax: &Syntax, config: &SyntaxConfig) -> Result<String, minijinja::Error> {
    let mut made = Made { text, done: 0, out: String::with_capacity(text.len()) };
    let mut gap = 0;
    let mut tag = Tag::None;
    for token in machinery::tokenize(text, false, config.clone()) {
        let (token, span) = token?;
        let (start, end) = (span.start_offset as usize, span.end_offset as usize);
        if matches!(tag, Tag::None) {
            made.drop_comments(gap, start, syntax);
        }
        match token {
            Token::BlockStart if text.get(start..end) == Some(&*syntax.line_statement) => {
                let before = text[..start].trim_end_matches(BLANKS).len();
                let sign = text[end..].chars().next().filter(|sign| matches!(sign, '-' | '+'));
                made.replace(before, end + sign.map_or(0, char::len_utf8), &syntax.block.0);
                made.out.push(sign.unwrap_or('+'));
                tag = Tag::Line { last: end, ends_with_colon: false };
            }
            Token::BlockStart | Token::VariableStart => tag = Tag::Marked,
            Token::BlockEnd | Token::VariableEnd => {
                if let Tag::Line { last, ends_with_colon } = tag {
                    let from = if ends_with_colon { last - 1 } else { start };
                    made.replace(from, line_end(text, start), "+");
                    made.out.push_str(&syntax.block.1);
                }
                tag = Tag::None;
            }
            _ => {
                if let Tag::Line { last, ends_with_colon } = &mut tag {
                    (*last, *ends_with_colon) = (end, matches!(token, Token::Colon));
                }
            }
        }
        gap = end;
    }
    if matches!(tag, Tag::None) {
        made.drop_comments(gap, text.len(), syntax);
    }
    made.replace(text.len(), text.len(), "");
    Ok(made.out)
}

/// What one line may have before a mark.
const BLANKS: [char; 3] = [' ', '\t', '\u{b}'];

/// What the tokens are part of just now.
enum Tag {
    None,
    /// Something between marks of its own.
    Marked,
    /// A line, with where its last token ends.
    Line {
        last: usize,
        ends_with_colon: bool,
    },
}

/// A line that is a statement takes the empty lines behind it.
fn line_end(text: &str, at: usize) -> usize {
    let rest = &text[at..];
    let blank = &rest[..rest.len() - rest.trim_start().len()];
    if blank.len() == rest.len() { text.len() } else { at + blank.rfind('\n').map_or(0, |last| last + 1) }
}

/// The text as far as it is made.
struct Made<'t> {
    text: &'t str,
    done: usize,
    out: String,
}

impl Made<'_> {
    fn replace(&mut self, start: usize, end: usize, by: &str) {
        let start = start.max(self.done);
        self.out.push_str(&self.text[self.done..start]);
        self.out.push_str(by);
        self.done = end.max(start);
    }

    /// Drops the comments that take the rest of a line: between two tokens stand those, other comments, and blanks.
    fn drop_comments(&mut self, start: usize, end: usize, syntax: &Syntax) {
        let mut at = start.max(self.done);
        while !syntax.line_comment.is_empty() && at < end {
            let rest = &self.text[at..end];
            if rest.starts_with(&syntax.comment.0) {
                at += rest.find(&syntax.comment.1).map_or(rest.len(), |close| close + syntax.comment.1.len());
            } else if rest.starts_with(&syntax.line_comment) {
                let before = self.text[..at].trim_end_matches(BLANKS).len();
                at += rest.find('\n').unwrap_or(rest.len());
                self.replace(before, at, "");
            } else {
                at += rest.chars().next().map_or(1, char::len_utf8);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Engine;
    use super::super::syntax::parse;
    use super::*;

    #[test]
    fn lines_become_blocks() {
        let syntax = Syntax { line_statement: "#".to_owned(), line_comment: "##".to_owned(), ..Syntax::default() };
        let check = |text: &str, expected: &str| {
            let mut config = SyntaxConfig::builder();
            let config = config.line_statement_prefix("#").line_comment_prefix("##").build().unwrap();
            assert_eq!(rewrite_lines(text, &syntax, &config).unwrap(), expected);
        };
        check("a # b\n", "a # b\n");
        check("  # if x:\n\n\n b\n# endif", "{%+ if x+%} b\n{%+ endif+%}");
        check("a\n#- if [1,\n2]\n", "a\n{%- if [1,\n2]+%}");
        check("a ## b\n## c\n{# ## #}{{ '##' }}", "a\n\n{# ## #}{{ '##' }}");
    }

    #[test]
    fn no_text_is_too_odd() {
        let syntax = Syntax { line_statement: "é".to_owned(), line_comment: "é:".to_owned(), ..Syntax::default() };
        for text in ["é", "é:", "é-", "é :", "éif é", " é:é\né", "é é:\n\n", "{{ é", "\u{a0}é\u{a0}if x:\u{a0}\n"] {
            drop(parse(&Engine::new(), text, &syntax));
        }
    }
}
