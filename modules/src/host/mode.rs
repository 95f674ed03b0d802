//! Permissions as tasks write them: octal or symbolic.

use crate::{Failure, Json, Result};

/// Read, write and execute of everybody.
const EXECUTE: u32 = 0o111;

/// The permissions that `written` stands for, on something that has `now` and is a folder or not.
pub fn resolve(written: &Json, now: u32, is_folder: bool) -> Result<u32> {
    let now = now & 0o7777;
    match written {
        Json::Number(number) => {
            let mode = number.as_u64().and_then(|mode| u32::try_from(mode & 0o7777).ok());
            mode.ok_or_else(|| Failure::new("mode must be in octal or symbolic form").with("details", format!("{number} is no file mode")))
        }
        Json::String(text) => {
            let trimmed = text.trim();
            let octal = trimmed.strip_prefix("0o").unwrap_or(trimmed);
            match u32::from_str_radix(octal, 8) {
                Ok(mode) if mode <= 0o7777 => Ok(mode),
                Ok(_) => Err(Failure::new("mode must be in octal or symbolic form").with("details", format!("{text} is no file mode"))),
                Err(_) => symbolic(trimmed, now, is_folder, umask()),
            }
        }
        other => Err(Failure::new("mode must be in octal or symbolic form").with("details", format!("{other} is no file mode"))),
    }
}

/// Permissions as Ansible shows them in results and differences: a nought, and at least three digits.
pub fn shown(mode: u32) -> String {
    format!("0{:03o}", mode & 0o7777)
}

/// The permissions of a new file or folder whose maker asks for `wanted`.
pub fn masked(wanted: u32) -> u32 {
    wanted & !umask()
}

/// The umask that the login gave.
pub fn umask() -> u32 {
    let from_proc = || {
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let digits = status.lines().find_map(|line| line.strip_prefix("Umask:"))?;
        u32::from_str_radix(digits.trim(), 8).ok()
    };
    from_proc().unwrap_or_else(|| {
        let mask = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
        rustix::process::umask(mask);
        mask.as_raw_mode()
    })
}

fn symbolic(text: &str, now: u32, is_folder: bool, umask: u32) -> Result<u32> {
    let bad = |part: &str| {
        Failure::new("mode must be in octal or symbolic form").with("details", format!("bad symbolic permission for mode: {part}"))
    };
    let mut mode = now;
    for part in text.split(',') {
        let start = part.find(['+', '-', '=']).ok_or_else(|| bad(part))?;
        let (who, mut rest) = part.split_at(start);
        if !who.chars().all(|letter| "ugoa".contains(letter)) {
            return Err(bad(part));
        }
        let everybody = who.is_empty() || who.contains('a');
        let mask = if who.is_empty() { umask } else { 0 };
        while let Some(operator) = rest.chars().next() {
            let end = rest[1..].find(['+', '-', '=']).map_or(rest.len(), |at| at + 1);
            let letters = &rest[1..end];
            if !letters.chars().all(|letter| "rwxXstugo".contains(letter)) {
                return Err(bad(part));
            }
            let before = mode;
            for (user, shift, special) in [('u', 6, 0o4000), ('g', 3, 0o2000), ('o', 0, 0o1000)] {
                if !everybody && !who.contains(user) {
                    continue;
                }
                let bits = bits(letters, before, is_folder, user, shift) & !(mask & 0o777);
                mode = match operator {
                    '+' => mode | bits,
                    '-' => mode & !bits,
                    _ => (mode & !((0o7 << shift) | special)) | bits,
                };
            }
            rest = &rest[end..];
        }
    }
    Ok(mode)
}

/// What `letters` mean for one kind of user.
fn bits(letters: &str, now: u32, is_folder: bool, user: char, shift: u32) -> u32 {
    letters
        .chars()
        .map(|letter| match (letter, user) {
            ('r', _) => 0o4 << shift,
            ('w', _) => 0o2 << shift,
            ('x', _) => 0o1 << shift,
            ('X', _) if is_folder || now & EXECUTE != 0 => 0o1 << shift,
            ('s', 'u') => 0o4000,
            ('s', 'g') => 0o2000,
            ('t', 'o') => 0o1000,
            ('u', _) => ((now >> 6) & 0o7) << shift,
            ('g', _) => ((now >> 3) & 0o7) << shift,
            ('o', _) => (now & 0o7) << shift,
            _ => 0,
        })
        .fold(0, |all, bits| all | bits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn octal_and_symbolic_modes() {
        let check = |written: Json, now: u32, expected: u32| assert_eq!(resolve(&written, now, false).unwrap(), expected, "{written}");
        check(json!("0644"), 0, 0o644);
        check(json!(420), 0, 0o644);
        check(json!("u=rwx,g=rx,o="), 0o777, 0o750);
        check(json!("u+x-w"), 0o644, 0o544);
        check(json!("a+X"), 0o644, 0o644);
        check(json!("a+X"), 0o744, 0o755);
        check(json!("g=u"), 0o640, 0o660);
        check(json!("u+s,o+t"), 0o755, 0o5755);
        check(json!("u=rw"), 0o4755, 0o655);
        assert_eq!(resolve(&json!("+X"), 0o600, true).unwrap() & 0o100, 0o100);
        assert_eq!(symbolic("+w", 0o444, false, 0o022).unwrap(), 0o644);
        for bad in [json!("zz"), json!("u+q"), json!("99999"), json!(true)] {
            assert!(resolve(&bad, 0, false).is_err(), "{bad}");
        }
    }
}
