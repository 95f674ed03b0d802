//! HTML as templates meet it: what is escaped, and what is left without tags.

use crate::value::Text;

/// The text as HTML: what is markup already stays as it is.
pub fn escaped(text: &Text) -> String {
    if text.is_markup() { text.as_str().to_owned() } else { escape(text.as_str()) }
}

/// What HTML gives a meaning.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\'' => escaped.push_str("&#39;"),
            '"' => escaped.push_str("&#34;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// HTML without its tags and comments, blanks as one.
pub fn striptags(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        let (open, close) = if rest[start..].starts_with("<!--") { (4, "-->") } else { (1, ">") };
        let Some(end) = rest[start + open..].find(close) else { break };
        plain.push_str(&rest[..start]);
        rest = &rest[start + open + end + close.len()..];
    }
    plain.push_str(rest);
    unescape(&plain.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Text of which entities became characters.
pub fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        plain.push_str(&rest[..start]);
        let entity = rest[start + 1..].find(';').map(|end| &rest[start + 1..start + 1 + end]);
        match entity.and_then(|name| Some((name, entity_char(name)?))) {
            Some((name, char)) => {
                plain.push(char);
                rest = &rest[start + name.len() + 2..];
            }
            None => {
                plain.push('&');
                rest = &rest[start + 1..];
            }
        }
    }
    plain + rest
}

fn entity_char(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some('\u{a0}'),
        "copy" => Some('©'),
        "hellip" => Some('…'),
        "mdash" => Some('—'),
        "ndash" => Some('–'),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}
