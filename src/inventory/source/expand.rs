//! Host patterns of inventory files: `web[01:10].example.org:2222` is ten hosts and a port.

/// The hosts that `pattern` names, and the port behind it.
pub(super) fn expand(pattern: &str) -> Result<(Vec<String>, Option<u16>), String> {
    if pattern.trim_end().ends_with(':') {
        return Err(format!(
            "invalid host pattern `{pattern}`: ending in `:` is not allowed, this character is reserved to provide a port"
        ));
    }
    let (host, port) = split_port(pattern);
    let mut names = Vec::new();
    expand_ranges(host, &mut names)?;
    if names.iter().any(|name| name.trim() == "---") {
        return Err("invalid host pattern `---`: this is normally a sign that the file is YAML".to_owned());
    }
    Ok((names, port))
}

/// A host's name and port, without ranges: `host:22`, `[::1]:22`; anything else is a name.
pub(super) fn address(text: &str) -> (&str, Option<u16>) {
    let (host, port) = split_port(text);
    if host.contains('[') { (text, None) } else { (host, port) }
}

/// `host:22`, `[::1]:22`; what is no address with a port is a name as a whole.
fn split_port(pattern: &str) -> (&str, Option<u16>) {
    let with_port = pattern.rsplit_once(':').and_then(|(host, digits)| {
        let port = digits.parse().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
        let inner = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let bare = inner.filter(|inner| is_ip(inner) || is_host_name(inner)).unwrap_or(host);
        (bare != host || is_host_name(host)).then_some((bare, Some(port)))
    });
    with_port.unwrap_or_else(|| (unbracketed(pattern), None))
}

fn is_ip(text: &str) -> bool {
    text.parse::<std::net::IpAddr>().is_ok()
}

/// Labels between dots that begin and end with a letter, a digit or a range.
fn is_host_name(text: &str) -> bool {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, (_, after))) = rest.split_once('[').and_then(|(before, inner)| Some((before, inner.split_once(']')?))) {
        plain += before;
        plain.push('0');
        rest = after;
    }
    plain += rest;
    let inside = |character: char| character.is_alphanumeric() || matches!(character, '_' | '-');
    plain.split('.').all(|label| {
        label.starts_with(char::is_alphanumeric)
            && label.ends_with(char::is_alphanumeric)
            && label.chars().all(inside)
            && label.chars().count() <= 63
    })
}

/// `[::1]` without its brackets; ranges keep theirs.
fn unbracketed(host: &str) -> &str {
    let inner = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    inner.filter(|inner| inner.parse::<std::net::IpAddr>().is_ok()).unwrap_or(host)
}

fn expand_ranges(pattern: &str, names: &mut Vec<String>) -> Result<(), String> {
    let Some(open) = pattern.find('[') else {
        names.push(pattern.to_owned());
        return Ok(());
    };
    // As Ansible takes it apart: the first `[` and the first `]` are the ends, in whichever order they stand.
    let close = pattern.find(']').ok_or_else(|| format!("the range in `{pattern}` has no end: expected `]`"))?;
    let (from, to) = (open.min(close), open.max(close));
    let (head, range, tail) = (&pattern[..from], &pattern[from + 1..to], &pattern[to + 1..]);
    for part in items(range)? {
        if names.len() >= MAX_HOSTS {
            return Err("host range names more than a million hosts".to_owned());
        }
        expand_ranges(&format!("{head}{part}{tail}"), names)?;
    }
    Ok(())
}

