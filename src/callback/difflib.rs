//! The hunks that Python's `difflib.unified_diff` finds, line by line: its matcher with its rule for popular lines, so that a
//! difference reads as Ansible's does.

use std::collections::HashMap;
use std::ops::Range;

use crate::template::python::lines::split_keeping_ends;

/// The hunks of a unified diff with so many lines of context; each line ends with its line break, or the last with a remark that
/// the text has no newline there.
pub(super) fn unified_hunks(old: &str, new: &str, context: usize) -> Vec<String> {
    let (old_ends, new_ends) = (old.ends_with('\n'), new.ends_with('\n'));
    let (old, new) = (split_keeping_ends(old), split_keeping_ends(new));
    let old_line = |mark: char, index: usize| marked(mark, old[index], !old_ends && index + 1 == old.len());
    let new_line = |mark: char, index: usize| marked(mark, new[index], !new_ends && index + 1 == new.len());
    let mut out = Vec::new();
    for group in grouped(opcodes(&old, &new), context) {
        let (Some(first), Some(last)) = (group.first(), group.last()) else { continue };
        let olds = range(first.old.start, last.old.end);
        let news = range(first.new.start, last.new.end);
        out.push(format!("@@ -{olds} +{news} @@\n"));
        for code in group {
            if code.equal {
                out.extend(code.old.map(|index| old_line(' ', index)));
            } else {
                out.extend(code.old.map(|index| old_line('-', index)));
                out.extend(code.new.map(|index| new_line('+', index)));
            }
        }
    }
    out
}

fn marked(mark: char, line: &str, is_open: bool) -> String {
    if is_open { format!("{mark}{line}\n\\ No newline at end of file\n") } else { format!("{mark}{line}") }
}

fn range(start: usize, end: usize) -> String {
    match end - start {
        1 => format!("{}", start + 1),
        0 => format!("{start},0"),
        length => format!("{},{length}", start + 1),
    }
}

#[derive(Clone, Debug)]
struct Opcode {
    equal: bool,
    old: Range<usize>,
    new: Range<usize>,
}

fn opcodes(old: &[&str], new: &[&str]) -> Vec<Opcode> {
    let (mut at_old, mut at_new) = (0, 0);
    let mut codes = Vec::new();
    for (start_old, start_new, length) in matching_blocks(old, new) {
        if at_old < start_old || at_new < start_new {
            codes.push(Opcode { equal: false, old: at_old..start_old, new: at_new..start_new });
        }
        (at_old, at_new) = (start_old + length, start_new + length);
        if length > 0 {
            codes.push(Opcode { equal: true, old: start_old..at_old, new: start_new..at_new });
        }
    }
    codes
}

/// Groups of codes that are no more than twice the context apart.
fn grouped(mut codes: Vec<Opcode>, context: usize) -> Vec<Vec<Opcode>> {
    if let Some(first) = codes.first_mut().filter(|code| code.equal) {
        first.old.start = first.old.start.max(first.old.end.saturating_sub(context));
        first.new.start = first.new.start.max(first.new.end.saturating_sub(context));
    }
    if let Some(last) = codes.last_mut().filter(|code| code.equal) {
        last.old.end = last.old.end.min(last.old.start + context);
        last.new.end = last.new.end.min(last.new.start + context);
    }
    let mut groups = Vec::new();
    let mut group: Vec<Opcode> = Vec::new();
    for code in codes {
        if code.equal && code.old.len() > 2 * context {
            let head = Opcode { equal: true, old: code.old.start..code.old.start + context, new: code.new.start..code.new.start + context };
            group.push(head);
            groups.push(std::mem::take(&mut group));
            group.push(Opcode { equal: true, old: code.old.end - context..code.old.end, new: code.new.end - context..code.new.end });
        } else {
            group.push(code);
        }
    }
    if group.iter().any(|code| !code.equal) {
        groups.push(group);
    }
    groups
}

/// Equal stretches in order, adjacent ones joined, ended by one of no length.
fn matching_blocks(old: &[&str], new: &[&str]) -> Vec<(usize, usize, usize)> {
    let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, line) in new.iter().enumerate() {
        places.entry(line).or_default().push(index);
    }
    // Lines that make up more than a hundredth of a long text tell nothing.
    if new.len() >= 200 {
        let most = new.len() / 100 + 1;
        places.retain(|_, found| found.len() <= most);
    }
    let mut queue = vec![(0..old.len(), 0..new.len())];
    let mut blocks = Vec::new();
    while let Some((olds, news)) = queue.pop() {
        let (start_old, start_new, length) = longest_match(old, new, &places, olds.clone(), news.clone());
        if length == 0 {
            continue;
        }
        blocks.push((start_old, start_new, length));
        queue.push((olds.start..start_old, news.start..start_new));
        queue.push((start_old + length..olds.end, start_new + length..news.end));
    }
    blocks.sort_unstable();
    let mut joined: Vec<(usize, usize, usize)> = Vec::new();
    for (start_old, start_new, length) in blocks {
        match joined.last_mut() {
            Some(last) if last.0 + last.2 == start_old && last.1 + last.2 == start_new => last.2 += length,
            _ => joined.push((start_old, start_new, length)),
        }
    }
    joined.push((old.len(), new.len(), 0));
    joined
}

fn longest_match(
    old: &[&str],
    new: &[&str],
    places: &HashMap<&str, Vec<usize>>,
    olds: Range<usize>,
    news: Range<usize>,
) -> (usize, usize, usize) {
    let (mut best_old, mut best_new, mut best) = (olds.start, news.start, 0);
    let mut lengths: HashMap<usize, usize> = HashMap::new();
    for i in olds.clone() {
        let mut next: HashMap<usize, usize> = HashMap::new();
        for &j in places.get(old[i]).map(Vec::as_slice).unwrap_or_default() {
            if j < news.start {
                continue;
            }
            if j >= news.end {
                break;
            }
            let length = j.checked_sub(1).and_then(|before| lengths.get(&before)).copied().unwrap_or(0) + 1;
            next.insert(j, length);
            if length > best {
                (best_old, best_new, best) = (i + 1 - length, j + 1 - length, length);
            }
        }
        lengths = next;
    }
    while best_old > olds.start && best_new > news.start && old[best_old - 1] == new[best_new - 1] {
        (best_old, best_new, best) = (best_old - 1, best_new - 1, best + 1);
    }
    while best_old + best < olds.end && best_new + best < news.end && old[best_old + best] == new[best_new + best] {
        best += 1;
    }
    (best_old, best_new, best)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(old: &str, new: &str, expected: &str) {
        assert_eq!(unified_hunks(old, new, 3).concat(), expected);
    }

    #[test]
    fn hunks_are_python_s() {
        check("", "a\nb\n", "@@ -0,0 +1,2 @@\n+a\n+b\n");
        check("a\nb\nc\n", "a\nx\nc\n", "@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n");
        check("", "x", "@@ -0,0 +1 @@\n+x\n\\ No newline at end of file\n");
        check("a\rb\r\n", "a\rc", "@@ -1,2 +1,2 @@\n a\r-b\r\n+c\n\\ No newline at end of file\n");
        let lines: Vec<String> = (0..20).map(|number| format!("{number}\n")).collect();
        let changed = lines.concat().replace("\n3\n", "\nthree\n").replace("\n17\n", "\n");
        check(
            &lines.concat(),
            &changed,
            "@@ -1,7 +1,7 @@\n 0\n 1\n 2\n-3\n+three\n 4\n 5\n 6\n@@ -15,6 +15,5 @@\n 14\n 15\n 16\n-17\n 18\n 19\n",
        );
    }
}
