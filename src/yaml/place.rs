//! Where a piece of a scalar's value stands in the file: carets inside templates need it.

use std::ops::Range;

use crate::source::Span;

/// The place in the file of the bytes `range` of `value`, which is the value of the scalar at `span`. Quotes, escapes, folded lines
/// and indentation are undone; where that cannot be done, the whole scalar's place.
pub fn scalar_span(span: &Span, value: &str, range: Range<usize>) -> Span {
    let text = span.text();
    let pieces = match text.bytes().next() {
        Some(b'\'') => flow(&text[1..], Quote::Single),
        Some(b'"') => flow(&text[1..], Quote::Double),
        Some(b'|') => block(text, value, Fold::No),
        Some(b'>') => block(text, value, Fold::Yes),
        _ => flow(text, Quote::None),
    };
    let shift = usize::from(text.starts_with(['\'', '"']));
    let same = |pieces: &[(char, usize, usize)]| pieces.iter().map(|(character, _, _)| *character).eq(value.chars());
    let pieces = if same(&pieces) { pieces } else { verbatim(text) };
    if !same(&pieces) || range.start > value.len() {
        return span.clone();
    }
    let index = |byte: usize| value.char_indices().take_while(|(at, _)| *at < byte).count();
    let (first, last) = (index(range.start), index(range.end));
    let start = pieces.get(first).map_or_else(|| pieces.last().map_or(0, |piece| piece.2), |piece| piece.1);
    let end = if last > first { pieces[last - 1].2 } else { start };
    span.part(start + shift, end + shift)
}

/// Each character of a value and the bytes of the source that stand for it.
type Pieces = Vec<(char, usize, usize)>;

fn verbatim(text: &str) -> Pieces {
    text.char_indices().map(|(at, character)| (character, at, at + character.len_utf8())).collect()
}

#[derive(Clone, Copy, PartialEq)]
enum Quote {
    None,
    Single,
    Double,
}

/// A plain or quoted scalar behind its opening quote.
fn flow(text: &str, quote: Quote) -> Pieces {
    let mut pieces = Pieces::new();
    let mut at = 0;
    while let Some(character) = text[at..].chars().next() {
        let next = at + character.len_utf8();
        match (quote, character) {
            (Quote::Single, '\'') if text[next..].starts_with('\'') => {
                pieces.push(('\'', at, next + 1));
                at = next + 1;
            }
            (Quote::Single, '\'') | (Quote::Double, '"') => break,
            (Quote::Double, '\\') => at = escape(text, at, &mut pieces),
            (_, ' ' | '\t' | '\n' | '\r') => at = blanks(text, at, &mut pieces, false),
            _ => {
                pieces.push((character, at, next));
                at = next;
            }
        }
    }
    pieces
}

/// Blanks and line breaks: kept within a line, folded across lines. `escaped` is behind a backslash and its line break.
fn blanks(text: &str, at: usize, pieces: &mut Pieces, escaped: bool) -> usize {
    let length = text[at..].bytes().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count();
    let run = &text[at..at + length];
    let breaks: Vec<usize> = run.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(index, _)| at + index).collect();
    if escaped {
        pieces.extend(breaks.iter().map(|index| ('\n', *index, index + 1)));
    } else if breaks.is_empty() {
        pieces.extend(run.char_indices().map(|(index, character)| (character, at + index, at + index + 1)));
    } else if breaks.len() == 1 {
        pieces.push((' ', breaks[0], breaks[0] + 1));
    } else {
        pieces.extend(breaks[1..].iter().map(|index| ('\n', *index, index + 1)));
    }
    at + length
}

/// An escape of a double-quoted scalar.
fn escape(text: &str, at: usize, pieces: &mut Pieces) -> usize {
    let Some(sign) = text[at + 1..].chars().next() else { return text.len() };
    let next = at + 1 + sign.len_utf8();
    let digits = match sign {
        'x' => 2,
        'u' => 4,
        'U' => 8,
        '\n' => return blanks(text, next, pieces, true),
        '\r' => return blanks(text, next + usize::from(text[next..].starts_with('\n')), pieces, true),
        _ => 0,
    };
    let end = text.len().min(next + digits);
    let character = match sign {
        '0' => '\0',
        'a' => '\x07',
        'b' => '\x08',
        't' => '\t',
        'n' => '\n',
        'v' => '\x0b',
        'f' => '\x0c',
        'r' => '\r',
        'e' => '\x1b',
        'N' => '\u{85}',
        '_' => '\u{a0}',
        'L' => '\u{2028}',
        'P' => '\u{2029}',
        'x' | 'u' | 'U' => {
            text.get(next..end).and_then(|digits| u32::from_str_radix(digits, 16).ok()).and_then(char::from_u32).unwrap_or(sign)
        }
        other => other,
    };
    pieces.push((character, at, end));
    end
}

#[derive(Clone, Copy, PartialEq)]
enum Fold {
    Yes,
    No,
}

/// A `|` or `>` scalar, header included.
fn block(text: &str, value: &str, fold: Fold) -> Pieces {
    let Some(header) = text.find('\n') else { return Pieces::new() };
    let mut lines = Vec::new();
    let mut start = header + 1;
    for line in text[start..].split_inclusive('\n') {
        let content = line.trim_end_matches(['\n', '\r']);
        lines.push((start, content, start + content.len()));
        start += line.len();
    }
    let blanks = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let first = lines.iter().find(|(_, content, _)| !content.trim_start_matches(' ').is_empty());
    let of_value = value.split('\n').find(|line| !line.trim_start_matches(' ').is_empty()).map_or(0, blanks);
    let indent = first.map_or(0, |(_, content, _)| blanks(content).saturating_sub(of_value));
    let mut pieces = Pieces::new();
    let mut breaks: Vec<usize> = Vec::new();
    let mut after_text: Option<bool> = None;
    for (start, content, end) in lines {
        let from = indent.min(blanks(content));
        let body = &content[from..];
        if !body.is_empty() {
            let more = body.starts_with([' ', '\t']);
            match (fold, after_text) {
                // One break between two lines at the indent is a blank; of more, the first is dropped.
                (Fold::Yes, Some(false)) if !more => match breaks.as_slice() {
                    [single] => pieces.push((' ', *single, single + 1)),
                    several => pieces.extend(several.iter().skip(1).map(|at| ('\n', *at, at + 1))),
                },
                _ => pieces.extend(breaks.iter().map(|at| ('\n', *at, at + 1))),
            }
            breaks.clear();
            pieces.extend(
                body.char_indices().map(|(at, character)| (character, start + from + at, start + from + at + character.len_utf8())),
            );
            after_text = Some(more);
        }
        breaks.push(end);
    }
    let wanted = value.chars().count().saturating_sub(pieces.len());
    pieces.extend(breaks.iter().take(wanted).map(|at| ('\n', *at, at + 1)));
    pieces
}
