//! Large and small letters as Python has them: with title case, which is not always upper case.

/// `str.capitalize`: the first letter large, the others small.
pub fn capitalize(chars: &str) -> String {
    let Some(first) = chars.chars().next() else { return String::new() };
    // The whole decides how a sigma at the end looks.
    titled(first) + &chars.to_lowercase().chars().skip(first.to_lowercase().count()).collect::<String>()
}

/// `str.title`: the first letter of each run of letters large, the others small.
pub fn title(chars: &str) -> String {
    let mut inside = false;
    let mut out = String::new();
    for char in chars.chars() {
        if inside {
            out.extend(char.to_lowercase())
        } else {
            out.push_str(&titled(char))
        }
        inside = is_cased(char);
    }
    out
}

fn is_cased(char: char) -> bool {
    char.is_uppercase() || char.is_lowercase() || matches!(char, 'ǅ' | 'ǈ' | 'ǋ' | 'ǲ')
}

/// A letter as it begins a word: of a ligature, which becomes several letters, only one is large.
pub fn titled(char: char) -> String {
    match char {
        'Ǆ'..='ǆ' => return "ǅ".to_owned(),
        'Ǉ'..='ǉ' => return "ǈ".to_owned(),
        'Ǌ'..='ǌ' => return "ǋ".to_owned(),
        'Ǳ'..='ǳ' => return "ǲ".to_owned(),
        // Georgian has capitals, but begins no word with one.
        'ა'..='ჿ' => return char.to_string(),
        // Greek with an iota below: it stays below.
        '\u{1f80}'..='\u{1f87}' | '\u{1f90}'..='\u{1f97}' | '\u{1fa0}'..='\u{1fa7}' => return shifted(char, 8),
        '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => return shifted(char, 9),
        '\u{1f88}'..='\u{1f8f}' | '\u{1f98}'..='\u{1f9f}' | '\u{1fa8}'..='\u{1faf}' | '\u{1fbc}' | '\u{1fcc}' | '\u{1ffc}' => {
            return char.to_string();
        }
        _ => {}
    }
    let mut out = String::new();
    for upper in char.to_uppercase() {
        if out.chars().any(is_cased) { out.extend(upper.to_lowercase()) } else { out.push(upper) }
    }
    out
}

/// The text with all but ASCII written as escapes: what `ascii()` makes of a `repr()`.
pub fn ascii(chars: &str) -> String {
    let mut out = String::with_capacity(chars.len());
    for char in chars.chars() {
        match u32::from(char) {
            0..=0x7f => out.push(char),
            code @ 0x80..=0xff => out.push_str(&format!("\\x{code:02x}")),
            code @ 0x100..=0xffff => out.push_str(&format!("\\u{code:04x}")),
            code => out.push_str(&format!("\\U{code:08x}")),
        }
    }
    out
}

fn shifted(char: char, by: u32) -> String {
    char::from_u32(u32::from(char) + by).unwrap_or(char).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_begin_as_in_python() {
        for (chars, expected) in
            [("abC", "Abc"), ("ǆa", "ǅa"), ("ßa", "Ssa"), ("ﬁx", "Fix"), ("ŉa", "ʼNa"), ("ᾳα", "ᾼα"), ("ΑΣ", "Ας"), ("აბ", "აბ"), ("", "")]
        {
            assert_eq!(capitalize(chars), expected, "{chars}");
        }
        for (chars, expected) in [("it's a 日b", "It'S A 日B"), ("ǆa ǆ", "ǅa ǅ"), ("a1b", "A1B")] {
            assert_eq!(title(chars), expected, "{chars}");
        }
    }
}
