//! Names that are near to what the user wrote.

/// The name among `names` that is nearest to what the user wrote, if it is near enough to be meant.
pub fn did_you_mean<'a>(written: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (written.chars().count() / 3).max(1);
    names.into_iter().map(|name| (distance(written, name), name)).filter(|(far, _)| *far <= limit).min().map(|(_, name)| name)
}

/// How many characters are to be added, taken away, changed or swapped with their neighbour.
fn distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=right.len()).collect()];
    for i in 1..=left.len() {
        let mut row = vec![i];
        for j in 1..=right.len() {
            let change = rows[i - 1][j - 1] + usize::from(left[i - 1] != right[j - 1]);
            let mut least = change.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[left.len()][right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_meant_and_far_ones_are_not() {
        let names = || ["hosts", "register", "tasks", "vars"].into_iter();
        assert_eq!(did_you_mean("tsks", names()), Some("tasks"));
        assert_eq!(did_you_mean("regsiter", names()), Some("register"));
        assert_eq!(did_you_mean("frobnicate", names()), None);
    }
}
