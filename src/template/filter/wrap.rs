//! Lines of a given width, as Python's `textwrap` breaks them.

use crate::template::python::regex::{Anchor, Flags, RegexError, compile};

pub(super) struct WrapOptions {
    pub width: usize,
    pub break_long_words: bool,
    pub break_on_hyphens: bool,
}

/// A blank, a dash between words, or a word up to a hyphen that may end a line.
const PIECE: &str = r#"([\t\n\x0b\x0c\r ]+|(?<=[\w!"'&.,?])-{2,}(?=\w)|[^\t\n\x0b\x0c\r ]+?(?:-(?:(?<=[^\d\W]{2}-)|(?<=[^\d\W]-[^\d\W]-))(?=[^\d\W]-?[^\d\W])|(?=[\t\n\x0b\x0c\r ]|\Z)|(?<=[\w!"'&.,?])(?=-{2,}\w)))"#;
const BLANKS: &str = r"([\t\n\x0b\x0c\r ]+)";

/// The lines of one paragraph.
pub(super) fn wrap(text: &str, options: &WrapOptions) -> Result<Vec<String>, RegexError> {
    let pattern = compile(if options.break_on_hyphens { PIECE } else { BLANKS }, Flags::default(), Anchor::Anywhere)?;
    let pieces = pattern.split(text, 0)?;
    let mut pieces: Vec<Vec<char>> =
        pieces.into_iter().flatten().filter(|piece| !piece.is_empty()).map(|piece| piece.chars().collect()).collect();
    pieces.reverse();
    let mut lines = Vec::new();
    while !pieces.is_empty() {
        if !lines.is_empty() && pieces.last().is_some_and(|piece| is_blank(piece)) {
            pieces.pop();
        }
        let mut line: Vec<Vec<char>> = Vec::new();
        let mut length = 0;
        while let Some(piece) = pieces.pop_if(|piece| length + piece.len() <= options.width) {
            length += piece.len();
            line.push(piece);
        }
        if pieces.last().is_some_and(|piece| piece.len() > options.width) {
            break_word(&mut pieces, &mut line, options.width - length, options);
        }
        if line.last().is_some_and(|piece| is_blank(piece)) {
            line.pop();
        }
        if !line.is_empty() {
            lines.push(line.into_iter().flatten().collect());
        }
    }
    Ok(lines)
}

fn is_blank(piece: &[char]) -> bool {
    piece.iter().all(|char| char.is_whitespace())
}

/// The last piece is longer than a line.
fn break_word(pieces: &mut Vec<Vec<char>>, line: &mut Vec<Vec<char>>, left: usize, options: &WrapOptions) {
    let Some(piece) = pieces.last_mut() else { return };
    if options.break_long_words {
        let mut end = left;
        if options.break_on_hyphens && piece.len() > left {
            let hyphen = piece[..left].iter().rposition(|char| *char == '-');
            end = hyphen.filter(|at| *at > 0 && piece[..*at].iter().any(|char| *char != '-')).map_or(left, |at| at + 1);
        }
        let rest = piece.split_off(end);
        line.push(std::mem::replace(piece, rest));
    } else if line.is_empty() {
        line.extend(pieces.pop());
    }
}