/// What a range stands for, made one by one: what follows it may be wrong.
fn items(range: &str) -> Result<Box<dyn Iterator<Item = String>>, String> {
    let bounds: Vec<&str> = range.split(':').collect();
    let (begin, end, step) = match bounds.as_slice() {
        [begin, end] => (*begin, *end, "1"),
        [begin, end, step] => (*begin, *end, *step),
        _ => return Err("host range must be begin:end or begin:end:step".to_owned()),
    };
    let begin = if begin.is_empty() { "0" } else { begin };
    if end.is_empty() {
        return Err("host range must specify end value".to_owned());
    }
    let padded = begin.len() > 1 && begin.starts_with('0');
    if padded && begin.len() != end.len() {
        return Err("host range must specify equal-length begin and end formats".to_owned());
    }
    if let (Some(from), Some(to)) = (letter(begin), letter(end)) {
        if from > to {
            return Err("host range must have begin <= end".to_owned());
        }
        return Ok(Box::new(steps(from, to, number(step)?)?.map(|index| LETTERS[index..=index].to_owned())));
    }
    let (from, to, step) = (number(begin)?, number(end)?, number(step)?);
    let width = if padded { begin.len() } else { 0 };
    Ok(Box::new(steps(from, to, step)?.take(MAX_HOSTS + 1).map(move |index| format!("{index:0width$}"))))
}

/// An integer as Python's `int` reads it.
fn number(text: &str) -> Result<i64, String> {
    let digits = text.trim();
    let is_whole = !digits.starts_with('_') && !digits.ends_with('_') && !digits.contains("__");
    digits
        .replace('_', "")
        .parse()
        .ok()
        .filter(|_| is_whole)
        .ok_or_else(|| format!("host range has the bound `{text}`, expected a number or a letter"))
}

/// From one to another, which is among them; nothing where they go the other way.
fn steps<N: TryFrom<i64> + TryInto<i64>>(from: N, to: N, step: i64) -> Result<impl Iterator<Item = N> + use<N>, String> {
    if step == 0 {
        return Err("host range has the step `0`, expected another number".to_owned());
    }
    let (from, to) = (from.try_into().unwrap_or(0), to.try_into().unwrap_or(0));
    let to = if step > 0 { to } else { from.saturating_sub(1) };
    let step = usize::try_from(step).unwrap_or(1);
    Ok((from..=to).step_by(step).filter_map(|number| N::try_from(number).ok()))
}

/// A range that names more hosts is a mistake of writing.
const MAX_HOSTS: usize = 1_000_000;

const LETTERS: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

fn letter(text: &str) -> Option<usize> {
    LETTERS.find(text).filter(|_| text.len() == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_and_ports_are_expanded() {
        let cases = [
            ("a", "a"),
            ("a[1:3]", "a1 a2 a3"),
            ("a[01:10:4].x:2222", "a01.x a05.x a09.x :2222"),
            ("c[a:c:2].x", "ca.x cc.x"),
            ("h[1:2][a:b]", "h1a h1b h2a h2b"),
            ("fe80::1", "fe80::1"),
            ("[fe80::1]:22", "fe80::1 :22"),
            ("[::1]", "::1"),
            ("x:y", "x:y"),
            ("10.0.0.1:33", "10.0.0.1 :33"),
            ("a[:2]", "a0 a1 a2"),
            ("[abc]:22", "abc :22"),
            ("a_:22", "a_:22"),
            ("-a:22", "-a:22"),
            ("x:22:33", "x:22:33"),
            ("a[1:2]-x:5", "a1-x a2-x :5"),
            ("a[1:3:-1]", ""),
            ("a[3:1]", ""),
            ("a[-1:1]", "a-1 a0 a1"),
            ("a[1_0:1_1]", "a10 a11"),
            ("a[1:2]]", "a1] a2]"),
        ];
        for (pattern, shown) in cases {
            let (mut names, port) = expand(pattern).unwrap();
            names.extend(port.map(|port| format!(":{port}")));
            assert_eq!(names.join(" "), shown, "{pattern}");
        }
        for pattern in [
            "a:",
            "a[1:]",
            "a[03:5]",
            "a[c:a]",
            "---",
            "a[1:2:3:4]",
            "a[x1:y]",
            "a[0:9999999999]",
            "a[1:",
            "[",
            "a[1:2]:",
            "[abc]",
            "a[1:3:0]",
        ] {
            assert!(expand(pattern).is_err(), "{pattern}");
        }
    }
}
