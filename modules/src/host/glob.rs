//! File name patterns: Python's `fnmatch` on a name, and `glob.glob` on the file system.

use std::path::{Path, PathBuf};

/// Whether `name` matches `pattern`: `*`, `?`, `[a-z]`, `[!a]`.
pub fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut to) = (0, 0);
    // Where to go on after the last `*`: it takes one letter more.
    let mut retry: Option<(usize, usize)> = None;
    while to < name.len() {
        if pattern.get(at) == Some(&'*') {
            retry = Some((at, to));
            at += 1;
        } else if let Some(next) = pattern.get(at).and_then(|_| matches_one(&pattern, at, name[to])) {
            at = next;
            to += 1;
        } else if let Some((star, from)) = retry {
            retry = Some((star, from + 1));
            at = star + 1;
            to = from + 1;
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|letter| *letter == '*')
}

/// Where the pattern goes on if its piece at `at` takes `letter`.
fn matches_one(pattern: &[char], at: usize, letter: char) -> Option<usize> {
    match pattern[at] {
        '?' => Some(at + 1),
        '[' => {
            let negated = pattern.get(at + 1) == Some(&'!');
            let start = at + 1 + usize::from(negated);
            // A `]` that comes first is one of the letters.
            let Some(length) = pattern.get(start + 1..).and_then(|rest| rest.iter().position(|letter| *letter == ']')) else {
                return (letter == '[').then_some(at + 1);
            };
            let end = start + 1 + length;
            let set = &pattern[start..end];
            let mut found = false;
            let mut index = 0;
            while index < set.len() {
                if index + 2 < set.len() && set[index + 1] == '-' {
                    found |= (set[index]..=set[index + 2]).contains(&letter);
                    index += 3;
                } else {
                    found |= set[index] == letter;
                    index += 1;
                }
            }
            (found != negated).then_some(end + 1)
        }
        plain => (plain == letter).then_some(at + 1),
    }
}

/// Whether a text has anything that `glob` expands.
pub fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// The paths that match, sorted; names that begin with a dot only where the pattern's piece does.
pub fn glob(pattern: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for component in pattern.components() {
        let piece = component.as_os_str().to_string_lossy();
        if is_pattern(&piece) {
            found = found.iter().flat_map(|folder| names(folder, &piece)).collect();
        } else {
            found.iter_mut().for_each(|path| path.push(component));
        }
    }
    found.retain(|path| path.symlink_metadata().is_ok());
    found.sort();
    found
}

fn names(folder: &Path, piece: &str) -> Vec<PathBuf> {
    let read = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let Ok(entries) = std::fs::read_dir(read) else { return Vec::new() };
    entries
        .filter_map(Result::ok)
        .filter(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            (!name.starts_with('.') || piece.starts_with('.')) && matches(piece, &name)
        })
        .map(|entry| folder.join(entry.file_name()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_as_in_fnmatch() {
        for (pattern, name, expected) in [
            ("*.log", "a.log", true),
            ("*.log", "a.logs", false),
            ("a?c*", "abcde", true),
            ("[!a-c]x", "dx", true),
            ("[!a-c]x", "bx", false),
            ("[]]", "]", true),
            ("[x", "[x", true),
            ("*a*b*", "xxaxxbxx", true),
            ("", "", true),
            ("*", "", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn patterns_find_files() {
        assert!(glob(Path::new("/etc/pass*d")).contains(&PathBuf::from("/etc/passwd")));
        assert_eq!(glob(Path::new("/nope*/x")), Vec::<PathBuf>::new());
    }
}
