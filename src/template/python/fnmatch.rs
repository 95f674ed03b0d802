//! Shell patterns as Python's `fnmatch` and `glob` read them.

use std::path::{Path, PathBuf};

/// Whether `name` matches the whole pattern: `*`, `?`, `[abc]`, `[!abc]`.
pub fn fnmatch(name: &str, pattern: &str) -> bool {
    let name: Vec<char> = name.chars().collect();
    let pattern: Vec<char> = pattern.chars().collect();
    let (mut at, mut from) = (0, 0);
    let mut star = None;
    loop {
        if from < pattern.len() && pattern[from] == '*' {
            star = Some((from, at));
            from += 1;
            continue;
        }
        if at == name.len() {
            return from == pattern.len();
        }
        if let Some(next) = step(&pattern, from, name[at]) {
            from = next;
            at += 1;
            continue;
        }
        let Some((star_from, star_at)) = star else { return false };
        star = Some((star_from, star_at + 1));
        from = star_from + 1;
        at = star_at + 1;
    }
}

/// Where the pattern goes on after taking `char`.
fn step(pattern: &[char], from: usize, char: char) -> Option<usize> {
    match *pattern.get(from)? {
        '?' => Some(from + 1),
        '[' => match class(pattern, from) {
            Some((end, matches)) => matches(char).then_some(end),
            None => (char == '[').then_some(from + 1),
        },
        literal => (literal == char).then_some(from + 1),
    }
}

type Matcher<'p> = Box<dyn Fn(char) -> bool + 'p>;

fn class(pattern: &[char], from: usize) -> Option<(usize, Matcher<'_>)> {
    let negated = pattern.get(from + 1) == Some(&'!');
    let start = from + 1 + usize::from(negated);
    let search = start + usize::from(pattern.get(start) == Some(&']'));
    let end = search + pattern.get(search..)?.iter().position(|c| *c == ']')?;
    let items = &pattern[start..end];
    let matches = move |char: char| {
        let mut index = 0;
        let mut found = false;
        while index < items.len() {
            if index + 2 < items.len() && items[index + 1] == '-' {
                found |= (items[index]..=items[index + 2]).contains(&char);
                index += 3;
            } else {
                found |= items[index] == char;
                index += 1;
            }
        }
        found != negated
    };
    Some((end + 1, Box::new(matches)))
}

/// Whether Python's `glob` takes it for a pattern.
pub fn has_magic(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// `glob.glob(pattern)`: hidden names only where the pattern has their dot; sorted.
pub fn glob(pattern: &str) -> Vec<PathBuf> {
    let path = Path::new(pattern);
    let mut found = vec![PathBuf::new()];
    for part in path.components() {
        let text = part.as_os_str().to_string_lossy();
        found = found.iter().flat_map(|folder| expand(folder, &text)).collect();
    }
    found.retain(|path| path.symlink_metadata().is_ok());
    found.sort();
    found
}

fn expand(folder: &Path, part: &str) -> Vec<PathBuf> {
    if !has_magic(part) {
        return vec![folder.join(part)];
    }
    let listed = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let Ok(entries) = std::fs::read_dir(listed) else { return Vec::new() };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names.filter(|name| (!name.starts_with('.') || part.starts_with('.')) && fnmatch(name, part)).map(|name| folder.join(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_python_s() {
        for (name, pattern) in
            [("a.txt", "*.txt"), ("abc", "a?c"), ("b", "[a-c]"), ("d", "[!a-c]"), ("]", "[]]"), ("[", "["), ("", "*"), ("aXbXc", "a*X*c")]
        {
            assert!(fnmatch(name, pattern), "{pattern} {name}");
        }
        for (name, pattern) in [("a.txt", "*.tx"), ("b", "[!a-c]"), ("", "?"), ("A", "a")] {
            assert!(!fnmatch(name, pattern), "{pattern} {name}");
        }
    }
}
