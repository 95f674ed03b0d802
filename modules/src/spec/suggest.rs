//! "Did you mean": the closest of some names, for both ends.

/// The name among `names` that is nearest to what the user wrote, if it is near enough to be meant.
pub fn did_you_mean<'a>(written: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let written = written.to_lowercase();
    let length = written.chars().count();
    let limit = (length / 3).max(1);
    let near = names.into_iter().map(|name| (distance(&written, &name.to_lowercase()), name));
    near.filter(|(far, name)| *far <= limit && *far < length.max(name.chars().count())).min().map(|(_, name)| name)
}

/// How many characters are to be added, taken away, changed or swapped with their neighbour to make one text the other.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<_>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_not() {
        let check = |written: &str, expected: Option<&str>| {
            assert_eq!(did_you_mean(written, ["absent", "hosts", "latest", "present", "register", "tasks", "vars"]), expected, "{written}");
        };
        check("presnt", Some("present"));
        check("Absnet", Some("absent"));
        check("tsks", Some("tasks"));
        check("regsiter", Some("register"));
        check("installed", None);
        check("frobnicate", None);
        assert_eq!(did_you_mean("a", ["b"]), None);
        assert_eq!(did_you_mean("cc", ["c"]), Some("c"));
    }
}
