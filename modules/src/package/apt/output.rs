//! What `apt-get` says of a transaction, simulated or real: the same words in both.

use crate::host::Diff;
use crate::package::Step;

/// The headings under which packages are listed, and what they mean.
const SECTIONS: &[(&str, &str, &str)] = &[
    ("The following NEW packages will be installed:", "absent", "present"),
    ("The following packages will be upgraded:", "outdated", "latest"),
    ("The following packages will be DOWNGRADED:", "newer", "older"),
    ("The following packages will be REMOVED:", "present", "absent"),
];

/// The packages of a transaction.
pub fn steps(stdout: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut section = None;
    for line in stdout.lines() {
        if let Some(names) = line.strip_prefix("  ") {
            let Some((_, before, after)) = section else { continue };
            steps.extend(names.split_whitespace().map(|name| Step { name: name.trim_end_matches('*').to_owned(), before, after }));
        } else {
            section = SECTIONS.iter().find(|(heading, ..)| line.starts_with(heading)).copied();
        }
    }
    steps
}

/// Whether the transaction had nothing to do.
pub fn transacted_nothing(stdout: &str) -> bool {
    stdout.lines().any(|line| line.starts_with("0 upgraded, 0 newly installed, 0 to remove") && !line.contains("downgraded"))
}

/// What `--diff` shows: the lists, and the line that counts.
pub fn shown_diff(stdout: &str) -> Option<Diff> {
    let lines: Vec<&str> = stdout.lines().collect();
    let prologue = ["Reading state information", "Calculating upgrade"];
    let start = lines.iter().rposition(|line| prologue.iter().any(|text| line.starts_with(text))).map_or(0, |at| at + 1);
    let end = start + lines[start..].iter().position(|line| line.contains(" upgraded, ") && line.contains(" newly installed"))?;
    Some(Diff::Prepared(lines[start..=end].join("\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "Reading package lists...\nReading state information...\nThe following packages will be REMOVED:\n  a* b\nThe following NEW packages will be installed:\n  c\n0 upgraded, 1 newly installed, 2 to remove and 0 not upgraded.\nInst c (1)\n";

    #[test]
    fn sections_are_read() {
        let names: Vec<(String, &str)> = steps(OUTPUT).into_iter().map(|step| (step.name, step.after)).collect();
        assert_eq!(names, [("a".to_owned(), "absent"), ("b".to_owned(), "absent"), ("c".to_owned(), "present")]);
        assert!(!transacted_nothing(OUTPUT));
        let Some(Diff::Prepared(text)) = shown_diff(OUTPUT) else { panic!("no diff") };
        assert!(text.starts_with("The following packages will be REMOVED") && text.ends_with("not upgraded."), "{text}");
    }
}
